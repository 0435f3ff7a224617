//! Runs the commands in the `console` blocks of all pages, and compares their outputs with the quoted outputs.
//!
//! A block consists of commands, which begin with `$ `. The output of each command follows it. All blocks of a page run
//! in one temporary directory, which has links to the folders `docs`, `deploy` and `tests` of the repository. In an
//! output, a line `…` represents any number of lines. Log lines, which begin with a timestamp, are removed before the
//! comparison. If the comment `<!-- a line of: COMMAND -->` precedes a `json` block, the command must print a line that
//! equals the block, except for spaces. If the comment `<!-- not run: REASON -->` precedes a block, the block is not
//! run.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::pages::{Page, current, root};

/// A fenced block of a Markdown page.
struct Block<'a> {
    info: &'a str,
    /// The comment in the line before the block, without its delimiters. The string is empty if there is no comment.
    comment: &'a str,
    line: usize,
    body: Range<usize>,
}

/// Returns the fenced blocks of a page, except those that are indented.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut comment = "";
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let fence = line.trim_end().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                open = Some(Block { info, comment, line: number + 1, body: at..at });
            }
            (Some(block), Some("")) => {
                block.body.end = start;
                blocks.extend(open.take());
            }
            _ => {
                comment = line.trim().strip_prefix("<!-- ").and_then(|l| l.strip_suffix(" -->")).unwrap_or("")
            }
        }
    }
    blocks
}

/// One command of a block, and the range of its expected output in the page.
struct Step {
    command: String,
    output: Range<usize>,
}

fn steps(text: &str, body: &Range<usize>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut at = body.start;
    let mut continues = false;
    for line in text[body.clone()].split_inclusive('\n') {
        at += line.len();
        let command = line.strip_prefix("$ ");
        match (command, steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.into(), output: at..at }),
            (None, Some(step)) if continues => {
                step.command.push_str(line);
                step.output = at..at;
            }
            (None, Some(step)) => step.output.end = at,
            (None, None) => panic!("a console block begins with a command: {line}"),
        }
        continues = (command.is_some() || continues) && line.trim_end().ends_with('\\');
    }
    steps
}

/// The directory in which the commands of a page run.
struct Workplace(TempDir);

impl Workplace {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["docs", "deploy", "tests"] {
            std::os::unix::fs::symlink(root().join(name), directory.path().join(name)).expect("a link");
        }
        Self(directory)
    }

    /// Runs a command. Returns its output without log lines, or an error if its exit code is not 0.
    fn run(&self, command: &str) -> Result<String, String> {
        let program = Path::new(env!("CARGO_BIN_EXE_crowdfold")).parent().expect("a directory");
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {}\n}} 2>&1", command.trim_end())])
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("sh runs");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let lines = printed.split_inclusive('\n').filter(|line| !is_log(line));
        let printed: String = lines.collect();
        if output.status.success() { Ok(printed) } else { Err(format!("{}\n{printed}", output.status)) }
    }
}

/// Returns true if a line begins with the timestamp of a log line.
fn is_log(line: &str) -> bool {
    let bytes = line.as_bytes();
    let is_digits = |range: Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
    is_digits(0..4) && is_digits(5..7) && is_digits(8..10) && bytes.get(10) == Some(&b'T')
}

/// Returns true if `seen` equals `expected`, in which a line `…` represents any number of lines.
fn matches(expected: &[&str], seen: &[&str]) -> bool {
    match expected {
        [] => seen.is_empty(),
        ["…", rest @ ..] => (0..=seen.len()).any(|skipped| matches(rest, &seen[skipped..])),
        [first, rest @ ..] => seen.first() == Some(first) && matches(rest, &seen[1..]),
    }
}

fn is_expected(expected: &str, seen: &str) -> bool {
    matches(&expected.lines().collect::<Vec<_>>(), &seen.lines().collect::<Vec<_>>())
}

/// The result of running the commands of a page.
#[derive(Debug, Default, PartialEq)]
struct Checked {
    /// The commands that failed, and the `json` blocks that their command did not print.
    failed: Vec<String>,
    /// The outputs that differ from the quoted outputs.
    changed: Vec<String>,
    /// The text of the page, with the actual outputs instead of the quoted outputs.
    text: String,
}

