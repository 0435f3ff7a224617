//! The flags `--rank` and `--compare`, which print rankings of rows and comparisons of two periods.

use std::collections::BTreeSet;

use crowdfold_model::{Span, Timestamp};
use crowdfold_query::{Answer, Compared, Incomparable, Query, QueryError, QueryMetric, Report, Row};

use crate::cli::{self, Against, TableFormat};
use crate::error::CrowdfoldError;

/// The metrics of a comparison, if --metric is not given.
const COMPARED: [&str; 7] =
    ["concurrent_mean", "minutes_watched", "rebuffering_ratio", "vsf", "vpf", "startup_ms", "bitrate_kbps"];

/// The metric of a ranking, if --metric is not given.
const RANKED: &str = "rebuffering_ratio";

/// The queried period, and the earlier period with which it is compared.
pub(super) struct Periods {
    /// The query of the later period.
    pub(super) query: Query,
    /// The query of all windows that must be read. They begin with the start of the earlier period.
    pub(super) reading: Query,
    /// The time between the starts of both periods. `None` without `--compare`.
    shift: Option<Span>,
}

impl Periods {
    pub(super) fn of(args: &cli::Query, query: &Query, now: Timestamp) -> Result<Self, CrowdfoldError> {
        let (Some(against), Some(since)) = (args.compare, args.since) else {
            return Ok(Self { query: query.clone(), reading: query.clone(), shift: None });
        };
        let start = now.saturating_sub(since.into());
        let shift = match against {
            Against::Before(length) => length.into(),
            Against::At(time) => start.checked_since(time).filter(|shift| !shift.is_zero()).ok_or_else(|| {
                CrowdfoldError::Usage(format!(
                    "--compare {time} is not before the period of --since, which begins at {start}; give an earlier time"
                ))
            })?,
        };
        let reading = query.clone().between(start.saturating_sub(shift), Timestamp::MAX);
        Ok(Self { query: query.clone(), reading, shift: Some(shift) })
    }

    /// Returns the answer for the earlier period, and a note that contains both periods. The earlier period ends with
    /// the window that corresponds to the newest published window of the later period.
    pub(super) fn before(&self, answer: &Answer, rows: &[Row]) -> Result<(Answer, String), QueryError> {
        let shift = self.shift.unwrap_or_default();
        let start = self.query.since();
        // If the earlier period had its full length, it would contain windows that the later period does not have yet.
        let end = answer.newest_window().map_or(start, |newest| newest.saturating_add(Span::from_millis(1)));
        let (from, to) = (start.saturating_sub(shift), end.saturating_sub(shift));
        let before = self.query.clone().between(from, to).run(rows)?;
        let newest = answer.newest_window().map_or_else(|| "none".into(), |newest| newest.to_string());
        let note = format!("compared: windows from {start} to {newest} with windows from {from} to {to}");
        Ok((before, note))
    }
}

/// Returns the metric of a ranking: the metric of `--metric`, or the default metric.
pub(super) fn ranked(metrics: &[QueryMetric]) -> Result<QueryMetric, CrowdfoldError> {
    match metrics {
        [] => QueryMetric::named(RANKED)
            .ok_or_else(|| CrowdfoldError::Usage(format!("--metric: {RANKED} is not a metric"))),
        [metric] => Ok(*metric),
        _ => Err(CrowdfoldError::Usage("--rank needs a single metric; give one with --metric".into())),
    }
}

/// Returns the metrics of a comparison: the metrics of `--metric`, or the default metrics.
pub(super) fn metrics(metrics: &[QueryMetric]) -> Vec<QueryMetric> {
    match metrics {
        [] => COMPARED.into_iter().filter_map(QueryMetric::named).collect(),
        metrics => metrics.to_vec(),
    }
}

/// Returns a note for each reason why values are not compared.
pub(super) fn incomparable(compared: &[Compared]) -> BTreeSet<String> {
    let reasons = compared.iter().filter_map(|one| Some((one, one.incomparable?)));
    let note = |(one, reason): (&Compared, Incomparable)| {
        let of_tenant = if one.tenant.is_empty() { String::new() } else { format!(" of {}", one.tenant) };
        let compared = if reason.has_incomplete_windows() {
            "ratios are compared"
        } else {
            "ratios and means are compared"
        };
        format!("not compared: sums{of_tenant}, because {reason}; {compared}")
    };
    reasons.map(note).collect()
}

pub(super) fn written(report: &Report, format: TableFormat) -> String {
    match format {
        TableFormat::Table => report.table(),
        TableFormat::Json => report.json(),
        TableFormat::Csv => report.csv(),
        TableFormat::Markdown => report.markdown(),
    }
}

#[cfg(test)]
mod tests {
    use crowdfold_query::TableWindows;

    use super::*;

    #[test]
    fn note_names_only_the_metrics_that_are_compared() {
        let note = |windows, incomplete| {
            let now = TableWindows { windows: 60, incomplete: false };
            let before = TableWindows { windows, incomplete };
            let sessions = Compared {
                tenant: "acme".into(),
                key: Vec::new(),
                metric: QueryMetric::named("sessions").unwrap(),
                now: None,
                before: None,
                incomparable: Some(Incomparable { now, before }),
            };
            incomparable(&[sessions.clone(), sessions]).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            note(59, false),
            [
                "not compared: sums of acme, because the later period has 60 windows and the earlier period 59; ratios \
                 and means are compared"
            ]
        );
        assert_eq!(
            note(60, true),
            [
                "not compared: sums of acme, because the earlier period contains incomplete windows; ratios are \
                 compared"
            ]
        );
    }
}
