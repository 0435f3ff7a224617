//! Tests of the messages that tables in docs/operations.md quote. The messages must exist in the sources.

use crate::pages::{files, page};

/// Returns the quoted messages in the first column of all tables, each with its line number. A message is divided at
/// `…`. For example, `"offsets … were deleted"` gives the parts `offsets` and `were deleted`.
fn quoted(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(cell) = line.strip_prefix("| ").and_then(|line| line.split(" | ").next()) else { continue };
        let messages = cell.split('"').skip(1).step_by(2);
        let pieces = messages.flat_map(|message| message.split('…')).map(str::trim);
        parts.extend(pieces.filter(|part| !part.is_empty()).map(|part| (number + 1, part)));
    }
    parts
}

/// Returns a source file without the escaped line breaks inside string literals.
fn joined(source: &str) -> String {
    let mut pieces = source.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |joined, piece| joined + piece.trim_start())
}

#[test]
fn messages_quoted_in_operations_exist_in_the_sources() {
    let path = "docs/operations.md";
    let is_source = |path: &str| path.starts_with("crates/") && path.contains("/src/");
    let sources = files(|name| name.ends_with(".rs")).into_iter().filter(|file| is_source(&file.path));
    let sources: Vec<_> = sources.map(|file| joined(&file.text)).collect();
    let text = page(path).text;
    let parts = quoted(&text);
    assert!(parts.len() > 10, "{path} quotes only {} messages", parts.len());
    let mut complaints = Vec::new();
    for (line, part) in parts {
        if !sources.iter().any(|source| source.contains(part)) {
            complaints.push(format!("{path}:{line}: no message contains \"{part}\""));
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn quoted_messages_are_read_from_the_first_columns_of_tables() {
    let text = "| \"one … two\" | a \"b\" |\n|---|---|\n| x: \"three\" |\nsay \"no\"\n";
    assert_eq!(quoted(text), [(1, "one"), (1, "two"), (3, "three")]);
}

#[test]
fn line_breaks_inside_string_literals_are_removed() {
    assert_eq!(joined("\"one \\\n   two\""), "\"one two\"");
}
