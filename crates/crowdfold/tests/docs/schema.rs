//! The JSON Schema of the configuration, from the defaults and their comments.

use crowdfold_model::{Custom, Dimension};
use serde_json::{Map, Value, json};

use crate::generated::assert_generated;
use crate::pages::page;

const SCHEMA: &str = "docs/reference/configuration.schema.json";

/// A key of `default.toml`, or a section that has no keys in this file.
struct Entry {
    /// The path, such as `release.k`.
    path: String,
    comment: String,
    /// The default value. `None` for a section.
    default: Option<toml::Value>,
}

/// Returns the sections and keys of `default.toml`, each with the comment before it.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut section, mut comment) = (String::new(), String::new());
    let mut lines = text.lines();
    // The first paragraph is skipped, because it describes the file itself.
    lines.by_ref().find(|line| line.is_empty());
    while let Some(line) = lines.next() {
        if let Some(more) = line.strip_prefix('#') {
            comment = format!("{comment}\n{}", more.strip_prefix(' ').unwrap_or(more));
        } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.into();
            entries.push(Entry { path: name.into(), comment: std::mem::take(&mut comment), default: None });
        } else if let Some((key, _)) = line.split_once(" = ") {
            let mut assignment = line.to_owned();
            while !assignment.parse::<toml::Table>().is_ok_and(|table| table.contains_key(key)) {
                assignment += lines.next().expect("the end of a value");
            }
            let mut table: toml::Table = assignment.parse().expect("TOML");
            let (path, default) = (format!("{section}.{key}"), table.remove(key));
            entries.push(Entry { path, comment: std::mem::take(&mut comment), default });
        }
    }
    entries
}

/// Returns the bounds in a comment, such as `Range: 1 to 4096.`
fn range(comment: &str) -> Option<(Value, Value)> {
    let words: Vec<_> = comment.split("Range: ").nth(1)?.split_whitespace().take(3).collect();
    let &[least, "to", most] = words.as_slice() else { return None };
    let number = |word: &str| serde_json::from_str::<Value>(word).ok().filter(Value::is_number);
    Some((number(least)?, number(most.trim_end_matches(['.', ';']))?))
}

/// Returns the values that a comment describes, one per line, such as `- json: an object`.
fn choices(comment: &str) -> Vec<&str> {
    let names = comment.lines().filter_map(|line| line.trim_start_matches("- ").split_once(": "));
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    names.map(|(name, _)| name).filter(is_name).collect()
}

fn strings() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn string_or_strings() -> Value {
    json!({"anyOf": [{"type": "string"}, strings()]})
}

fn breakdowns() -> Value {
    // The pattern of the names of custom dimensions.
    let custom = json!({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"});
    let dimension = json!({"anyOf": [{"enum": Dimension::ALL.map(Dimension::name)}, custom]});
    json!({"type": "array", "items": {"type": "array", "minItems": 1, "items": dimension}})
}

/// Returns the schema of a custom dimension.
fn custom_dimension() -> Value {
    json!({
        "type": "object",
        "properties": {
            "from": string_or_strings(),
            "cmcd": {"type": "string"},
            "log": string_or_strings(),
            "values": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": Custom::MOST_VALUES},
            "open": {"type": "boolean"},
            "family": {"type": "string"},
        },
        "additionalProperties": false,
    })
}

/// Returns the schema of a key whose default and comment do not describe all valid values.
fn special(path: &str) -> Option<Value> {
    match path {
        "kafka.brokers" | "release.detail_breakdown" => Some(string_or_strings()),
        "release.breakdowns" => Some(breakdowns()),
        // The range in the comment does not apply if release.allow_small_k is true.
        "release.k" => Some(json!({"type": "integer", "minimum": 1, "maximum": 1_000_000})),
        "worker.threads" => {
            Some(json!({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 256}]}))
        }
        "release.margin" => Some(json!({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 0}]})),
        _ => None,
    }
}

/// Returns the schema of a value with this default and comment.
fn schema_of(path: &str, default: &toml::Value, comment: &str) -> Value {
    if let Some(special) = special(path) {
        return special;
    }
    let mut schema = match default {
        toml::Value::Boolean(_) => json!({"type": "boolean"}),
        toml::Value::Integer(_) => json!({"type": "integer"}),
        toml::Value::Float(_) => json!({"type": "number"}),
        toml::Value::Array(_) => strings(),
        toml::Value::String(text) => match choices(comment) {
            choices if choices.len() > 1 && choices.contains(&text.as_str()) => json!({"enum": choices}),
            _ if is_duration(text) => json!({"type": "string", "pattern": "^[0-9]"}),
            _ => json!({"type": "string"}),
        },
        other => panic!("{path} has the default {other}"),
    };
    if let (Some((least, most)), Some("integer" | "number")) = (range(comment), schema["type"].as_str()) {
        schema["minimum"] = least;
        schema["maximum"] = most;
    }
    schema
}

fn is_duration(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(['s', 'm', 'h', 'd'])
}

