//! The documentation: links, commands, outputs, configuration keys and generated pages.
//!
//! `BLESS=1 cargo test -p crowdfold --test docs` rewrites outputs and generated pages that have changed.

#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/console.rs"]
mod console;
#[path = "docs/generated.rs"]
mod generated;
#[path = "docs/keys.rs"]
mod keys;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/pages.rs"]
mod pages;

/// Returns whether outputs and generated pages are to be rewritten.
fn is_blessed() -> bool {
    std::env::vars_os().any(|(variable, _)| variable == "BLESS")
}

/// Fails with all complaints, one per line.
#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn readme_has_at_most_150_lines() {
    let readme = pages::page("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "README.md has {lines} lines; move text to docs/");
}
