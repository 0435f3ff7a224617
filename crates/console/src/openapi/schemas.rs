//! The JSON schemas of the answers.

use serde_json::{Map, Value, json};

/// Returns the schema of the JSON answer of an operation. Returns `None` if the operation does not answer with JSON.
pub(super) fn of_operation(name: &str) -> Option<Value> {
    Some(match name {
        "tenants" => tenants(),
        "breakdowns" => breakdowns(),
        "metrics" => metrics(),
        "timeseries" => timeseries(),
        "breakdown" => breakdown(),
        "compare" => compare(),
        "distribution" => distribution(),
        "windows" => windows(),
        "status" => status(),
        _ => return None,
    })
}

/// Returns the schemas to which several other schemas refer.
pub(super) fn shared() -> Value {
    let windows = |description: &str| {
        described(
            description,
            object([
                ("windows", described("The number of windows.", count())),
                ("incomplete", described("True if a window is incomplete.", boolean())),
            ]),
        )
    };
    json!({
        "Error": object([("error", described("The reason, and after a semicolon the fix.", text()))]),
        "Time": {"type": "integer", "minimum": 0, "description": "A time, in milliseconds since 1970."},
        "Figure": described("A number and its standard error.", object([
            ("value", described("The number, including its noise.", number())),
            ("error", described(
                "The standard error. It is 0 for an exact number, and null if the policy does not declare the noise.",
                or_null("number"),
            )),
        ])),
        "Dimensions": {
            "type": "object", "additionalProperties": {"type": "string"},
            "description": "The value of each dimension of `by`. The value `*` is folded.",
        },
        "Numbers": {
            "type": ["string", "null"], "enum": ["exact", "noisy", "private", "counts_only", null],
            "description": "The kind of the numbers: exact, with noise of declared size, with the noise of \
                            differential-privacy, or session counts only. It is null if there are no rows.",
        },
        "Incomparable": described("The reason why the two periods must not be compared.", object([
            ("now", windows("The windows of the later period.")),
            ("before", windows("The windows of the earlier period.")),
        ])),
        "NewWindow": described("The data of an event of `live`.", object([
            ("tenant", text()), ("start", shared_schema("Time")), ("end", shared_schema("Time")),
        ])),
    })
}

fn tenants() -> Value {
    let tenant = object([
        ("tenant", text()),
        ("first", described("The start of the first window.", shared_schema("Time"))),
        ("newest", described("The end of the newest window.", shared_schema("Time"))),
    ]);
    object([("tenants", list(tenant)), ("now", shared_schema("Time"))])
}

fn breakdowns() -> Value {
    let breakdown = object([
        ("tenant", text()),
        ("breakdown", described("The name of the table, such as os.browser.", text())),
        ("dimensions", list(text())),
        (
            "detail",
            described("True for the detail table, which has exact numbers and histograms.", boolean()),
        ),
    ]);
    object([("breakdowns", list(breakdown))])
}

fn metrics() -> Value {
    let metric = object([
        ("name", text()),
        ("unit", text()),
        ("better", json!({"type": "string", "enum": ["higher", "lower", "neither"]})),
        ("definition", text()),
        ("ratio", described("True for ratios and means. Only these have an impact.", boolean())),
        ("histogram", described("True if `distribution` accepts the metric.", boolean())),
    ]);
    object([("metrics", list(metric))])
}

fn timeseries() -> Value {
    let windows = |description: &str| described(description, list(count()));
    let intervals = object([
        ("start", described("The start of each interval.", list(shared_schema("Time")))),
        ("expected", windows("The number of windows in each interval up to the newest published window.")),
        ("published", windows("The number of windows in which the table was published.")),
        ("incomplete", windows("The number of windows in which some partitions or rows are missing.")),
        ("withheld", windows("The number of windows in which only other tenants have a table.")),
    ]);
    let values = object([
        ("value", list(or_null("number"))),
        ("error", described("The standard error of each value.", list(or_null("number")))),
    ]);
    let series = object([
        ("dimensions", shared_schema("Dimensions")),
        (
            "sessions",
            described("The sessions in each interval, or null if there is no row.", list(or_null("integer"))),
        ),
        (
            "numbers",
            described("The kind of the numbers in each interval, or null.", list(shared_schema("Numbers"))),
        ),
        (
            "values",
            json!({"type": "object", "additionalProperties": values, "description": "The values of each metric."}),
        ),
    ]);
    object_of(with_question(vec![
        ("intervals", intervals),
        ("step_ms", described("The length of the intervals.", count())),
        ("series", described("One series for each group.", list(series))),
    ]))
}