/// Returns the schema for the values of a section in which the operator chooses the names of keys. `of` returns the
/// schema of a configuration key.
fn chosen(path: &str, of: impl Fn(&str) -> Value) -> Option<Value> {
    let own = |section: &str, keys: &[&str]| {
        let keys = keys.iter().map(|key| ((*key).to_owned(), of(&format!("{section}.{key}"))));
        json!({"type": "object", "properties": Map::from_iter(keys), "additionalProperties": false})
    };
    match path {
        "principals.tenants" | "source.fields" | "source.log" => Some(string_or_strings()),
        "tenants.attributes" => Some(json!({"type": "object", "additionalProperties": {"type": "string"}})),
        "dimensions" => Some(custom_dimension()),
        "dimensions.tenants" => Some(json!({"type": "object", "additionalProperties": custom_dimension()})),
        "release.tenants" => Some(own("release", &["k", "breakdowns", "detail_breakdown"])),
        "console.tokens" => Some(json!({
            "type": "object", "properties": {"file": {"type": "string"}, "tenants": strings()},
            "additionalProperties": false,
        })),
        "quality.tenants" => Some(own("quality", &["startup", "rebuffering", "bitrate"])),
        _ => None,
    }
}

/// Returns the schema of the configuration with these entries.
fn schema(entries: &[Entry]) -> Value {
    let of = |path: &str| {
        let entry = entries.iter().find(|entry| entry.path == path).expect("a key");
        let mut schema = schema_of(path, entry.default.as_ref().expect("a key"), &entry.comment);
        describe(&mut schema, &entry.comment);
        schema
    };
    let mut root = object("Configuration of crowdfold.");
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    for entry in entries {
        let mut parent = &mut root;
        let (directory, name) = entry.path.rsplit_once('.').unwrap_or(("", &entry.path));
        for part in directory.split('.').filter(|part| !part.is_empty()) {
            parent = &mut parent["properties"][part];
        }
        parent["properties"][name] = match entry.default {
            Some(_) => of(&entry.path),
            None => object(&entry.comment),
        };
        let is_empty = |entry: &Entry| {
            let inside = format!("{}.", entry.path);
            entry.default.is_none() && !entries.iter().any(|other| other.path.starts_with(&inside))
        };
        let names = chosen(&entry.path, of).or_else(|| is_empty(entry).then_some(Value::Bool(true)));
        if let Some(names) = names {
            parent["properties"][name]["additionalProperties"] = names;
        }
    }
    root
}

fn object(description: &str) -> Value {
    let mut object = json!({"type": "object", "properties": {}, "additionalProperties": false});
    describe(&mut object, description);
    object
}

/// Adds a comment to a schema, if there is one.
fn describe(schema: &mut Value, comment: &str) {
    if !comment.trim().is_empty() {
        schema["description"] = comment.trim().into();
    }
}

#[test]
fn schema_of_the_configuration_is_generated_from_the_defaults() {
    let schema = schema(&entries(&page("deploy/default.toml").text));
    let text = serde_json::to_string_pretty(&schema).expect("JSON");
    assert_generated(SCHEMA, &format!("{text}\n"));
}

#[test]
fn schema_contains_every_key_of_the_default_file() {
    fn keys(value: &toml::Value, schema: &Value, path: &str, missing: &mut Vec<String>) {
        for (key, value) in value.as_table().into_iter().flatten() {
            let inner = &schema["properties"][key];
            if inner.is_null() {
                missing.push(format!("{path}{key}"));
            }
            keys(value, inner, &format!("{path}{key}."), missing);
        }
    }
    let schema: Value = serde_json::from_str(&page(SCHEMA).text).expect("JSON");
    let defaults: toml::Table = page("deploy/default.toml").text.parse().expect("TOML");
    let mut missing = Vec::new();
    keys(&toml::Value::Table(defaults), &schema, "", &mut missing);
    assert_eq!(missing, [""; 0]);
}

#[test]
fn types_ranges_and_choices_are_found_in_comments() {
    assert_eq!(range("A number. Range: 1 to 4096."), Some((1.into(), 4096.into())));
    assert_eq!(range("A number. Range: 0 to 1000000; 0 is no limit."), Some((0.into(), 1_000_000.into())));
    assert_eq!(range("A time. Range: 1s to 1h."), None);
    assert_eq!(range("A part. Range: above 0, to 10."), None);
    assert_eq!(choices("The format:\n- json: an object\n- cmcd: lines\n  of CMCD"), ["json", "cmcd"]);
    let text =
        "# About.\n\n# One.\n[a]\n# Two.\n# Range: 1 to 2.\nb = 1\nc = [\n  \"x\",\n]\n\n# Any.\n[a.d]\n";
    let schema = schema(&entries(text));
    let expected = json!({
        "b": {"type": "integer", "minimum": 1, "maximum": 2, "description": "Two.\nRange: 1 to 2."},
        "c": {"type": "array", "items": {"type": "string"}},
        "d": {"description": "Any.", "type": "object", "properties": {}, "additionalProperties": true},
    });
    assert_eq!(schema["properties"]["a"]["properties"], expected);
    assert_eq!(schema["properties"]["a"]["additionalProperties"], false);
}
