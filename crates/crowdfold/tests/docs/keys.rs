//! Tests that all configuration keys in pages exist.

use toml::{Table, Value};

use crate::pages::{current, page};

/// The sections in which the operator chooses the names of keys.
const OPEN: [&str; 7] = [
    "kafka.properties",
    "kafka.eraser",
    "principals.tenants",
    "source.fields",
    "source.log",
    "tenants.attributes",
    "release.tenants",
];

/// Returns true if the configuration has a key or a section with this dotted path.
fn exists(defaults: &Table, path: &str) -> bool {
    if OPEN.iter().any(|open| path == *open || path.starts_with(&format!("{open}."))) {
        return true;
    }
    let mut table = defaults;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        match table.get(part) {
            Some(Value::Table(inner)) => table = inner,
            Some(_) => return parts.peek().is_none(),
            None => return false,
        }
    }
    true
}

/// Returns the configuration key in a piece of inline code, such as `release.k`, `release.k = 50`, `[release]` or
/// `CROWDFOLD_RELEASE__K`. Returns `None` if the code does not look like a key.
fn key(defaults: &Table, code: &str) -> Option<String> {
    let code = code.split('=').next()?.trim();
    if let Some(variable) = code.strip_prefix("CROWDFOLD_").filter(|variable| variable.contains("__")) {
        return Some(variable.to_lowercase().replace("__", "."));
    }
    let code = code.strip_prefix('[').and_then(|code| code.strip_suffix(']')).unwrap_or(code);
    let is_key = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_'));
    let (section, name) = code.split_once('.')?;
    let is_file = ["toml", "rs", "md", "js", "json"].contains(&name);
    (is_key && !is_file && defaults.contains_key(section)).then(|| code.into())
}

fn defaults() -> Table {
    page("deploy/default.toml").text.parse().expect("TOML")
}

#[test]
fn configuration_keys_in_pages_exist() {
    let defaults = defaults();
    let mut complaints = Vec::new();
    for page in current() {
        for code in page.content().code {
            if let Some(key) = key(&defaults, &code.text).filter(|key| !exists(&defaults, key)) {
                complaints.push(format!("{}:{}: there is no key {key}", page.path, code.line));
            }
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn unknown_configuration_key_is_detected() {
    let defaults = defaults();
    for (code, expected) in [
        ("release.k", Some(true)),
        ("release.k = 50", Some(true)),
        ("release.q", Some(false)),
        ("release.k.x", Some(false)),
        ("[consent.child_directed]", Some(true)),
        ("[consent.children]", Some(false)),
        ("CROWDFOLD_RELEASE__K=100", Some(true)),
        ("CROWDFOLD_RELEASE__Q", Some(false)),
        ("source.fields.ts", Some(true)),
        ("collect.toml", None),
        ("retention.ms", None),
        ("CROWDFOLD_INSTALL=no", None),
    ] {
        assert_eq!(key(&defaults, code).map(|key| exists(&defaults, &key)), expected, "{code}");
    }
}