fn breakdown() -> Value {
    let row = object([
        ("dimensions", shared_schema("Dimensions")),
        ("folded", described("True if a value is folded.", boolean())),
        ("sessions", count()),
        ("share", described("The share of the row in the sessions of all rows.", number())),
        ("value", figure_or_null()),
        ("impact", figure_or_null()),
    ]);
    object_of(with_question(vec![
        ("metric", text()),
        ("rank", json!({"type": "string", "enum": ["value", "sessions", "impact"]})),
        ("overall", described("The value of all rows.", figure_or_null())),
        ("sessions", described("The sessions of all rows.", count())),
        ("rows_in_total", described("The number of rows without `limit`.", count())),
        ("rows", list(row)),
    ]))
}

fn compare() -> Value {
    let row = object([
        ("dimensions", shared_schema("Dimensions")),
        ("metric", text()),
        ("now", figure_or_null()),
        ("before", figure_or_null()),
        ("change", described("The value of now minus the value before.", figure_or_null())),
        ("relative", described("The change divided by the value before.", or_null("number"))),
        ("incomparable", shared_or_null("Incomparable")),
    ]);
    object_of(with_question(vec![
        ("against", described("The start of the earlier period.", shared_schema("Time"))),
        ("against_until", described("The end of the earlier period.", shared_schema("Time"))),
        ("rows", list(row)),
    ]))
}

fn distribution() -> Value {
    let bounds = || {
        [
            ("from", described("The lower bound, or null if there is none.", or_null("integer"))),
            ("to", described("The upper bound, or null if there is none.", or_null("integer"))),
        ]
    };
    let range = bounds().into_iter().chain([
        ("at_least", described("The sessions that are certainly in the range.", count())),
        ("at_most", described("The sessions that are possibly in the range.", count())),
        ("estimate", number()),
    ]);
    let percentile =
        bounds().into_iter().chain([("percent", described("50 is the median.", json!({"type": "integer"})))]);
    let distribution = object([
        ("sessions", described("The session-windows in the histograms.", count())),
        ("rows", described("The rows whose histograms were added.", count())),
        ("rows_without", described("The rows without a histogram.", count())),
        ("ranges", list(object_of(range))),
        ("percentiles", list(object_of(percentile))),
    ]);
    object([
        ("tenant", text()),
        ("breakdown", text()),
        ("metric", text()),
        ("since", shared_schema("Time")),
        ("until", shared_schema("Time")),
        ("rounded", boolean()),
        ("distribution", distribution),
    ])
}

fn windows() -> Value {
    let starts = |description: &str| {
        let mut schema = described(description, list(shared_schema("Time")));
        schema["maxItems"] = 1_000.into();
        schema
    };
    let table = object([
        ("breakdown", text()),
        ("windows", described("The number of windows in which the table was published.", count())),
        ("k", described("The minimum number of sessions in a row, or null.", or_null("integer"))),
        ("smallest_row", described("The number of sessions in the smallest row.", count())),
        ("folded_share", described("The share of the sessions in rows with a folded value.", number())),
    ]);
    let tenant = object([
        ("tenant", text()),
        ("length_ms", described("The length of the windows.", count())),
        ("newest", described("The end of the newest window.", shared_schema("Time"))),
        ("freshness_ms", described("The time since the end of the newest window.", count())),
        ("published", described("The number of windows with a table.", count())),
        ("incomplete", starts("The starts of the windows in which some partitions or rows are missing.")),
        ("missing", starts("The starts of the windows in which no tenant has a table.")),
        ("withheld", starts("The starts of the windows in which only other tenants have a table.")),
        ("tables", list(table)),
    ]);
    object([("now", shared_schema("Time")), ("tenants", list(tenant))])
}

