//! Tests of the words in pages and comments. CONTRIBUTING.md describes the rules.

use crate::assert_none;
use crate::pages::{Page, current, files};

/// Words and phrases that pages, comments and identifiers must not contain, each with the reason or the replacement. To
/// add a word, rewrite all of its uses first.
const DENIED: [(&str, &str); 36] = [
    ("anybody", "name the principal, program or person"),
    ("are told", "write \"receive\""),
    ("bell", "use no metaphors"),
    ("but for", "write \"except\""),
    ("but of", "write \"except\""),
    ("by the second", "write \"every second\""),
    ("clothes", "use no metaphors"),
    ("drill-down", "the term is \"breakdown\""),
    ("for ever", "write \"without end\" or \"unlimited\""),
    ("gate", "use no metaphors"),
    ("goes on", "write \"continues\""),
    ("hear", "data does not speak"),
    ("heard", "data does not speak"),
    ("hears", "data does not speak"),
    ("hither", "write \"here\""),
    ("is told", "write \"receives\""),
    ("judge", "use no metaphors"),
    ("let in", "write \"accepted\""),
    ("lets in", "write \"accepts\""),
    ("likewise", "write \"also\" or \"the same applies\""),
    ("looked at", "write \"read\" or \"checked\""),
    ("mend", "write \"fix\""),
    ("mended", "write \"fixed\""),
    ("nobody", "write \"no client\", \"no program\" or \"no person\""),
    ("patience", "write \"timeout\""),
    ("says", "data does not speak"),
    ("signs", "write \"characters\""),
    ("sitting", "the term is \"session summary\""),
    ("so many", "write \"this many\""),
    ("speaks", "data does not speak"),
    ("tells", "data does not speak"),
    ("told", "data does not speak"),
    ("verdict", "the term is \"outcome\""),
    ("vouch", "write \"guarantee\""),
    ("vouches", "write \"guarantees\""),
    ("whoever", "name the principal, program or person"),
];

/// Words with which no doc comment may begin.
const DENIED_OPENERS: [&str; 5] = ["How", "That", "What", "Whether", "Who"];

#[test]
fn pages_contain_no_denied_words() {
    let mut complaints = Vec::new();
    for page in current() {
        for (index, line) in page.text.lines().enumerate() {
            complaints.extend(denied(line).map(|word| complaint(&page, index, word)));
        }
    }
    assert_none(&complaints);
}

#[test]
fn comments_contain_no_denied_words() {
    let mut complaints = Vec::new();
    for page in sources() {
        for (index, line) in page.text.lines().enumerate() {
            let comment = comment(line).unwrap_or_default();
            complaints.extend(denied(comment).map(|word| complaint(&page, index, word)));
        }
    }
    assert_none(&complaints);
}

#[test]
fn doc_comments_do_not_begin_with_a_denied_word() {
    let mut complaints = Vec::new();
    for page in sources() {
        let mut previous = "";
        for (index, line) in page.text.lines().enumerate() {
            let doc = doc(line).unwrap_or_default();
            if previous.is_empty() && DENIED_OPENERS.contains(&first_word(doc)) {
                complaints.push(format!(
                    "{}:{}: the doc comment begins with {}; begin with a verb or a noun",
                    page.path,
                    index + 1,
                    first_word(doc)
                ));
            }
            previous = doc;
        }
    }
    assert_none(&complaints);
}

/// Returns all Rust sources of the repository, including tests, benchmarks, examples and fuzz targets.
pub(crate) fn sources() -> Vec<Page> {
    let sources = files(|name| name.ends_with(".rs"));
    for directory in ["benches/", "crates/", "fuzz/", "tests/"] {
        assert!(
            sources.iter().any(|page| page.path.starts_with(directory)),
            "no sources were found in {directory}"
        );
    }
    sources
}

fn complaint(page: &Page, index: usize, (word, remedy): (&str, &str)) -> String {
    format!("{}:{}: contains \"{word}\"; {remedy}", page.path, index + 1)
}

/// Returns the denied words in a string, each with its remedy.
pub(crate) fn denied(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let text = text.to_lowercase();
    DENIED.into_iter().filter(move |(word, _)| contains_word(&text, word))
}

/// Returns true if a string contains a word or phrase. A part of a longer word or identifier does not count.
pub(crate) fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Returns the comment in a line of a source file, or `None` if the line has no comment.
fn comment(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return Some(trimmed);
    }
    line.find(" // ").map(|start| &line[start..])
}

/// Returns the text of the doc comment in a line of a source file, or `None` if the line has no doc comment.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim)
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default()
}

#[test]
fn denied_words_are_found_only_as_whole_words() {
    let found = |text: &str| denied(text).map(|(word, _)| word).collect::<Vec<_>>();
    assert_eq!(found("So many beacons, told twice"), ["so many", "told"]);
    assert_eq!(found("an aggregate, `is_told`, amended"), [""; 0]);
    assert_eq!(comment("    let a = 1; // a comment"), Some(" // a comment"));
    assert_eq!(comment("let a = \"https://example\";"), None);
    assert_eq!(doc("    /// Whether it is."), Some("Whether it is."));
    assert_eq!(first_word("Whether it is."), "Whether");
}
