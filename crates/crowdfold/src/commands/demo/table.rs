//! Formats the rows of a table as lines of text.

use crowdfold_model::ValueMetric;
use crowdfold_query::layout::{self, Align, GAP};
use crowdfold_query::{Figure, Figures, Numbers, Row};

use super::stats::Table;
use super::text::{bar, count, cut, minute, number};

#[cfg(test)]
mod tests;

/// The maximum width of a dimension value, in columns. Longer values are truncated.
const LABEL: usize = 18;

/// Bars are drawn only if the output has at least this width, in columns.
const WIDE: usize = 100;

/// The maximum width of a bar, in columns.
const BAR: u64 = 12;

/// The text style of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
}

/// A line of text, and its style.
pub(super) type Line = (Style, String);

/// Returns a title, the names of the columns, and at most `most` rows. If the table has folded rows, at least one of
/// them is shown. If `bars` is true, the numbers of sessions are also drawn as bars. Columns that do not fit into
/// `width` are omitted.
pub(super) fn lines(table: &Table, most: usize, width: usize, bars: bool) -> Vec<Line> {
    let shown = choose(&table.rows, most);
    let largest = table.rows.first().map_or(1, |row| row.sessions);
    let mut columns: Vec<Column> =
        table.breakdown.iter().map(|dimension| label(dimension, &table.rows)).collect();
    columns.push(Column::right("sessions", |row| number(row.sessions)));
    if bars && width >= WIDE {
        columns.push(Column {
            head: String::new(),
            wide: BAR as usize,
            align: Align::Left,
            of: Box::new(move |row| bar(row.sessions, largest, BAR)),
        });
    }
    columns.extend([
        Column::figure("minutes", whole, |figures| figures.minutes_watched),
        Column::figure("rebuffering", share, |figures| figures.rebuffering_ratio),
        Column::figure("startup ms", whole, |figures| figures.startup_ms),
        Column::figure("kbit/s", whole, |figures| figures.bandwidth_kbps),
    ]);
    if numbers(table) == Some(Numbers::Exact) {
        let median = |row: &Row| row.distribution(ValueMetric::BandwidthKbps).and_then(|summary| summary.p50);
        columns.push(Column::right("kbit/s p50", move |row| median(row).map_or("-".into(), number)));
    }
    let total = |columns: &[Column]| columns.iter().map(|column| column.wide + GAP.len()).sum::<usize>();
    while total(&columns) > width + GAP.len() && columns.len() > table.breakdown.len() + 1 {
        columns.pop();
    }
    let mut lines = vec![(Style::Bold, title(table))];
    lines.push((Style::Dim, line(&columns, |column| column.head.clone())));
    lines.extend(shown.iter().map(|row| {
        let style = if folds(row) { Style::Dim } else { Style::Plain };
        (style, line(&columns, |column| (column.of)(row)))
    }));
    let left = table.rows.len() - shown.len();
    if left > 0 {
        lines.push((Style::Dim, format!("… {left} more rows")));
    }
    lines
}

/// Returns at most `most` rows, the largest ones. If the table has folded rows, at least one of the returned rows is
/// folded.
fn choose(rows: &[Row], most: usize) -> Vec<&Row> {
    let mut shown: Vec<&Row> = rows.iter().take(most).collect();
    let folding = rows.iter().find(|row| folds(row));
    if let (false, Some(folding)) = (shown.iter().any(|row| folds(row)), folding) {
        shown.pop();
        shown.push(folding);
    }
    shown
}

fn folds(row: &Row) -> bool {
    row.dimensions.values().any(|value| value == "*")
}

fn title(table: &Table) -> String {
    let (start, end) = table.rows.first().map(|row| (row.window.start, row.window.end)).unwrap_or_default();
    let numbers = match numbers(table) {
        Some(Numbers::Exact) => "; exact",
        Some(Numbers::Noisy) => "; the rest with noise",
        Some(Numbers::Absent) => "; no secret, so no other numbers",
        Some(Numbers::Private) | None => "",
    };
    format!(
        "{}   {} to {} UTC, {}: {}, {}{numbers}",
        table.breakdown.join(", "),
        minute(start),
        minute(end),
        table.tenant,
        count(table.rows.len() as u64, "row"),
        count(table.sessions(), "session")
    )
}

/// Returns the kind of the numbers in a table: exact, with noise, or absent. All rows of a table have the same kind.
fn numbers(table: &Table) -> Option<Numbers> {
    table.rows.first().and_then(Row::numbers)
}

/// A column of the formatted table, with a fixed width.
struct Column {
    head: String,
    wide: usize,
    align: Align,
    of: Box<dyn Fn(&Row) -> String>,
}

impl Column {
    fn right(head: &str, of: impl Fn(&Row) -> String + 'static) -> Self {
        Self { head: head.into(), wide: head.len().max(8), align: Align::Right, of: Box::new(of) }
    }

    /// Creates a column of numbers that may have noise. If a number is less than twice its standard error, the column
    /// shows the standard error instead, such as `±8`.
    fn figure(head: &str, written: fn(f64) -> String, of: fn(&Figures) -> Option<Figure>) -> Self {
        Self::right(head, move |row| match row.figures().as_ref().and_then(of) {
            None => "-".into(),
            Some(Figure { value, error: Some(error) }) if 2.0 * error > value.abs() => {
                format!("±{}", written(error))
            }
            Some(Figure { value, .. }) if value < 0.0 => format!("-{}", written(-value)),
            Some(Figure { value, .. }) => written(value),
        })
    }
}

/// Creates the column of a dimension. Its width depends on all rows, including those that are not shown.
fn label(dimension: &str, rows: &[Row]) -> Column {
    let values = rows.iter().filter_map(|row| row.value(dimension)).map(|value| value.chars().count());
    let wide = values.max().unwrap_or(0).clamp(dimension.len(), LABEL.max(dimension.len()));
    let dimension = dimension.to_owned();
    let head = dimension.clone();
    let of = move |row: &Row| cut(row.value(&dimension).unwrap_or_default(), wide);
    Column { head, wide, align: Align::Left, of: Box::new(of) }
}

fn line(columns: &[Column], text: impl Fn(&Column) -> String) -> String {
    layout::line(columns.iter().map(|column| (text(column), column.wide, column.align)))
}

fn whole(value: f64) -> String {
    number(value.round() as u64)
}

fn share(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}