fn status() -> Value {
    let facts = object([
        ("ttl_rollups_ms", count()),
        ("ttl_beacons_ms", count()),
        ("ttl_partials_ms", count()),
        ("detail_ms", described("The time after which windows are kept as sums of hours only.", count())),
        ("version", described("The version of the program.", text())),
    ]);
    let audit = object([
        (
            "at",
            described(
                "The time at which the report was written, or null.",
                json!({"type": ["integer", "null"], "minimum": 0}),
            ),
        ),
        (
            "report",
            described("The report, as the command `audit` writes it in JSON.", json!({"type": "object"})),
        ),
    ]);
    let ignored = object([
        ("records", described("The records that are not rollups, since the start.", count())),
        ("rows_in_future", described("The rows whose window was in the future, since the start.", count())),
    ]);
    object([
        ("now", shared_schema("Time")),
        (
            "problem",
            described("The reason why the store is not up to date. Null if it is.", or_null("string")),
        ),
        ("facts", facts),
        ("audit", json!({"anyOf": [audit, {"type": "null"}]})),
        ("ignored", ignored),
        ("pipeline", json!({"anyOf": [pipeline(), {"type": "null"}]})),
        (
            "tenants_without_rows",
            described("The tenants of the configuration of which no row was published.", list(text())),
        ),
    ])
}

fn pipeline() -> Value {
    let beacons = json!({
        "type": "object", "additionalProperties": count(),
        "description": "The number of beacons with each outcome since the start of the workers, such as `read`, \
                        `late`, `rejected` or `released`. Each worker rounds its numbers down to multiples of k.",
    });
    let properties = object([
        ("workers", described("The number of workers whose metrics were read.", count())),
        ("unreachable", described("The addresses of workers whose metrics could not be read.", list(text()))),
        (
            "lag_ms",
            described("The lag of the slowest partition behind the current time.", or_null("integer")),
        ),
        ("headroom_ms", described("The shortest time until a needed record may expire.", or_null("integer"))),
        ("balanced", described("False if a ledger does not account for every beacon.", or_null("boolean"))),
        ("beacons", beacons),
    ]);
    described(
        "The state of the workers. Null if no workers are configured, or without access to all tenants.",
        properties,
    )
}

/// Adds the properties that describe the question to the properties of an answer.
fn with_question(properties: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("tenant", text()),
        ("breakdown", described("The table that answered.", text())),
        ("by", list(text())),
        ("numbers", shared_schema("Numbers")),
        ("since", shared_schema("Time")),
        ("until", shared_schema("Time")),
        ("window_ms", described("The length of the tenant's windows.", count())),
        ("newest", described("The end of the newest window of any tenant.", shared_schema("Time"))),
        (
            "folded_away",
            described("The sessions in rows that may match `where`, but are folded there.", count()),
        ),
        ("sessions_without_numbers", described("The sessions in rows with session counts only.", count())),
        ("rounded", described("True if the period was changed to full hours.", boolean())),
    ];
    all.extend(properties);
    all
}

/// Returns the schema of an object, which contains all of the properties.
fn object<const N: usize>(properties: [(&'static str, Value); N]) -> Value {
    object_of(properties)
}

fn object_of(properties: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let properties: Map<_, _> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required: Vec<_> = properties.keys().collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn described(description: &str, mut schema: Value) -> Value {
    schema["description"] = description.into();
    schema
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn or_null(name: &str) -> Value {
    json!({"type": [name, "null"]})
}

/// Returns a reference to a schema of [`shared`].
fn shared_schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn shared_or_null(name: &str) -> Value {
    json!({"anyOf": [shared_schema(name), {"type": "null"}]})
}

fn figure_or_null() -> Value {
    shared_or_null("Figure")
}
