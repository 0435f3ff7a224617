//! Formats rankings and comparisons as text, Markdown, CSV and NDJSON.

use serde_json::{Map, Value, json};

use crate::group::Figure;
use crate::layout::Align;
use crate::output::{Cell, harmless, markdown_line, plain, quoted};
use crate::{Answer, Compared, QueryMetric, Ranking, layout};

#[cfg(test)]
mod tests;

/// A ranking or a comparison that can be formatted.
#[derive(Clone, Debug)]
pub struct Report {
    columns: Vec<(String, Align)>,
    /// The texts of each row in a text table.
    texts: Vec<Vec<String>>,
    /// The lines of CSV: first a header with the names of the fields, then the values of each row.
    csv: Vec<Vec<Cell>>,
    json: Vec<Value>,
}

impl Answer {
    /// Creates a report of rankings. The rankings must be computed from this answer.
    #[must_use]
    pub fn ranking_report(&self, rankings: &[Ranking]) -> Report {
        let mut report = Report::new(self.heads_of_report());
        let metric = rankings.first().map_or("value", |ranking| ranking.metric.name());
        report.numbers([self.count_name(), "share", metric, "impact"]);
        let mut names: Vec<Cell> = report.columns.iter().map(|(name, _)| Cell::Text(name.clone())).collect();
        names.extend(["value_error", "impact_error"].map(|name| Cell::Text(name.into())));
        report.csv.push(names);
        for ranking in rankings {
            for row in &ranking.rows {
                let mut texts = self.texts_of(&ranking.tenant, &row.key);
                texts.extend([
                    row.sessions.to_string(),
                    percent(row.share),
                    shown(ranking.metric, row.value),
                    shown_difference(ranking.metric, row.impact),
                ]);
                let mut cells = self.cells_of(&ranking.tenant, &row.key);
                cells.extend([
                    Cell::Count(row.sessions),
                    Cell::Real(row.share, 4),
                    value(ranking.metric, row.value),
                    value(ranking.metric, row.impact),
                    error(ranking.metric, row.value),
                    error(ranking.metric, row.impact),
                ]);
                report.texts.push(texts);
                report.csv.push(cells);
                report.json.push(json!({
                    "tenant": ranking.tenant, "metric": ranking.metric.name(),
                    "dimensions": self.dimensions_of(&row.key), self.count_name(): row.sessions,
                    "share": row.share, "value": row.value, "impact": row.impact, "overall": ranking.overall,
                }));
            }
        }
        report
    }

    /// Creates a report of a comparison. The comparison must be computed from this answer.
    #[must_use]
    pub fn comparison_report(&self, compared: &[Compared]) -> Report {
        let mut report = Report::new(self.heads_of_report());
        report.columns.push(("metric".into(), Align::Left));
        report.numbers(["now", "before", "change", "relative"]);
        let mut names: Vec<Cell> = report.columns.iter().map(|(name, _)| Cell::Text(name.clone())).collect();
        names.extend(["now_error", "before_error", "change_error"].map(|name| Cell::Text(name.into())));
        report.csv.push(names);
        for one in compared {
            let (metric, change) = (one.metric, one.change());
            let mut texts = self.texts_of(&one.tenant, &one.key);
            texts.extend([
                metric.name().to_owned(),
                shown(metric, one.now),
                shown(metric, one.before),
                shown_difference(metric, change),
                one.relative().map_or_else(|| "-".into(), |part| format!("{:+.1}%", part * 100.0)),
            ]);
            let mut cells = self.cells_of(&one.tenant, &one.key);
            cells.extend([
                Cell::Text(metric.name().into()),
                value(metric, one.now),
                value(metric, one.before),
                value(metric, change),
                Cell::real(one.relative(), 4),
                error(metric, one.now),
                error(metric, one.before),
                error(metric, change),
            ]);
            report.texts.push(texts);
            report.csv.push(cells);
            report.json.push(json!({
                "tenant": one.tenant, "metric": metric.name(), "dimensions": self.dimensions_of(&one.key),
                "now": one.now, "before": one.before, "change": change, "relative": one.relative(),
                "incomparable": one.incomparable,
            }));
        }
        report
    }

    fn heads_of_report(&self) -> Vec<String> {
        let tenant = self.across.is_none().then(|| "tenant".to_owned());
        tenant.into_iter().chain(self.by.iter().cloned()).collect()
    }

    fn texts_of(&self, tenant: &str, key: &[String]) -> Vec<String> {
        let tenant = self.across.is_none().then_some(tenant);
        tenant.into_iter().chain(key.iter().map(String::as_str)).map(plain).collect()
    }

