//! Generates the Avro schema of a row and the table of Flink SQL from the JSON Schema of a row.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::generated::assert_generated;
use crate::pages::page;

/// The fields of a row that are texts.
const TEXTS: [&str; 2] = ["schema", "tenant"];

/// Returns the fields of a row and their JSON Schemas.
fn fields() -> Map<String, Value> {
    let schema: Value = serde_json::from_str(&page("docs/reference/rollup.schema.json").text).expect("JSON");
    schema["properties"].as_object().expect("the fields of a row").clone()
}

/// Returns the names of the fields of a distribution, without the histogram.
fn distribution() -> Vec<String> {
    let schema: Value = serde_json::from_str(&page("docs/reference/rollup.schema.json").text).expect("JSON");
    let fields = schema["$defs"]["distribution"]["properties"].as_object().expect("the fields").clone();
    fields.into_iter().map(|(name, _)| name).collect()
}

/// Returns true if a field is a distribution.
fn is_distribution(schema: &Value) -> bool {
    schema["anyOf"][0]["$ref"].as_str().is_some_and(|name| name.starts_with("#/$defs/distribution"))
}

/// Returns the Avro type of a field that may be absent or null.
fn optional(kind: Value) -> Value {
    json!(["null", kind])
}

/// Returns the Avro type of a field.
fn avro_type(name: &str, schema: &Value) -> Value {
    let long = |name: &str| json!({"name": name, "type": "long"});
    let numbers = |record: &str, names: &[&str]| {
        let fields: Vec<_> = names.iter().map(|name| long(name)).collect();
        json!({"type": "record", "name": record, "fields": fields})
    };
    match name {
        _ if TEXTS.contains(&name) => json!("string"),
        "window" => numbers("window", &["start", "end"]),
        "coverage" => optional(numbers("coverage", &["partitions", "of"])),
        "breakdown" => json!({"type": "array", "items": "string"}),
        "dimensions" => json!({"type": "map", "values": "string"}),
        "policy" => json!({"type": "map", "values": ["string", "long", "double"]}),
        "errors" => optional(json!({"type": "map", "values": "long"})),
        "detail" => optional(json!("boolean")),
        "row" | "rows" | "sessions" => json!("long"),
        _ if is_distribution(schema) => {
            let mut fields: Vec<_> = distribution()
                .iter()
                .map(|name| json!({"name": name, "type": ["null", "long"], "default": null}))
                .collect();
            let ranges = json!({"type": "array", "items": {"type": "array", "items": ["null", "long"]}});
            fields.push(json!({"name": "histogram", "type": optional(ranges), "default": null}));
            optional(json!({"type": "record", "name": name, "fields": fields}))
        }
        _ => optional(json!("long")),
    }
}

/// Returns the type of a field in Flink SQL.
fn flink_type(name: &str, schema: &Value) -> String {
    match name {
        _ if TEXTS.contains(&name) => "STRING".into(),
        "window" => "ROW<`start` BIGINT, `end` BIGINT>".into(),
        "coverage" => "ROW<`partitions` BIGINT, `of` BIGINT>".into(),
        "breakdown" => "ARRAY<STRING>".into(),
        "dimensions" | "policy" => "MAP<STRING, STRING>".into(),
        "errors" => "MAP<STRING, BIGINT>".into(),
        "detail" => "BOOLEAN".into(),
        _ if is_distribution(schema) => {
            let fields: Vec<_> = distribution().iter().map(|name| format!("`{name}` BIGINT")).collect();
            format!("ROW<{}>", fields.join(", "))
        }
        _ => "BIGINT".into(),
    }
}

#[test]
fn avro_schema_has_all_fields_of_a_row() {
    let field = |(name, schema): (&String, &Value)| {
        let kind = avro_type(name, schema);
        let mut field = json!({"name": name, "type": kind, "doc": schema["description"]});
        if kind.is_array() {
            field["default"] = Value::Null;
        }
        field
    };
    let fields: Vec<_> = fields().iter().map(field).collect();
    let schema = json!({
        "type": "record",
        "name": "rollup",
        "namespace": "crowdfold",
        "doc": "The value of one record of a topic of rollups.",
        "fields": fields,
    });
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    assert_generated("docs/reference/rollup.avsc", &text);
}

#[test]
fn flink_table_has_all_fields_of_a_row() {
    let columns = fields().iter().fold(String::new(), |mut text, (name, schema)| {
        writeln!(text, "    `{name}` {},", flink_type(name, schema)).expect("a string");
        text
    });
    let table = format!(
        "-- A table of Flink SQL that reads rollups from Kafka. Replace localhost:9092 by your brokers.\n\
         -- docs/guides/reading-rollups.md has a query. The columns are generated from the fields of a row.\n\n\
         CREATE TABLE rollups (\n{columns}    `window_start` AS TO_TIMESTAMP_LTZ(`window`.`start`, 3)\n) WITH (\n    \
         'connector' = 'kafka',\n    'properties.bootstrap.servers' = 'localhost:9092',\n    \
         -- Readers of rollups must read only committed transactions.\n    \
         'properties.isolation.level' = 'read_committed',\n    'topic' = 'crowdfold.rollups',\n    \
         'scan.startup.mode' = 'earliest-offset',\n    \
         -- Without this line, a query does not end, and each new row changes its result.\n    \
         'scan.bounded.mode' = 'latest-offset',\n    'format' = 'json'\n);\n"
    );
    assert_generated("deploy/flink/rollups.sql", &table);
}
