//! Tests of the links between files of the repository. Links to other hosts are not checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::pages::{Page, files, markdown, root};

/// Returns a complaint for each relative link in these pages if its target file or heading does not exist.
fn broken_links(pages: &[Page], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let contents: BTreeMap<_, _> = pages.iter().map(|page| (page.path.as_str(), page.content())).collect();
    let mut complaints = Vec::new();
    for page in pages {
        for link in &contents[page.path.as_str()].links {
            let target = link.text.as_str();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(f, a)| (f, Some(a)));
            let path = if file.is_empty() { Some(page.path.clone()) } else { page.resolve(file) };
            let complaint = match (&path, anchor) {
                (None, _) => Some("leaves the repository"),
                (Some(path), _) if !exists(path) => Some("the file does not exist"),
                (Some(path), Some(anchor)) => contents
                    .get(path.as_str())
                    .filter(|content| !content.anchors.contains(anchor))
                    .map(|_| "the page has no such heading"),
                (Some(_), None) => None,
            };
            if let Some(complaint) = complaint {
                complaints.push(format!("{}:{}: {target}: {complaint}", page.path, link.line));
            }
        }
    }
    complaints
}

#[test]
fn every_relative_link_has_a_target() {
    let root = root();
    crate::assert_none(&broken_links(&markdown(), |path| root.join(path).exists()));
}

#[test]
fn link_without_a_target_file_or_heading_is_detected() {
    let page = |path: &str, text: &str| Page { path: path.into(), text: text.into() };
    let pages = [
        page(
            "a.md",
            "# Top\n[1](docs/b.md#part) [2](docs/b.md#none) ![3](docs/c.svg) [4](../d.md) [5](#top)\n",
        ),
        page(
            "docs/b.md",
            "## Part\n[6](../a.md#top) [7](https://example.com/x) [8][r] `[9](no.md)`\n\n[r]: e.md\n",
        ),
    ];
    let complaints = broken_links(&pages, |path| path == "a.md" || path == "docs/b.md");
    assert_eq!(
        complaints,
        [
            "a.md:2: docs/b.md#none: the page has no such heading",
            "a.md:2: docs/c.svg: the file does not exist",
            "a.md:2: ../d.md: leaves the repository",
            "docs/b.md:2: e.md: the file does not exist",
        ]
    );
}

/// Markdown files of other projects that comments name.
const OTHERS: [&str; 1] = ["CONFIGURATION.md"];

/// Returns the names of Markdown files in a file that is not Markdown.
fn page_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-')))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.ends_with(".md") && !word.starts_with('.'))
}

#[test]
fn pages_that_comments_name_exist() {
    let root = root();
    let has_comments = |name: &str| {
        [".rs", ".toml", ".sh", ".yaml", ".js"].iter().any(|end| name.ends_with(end)) || name == "Makefile"
    };
    let mut complaints = Vec::new();
    // Two kinds of files are exempt. Data files come from other projects, and the tests in this directory name pages
    // that do not exist.
    let is_exempt = |path: &str| path.contains("/data/") || path.contains("crowdfold/tests/docs");
    for file in files(has_comments).iter().filter(|file| !is_exempt(&file.path)) {
        for name in page_names(&file.text).filter(|name| !OTHERS.contains(name)) {
            // The name is relative to the directory of the file, or to a parent of this directory.
            let mut directories =
                root.join(&file.path).ancestors().skip(1).map(PathBuf::from).collect::<Vec<_>>();
            directories.retain(|directory| directory.starts_with(&root));
            if !directories.iter().any(|directory| directory.join(name).exists()) {
                complaints.push(format!("{}: names {name}, which does not exist", file.path));
            }
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn names_of_pages_in_comments_are_detected() {
    let text = "//! See PRIVACY.md, \"Limits\". The table is in docs/concepts.md.\n";
    assert_eq!(page_names(text).collect::<Vec<_>>(), ["PRIVACY.md", "docs/concepts.md"]);
}
