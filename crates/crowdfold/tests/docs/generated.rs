//! Generates the reference pages of the configuration and of the command line.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::pages::{page, root};

/// Compares a page with its generated content. With `BLESS=1` the page is rewritten instead.
#[track_caller]
pub(crate) fn assert_generated(path: &str, generated: &str) {
    if crate::is_blessed() {
        fs::write(root().join(path), generated).expect("a page can be written");
    }
    assert_eq!(
        page(path).text,
        generated,
        "{path} is out of date: BLESS=1 cargo test -p crowdfold --test docs"
    );
}

#[test]
fn reference_of_the_configuration_is_generated_from_the_defaults() {
    assert_generated("docs/reference/configuration.md", &configuration(&page("deploy/default.toml").text));
}

/// Returns the reference of the configuration: the comments of `default.toml` as text, and each key with its default.
fn configuration(toml: &str) -> String {
    let mut page = String::from(
        "# Configuration\n\n<!-- Generated from deploy/default.toml by crates/crowdfold/tests/docs/generated.rs. -->\n\n\
         `crowdfold` reads the defaults below, then the file given with `--config`, then environment variables \
         (`CROWDFOLD_RELEASE__K=100` sets `release.k`), then flags. Each source overrides the sources before it. An unknown key \
         is an error. `crowdfold check` prints the effective configuration. The same text is in \
         [deploy/default.toml](../../deploy/default.toml). Editors complete and validate a file whose first line is \
         `#:schema PATH`, with the path of [configuration.schema.json](configuration.schema.json).\n",
    );
    let mut section = "";
    let mut comments: Vec<&str> = Vec::new();
    let mut lines = toml.lines();
    // The first paragraph is skipped, because it describes the file itself.
    lines.by_ref().find(|line| line.is_empty());
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix('#') {
            comments.push(comment.strip_prefix(' ').unwrap_or(comment));
        } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            write!(page, "\n## `[{name}]`\n").expect("a string");
            write_comments(&mut page, &mut comments);
        } else if let Some((key, value)) = line.split_once(" = ") {
            let mut value = value.to_owned();
            while value.starts_with('[') && !value.ends_with(']') {
                value.push_str(lines.next().expect("the end of a list").trim());
            }
            let value = value.replace(",]", "]").replace("],[", "], [");
            write!(page, "\n### `{section}.{key}`\n\nDefault: `{value}`\n").expect("a string");
            write_comments(&mut page, &mut comments);
        }
    }
    page
}

/// Writes the comments that precede a key or section. Indented lines are examples or lists, and become fenced blocks.
fn write_comments(page: &mut String, comments: &mut Vec<&str>) {
    let mut is_example = false;
    for (number, line) in comments.drain(..).enumerate() {
        let indented = line.starts_with("  ");
        if indented != is_example || number == 0 {
            page.push_str(if is_example { "```\n\n" } else { "\n" });
            page.push_str(if indented { "```text\n" } else { "" });
        }
        is_example = indented;
        if indented {
            page.push_str(line);
        } else {
            page.push_str(&line.replace('<', "\\<").replace('*', "\\*"));
        }
        page.push('\n');
    }
    if is_example {
        page.push_str("```\n");
    }
}

#[test]
fn reference_of_the_command_line_is_generated_from_the_help_texts() {
    let mut page = String::from(
        "# Command line\n\n<!-- Generated from the help texts by crates/crowdfold/tests/docs/generated.rs. -->\n\n\
         Exit codes are described in [exit-codes.md](exit-codes.md).\n",
    );
    let help = |subcommand: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
            .args(subcommand.split_whitespace())
            .arg("--help")
            .env_clear()
            .output()
            .expect("the program runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let text = help(&command);
        let name = format!("crowdfold {command}");
        write!(page, "\n## `{}`\n\n```text\n{text}```\n", name.trim_end()).expect("a string");
        let inner: Vec<_> =
            subcommands(&text).map(|inner| format!("{command} {inner}").trim().to_owned()).collect();
        open.extend(inner.into_iter().rev());
    }
    assert_generated("docs/reference/cli.md", &page);
}

/// Returns the subcommands that a help text lists.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let section = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    section
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
}
