//! Tests of the structural rules in docs/internals/architecture.md: dependencies between crates, unsafe code, lints,
//! clocks, and the length of files.

mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates of the workspace on which each crate may depend, without the prefix `crowdfold-`. A crate may depend only
/// on crates that are listed before it.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("model", &[]),
    ("random", &[]),
    ("scan", &[]),
    ("config", &["model"]),
    ("beacon", &["model"]),
    ("loadgen", &["model", "random"]),
    ("query", &["model"]),
    ("console", &["model", "query"]),
    ("airlock", &["model", "scan", "beacon"]),
    ("testkit", &["beacon"]),
    ("release", &["model"]),
    ("engine", &["model", "airlock", "release"]),
    ("audit", &["model", "scan", "release"]),
    ("kafka", &["model", "release"]),
    ("collector", &["model", "beacon", "airlock", "kafka"]),
    ("worker", &["model", "scan", "config", "airlock", "release", "engine", "kafka"]),
    (
        "crowdfold",
        &[
            "model",
            "config",
            "loadgen",
            "query",
            "console",
            "airlock",
            "release",
            "engine",
            "audit",
            "kafka",
            "collector",
            "worker",
        ],
    ),
];

/// The crates that contain only tests or benchmarks. They may depend on every other crate except `crowdfold`.
const TEST_CRATES: [&str; 3] = ["suite", "attack", "cost"];

/// The crates that must not read the clock. They receive the time as an argument.
const TIMELESS: [&str; 10] = [
    "crowdfold-model",
    "crowdfold-random",
    "crowdfold-scan",
    "crowdfold-beacon",
    "crowdfold-config",
    "crowdfold-airlock",
    "crowdfold-release",
    "crowdfold-engine",
    "crowdfold-query",
    "crowdfold-audit",
];

struct Crate {
    directory: PathBuf,
    /// The crates of the workspace on which this crate depends. The flag is true if only the tests of this crate depend
    /// on that crate.
    needs: Vec<(String, bool)>,
}

/// Returns the crates of the workspace by name, from `cargo metadata`.
fn crates() -> BTreeMap<String, Crate> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path", manifest])
        .output()
        .expect("the output of cargo");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON from cargo");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), read(package))).collect()
}

fn read(package: &Value) -> Crate {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let ours = package["dependencies"].as_array().expect("dependencies").iter();
    let ours = ours.filter(|dependency| dependency["path"].is_string());
    Crate {
        directory: manifest.parent().expect("a directory").into(),
        needs: ours.map(|needed| (text(&needed["name"]), needed["kind"] == "dev")).collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// Returns the name of a crate without its prefix.
fn short(name: &str) -> &str {
    name.strip_prefix("crowdfold-").unwrap_or(name)
}

/// Returns the path and the text of all source files of a crate.
fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    rust_files(directory.join("src"))
}

/// Returns the path and the text of all Rust files below a directory.
fn rust_files(directory: PathBuf) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut directories = vec![directory];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a readable source");
                sources.push((path, text));
            }
        }
    }
    sources
}

#[test]
fn only_airlock_and_collector_depend_on_beacon() {
    let crates = crates();
    let know = |of: &Crate| of.needs.iter().any(|(name, _)| name == "crowdfold-beacon");
    let knowing: Vec<&str> = crates.iter().filter(|(_, of)| know(of)).map(|(name, _)| &**name).collect();
    assert!(knowing.contains(&"crowdfold-airlock"), "no crate reads beacons: {knowing:?}");
    for name in knowing {
        let may = ["crowdfold-airlock", "crowdfold-collector", "crowdfold-testkit"].contains(&name);
        assert!(may, "{name} depends on crowdfold-beacon, which has types with personal data");
    }
}

#[test]
fn each_crate_depends_on_exactly_the_crates_in_its_list() {
    let mut listed: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| *name).collect();
    listed.extend(TEST_CRATES);
    let crates = crates();
    let found: BTreeSet<_> = crates.keys().map(|name| short(name)).collect();
    assert_eq!(found, listed, "ALLOWED or TEST_CRATES must list each crate of the workspace");
    for (name, allowed) in ALLOWED {
        let of = crates.iter().find(|(known, _)| short(known) == name).expect("a listed crate").1;
        let shipped = of.needs.iter().filter(|(_, for_tests)| !for_tests).map(|(needed, _)| short(needed));
        let shipped: BTreeSet<_> = shipped.collect();
        assert_eq!(
            shipped,
            allowed.iter().copied().collect(),
            "the dependencies of {name} and its list in ALLOWED"
        );
    }
}

