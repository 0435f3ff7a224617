//! Generates the JSON Schema of a row, and the tables of fields in the reference pages, from the tables of `model`.

use std::fmt::Write as _;
use std::process::Command;

use crowdfold_model::{
    BOUNDED_FIELDS, Clamp, Combine, Dimension, ErrorClass, Limit, Metric, ROLLUP_SCHEMA, Source, SumMetric,
    Unit, ValueMetric,
};
use serde_json::{Map, Value, json};

use crate::generated::assert_generated;
use crate::pages::page;

/// A field of a row, and its JSON Schema.
struct Field {
    name: &'static str,
    is_required: bool,
    schema: Value,
}

/// Returns the fields of a row, in the order of a published row.
fn fields() -> Vec<Field> {
    let mut fields = Vec::new();
    let mut field = |name, is_required, schema| fields.push(Field { name, is_required, schema });
    field("schema", true, json!({"description": "Name and version of the schema.", "const": ROLLUP_SCHEMA}));
    field("tenant", true, json!({"description": "Name of the tenant.", "type": "string"}));
    field("window", true, window());
    field("breakdown", true, breakdown());
    let detail = "True in the detail table, false in other tables. Absent under `differential-privacy`.";
    field("detail", false, json!({"description": detail, "type": "boolean"}));
    field("dimensions", true, dimensions());
    field("row", true, counted("Number of the row in its table, counted from 1.", 1));
    field("rows", true, counted("Number of rows of the table.", 1));
    field("coverage", false, coverage());
    field("sessions", true, counted("Distinct sessions, exact except under `differential-privacy`.", 0));
    let beacons = "Number of beacons of the sessions. Null outside the detail table.";
    field("beacons", true, json!({"description": beacons, "type": ["integer", "null"], "minimum": 0}));
    for metric in SumMetric::ALL {
        field(metric.name(), true, sum(metric));
    }
    field("errors", true, errors());
    for metric in ValueMetric::ALL {
        field(metric.name(), true, value(metric));
    }
    field("policy", true, policy());
    fields
}

/// Returns the schema of the value of one record of a topic of rollups.
fn schema() -> Value {
    let fields = fields();
    let required: Vec<_> = fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
    let properties: Map<_, _> =
        fields.into_iter().map(|field| (field.name.to_owned(), field.schema)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ROLLUP_SCHEMA,
        "description": "The value of one record of a topic of rollups. Readers ignore fields that they do not know.",
        "type": "object",
        "required": required,
        "properties": properties,
        "$defs": {
            "custom_dimension": {
                "description": "A dimension that the configuration defines, [dimensions.NAME].",
                "type": "string",
                "pattern": CUSTOM,
            },
            "distribution": distribution(false),
            "distribution_with_histogram": distribution(true),
        },
    })
}

fn counted(description: &str, minimum: u64) -> Value {
    json!({"description": description, "type": "integer", "minimum": minimum})
}

fn window() -> Value {
    json!({
        "description": "Half-open interval of event time, aligned to the epoch.",
        "type": "object",
        "required": ["start", "end"],
        "properties": {
            "start": {"description": "Start of the window, in milliseconds since the epoch.", "x-unit": "ms", "type": "integer", "minimum": 0},
            "end": {"description": "First millisecond after the window, since the epoch.", "x-unit": "ms", "type": "integer", "minimum": 0},
        },
    })
}

fn breakdown() -> Value {
    json!({
        "description": "Dimensions of the table, in order.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": true,
        "items": {"anyOf": [{"enum": Dimension::ALL.map(Dimension::name)}, {"$ref": "#/$defs/custom_dimension"}]},
    })
}

fn dimensions() -> Value {
    let value = |dimension: Dimension| {
        (dimension.name().to_owned(), json!({"description": dimension.description(), "type": "string"}))
    };
    json!({
        "description": "Value of each dimension of the breakdown. `*` combines the values that have no row of their own, so it is never a total.",
        "type": "object",
        "minProperties": 1,
        "properties": Dimension::ALL.map(value).into_iter().collect::<Map<_, _>>(),
        "patternProperties": {CUSTOM: {"type": "string"}},
        "additionalProperties": false,
    })
}

/// The pattern of names of custom dimensions.
const CUSTOM: &str = "^[a-z][a-z0-9_]{0,39}$";

fn coverage() -> Value {
    json!({
        "description": "Present only if the window was published without a partition of the beacons.",
        "type": "object",
        "required": ["partitions", "of"],
        "properties": {
            "partitions": counted("Number of partitions of the topic of beacons that the row includes.", 0),
            "of": counted("Number of partitions of the topic of beacons.", 1),
        },
    })
}

fn sum(metric: SumMetric) -> Value {
    json!({"description": metric.description(), "x-unit": unit(metric.unit()), "type": ["integer", "null"]})
}

