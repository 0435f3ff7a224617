//! Tests that the table of invariants in docs/internals/architecture.md names exactly the existing tests of invariants.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Adds the names of all functions below a directory that begin with `invariant_` to `found`.
fn tests(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn invariant_"));
            found.extend(names.filter_map(|rest| Some(format!("invariant_{}", rest.split_once('(')?.0))));
        }
    }
}

#[test]
fn table_names_every_invariant_and_each_of_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/internals/architecture.md")).unwrap();
    let (_, section) = text.split_once("\n## Invariants\n").expect("the page has the table of invariants");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    let rows: Vec<_> = rows.collect();
    let number = |row: &&str| row[2..].split(' ').next().unwrap().parse().unwrap();
    assert_eq!(rows.iter().map(number).collect::<Vec<u32>>(), (1..=14).collect::<Vec<_>>());

    let mut there = BTreeSet::new();
    tests(&root.join("tests"), &mut there);
    tests(&root.join("crates"), &mut there);
    let words = rows.iter().flat_map(|row| row.split('`'));
    let named: BTreeSet<String> =
        words.filter(|word| word.starts_with("invariant_")).map(Into::into).collect();
    assert_eq!(named, there, "left: the tests that the table names; right: the tests that exist");
    for test in there {
        let number: u32 = test.split('_').nth(1).unwrap().parse().unwrap();
        assert!(rows[number as usize - 1].contains(&test), "{test} is not in the row of invariant {number}");
    }
}
