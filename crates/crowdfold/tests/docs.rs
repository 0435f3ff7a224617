//! Tests of the documentation: links, commands, quoted outputs, configuration keys and generated pages.
//!
//! `BLESS=1 cargo test -p crowdfold --test docs` rewrites quoted outputs and generated pages that have changed.

#[path = "docs/alerts.rs"]
mod alerts;
#[path = "docs/beacon_fields.rs"]
mod beacon_fields;
#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/compose.rs"]
mod compose;
#[path = "docs/console.rs"]
mod console;
#[path = "docs/fields.rs"]
mod fields;
#[path = "docs/formats.rs"]
mod formats;
#[path = "docs/generated.rs"]
mod generated;
#[path = "docs/grafana.rs"]
mod grafana;
#[path = "docs/identifiers.rs"]
mod identifiers;
#[path = "docs/keys.rs"]
mod keys;
#[path = "docs/language.rs"]
mod language;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/messages.rs"]
mod messages;
#[path = "docs/named_tests.rs"]
mod named_tests;
#[path = "docs/pages.rs"]
mod pages;
#[path = "docs/schema.rs"]
mod schema;

/// Returns true if quoted outputs and generated pages must be rewritten instead of compared.
fn is_blessed() -> bool {
    std::env::vars_os().any(|(variable, _)| variable == "BLESS")
}

/// Fails the test if there are complaints, and prints them one per line.
#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn overview_pages_do_not_exceed_their_maximum_number_of_lines() {
    for (path, most) in [("README.md", 150), ("PRIVACY.md", 150), ("docs/internals/architecture.md", 200)] {
        let lines = pages::page(path).text.lines().count();
        assert!(
            lines <= most,
            "{path} has {lines} lines, but at most {most} are allowed; move text to another page"
        );
    }
}
