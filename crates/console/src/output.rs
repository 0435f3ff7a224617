//! Writing sheets: text for people, CSV for spreadsheets. JSON has a shape of its own, in [`json`].

use crate::group::Group;

mod json;
#[cfg(test)]
mod tests;
mod width;

use width::width;

/// Spaces between the columns of a table.
const GAP: usize = 2;

/// What stands in one place of a sheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Count(u64),
    /// A number and how many decimals it is told with.
    Real(f64, usize),
    /// A part of a whole, told in percent.
    Share(f64),
    None,
}

impl Cell {
    pub(crate) fn real(value: Option<f64>, decimals: usize) -> Self {
        value.map_or(Self::None, |value| Self::Real(value, decimals))
    }

    pub(crate) fn share(share: Option<f64>) -> Self {
        share.map_or(Self::None, Self::Share)
    }

    pub(crate) fn count(count: Option<u64>) -> Self {
        count.map_or(Self::None, Self::Count)
    }

    fn written(self, nothing: &str) -> String {
        match self {
            Self::Text(text) => text,
            Self::Count(count) => count.to_string(),
            Self::Real(value, decimals) => format!("{value:.decimals$}"),
            Self::Share(value) => format!("{:.2}%", value * 100.0),
            Self::None => nothing.into(),
        }
    }
}

pub(crate) struct Column {
    name: String,
    is_number: bool,
    /// Where there is not room for all, the highest goes first; 0 stays.
    spare: u8,
    of: Box<dyn Fn(&Group) -> Cell>,
}

impl Column {
    pub(crate) fn text(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), is_number: false, spare: 0, of: Box::new(of) }
    }

    pub(crate) fn number(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), is_number: true, spare: 0, of: Box::new(of) }
    }

    pub(crate) fn spare(mut self, spare: u8) -> Self {
        self.spare = spare;
        self
    }
}

pub(crate) struct Sheet<'a> {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: &'a [Group],
}

impl Sheet<'_> {
    /// Leaves out columns that have nothing in any row.
    pub(crate) fn without_idle_columns(mut self) -> Self {
        let rows = self.rows;
        self.columns
            .retain(|column| rows.is_empty() || rows.iter().any(|row| (column.of)(row) != Cell::None));
        self
    }

    /// Columns two spaces apart, texts to the left, numbers to the right, `-` for nothing. Those that can be spared
    /// are, until the lines fit into `most` columns of a terminal.
    pub(crate) fn table(&self, most: usize) -> String {
        let written = |column: &Column| -> Vec<String> {
            let cells = self.rows.iter().map(|row| plain(&(column.of)(row).written("-")));
            std::iter::once(column.name.clone()).chain(cells).collect()
        };
        let mut columns: Vec<(&Column, Vec<String>, usize)> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let cells = written(column);
            let wide = cells.iter().map(|text| width(text)).max().unwrap_or_default();
            columns.push((column, cells, wide));
        }
        while columns.iter().map(|(.., wide)| wide + GAP).sum::<usize>() > most.saturating_add(GAP) {
            let spare = columns.iter().enumerate().max_by_key(|(_, (column, ..))| column.spare);
            match spare {
                Some((at, (column, ..))) if column.spare > 0 => drop(columns.remove(at)),
                _ => break,
            }
        }
        let mut table = String::new();
        for line in 0..=self.rows.len() {
            let mut written = String::new();
            for (column, cells, wide) in &columns {
                let text = &cells[line];
                let gap = " ".repeat(wide - width(text));
                let (before, after) = if column.is_number { (gap.as_str(), "") } else { ("", gap.as_str()) };
                written.extend([before, text, after, &" ".repeat(GAP)]);
            }
            table.push_str(written.trim_end());
            table.push('\n');
        }
        table
    }

    pub(crate) fn csv(&self) -> String {
        let mut csv = self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(",");
        csv.push('\n');
        for row in self.rows {
            let cells = self.columns.iter().map(|column| match (column.of)(row) {
                Cell::Text(text) => quoted(&harmless(text)),
                cell => cell.written(""),
            });
            csv.push_str(&cells.collect::<Vec<_>>().join(","));
            csv.push('\n');
        }
        csv
    }
}

/// A text that a terminal shows and does not obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// A field as RFC 4180 wants it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
