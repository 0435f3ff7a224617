//! Computes the answers about histograms and about windows.

use crowdfold_model::{Metric, Span, Timestamp};
use crowdfold_query::{WindowReport, WindowReports};
use serde_json::json;

use super::{Asked, Reply};
use crate::question::{Form, Parameters, Refusal, in_order};
use crate::tenants::Tenants;

/// The period that `windows` reports, unless the request sets another period.
const WINDOWS_SINCE: Span = Span::DAY;

impl Asked<'_> {
    /// Answers `distribution`.
    pub(crate) fn distribution(&self, query: &str) -> Result<Reply, Refusal> {
        let names = ["tenant", "breakdown", "metric", "where", "by", "since", "until"];
        let parameters = Parameters::parse(query, &names)?;
        let metric = parameters.one("metric").unwrap_or("startup_ms");
        let Some(Metric::Value(metric)) = Metric::named(metric).filter(|metric| match metric {
            Metric::Value(metric) => metric.has_histogram(),
            Metric::Sum(_) => false,
        }) else {
            return Err(Refusal::bad(format!(
                "\"{}\" has no histogram; the metrics with histograms are {}",
                metric.escape_debug(),
                crate::catalogue::with_histogram().collect::<Vec<_>>().join(", ")
            )));
        };
        let question = self.question(&parameters, Form::Whole)?;
        let mut sum = question.query.distribution(metric);
        self.store.histograms(&question.selection, metric)?.iter().for_each(|row| sum.add(row));
        let distribution = sum.finish();
        let mut csv = vec![["from", "to", "at_least", "at_most", "estimate"].map(String::from).to_vec()];
        for range in &distribution.ranges {
            let bound = |bound: Option<u64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
            csv.push(vec![
                bound(range.from),
                bound(range.to),
                range.at_least.to_string(),
                range.at_most.to_string(),
                format!("{:.1}", range.estimate),
            ]);
        }
        let json = json!({
            "tenant": question.selection.tenant, "breakdown": question.selection.breakdown, "metric": metric.name(),
            "since": question.selection.since.as_millis(), "until": question.selection.until.as_millis(),
            "rounded": question.is_rounded, "distribution": distribution,
        });
        Ok(Reply { json, csv: Some(csv) })
    }

    /// Answers `windows`.
    pub(crate) fn windows(&self, query: &str) -> Result<Reply, Refusal> {
        let parameters = Parameters::parse(query, &["tenant", "since", "until"])?;
        let until = parameters.time("until", self.now)?.unwrap_or(Timestamp::MAX);
        let since = parameters.time("since", self.now)?;
        let since = since.unwrap_or_else(|| self.now.saturating_sub(WINDOWS_SINCE));
        in_order(since, until)?;
        let tenants = Tenants::of(self.store, self.access)?.chosen(&parameters)?;
        let mut reports = WindowReports::default();
        for tenant in tenants.seen.keys() {
            self.store.facts(tenant, (since, until), |facts| reports.add(facts))?;
        }
        let seen = reports.finish(&self.store.starts(since, until)?);
        let report = |report: &WindowReport| {
            let mut json = json!(report);
            json["freshness_ms"] = self.now.as_millis().saturating_sub(report.newest).into();
            json
        };
        Ok(Reply {
            json: json!({"now": self.now.as_millis(), "tenants": seen.iter().map(report).collect::<Vec<_>>()}),
            csv: None,
        })
    }
}
