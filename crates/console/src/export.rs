//! Exports gauges to Prometheus: the metrics of each tenant in the newest complete window of each exported table.

use std::fmt::Write as _;

use crowdfold_model::{Span, Timestamp};
use crowdfold_query::{Args, Catalogue, Names, Query, QueryMetric, list_of_names};

use crate::{Access, ConsoleError, Selection, Store};

#[cfg(test)]
mod tests;

/// The maximum number of series. Further rows are not exported; they are counted in `crowdfold_rollup_series_omitted`.
const SERIES: usize = 10_000;

/// The values of a table are no longer exported if it has had no new complete window for this time.
const STALE: Span = Span::from_millis(30 * 60_000);

/// The maximum length of a window whose table is exported.
const LONGEST: Span = Span::DAY;

/// A table, and the metrics of the table that are exported.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    breakdown: String,
    metrics: Vec<QueryMetric>,
}

impl Export {
    /// Parses an entry of the exported tables, such as `cdn: rebuffering_ratio, vsf`. `custom` are the names of the
    /// custom dimensions.
    ///
    /// # Errors
    /// Returns an error if the entry is not a breakdown followed by metrics.
    pub fn parse(entry: &str, custom: &[&str]) -> Result<Self, ConsoleError> {
        let failed = |fix: String| ConsoleError::Export { entry: entry.escape_debug().to_string(), fix };
        let (breakdown, metrics) = entry.split_once(':').ok_or_else(|| {
            failed("write a breakdown and metrics, such as \"cdn: rebuffering_ratio, vsf\"".into())
        })?;
        let known = Names::new(custom.iter().copied());
        let names: Vec<&str> = breakdown.split([',', '.']).map(str::trim).collect();
        names.iter().try_for_each(|name| known.check(name)).map_err(|error| failed(error.to_string()))?;
        let breakdown =
            list_of_names("breakdown", breakdown).map_err(|error| failed(error.to_string()))?.join(".");
        let metric = |name: &str| {
            QueryMetric::named(name.trim()).ok_or_else(|| {
                let known: Vec<_> = QueryMetric::all().map(QueryMetric::name).collect();
                failed(format!(
                    "\"{}\" is not a metric; the metrics are {}",
                    name.trim().escape_debug(),
                    known.join(", ")
                ))
            })
        };
        Ok(Self { breakdown, metrics: metrics.split(',').map(metric).collect::<Result<_, _>>()? })
    }
}

/// Returns the gauges of all tenants that `access` may see, in the text format of Prometheus.
pub(crate) fn gauges(
    exports: &[Export],
    store: &Store,
    access: &Access,
    now: Timestamp,
) -> Result<String, ConsoleError> {
    let mut text = String::new();
    let mut left = SERIES;
    let mut omitted = 0_usize;
    let mut lines: Vec<(String, String)> = Vec::new();
    for (tenant, (.., end)) in store.tenants()?.into_iter().filter(|(tenant, _)| access.sees(tenant)) {
        let tenant_label = label("tenant", &tenant);
        lines.push((
            "crowdfold_rollup_window_end_timestamp_seconds".into(),
            format!("{{{tenant_label}}} {}", end.as_millis() as f64 / 1_000.0),
        ));
        for export in exports {
            let since = now.saturating_sub(STALE).saturating_sub(LONGEST);
            let window = store.newest_complete(&tenant, &export.breakdown, since)?;
            let Some(window) = window.filter(|window| now.saturating_since(window.end) <= STALE) else {
                continue;
            };
            let rows = values(store, &tenant, export, window.start)?;
            for (labels, figures) in rows {
                if left < figures.len() {
                    omitted += figures.len();
                    continue;
                }
                left -= figures.len();
                let labels = format!("{tenant_label},{},{labels}", label("breakdown", &export.breakdown));
                lines.extend(figures.into_iter().map(|(name, value)| {
                    (format!("crowdfold_rollup_{name}"), format!("{{{labels}}} {value}"))
                }));
            }
        }
    }
    lines.push(("crowdfold_rollup_series_omitted".into(), format!(" {omitted}")));
    lines.sort();
    let mut last = "";
    for (name, line) in &lines {
        if name != last {
            // writing to a String cannot fail
            let _ = writeln!(text, "# TYPE {name} gauge");
            last = name;
        }
        let _ = writeln!(text, "{name}{line}");
    }
    Ok(text)
}

/// The labels of a row, and its values by metric.
type Gauges = Vec<(String, Vec<(&'static str, f64)>)>;

/// Returns the values of a table in one window. A value that is absent in a row has no series.
fn values(store: &Store, tenant: &str, export: &Export, start: Timestamp) -> Result<Gauges, ConsoleError> {
    let until = start.saturating_add(Span::from_millis(1));
    let (tenant, breakdown) = (tenant.to_owned(), export.breakdown.clone());
    let rows = store.rows(&Selection {
        tenant,
        breakdown: breakdown.clone(),
        dimensions: None,
        since: start,
        until,
        step: None,
    })?;
    let args = Args { breakdown: Some(breakdown), ..Args::default() };
    let Ok(query) = Query::from_args(&args, &Catalogue::default(), start) else { return Ok(Vec::new()) };
    let Ok(answer) = query.run(&rows) else { return Ok(Vec::new()) };
    let sessions = QueryMetric::named("sessions");
    let metrics: Vec<QueryMetric> = sessions
        .into_iter()
        .chain(export.metrics.iter().copied().filter(|metric| Some(*metric) != sessions))
        .collect();
    let row = |series: crowdfold_query::Series| {
        let labels = answer.by().iter().zip(&series.key).map(|(name, value)| label(name, value));
        let point = series.points.first()?;
        let values = metrics
            .iter()
            .zip(&point.values)
            .filter_map(|(metric, figure)| Some((metric.name(), (*figure)?.value)));
        Some((labels.collect::<Vec<_>>().join(","), values.collect()))
    };
    Ok(answer.series(&metrics).into_iter().filter_map(row).collect())
}

fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}
