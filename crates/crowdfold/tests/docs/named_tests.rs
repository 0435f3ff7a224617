//! Tests that pages name only existing tests, such as `fold::tests::folding_equals_the_test_vectors`.

use std::collections::BTreeSet;

use crate::pages::{current, files};

/// The pages on which every path in inline code must be the path of a test.
const STRICT: [&str; 2] = ["README.md", "PRIVACY.md"];

/// Returns the module path of a file. For example, `crates/release/src/fold/tests.rs` contains `release::fold::tests`.
fn module(path: &str) -> Vec<&str> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let is_named = |part: &&str| !matches!(*part, "crates" | "src" | "main" | "lib" | "mod");
    let (directories, file) = path.rsplit_once('/').unwrap_or(("", path));
    // A directory `tests` contains test binaries, or modules of a file `tests.rs`. The name of the directory is not a
    // part of the path.
    let directories = directories.split('/').filter(|part| !matches!(*part, "" | "tests"));
    directories.chain([file]).filter(is_named).collect()
}

/// Returns the names of the tests in a source file. If a test is in an inner module, the name of this module precedes
/// the name of the test.
fn tests(source: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut inner: Option<&str> = None;
    let mut is_test = false;
    for line in source.lines() {
        let line = line.trim_end();
        if let Some(name) = line.strip_prefix("mod ").and_then(|line| line.strip_suffix(" {")) {
            inner = Some(name);
        } else if line == "}" {
            inner = None;
        }
        let line = line.trim_start();
        match line.strip_prefix("fn ").and_then(|line| line.split_once('(')) {
            Some((name, _)) if is_test => {
                tests.push(inner.map_or_else(|| name.into(), |inner| format!("{inner}::{name}")));
                is_test = false;
            }
            _ if line.starts_with("#[test]") => is_test = true,
            _ if line.starts_with('#') || line.starts_with("//") => {}
            _ => is_test = false,
        }
    }
    tests
}

/// Returns the full paths of all tests of the repository.
fn all_tests() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files(|name| name.ends_with(".rs")) {
        let module = module(&file.path).join("::");
        all.extend(tests(&file.text).into_iter().map(|test| format!("{module}::{test}")));
    }
    all
}

/// Returns true if inline code has the form of a path, such as `module::function`.
fn is_path(code: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    code.contains("::") && code.split("::").all(is_name)
}

/// Returns true if a piece of inline code must be the path of a test. On the pages in [`STRICT`], this applies to all
/// paths, and on other pages to paths whose last part looks like a sentence.
fn must_be_a_test(page: &str, code: &str) -> bool {
    let name = code.rsplit("::").next().unwrap_or_default();
    is_path(code) && (STRICT.contains(&page) || name.matches('_').count() >= 3)
}

/// Returns true if `code` is the complete path of a test, or the end of the path of a test.
fn exists(all: &BTreeSet<String>, code: &str) -> bool {
    all.iter()
        .any(|test| test.strip_suffix(code).is_some_and(|before| before.is_empty() || before.ends_with("::")))
}

#[test]
fn tests_that_pages_name_exist() {
    let all = all_tests();
    let mut complaints = Vec::new();
    for page in current() {
        for code in page.content().code {
            if must_be_a_test(&page.path, &code.text) && !exists(&all, &code.text) {
                complaints.push(format!("{}:{}: there is no test {}", page.path, code.line, code.text));
            }
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn every_guarantee_names_a_test() {
    let mut complaints = Vec::new();
    for path in STRICT {
        let text = crate::pages::page(path).text;
        let (_, section) = text.split_once("| guarantee | test |\n").unwrap_or_else(|| {
            panic!("{path} has no table of guarantees with their tests");
        });
        let rows = section.lines().skip(1).take_while(|line| line.starts_with('|'));
        let is_named = |row: &&str| row.split('`').any(is_path);
        complaints.extend(rows.filter(|row| !is_named(row)).map(|row| format!("{path}: no test in {row}")));
    }
    crate::assert_none(&complaints);
}

#[test]
fn name_of_a_missing_test_is_detected() {
    let source = "#[test]\nfn one_is_one() {}\nfn two() {}\nmod tests {\n    #[test]\n    // why\n    fn three_is_three() {}\n}\n\
                  #[test]\n#[should_panic]\nfn four_is_four() {}\n";
    assert_eq!(tests(source), ["one_is_one", "tests::three_is_three", "four_is_four"]);
    assert_eq!(module("crates/release/src/fold/tests.rs"), ["release", "fold", "tests"]);
    assert_eq!(module("crates/release/src/lib.rs"), ["release"]);
    assert_eq!(module("tests/it/invariants/crowds.rs"), ["it", "invariants", "crowds"]);
    assert_eq!(module("crates/engine/tests/simulation/main.rs"), ["engine", "simulation"]);
    let all = ["release::fold::tests::one_is_one".to_owned()].into();
    for (code, expected) in [
        ("tests::one_is_one", true),
        ("release::fold::tests::one_is_one", true),
        ("sts::one_is_one", false),
        ("tests::one_is_two", false),
    ] {
        assert_eq!(exists(&all, code), expected, "{code}");
    }
    assert!(must_be_a_test("PRIVACY.md", "a::b"));
    assert!(must_be_a_test("docs/a.md", "a::one_is_not_two"));
    assert!(!must_be_a_test("docs/a.md", "kafka::admin_calls"));
    assert!(!must_be_a_test("PRIVACY.md", "kafka::Outgoing"));
}