fn errors() -> Value {
    let class = |class: ErrorClass| {
        (class.name().to_owned(), json!({"description": class.description(), "type": "integer"}))
    };
    json!({
        "description": "Sessions with an error, by class. The detail table contains only the classes that occur.",
        "type": ["object", "null"],
        "properties": ErrorClass::ALL.map(class).into_iter().collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

fn value(metric: ValueMetric) -> Value {
    let of = if metric.has_histogram() { "distribution_with_histogram" } else { "distribution" };
    json!({
        "description": metric.description(),
        "x-unit": unit(metric.unit()),
        "anyOf": [{"$ref": format!("#/$defs/{of}")}, {"type": "null"}],
    })
}

fn distribution(has_histogram: bool) -> Value {
    let percentile = |percent: u64| {
        let description = format!("{percent}th percentile. Null if too few sessions are on one side of it.");
        json!({"description": description, "type": ["integer", "null"], "minimum": 0})
    };
    let mut properties = json!({
        "sessions": counted("Sessions with a value. Absent outside the detail table.", 0),
        "sum": {"description": "Sum of the values, one for each session.", "type": "integer"},
        "p50": percentile(50),
        "p90": percentile(90),
        "p95": percentile(95),
        "p99": percentile(99),
    });
    if has_histogram {
        properties["histogram"] = json!({
            "description": "Ranges `[from, to, sessions]`: the number of sessions with from ≤ value < to. A null bound means that the range is unbounded on this side.",
            "type": "array",
            "items": {
                "type": "array",
                "prefixItems": [{"type": ["integer", "null"]}, {"type": ["integer", "null"]}, {"type": "integer"}],
                "minItems": 3,
                "items": false,
            },
        });
    }
    json!({
        "description": "Distribution of the sessions' values. Outside the detail table it contains only the sum, with noise.",
        "type": "object",
        "required": ["sum"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn policy() -> Value {
    json!({
        "description": "Release policy of the row.",
        "type": "object",
        "required": ["name", "k"],
        "properties": {
            "name": {"description": "Name of the policy.", "enum": ["threshold", "differential-privacy"]},
            "k": counted("Minimum number of sessions of a row.", 1),
            "margin": counted("Minimum number of sizes that a small group in a row with `*` may have had.", 0),
            "noise": counted("Standard deviation of the noise of each number outside the detail table, as a multiple of the number's clamp.", 0),
            "epsilon": {"description": "Privacy budget ε of one session and day.", "type": "number"},
            "delta": {"description": "Privacy parameter δ: the probability with which the guarantee of ε may fail.", "type": "number"},
            "sigma": {"description": "Standard deviation of the noise of `sessions`.", "type": "number"},
            "tau": counted("Threshold τ: a row is published only if its noisy count of sessions is at least τ + k − 1.", 0),
        },
    })
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Milliseconds => "ms",
        Unit::Kbps => "kbit/s",
    }
}

/// Returns the fields of a row as a Markdown table.
fn row_fields() -> String {
    let mut table = String::from("| field | unit | meaning |\n|---|---|---|\n");
    for Field { name, schema, .. } in fields() {
        let description = schema["description"].as_str().expect("each field has a description");
        let unit = schema["x-unit"].as_str().unwrap_or_default();
        writeln!(table, "| `{name}` | {unit} | {} |", cell(description)).expect("a string");
    }
    table
}

/// Returns the clamp of each field outside the detail table as a Markdown table.
fn clamps() -> String {
    let mut table = String::from("| field | clamp |\n|---|---|\n");
    for field in BOUNDED_FIELDS {
        let clamp = match field.source {
            Source::Metric(metric) => metric.outside_detail(),
            Source::Error(_) => Clamp::Fixed(1),
        };
        let clamp = match clamp {
            Clamp::Hidden => continue,
            Clamp::Fixed(clamp) => grouped(clamp),
            Clamp::PerMinute(clamp) => format!("{} per minute of the window", grouped(clamp)),
        };
        writeln!(table, "| `{}` | {clamp} |", field.name).expect("a string");
    }
    table
}

/// Returns the fields of a JSON beacon that the tables of `model` define, as a Markdown table.
fn beacon_fields() -> String {
    let mut table = String::from("| field | unit | CMCD | meaning |\n|---|---|---|---|\n");
    for metric in Metric::in_beacons() {
        let key = metric.cmcd_key().map_or(String::new(), |key| format!("`{key}`"));
        let (name, unit) = (metric.name(), unit(metric.unit()));
        writeln!(table, "| `{name}` | {unit} | {key} | {} |", cell(metric.description())).expect("a string");
    }
    for dimension in Dimension::ALL.into_iter().filter(|dimension| dimension.is_in_beacons()) {
        let key = dimension.custom_cmcd_key().map_or(String::new(), |key| format!("`{key}`"));
        let description = cell(dimension.description());
        writeln!(table, "| `{dimension}` | | {key} | {description} |").expect("a string");
    }
    table
}

/// Returns the definition of each metric as a Markdown table.
fn metrics() -> String {
    let mut table =
        String::from("| metric | unit | of one session and window | at most |\n|---|---|---|---|\n");
    for metric in Metric::ALL {
        let (kind, most) = match metric {
            Metric::Sum(sum) => ("sum", most(sum)),
            Metric::Value(value) => (combined(value), grouped(value.largest())),
        };
        writeln!(table, "| `{}` | {} | {kind} | {most} |", metric.name(), unit(metric.unit()))
            .expect("a string");
    }
    table
}

fn most(sum: SumMetric) -> String {
    match sum.most() {
        Limit::Fixed(most) => grouped(most),
        Limit::PerSecond(most) => format!("{} per second of the window", grouped(most)),
        Limit::Span => "the window and `sessions.idle_timeout`".into(),
    }
}

const fn combined(value: ValueMetric) -> &'static str {
    match value.combine() {
        Combine::First => "first value",
        Combine::Mean => "mean, weighted by playing time",
        Combine::PlainMean => "mean",
    }
}

/// Formats a number as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Escapes a string for a cell of a Markdown table. Only the separator of columns is escaped.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Compares the part of a page between `<!-- begin NAME -->` and `<!-- end NAME -->` with `generated`. With `BLESS=1`
/// the part is rewritten instead.
#[track_caller]
pub(crate) fn assert_part_is_generated(path: &str, name: &str, generated: &str) {
    let text = page(path).text;
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&begin).expect("the page has the part");
    let (_, after) = rest.split_once(&end).expect("the part ends");
    assert_generated(path, &format!("{before}{begin}{generated}{end}{after}"));
}

#[test]
fn schema_of_rows_is_generated_from_the_tables_of_model() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON");
    assert_generated("docs/reference/rollup.schema.json", &format!("{text}\n"));
}

#[test]
fn reference_tables_of_fields_are_generated_from_the_tables_of_model() {
    assert_part_is_generated("docs/reference/rollup.md", "fields", &row_fields());
    assert_part_is_generated("docs/reference/rollup.md", "clamps", &clamps());
    assert_part_is_generated("docs/reference/beacon.md", "fields", &beacon_fields());
    assert_part_is_generated("docs/reference/metrics.md", "metrics", &metrics());
}

/// Returns the rows that `crowdfold fold` computes from beacons of synthetic players. `settings` are environment
/// variables.
fn rows(settings: &[(&str, &str)]) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let beacons = directory.path().join("beacons.ndjson");
    let crowdfold = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
        command.args(arguments).env_clear().envs(settings.iter().copied());
        let output = command.output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let path = beacons.to_str().expect("a path");
    crowdfold(&["generate", "--sessions", "2000", "--seed", "7", "--for", "3m", "--output", path]);
    let lines = crowdfold(&["fold", path]);
    lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect()
}

#[test]
fn published_rows_have_all_required_fields_of_the_schema_and_no_unknown_fields() {
    let schema = schema();
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), "0123456789abcdef".repeat(4)).expect("a secret");
    let secret = ("CROWDFOLD_RELEASE__PRIVACY__SECRET_FILE", secret.path().to_str().expect("a path"));
    let private = [
        secret,
        ("CROWDFOLD_RELEASE__POLICY", "differential-privacy"),
        ("CROWDFOLD_RELEASE__PRIVACY__EPSILON", "10"),
        ("CROWDFOLD_RELEASE__BREAKDOWNS", r#"[["os"]]"#),
        ("CROWDFOLD_WINDOWS__LENGTH", "1h"),
        ("CROWDFOLD_TTL__BEACONS", "3h"),
    ];
    for settings in [&[][..], &[secret], &private] {
        let rows = rows(settings);
        assert!(!rows.is_empty());
        for row in rows {
            assert_names(&schema, &row, "row");
            for metric in ValueMetric::ALL {
                if !row[metric.name()].is_null() {
                    assert_names(&distribution(metric.has_histogram()), &row[metric.name()], metric.name());
                }
            }
            for name in ["window", "policy", "dimensions", "errors"] {
                if !row[name].is_null() {
                    assert_names(&schema["properties"][name], &row[name], name);
                }
            }
        }
    }
}

/// Asserts that an object has all required fields of a schema, and no field that the schema does not contain.
fn assert_names(schema: &Value, object: &Value, what: &str) {
    let known = schema["properties"].as_object().expect("an object");
    let found = object.as_object().unwrap_or_else(|| panic!("{what} is {object}"));
    for name in found.keys() {
        assert!(known.contains_key(name), "{what} has the field {name}, which the schema does not know");
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(found.contains_key(name), "{what} lacks the field {name}: {object}");
    }
}
