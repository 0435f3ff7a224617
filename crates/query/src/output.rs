//! Formats answers as text tables, Markdown or CSV. JSON has another structure, in [`json`].

use crate::group::Group;
use crate::layout::{self, Align, GAP, width};

mod json;
#[cfg(test)]
mod tests;

/// One field of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Count(u64),
    /// A sum, which noise may make negative.
    Sum(i64),
    /// A number, and the number of decimal places to write.
    Real(f64, usize),
    /// A share of a whole, which is written in percent.
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

    pub(crate) fn sum(sum: Option<i64>) -> Self {
        sum.map_or(Self::None, Self::Sum)
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Sum(sum) => *sum < 0,
            Self::Real(value, _) | Self::Share(value) => *value < 0.0,
            Self::Text(_) | Self::Count(_) | Self::None => false,
        }
    }

    /// Returns true if the cell is a standard error that must be written after `±`. Exact numbers have no such cell.
    fn is_error(&self) -> bool {
        match self {
            Self::Real(value, _) | Self::Share(value) => *value > 0.0,
            Self::Text(_) | Self::Count(_) | Self::Sum(_) | Self::None => false,
        }
    }

    pub(crate) fn written(self, nothing: &str) -> String {
        match self {
            Self::Text(text) => text,
            Self::Count(count) => count.to_string(),
            Self::Sum(sum) => sum.to_string(),
            Self::Real(value, decimals) => format!("{value:.decimals$}"),
            Self::Share(value) => format!("{:.2}%", value * 100.0),
            Self::None => nothing.into(),
        }
    }
}

type CellOf = Box<dyn Fn(&Group) -> Cell>;

pub(crate) struct Column {
    name: String,
    align: Align,
    /// The priority for omitting the column if not all columns fit. The column with the highest value is omitted first.
    /// A column with the value 0 is never omitted.
    spare: u8,
    of: CellOf,
    /// The standard error of the number, if the column has one.
    error: Option<CellOf>,
}

impl Column {
    pub(crate) fn text(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), align: Align::Left, spare: 0, of: Box::new(of), error: None }
    }

    pub(crate) fn number(name: impl Into<String>, of: impl Fn(&Group) -> Cell + 'static) -> Self {
        Self { name: name.into(), align: Align::Right, spare: 0, of: Box::new(of), error: None }
    }

    pub(crate) fn spare(mut self, spare: u8) -> Self {
        self.spare = spare;
        self
    }

    pub(crate) fn error(mut self, error: impl Fn(&Group) -> Cell + 'static) -> Self {
        self.error = Some(Box::new(error));
        self
    }

    /// Returns the texts of the column in a text table: the heading, and one text for each group. A number below 0 is
    /// marked with `?`. Standard errors are aligned.
    fn texts(&self, rows: &[Group], errors: bool) -> Vec<String> {
        let number = |row| {
            let cell = (self.of)(row);
            let mark = if cell.is_negative() { "?" } else { "" };
            plain(&cell.written("-")) + mark
        };
        let numbers: Vec<_> = rows.iter().map(number).collect();
        let error = |row| self.error.as_ref().filter(|_| errors).map(|error| error(row));
        let error = |row| error(row).filter(Cell::is_error).map_or(String::new(), |cell| cell.written(""));
        let after: Vec<_> = rows.iter().map(error).collect();
        let widest = after.iter().map(|text| width(text)).max().unwrap_or_default();
        let join = |(number, after): (String, &String)| match (widest, after.as_str()) {
            (0, _) => number,
            (_, "") => number + &" ".repeat(widest + 2),
            _ => format!("{number} ±{after:>widest$}"),
        };
        let texts = numbers.into_iter().zip(&after).map(join);
        std::iter::once(self.name.clone()).chain(texts).collect()
    }
}

pub(crate) struct Sheet<'a> {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: &'a [Group],
    /// True if standard errors are written.
    pub(crate) errors: bool,
}

