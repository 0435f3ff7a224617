//! Describes the API in OpenAPI 3.1.

use crowdfold_query::QueryMetric;
use serde_json::{Map, Value, json};

mod schemas;

/// An operation of the API.
struct Operation {
    /// The last part of the path.
    name: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    /// The parameters without which the request is refused.
    required: &'static [&'static str],
    /// True if the answer can also be written as CSV.
    has_csv: bool,
    /// The statuses of refusals, in addition to [`COMMON`].
    refusals: &'static [u16],
}

/// The statuses of refusals that every operation can have.
const COMMON: [u16; 4] = [401, 403, 414, 429];

const OPERATIONS: [Operation; 10] = [
    Operation {
        name: "tenants",
        summary: "The tenants with rollups, each with the start of its first window and the end of its newest window.",
        parameters: &[],
        required: &[],
        has_csv: false,
        refusals: &[500],
    },
    Operation {
        name: "breakdowns",
        summary: "The published tables, and which of them is the detail table.",
        parameters: &["tenant"],
        required: &[],
        has_csv: false,
        refusals: &[400, 404, 500],
    },
    Operation {
        name: "metrics",
        summary: "The metrics, each with its unit and definition, and with the direction that is better.",
        parameters: &[],
        required: &[],
        has_csv: true,
        refusals: &[500],
    },
    Operation {
        name: "timeseries",
        summary: "The values of metrics in each interval. A value that was not published is null, never 0.",
        parameters: &["tenant", "breakdown", "metric", "where", "by", "since", "until", "step"],
        required: &["metric"],
        has_csv: true,
        refusals: &[400, 404, 422, 500],
    },
    Operation {
        name: "breakdown",
        summary: "The rows of a table with their value, sessions, share and impact. The impact is the amount by which \
                  the overall value would improve if the row were as good as the rest.",
        parameters: &["tenant", "breakdown", "metric", "where", "by", "since", "until", "rank", "limit"],
        required: &["metric"],
        has_csv: true,
        refusals: &[400, 404, 422, 500],
    },
    Operation {
        name: "compare",
        summary: "The values of a period and of an earlier period, and their difference.",
        parameters: &["tenant", "breakdown", "metric", "where", "by", "since", "until", "against"],
        required: &["metric"],
        has_csv: true,
        refusals: &[400, 404, 422, 500],
    },
    Operation {
        name: "distribution",
        summary: "The sum of the published histograms. Each number has a lower and an upper bound.",
        parameters: &["tenant", "breakdown", "metric", "where", "by", "since", "until"],
        required: &[],
        has_csv: true,
        refusals: &[400, 404, 422, 500],
    },
    Operation {
        name: "windows",
        summary: "The freshness of each tenant; its missing, incomplete and withheld windows; the effect of folding.",
        parameters: &["tenant", "since", "until"],
        required: &[],
        has_csv: false,
        refusals: &[400, 404, 422, 500],
    },
    Operation {
        name: "status",
        summary: "The settings that the page shows, the last audit, and the reason if the store is not up to date.",
        parameters: &[],
        required: &[],
        has_csv: false,
        refusals: &[500],
    },
    Operation {
        name: "live",
        summary: "Server-sent events. Each new window of a tenant causes one event, named `window`. The data of the \
                  event is JSON with the schema `NewWindow`.",
        parameters: &[],
        required: &[],
        has_csv: false,
        refusals: &[503],
    },
];

impl Operation {
    fn describe(&self) -> Value {
        let mut operation = json!({
            "operationId": self.name, "summary": self.summary, "responses": self.responses(),
        });
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.iter().map(|name| self.parameter(name)).collect();
        }
        json!({"get": operation})
    }

    fn responses(&self) -> Value {
        let content = match (schemas::of_operation(self.name), self.has_csv) {
            (None, _) => json!({"text/event-stream": {"schema": {"type": "string"}}}),
            (Some(schema), false) => json!({"application/json": {"schema": schema}}),
            (Some(schema), true) => {
                json!({"application/json": {"schema": schema}, "text/csv": {"schema": {"type": "string"}}})
            }
        };
        let mut responses = Map::new();
        responses.insert("200".to_owned(), json!({"description": "The answer.", "content": content}));
        for status in COMMON.iter().chain(self.refusals) {
            responses.insert(status.to_string(), refusal(*status));
        }
        responses.into()
    }

    fn parameter(&self, name: &str) -> Value {
        let (schema, description) = schema_and_description(name);
        let mut parameter =
            json!({"name": name, "in": "query", "schema": schema, "description": description});
        if self.required.contains(&name) {
            parameter["required"] = true.into();
        }
        match name {
            "metric" | "by" => parameter["explode"] = false.into(),
            "where" => parameter["explode"] = true.into(),
            _ => {}
        }
        if name == "metric" && matches!(self.name, "breakdown" | "distribution") {
            let accepted: Vec<_> = match self.name {
                "distribution" => crate::catalogue::with_histogram().collect(),
                _ => QueryMetric::all().map(QueryMetric::name).collect(),
            };
            parameter["schema"] = json!({"type": "string", "enum": accepted});
            parameter["description"] = "The metric.".into();
            if let Some(parameter) = parameter.as_object_mut() {
                parameter.remove("explode");
            }
        }
        parameter
    }
}

