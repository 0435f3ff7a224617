//! Answers with the tenants, breakdowns and metrics, and describes the API.

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

/// The paths of the API, each with its description and its parameters.
const PATHS: [(&str, &str, &[&str]); 10] = [
    (
        "tenants",
        "The tenants with rollups, each with the start of its first window and the end of its newest window.",
        &[],
    ),
    ("breakdowns", "The published tables, and which of them is the detail table.", &["tenant"]),
    (
        "metrics",
        "The metrics, each with its unit and definition, and with the direction that is better.",
        &[],
    ),
    (
        "timeseries",
        "The values of metrics in each interval. `intervals` contains the numbers of expected, published, incomplete \
         and withheld windows. A value that was not published is null, never 0. `numbers` of a series is null if the \
         group has no row in the interval, and `counts_only` if its rows contain session counts only.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "step"],
    ),
    (
        "breakdown",
        "The rows of a table with their value, sessions, share and impact. The impact is the amount by which the \
         overall value would improve if the row were as good as the rest.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "rank", "limit"],
    ),
    (
        "compare",
        "The values of a period and of an earlier period, and their difference.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until", "against"],
    ),
    (
        "distribution",
        "The sum of the published histograms. Each number has a lower and an upper bound.",
        &["tenant", "breakdown", "metric", "where", "by", "since", "until"],
    ),
    (
        "windows",
        "The freshness of each tenant; its missing, incomplete and withheld windows; the effect of folding.",
        &["tenant", "since", "until"],
    ),
    (
        "status",
        "The settings that the page shows, the last audit, and the reason if the store is not up to date.",
        &[],
    ),
    ("live", "Server-sent events. Each new window of a tenant causes one event, named `window`.", &[]),
];

fn parameter(name: &str) -> Value {
    let description = match name {
        "tenant" => "The tenant. It can be omitted if there is only one.",
        "breakdown" => {
            "The table, such as os.browser. By default, a table that has all dimensions of the question."
        }
        "metric" => "The metrics, separated by commas. `breakdown` and `distribution` accept only one.",
        "where" => "A condition, such as os:Windows. Repeat the parameter for several conditions.",
        "by" => {
            "The dimensions to group by, separated by commas. They must be the first dimensions of the table."
        }
        "since" => {
            "The start of the period: a time, milliseconds since 1970, or a length of time before now. The default is 1h; of `windows`, it is 1d. \
             Windows older than `console.detail` are kept as sums of hours only. If the period begins or ends there, it \
             is rounded outward to full hours. `since`, `until` and `rounded` of the answer report this. If the earlier \
             period of `compare` begins there, both periods are the last full hours."
        }
        "until" => "The end of the period, in the same form as `since`. The default is now.",
        "step" => "The length of the intervals, such as 5m.",
        "rank" => "The order of the rows: by value, sessions or impact.",
        "limit" => "The maximum number of rows. The default is 100.",
        "against" => {
            "The start of the earlier period: a time, or a length of time before `since`, such as 1d or 1w."
        }
        _ => "",
    };
    json!({"name": name, "in": "query", "schema": {"type": "string"}, "description": description})
}

/// Returns the description of the API in OpenAPI 3.1.
pub(crate) fn openapi(version: &str) -> Value {
    let error = json!({"description": "The request was refused. `error` contains the reason and the fix.",
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
