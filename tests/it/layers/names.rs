//! A test of the sources of lower crates. Their comments and string literals must not contain configuration keys or
//! flags, because the upper crates add them to messages.

use std::path::Path;

use toml::Table;

use super::{ALLOWED, crates, short, sources};

/// The crates that know configuration keys and flags, and the crate for tests.
const KNOWING: [&str; 4] = ["config", "worker", "crowdfold", "testkit"];

/// Returns the keys of a table as dotted keys, and its sections in brackets.
fn names(table: &Table, section: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in table {
        let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        if let Some(inner) = value.as_table() {
            names.push(format!("[{key}]"));
            names.extend(self::names(inner, &key));
        }
        if !section.is_empty() {
            names.push(key);
        }
    }
    names
}

/// Returns true if a text contains a name that is not a part of a longer name.
fn contains(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + name.len()..]);
        !before.ends_with(|c| is_part(c) || c == '.') && !after.starts_with(is_part)
    })
}

/// Returns the first flag in a text, such as `--errors`.
fn flag(text: &str) -> Option<&str> {
    text.match_indices("--").find_map(|(start, dashes)| {
        let rest = &text[start + dashes.len()..];
        let length = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
        let is_flag = rest.starts_with(|c: char| c.is_ascii_lowercase()) && !text[..start].ends_with('-');
        is_flag.then(|| &text[start..start + dashes.len() + length])
    })
}

/// Returns the comments and the string literals of a source file, with their line numbers. Escaped line breaks inside a
/// literal are removed.
fn texts(source: &str) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let line = source[..source.len() - rest.len()].matches('\n').count() + 1;
        let raw = rest.strip_prefix('r').map(|raw| (raw, raw.len() - raw.trim_start_matches('#').len()));
        let raw = raw.filter(|(raw, hashes)| raw[*hashes..].starts_with('"'));
        let after = &rest[first.len_utf8()..];
        if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            texts.push((line, rest[..end].to_owned()));
            rest = &rest[end..];
        } else if let Some((raw, hashes)) = raw {
            let body = &raw[hashes + 1..];
            let quote = format!("\"{}", "#".repeat(hashes));
            let end = body.find(&quote).expect("the end of a raw string");
            texts.push((line, body[..end].to_owned()));
            rest = &body[end + quote.len()..];
        } else if first == '"' {
            let mut escaped = false;
            let is_end = |c: char| {
                let is_end = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                is_end
            };
            let end = after.find(is_end).expect("the end of a string");
            let mut lines = after[..end].split("\\\n");
            let start = lines.next().unwrap_or_default().to_owned();
            texts.push((line, lines.fold(start, |text, line| text + line.trim_start())));
            rest = &after[end + 1..];
        } else if first == '\'' && (after.starts_with("\"'") || after.starts_with("\\\"'")) {
            rest = &after[after.find('\'').unwrap_or(0) + 1..];
        } else {
            rest = after;
        }
    }
    texts
}

/// Returns the names in a text that a lower crate must not contain.
fn violations<'a>(text: &'a str, names: &'a [String]) -> impl Iterator<Item = &'a str> {
    names.iter().map(String::as_str).filter(|name| contains(text, name)).chain(flag(text))
}

fn all_names() -> Vec<String> {
    let table: Table = crowdfold_config::DEFAULT.parse().expect("TOML");
    names(&table, "")
}

/// Returns true for the source files of tests.
fn is_test(path: &Path) -> bool {
    let parts = path.components().map(|part| part.as_os_str());
    parts.into_iter().any(|part| part == "tests" || part == "tests.rs" || part == "testing.rs")
}

#[test]
fn lower_crates_name_no_configuration_keys_and_no_flags() {
    let names = all_names();
    let (crates, mut read, mut complaints) = (crates(), 0, Vec::new());
    let lower = ALLOWED.iter().map(|(name, _)| *name).filter(|name| !KNOWING.contains(name));
    for name in lower {
        let of = crates.iter().find(|(known, _)| short(known) == name).expect("a listed crate").1;
        let sources = sources(&of.directory).into_iter();
        for (path, source) in sources.filter(|(path, _)| !is_test(path.strip_prefix(&of.directory).unwrap()))
        {
            for (line, text) in texts(&source) {
                read += 1;
                complaints.extend(
                    violations(&text, &names).map(|name| format!("{}:{line}: {name}", path.display())),
                );
            }
        }
    }
    assert!(read > 10_000, "only {read} comments and literals were read");
    assert!(complaints.is_empty(), "a lower crate must not name these:\n{}", complaints.join("\n"));
}

#[test]
fn keys_and_flags_in_comments_and_literals_are_found() {
    let names = all_names();
    let found = |source: &str| -> Vec<String> {
        let texts = texts(source);
        texts.iter().flat_map(|(_, text)| violations(text, &names)).map(str::to_owned).collect()
    };
    for (source, name) in [
        ("/// The minimum (`release.k`).", "release.k"),
        ("let a = '\"'; let b = \"set source.\\\n    on_damaged\";", "source.on_damaged"),
        ("let a = \"say \\\"no\\\"\"; // raise [ttl]", "[ttl]"),
        ("let a = r#\"see \"[kafka.properties]\"\"#;", "[kafka.properties]"),
        ("write!(f, \"start once with --skip-damaged, or\")", "--skip-damaged"),
    ] {
        assert!(found(source).iter().any(|found| found == name), "{name} was not found in {source}");
    }
    for source in ["release.k += 1;", "// the my_release.k.x -- and release.kind", "// ------- a -- b"] {
        assert_eq!(found(source), [""; 0], "{source}");
    }
}