#[test]
fn crates_are_listed_after_the_crates_on_which_they_depend() {
    for (index, (name, allowed)) in ALLOWED.iter().enumerate() {
        for needed in *allowed {
            let at = ALLOWED.iter().position(|(known, _)| known == needed);
            assert!(
                at.is_some_and(|at| at < index),
                "{name} depends on {needed}, which is not listed before it"
            );
        }
    }
}

#[test]
fn tests_of_a_crate_depend_only_on_crates_for_tests_and_on_crates_in_its_list() {
    for (name, of) in crates() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == short(&name)) else { continue };
        for (needed, _) in of.needs.iter().filter(|(_, for_tests)| *for_tests) {
            let needed = short(needed);
            let may = ["testkit", "random"].contains(&needed) || allowed.contains(&needed);
            assert!(may, "the tests of {name} depend on {needed}, which is not in its list");
        }
    }
}

/// Returns the names of the public error types in a source file.
fn error_types(text: &str) -> impl Iterator<Item = &str> {
    let types =
        text.lines().filter_map(|line| line.strip_prefix("pub enum ").or(line.strip_prefix("pub struct ")));
    let names = types.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    names.filter(|name| name.ends_with("Error"))
}

#[test]
fn every_public_error_type_is_named_in_decision_050() {
    const PAGE: &str = "docs/internals/decisions/050-one-error-type-per-crate.md";
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).expect("a readable page");
    let mut found = 0;
    for (crate_name, of) in crates() {
        for (_, text) in sources(&of.directory) {
            for name in error_types(&text) {
                found += 1;
                let is_named =
                    [format!("`{name}`"), format!("::{name}`")].iter().any(|form| page.contains(form));
                assert!(is_named, "{PAGE} does not name {crate_name}::{name}");
            }
        }
    }
    assert!(found > 15, "only {found} error types were found");
}

#[test]
fn only_tests_depend_on_the_testkit() {
    for (name, of) in crates() {
        let shipped = of.needs.iter().any(|(needed, for_tests)| needed == "crowdfold-testkit" && !for_tests);
        assert!(!shipped, "{name} depends on crowdfold-testkit outside its tests");
    }
}

/// The modules that may contain unsafe code. Each must explain why the code is sound.
const UNSAFE: [&str; 2] = ["crates/kafka/src/batch.rs", "crates/kafka/src/admin_calls.rs"];

#[test]
fn unsafe_code_is_forbidden_except_in_two_modules() {
    for (name, of) in crates() {
        for root in ["src/lib.rs", "src/main.rs"].map(|root| of.directory.join(root)) {
            let Ok(text) = fs::read_to_string(&root) else { continue };
            let forbids = text.contains("#![forbid(unsafe_code)]");
            assert!(forbids || name == "crowdfold-kafka", "{} does not forbid unsafe code", root.display());
        }
        let allows = |text: &str| {
            ["allow", "expect"].iter().any(|attribute| text.contains(&format!("{attribute}(unsafe_code")))
        };
        for (path, text) in sources(&of.directory).into_iter().filter(|(_, text)| allows(text)) {
            let may = UNSAFE.iter().any(|may| path.ends_with(may));
            assert!(may, "{} allows unsafe code, which only {UNSAFE:?} may", path.display());
            assert!(
                text.contains("//! The unsafe code relies on these facts"),
                "{} does not explain why it is sound",
                path.display()
            );
        }
    }
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    for (name, of) in crates() {
        let manifest = fs::read_to_string(of.directory.join("Cargo.toml")).expect("a readable manifest");
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{name} does not inherit the lints");
    }
}

#[test]
fn crates_that_receive_the_time_do_not_read_the_clock() {
    let crates = crates();
    for name in TIMELESS {
        for (path, text) in sources(&crates[name].directory) {
            let excused = text.contains("clippy::disallowed_methods");
            assert!(!excused, "{} disables the ban on clocks and environment variables", path.display());
        }
    }
}

/// The maximum number of lines of a source file.
const MOST_LINES: usize = 400;

#[test]
fn files_have_at_most_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = ["crates", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets"];
    let files: Vec<_> =
        directories.into_iter().flat_map(|directory| rust_files(root.join(directory))).collect();
    assert!(files.len() > 500, "only {} files were found", files.len());
    let long = files.iter().map(|(path, text)| (path, text.lines().count()));
    let long: Vec<_> = long.filter(|(_, lines)| *lines > MOST_LINES).collect();
    assert!(long.is_empty(), "split these files by subject: {long:?}");
}