impl Sheet<'_> {
    /// Removes the columns that have no value in any row. If `main` is true, keeps the main columns even if they have
    /// no value.
    pub(crate) fn without_idle_columns(mut self, main: bool) -> Self {
        let rows = self.rows;
        self.columns.retain(|column| {
            let filled = || rows.iter().any(|row| (column.of)(row) != Cell::None);
            rows.is_empty() || main && column.spare == 0 || filled()
        });
        self
    }

    /// Formats a text table. Text is aligned to the left and numbers to the right, and `-` represents a missing
    /// value. Columns are omitted by priority until the lines fit into `most` columns of a terminal.
    pub(crate) fn table(&self, most: usize) -> String {
        let mut columns: Vec<(&Column, Vec<String>, usize)> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let cells = column.texts(self.rows, self.errors);
            let wide = cells.iter().map(|text| width(text)).max().unwrap_or_default();
            columns.push((column, cells, wide));
        }
        while columns.iter().map(|(.., wide)| wide + GAP.len()).sum::<usize>()
            > most.saturating_add(GAP.len())
        {
            let spare = columns.iter().enumerate().max_by_key(|(_, (column, ..))| column.spare);
            match spare {
                Some((at, (column, ..))) if column.spare > 0 => drop(columns.remove(at)),
                _ => break,
            }
        }
        let mut table = String::new();
        for line in 0..=self.rows.len() {
            let texts = columns.iter().map(|(column, cells, wide)| (&cells[line], *wide, column.align));
            table.push_str(&layout::line(texts));
            table.push('\n');
        }
        table
    }

    /// Formats all columns as a table in GitHub Flavored Markdown.
    pub(crate) fn markdown(&self) -> String {
        let columns: Vec<Vec<String>> =
            self.columns.iter().map(|column| column.texts(self.rows, self.errors)).collect();
        let line = |at: usize| markdown_line(columns.iter().map(|texts| texts[at].clone()));
        let rule = |column: &Column| if column.align == Align::Right { "---:" } else { "---" }.to_owned();
        let rule = markdown_line(self.columns.iter().map(rule));
        std::iter::once(line(0)).chain([rule]).chain((1..=self.rows.len()).map(line)).collect()
    }

    pub(crate) fn csv(&self) -> String {
        let mut fields: Vec<(String, &CellOf)> = Vec::new();
        for column in &self.columns {
            fields.push((column.name.clone(), &column.of));
            let error = column.error.as_ref().filter(|_| self.errors);
            fields.extend(error.map(|error| (format!("{}_error", column.name), error)));
        }
        let mut csv = fields.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(",");
        csv.push('\n');
        for row in self.rows {
            let cells = fields.iter().map(|(_, of)| match of(row) {
                Cell::Text(text) => quoted(&harmless(text)),
                cell => cell.written(""),
            });
            csv.push_str(&cells.collect::<Vec<_>>().join(","));
            csv.push('\n');
        }
        csv
    }
}

/// Replaces control characters, so that a terminal does not interpret them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Formats a line of a table in GitHub Flavored Markdown. Characters that have a meaning in Markdown are escaped.
pub(crate) fn markdown_line(cells: impl Iterator<Item = String>) -> String {
    let escaped = |cell: String| {
        let mut text = String::with_capacity(cell.len());
        for c in cell.trim().chars() {
            if matches!(c, '|' | '\\' | '*' | '_' | '`' | '<' | '[') {
                text.push('\\');
            }
            text.push(c);
        }
        text
    };
    format!("| {} |\n", cells.map(escaped).collect::<Vec<_>>().join(" | "))
}

/// Formats a text as a field of CSV. Quotes the text according to RFC 4180. Escapes it if a spreadsheet could interpret
/// it as a formula.
#[must_use]
pub fn csv_field(text: &str) -> String {
    quoted(&harmless(text.to_owned()))
}

/// Prefixes a text with `'` if a spreadsheet would interpret it as a formula.
pub(crate) fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// Quotes a field of CSV according to RFC 4180, if this is necessary.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
