//! The catalogues of the API, and its description.

use crowdfold_model::ValueMetric;
use crowdfold_query::QueryMetric;
use serde_json::{Value, json};

use crate::answers::{Asked, Reply};
use crate::question::{Parameters, Refusal};

/// Returns the metrics with histograms.
pub(crate) fn with_histogram() -> impl Iterator<Item = &'static str> {
    ValueMetric::ALL.into_iter().filter(|metric| metric.has_histogram()).map(ValueMetric::name)
}

/// Returns the metrics.
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
        let tenants = self.store.tenants()?;
        let seen = tenants.iter().filter(|(tenant, _)| self.access.sees(tenant));
        let tenants: Vec<Value> = seen
            .map(|(tenant, (first, _, newest))| {
                json!({"tenant": tenant, "first": first.as_millis(), "newest": newest.as_millis()})
            })
            .collect();
        Ok(Reply { json: json!({"tenants": tenants, "now": self.now.as_millis()}), csv: None })
    }

    /// Answers `breakdowns`.
    pub(crate) fn breakdowns(&self, query: &str) -> Result<Reply, Refusal> {
        let parameters = Parameters::parse(query, &["tenant"])?;
        let mut tenants = self.store.tenants()?;
        tenants.retain(|tenant, _| self.access.sees(tenant));
        if let Some(asked) = parameters.one("tenant") {
            if !tenants.contains_key(asked) {
                let known = tenants.into_keys().collect::<Vec<_>>().join(", ");
                let asked = asked.escape_debug();
                return Err(Refusal::unknown(format!(
                    "unknown tenant \"{asked}\"; the tenants with rollups are: {known}"
                )));
            }
            tenants.retain(|tenant, _| tenant == asked);
        }
        let mut breakdowns = Vec::new();
        for tenant in tenants.keys() {
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

/// The parameters of each path, for the description.
const PATHS: [(&str, &str, &[&str]); 9] = [
    ("tenants", "Tenants with rollups, and the time of their windows.", &[]),
    ("breakdowns", "Published tables; the detail table has exact numbers.", &["tenant"]),
    ("metrics", "Metrics with unit, definition and direction.", &[]),
    (
        "timeseries",
        "Values by interval. `intervals` contains the expected, published and incomplete windows of each; a value is \
         null where it was not published, and is never 0 instead.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "step"],
    ),
    (
        "breakdown",
        "Rows with value, sessions, share and impact: the amount by which the overall value would improve if the row \
         were as good as the rest.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "rank", "limit"],
    ),
    (
        "compare",
        "A period and an earlier one, with the difference.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "against"],
    ),
    (
        "distribution",
        "The sum of the published histograms, within bounds.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until"],
    ),
    (
        "windows",
        "Freshness, missing, incomplete and withheld windows, and the effect of folding.",
        &["tenant", "since", "until"],
    ),
    ("live", "Server-sent events: one event `window` for each new window of a tenant.", &[]),
];

fn parameter(name: &str) -> Value {
    let description = match name {
        "tenant" => "Tenant; it may be absent if there is only one.",
        "breakdown" => {
            "Table, such as os.browser; by default the one that has all dimensions of the question."
        }
        "metric" => "Metrics, separated by commas; one for `breakdown` and `distribution`.",
        "where" => "Condition such as os:Windows; repeat it for several.",
        "by" => "First dimensions of the table to group by, separated by commas.",
        "since" => {
            "Start: a time, milliseconds since 1970, or a length of time before now such as 1h, the default."
        }
        "until" => "End, like `since`; now by default.",
        "step" => "Length of the intervals, such as 5m.",
        "rank" => "Order: value, sessions or impact.",
        "limit" => "Most rows, 100 by default.",
        "against" => "Start of the earlier period: 1d, 1w or a time.",
        _ => "",
    };
    json!({"name": name, "in": "query", "schema": {"type": "string"}, "description": description})
}

/// Returns the description of the API in OpenAPI 3.1.
pub(crate) fn openapi(version: &str) -> Value {
    let error = json!({"description": "The request is refused; `error` contains the reason and the fix.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}});
    let path = |(name, description, parameters): &(&str, &str, &[&str])| {
        let content = if *name == "live" { "text/event-stream" } else { "application/json" };
        let mut contents = json!({content: {}});
        if matches!(*name, "timeseries" | "breakdown" | "compare" | "distribution" | "metrics") {
            contents["text/csv"] = json!({});
        }
        let responses = json!({
            "200": {"description": "The answer.", "content": contents},
            "400": error, "401": error, "404": error, "422": error,
        });
        let parameters: Vec<Value> = parameters.iter().copied().map(parameter).collect();
        let operation = json!({
            "operationId": name, "summary": description, "parameters": parameters, "responses": responses,
        });
        (format!("/api/v1/{name}"), json!({"get": operation}))
    };
    json!({
        "openapi": "3.1.0",
        "info": {"title": "crowdfold console", "version": version,
            "description": "Questions about published rollups. They are anonymous."},
        "paths": PATHS.iter().map(path).collect::<serde_json::Map<_, _>>(),
        "components": {
            "schemas": {"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    })
}
