//! Answers with the tenants, breakdowns and metrics.

use crowdfold_model::ValueMetric;
use crowdfold_query::QueryMetric;
use serde_json::{Value, json};

use crate::answers::{Asked, Reply};
use crate::question::{Parameters, Refusal};
use crate::tenants::Tenants;

/// Returns the names of the metrics that have histograms.
pub(crate) fn with_histogram() -> impl Iterator<Item = &'static str> {
    ValueMetric::ALL.into_iter().filter(|metric| metric.has_histogram()).map(ValueMetric::name)
}

/// Answers `metrics`.
pub(crate) fn metrics() -> Reply {
    let mut csv = vec![["name", "unit", "better", "definition"].map(String::from).to_vec()];
    let metric = |metric: QueryMetric| {
        csv.push(
            [metric.name(), metric.unit(), metric.better().name(), metric.definition()]
                .map(String::from)
                .to_vec(),
        );
        json!({
            "name": metric.name(), "unit": metric.unit(), "better": metric.better().name(),
            "definition": metric.definition(), "ratio": metric.is_ratio(),
            "histogram": with_histogram().any(|name| name == metric.name()),
        })
    };
    let metrics: Vec<Value> = QueryMetric::all().map(metric).collect();
    Reply { json: json!({"metrics": metrics}), csv: Some(csv) }
}

impl Asked<'_> {
    /// Answers `tenants`.
    pub(crate) fn tenants(&self) -> Result<Reply, Refusal> {
        let tenants: Vec<Value> = Tenants::of(self.store, self.access)?
            .seen
            .iter()
            .map(|(tenant, (first, newest))| {
                json!({"tenant": tenant, "first": first.as_millis(), "newest": newest.as_millis()})
            })
            .collect();
        Ok(Reply { json: json!({"tenants": tenants, "now": self.now.as_millis()}), csv: None })
    }

    /// Answers `breakdowns`.
    pub(crate) fn breakdowns(&self, query: &str) -> Result<Reply, Refusal> {
        let parameters = Parameters::parse(query, &["tenant"])?;
        let tenants = Tenants::of(self.store, self.access)?.chosen(&parameters)?;
        let mut breakdowns = Vec::new();
        for tenant in tenants.seen.keys() {
            for (name, is_detail) in self.store.breakdowns(tenant)? {
                let dimensions: Vec<&str> = name.split('.').collect();
                breakdowns.push(json!({
                    "tenant": tenant, "breakdown": name, "dimensions": dimensions, "detail": is_detail,
                }));
            }
        }
        Ok(Reply { json: json!({"breakdowns": breakdowns}), csv: None })
    }
}