    fn cells_of(&self, tenant: &str, key: &[String]) -> Vec<Cell> {
        let tenant = self.across.is_none().then_some(tenant);
        let text = |text: &str| Cell::Text(text.to_owned());
        tenant.into_iter().chain(key.iter().map(String::as_str)).map(text).collect()
    }

    fn dimensions_of(&self, key: &[String]) -> Map<String, Value> {
        self.by.iter().cloned().zip(key.iter().map(|value| json!(value))).collect()
    }
}

impl Report {
    fn new(heads: Vec<String>) -> Self {
        let columns = heads.into_iter().map(|name| (name, Align::Left)).collect();
        Self { columns, texts: Vec::new(), csv: Vec::new(), json: Vec::new() }
    }

    fn numbers<const N: usize>(&mut self, names: [&str; N]) {
        self.columns.extend(names.map(|name| (name.to_owned(), Align::Right)));
    }

    /// Formats the report as an aligned text table.
    #[must_use]
    pub fn table(&self) -> String {
        let heads: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&heads).chain(&self.texts).collect();
        let widest = |at: usize| lines.iter().map(|line| layout::width(&line[at])).max().unwrap_or_default();
        let widths: Vec<usize> = (0..heads.len()).map(widest).collect();
        let mut table = String::new();
        for line in lines {
            let cells = line.iter().zip(&widths).zip(&self.columns);
            table.push_str(&layout::line(cells.map(|((text, wide), (_, align))| (text, *wide, *align))));
            table.push('\n');
        }
        table
    }

    /// Formats the report as a table in GitHub Flavored Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let rule =
            |(_, align): &(String, Align)| if *align == Align::Right { "---:" } else { "---" }.to_owned();
        let heads = markdown_line(self.columns.iter().map(|(name, _)| name.clone()));
        let rule = markdown_line(self.columns.iter().map(rule));
        let rows: String = self.texts.iter().map(|texts| markdown_line(texts.iter().cloned())).collect();
        format!("{heads}{rule}{rows}")
    }

    /// Formats the report as CSV with a header row, by the same rules as [`Answer::csv`].
    #[must_use]
    pub fn csv(&self) -> String {
        let field = |cell: &Cell| match cell {
            Cell::Text(text) => quoted(&harmless(text.clone())),
            cell => cell.clone().written(""),
        };
        let line = |cells: &Vec<Cell>| cells.iter().map(field).collect::<Vec<_>>().join(",") + "\n";
        self.csv.iter().map(line).collect()
    }

    /// Formats the report as NDJSON, with one object for each row.
    #[must_use]
    pub fn json(&self) -> String {
        self.json.iter().map(|row| format!("{row}\n")).collect()
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Formats a value in the unit of its metric. If the value has noise, the standard error follows.
fn shown(metric: QueryMetric, figure: Option<Figure>) -> String {
    let number = |value: f64| if metric.unit() == "share" { percent(value) } else { rounded(metric, value) };
    with_error(figure, number, number)
}

/// Formats a difference with its sign. The difference between two shares is written in percentage points.
fn shown_difference(metric: QueryMetric, figure: Option<Figure>) -> String {
    let is_share = metric.unit() == "share";
    let number = |value: f64| {
        if is_share { format!("{:+.2}pp", value * 100.0) } else { format!("{:+.*}", decimals(metric), value) }
    };
    let error = |value: f64| if is_share { format!("{:.2}", value * 100.0) } else { rounded(metric, value) };
    with_error(figure, number, error)
}

fn with_error(
    figure: Option<Figure>,
    number: impl Fn(f64) -> String,
    error: impl Fn(f64) -> String,
) -> String {
    match figure {
        None => "-".into(),
        Some(Figure { value, error: Some(deviation) }) if deviation > 0.0 => {
            format!("{} ±{}", number(value), error(deviation))
        }
        Some(Figure { value, .. }) => number(value),
    }
}

/// Returns the number of decimal places with which a metric is written.
fn decimals(metric: QueryMetric) -> usize {
    match metric.unit() {
        "per hour" => 2,
        "minutes" => 1,
        "sessions" if metric.name() == "concurrent_mean" => 1,
        _ => 0,
    }
}

fn rounded(metric: QueryMetric, value: f64) -> String {
    format!("{value:.*}", decimals(metric))
}

fn value(metric: QueryMetric, figure: Option<Figure>) -> Cell {
    let decimals = if metric.unit() == "share" { 6 } else { 2 };
    Cell::real(figure.map(|figure| figure.value), decimals)
}

fn error(metric: QueryMetric, figure: Option<Figure>) -> Cell {
    let decimals = if metric.unit() == "share" { 6 } else { 2 };
    Cell::real(figure.and_then(|figure| figure.error), decimals)
}