fn schema_and_description(name: &str) -> (Value, &'static str) {
    let text = || json!({"type": "string"});
    match name {
        "tenant" => (text(), "The tenant. It can be omitted if there is only one."),
        "breakdown" => (
            text(),
            "The table, such as os.browser. By default, a table that has all dimensions of the question.",
        ),
        "metric" => {
            let names: Vec<_> = QueryMetric::all().map(QueryMetric::name).collect();
            let schema = json!({"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1});
            (schema, "The metrics, separated by commas.")
        }
        "where" => (
            json!({"type": "array", "items": {"type": "string"}}),
            "A condition, such as os:Windows. Repeat the parameter for several conditions.",
        ),
        "by" => (
            json!({"type": "array", "items": {"type": "string"}}),
            "The dimensions to group by, separated by commas. They must be the first dimensions of the table.",
        ),
        "since" => (
            text(),
            "The start of the period: a time, milliseconds since 1970, or a length of time before now. The default is \
             1h; of `windows`, it is 1d. Older windows than the console keeps exist as sums of hours only. If the \
             period begins or ends there, it is rounded outward to full hours. `since`, `until` and `rounded` of the \
             answer report this. If the earlier period of `compare` begins there, both periods are the last full \
             hours.",
        ),
        "until" => (text(), "The end of the period, in the same form as `since`. The default is now."),
        "step" => (text(), "The length of the intervals, such as 5m."),
        "rank" => (
            json!({"type": "string", "enum": ["value", "sessions", "impact"], "default": "impact"}),
            "The order of the rows. Only ratios have an impact.",
        ),
        "limit" => (
            json!({"type": "integer", "minimum": 1, "maximum": crate::answers::MOST, "default": crate::answers::LIMIT}),
            "The maximum number of rows.",
        ),
        _ => (
            text(),
            "The start of the earlier period: a time, or a length of time before `since`, such as 1d or 1w. The \
             default is 1d.",
        ),
    }
}

/// Returns a reference to the description of a refusal.
fn refusal(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{status}")})
}

/// Returns the descriptions of all refusals.
fn refusals() -> Map<String, Value> {
    let described = [
        (400, "A parameter is unknown or not valid."),
        (401, "The token is missing or wrong."),
        (403, "The request is for a host that is neither local nor in the list of hosts of the console."),
        (404, "The tenant or the table is unknown, or there are no rollups yet."),
        (414, "The address is too long."),
        (422, "No published table answers the question, or the answer needs too many rows."),
        (
            429,
            "Too many requests with wrong tokens are in progress. `Retry-After` contains the time to wait.",
        ),
        (500, "The store cannot be read, or the request failed for another reason in the console."),
        (503, "Too many clients read events."),
    ];
    let response = |(status, description): (u16, &str)| {
        let schema = json!({"$ref": "#/components/schemas/Error"});
        let content = json!({"application/json": {"schema": schema}});
        (status.to_string(), json!({"description": description, "content": content}))
    };
    described.into_iter().map(response).collect()
}

/// Returns the description of the API in OpenAPI 3.1.
pub(crate) fn document(version: &str) -> Value {
    let path = |operation: &Operation| (format!("/api/v1/{}", operation.name), operation.describe());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "crowdfold console", "version": version,
            "description": "Questions about published rollups. They are anonymous. Later versions may add properties \
                            to an answer, so clients must ignore unknown properties.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": OPERATIONS.iter().map(path).collect::<Map<_, _>>(),
        "components": {
            "schemas": schemas::shared(),
            "responses": refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    })
}