/// Runs the commands of a page, and compares their outputs with the quoted outputs.
fn check(page: &Page) -> Checked {
    let workplace = Workplace::new();
    let Checked { mut failed, mut changed, mut text } = Checked::default();
    let mut copied = 0;
    for block in blocks(&page.text) {
        let location = format!("{}:{}", page.path, block.line);
        if let ("json", Some(command)) = (block.info, block.comment.strip_prefix("a line of: ")) {
            let expected: Value = serde_json::from_str(&page.text[block.body.clone()])
                .unwrap_or_else(|error| panic!("{location}: {error}"));
            let printed = workplace.run(command).unwrap_or_else(|error| panic!("{location}: {error}"));
            if !printed.lines().any(|line| serde_json::from_str::<Value>(line).is_ok_and(|l| l == expected)) {
                failed.push(format!("{location}: not among the lines of `{command}`:\n{printed}"));
            }
        }
        if block.info != "console" || block.comment.starts_with("not run: ") {
            continue;
        }
        for step in steps(&page.text, &block.body) {
            let expected = &page.text[step.output.clone()];
            match workplace.run(&step.command) {
                Err(error) => failed.push(format!("{location}: {}: {error}", step.command.trim_end())),
                Ok(seen) if is_expected(expected, &seen) => {}
                Ok(seen) => {
                    let command = step.command.trim_end();
                    changed.push(format!("{location}: $ {command}\n{seen}instead of\n{expected}"));
                    text.push_str(&page.text[copied..step.output.start]);
                    text.push_str(&seen);
                    copied = step.output.end;
                }
            }
        }
    }
    text.push_str(&page.text[copied..]);
    Checked { failed, changed, text }
}

#[test]
fn commands_in_pages_print_the_quoted_outputs() {
    let mut complaints = Vec::new();
    for page in current() {
        let checked = check(&page);
        complaints.extend(checked.failed);
        if crate::is_blessed() && checked.text != page.text {
            fs::write(root().join(&page.path), checked.text).expect("a page can be written");
        } else {
            complaints.extend(checked.changed);
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn changed_output_is_detected_and_rewritten() {
    let check = |text: &str| check(&Page { path: "a.md".into(), text: text.into() });
    let same = "# A\n```console\n$ echo one \\\n  two; echo three >f\none two\n$ cat f\nthree\n```\n";
    assert_eq!(check(same), Checked { text: same.into(), ..Checked::default() });
    let checked = check("```console\n$ echo one; echo two\none\n$ echo 3\n3\n```\n");
    assert_eq!(checked.changed, ["a.md:1: $ echo one; echo two\none\ntwo\ninstead of\none\n"]);
    assert_eq!(checked.text, "```console\n$ echo one; echo two\none\ntwo\n$ echo 3\n3\n```\n");
    for (expected, is_same) in [("1\n…\n3\n", true), ("…\n", true), ("1\n…\n2\n", false), ("…\n2\n3\n", true)]
    {
        let checked = check(&format!("```console\n$ printf '1\\n2\\n3\\n'\n{expected}```\n"));
        assert_eq!(checked.changed.is_empty(), is_same, "{expected}");
    }
    assert_eq!(check("```console\n$ exit 3\n```\n").failed.len(), 1);
    let not_run = "<!-- not run: needs a broker -->\n```console\n$ exit 3\n```\n";
    assert_eq!(check(not_run), Checked { text: not_run.into(), ..Checked::default() });
}

#[test]
fn json_is_compared_without_regard_to_spaces() {
    let failed = |json: &str| {
        let text = format!("<!-- a line of: printf '1\\n{{\"a\":[1,2]}}\\n' -->\n```json\n{json}\n```\n");
        check(&Page { path: "a.md".into(), text }).failed
    };
    assert_eq!(failed("{ \"a\": [1, 2] }"), Vec::<String>::new());
    assert_eq!(failed("{ \"a\": [1, 3] }").len(), 1);
}
