//! Reads files of the repository, and parses its Markdown pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Directories that are skipped, because they contain build results or files of other projects.
const SKIPPED: [&str; 4] = ["target", "node_modules", ".git", "corpus"];

/// A text file of the repository.
pub(crate) struct Page {
    /// The path from the root of the repository, with `/` as the separator.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A part of a page, and the number of its line.
pub(crate) struct Located {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The links, headings and inline code of a page.
#[derive(Default)]
pub(crate) struct Content {
    /// The targets of links and images.
    pub(crate) links: Vec<Located>,
    /// The anchors of headings, as GitHub generates them.
    pub(crate) anchors: BTreeSet<String>,
    /// The pieces of inline code, without the backticks.
    pub(crate) code: Vec<Located>,
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Reads the file at a path from the root of the repository.
pub(crate) fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.into(), text }
}

/// Reads all files of the repository whose names `wanted` accepts. The files are sorted by path.
pub(crate) fn files(wanted: impl Fn(&str) -> bool) -> Vec<Page> {
    let root = root();
    let mut files = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of the repository") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !path.is_symlink() && !SKIPPED.contains(&name) {
                directories.push(path);
            } else if path.is_file() && wanted(name) {
                let relative = path.strip_prefix(&root).expect("a path in the repository");
                files.push(page(&relative.to_string_lossy()));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Reads all Markdown files of the repository.
pub(crate) fn markdown() -> Vec<Page> {
    files(|name| name.ends_with(".md"))
}

/// Reads the pages that describe the current program: all pages except the changelog and the pages of test data.
pub(crate) fn current() -> Vec<Page> {
    let is_data = |path: &str| path.contains("/data/") || path == "CHANGELOG.md";
    markdown().into_iter().filter(|page| !is_data(&page.path)).collect()
}

impl Page {
    pub(crate) fn content(&self) -> Content {
        let mut content = Content::default();
        let mut heading: Option<String> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_GFM;
        for (event, range) in Parser::new_ext(&self.text, options).into_offset_iter() {
            let line = self.text[..range.start].matches('\n').count() + 1;
            match event {
                Event::Start(Tag::Heading { level, .. }) if level <= HeadingLevel::H6 => {
                    heading = Some(String::new());
                }
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let repeated = (1..).map(|number| format!("{slug}-{number}"));
                    let anchor = std::iter::once(slug.clone())
                        .chain(repeated)
                        .find(|anchor| !content.anchors.contains(anchor));
                    content.anchors.extend(anchor);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    content.links.push(Located { line, text: dest_url.to_string() });
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    content.code.push(Located { line, text: code.to_string() });
                }
                Event::Text(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        content
    }

    /// Converts a path relative to this page to a path from the root of the repository. Returns `None` if the path
    /// leaves the repository.
    pub(crate) fn resolve(&self, relative: &str) -> Option<String> {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for component in Path::new(relative).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()?),
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(parts.join("/"))
    }
}

/// Returns the anchor of a heading. It is in lower case, has no punctuation, and has hyphens instead of spaces.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn anchors_follow_the_rules_of_github() {
    let text = "# One `two`, three: 4.5\n\n## Again\n\n## Again\n\n```\n# no heading\n```\n";
    let page = Page { path: "docs/a/b.md".into(), text: text.into() };
    let anchors = page.content().anchors;
    assert_eq!(
        anchors.iter().map(String::as_str).collect::<Vec<_>>(),
        ["again", "again-1", "one-two-three-45"]
    );
    assert_eq!(page.resolve("../c.md").as_deref(), Some("docs/c.md"));
    assert_eq!(page.resolve("../../../c.md"), None);
}
