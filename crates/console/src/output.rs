//! Writing sheets: text for people, CSV for spreadsheets. JSON has a shape of its own, in [`json`].

use crate::group::Group;

mod json;
#[cfg(test)]
mod tests;
mod width;

use width::width;

/// What stands in one place of a sheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Count(u64),
    /// A number and how many decimals it is told with.
    Real(f64, usize),
    None,
}

impl Cell {
    pub(crate) fn real(value: Option<f64>, decimals: usize) -> Self {
        value.map_or(Self::None, |value| Self::Real(value, decimals))
    }

    pub(crate) fn count(count: Option<u64>) -> Self {
        count.map_or(Self::None, Self::Count)
    }

    fn written(self, nothing: &str) -> String {
        match self {
            Self::Text(text) => text,
            Self::Count(count) => count.to_string(),
            Self::Real(value, decimals) => format!("{value:.decimals$}"),
            Self::None => nothing.into(),
        }
    }
}

pub(crate) struct Column {
    name: String,
    is_number: bool,
    of: Box<dyn Fn(&Group) -> Cell>,
}

impl Column {
    pub(crate) fn text(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), is_number: false, of: Box::new(of) }
    }

    pub(crate) fn number(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), is_number: true, of: Box::new(of) }
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

    /// Columns two spaces apart, texts to the left, numbers to the right, `-` for nothing.
    pub(crate) fn table(&self) -> String {
        let header = self.columns.iter().map(|column| column.name.clone()).collect();
        let body = self
            .rows
            .iter()
            .map(|row| self.columns.iter().map(|column| plain(&(column.of)(row).written("-"))).collect());
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(body).collect();
        let widest = |at: usize| lines.iter().map(|line| width(&line[at])).max().unwrap_or_default();
        let widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let mut table = String::new();
        for line in &lines {
            let mut written = String::new();
            for ((text, column), wide) in line.iter().zip(&self.columns).zip(&widths) {
                if !written.is_empty() {
                    written.push_str("  ");
                }
                let gap = " ".repeat(wide - width(text));
                let (before, after) = if column.is_number { (gap.as_str(), "") } else { ("", gap.as_str()) };
                written.extend([before, text, after]);
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
