//! Tests of the program's help texts, errors and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program with these arguments and an empty environment.
fn crowdfold(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program runs")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
    command.args(arguments).env_clear();
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Compares an output with a file in `tests/snapshots`. With `BLESS=1` the file is rewritten instead.
#[track_caller]
fn snapshot(name: &str, seen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::vars_os().any(|(variable, _)| variable == "BLESS") {
        std::fs::write(&path, seen).expect("a snapshot can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        seen, expected,
        "{name} has changed; if that is meant: BLESS=1 cargo test -p crowdfold --test cli"
    );
}

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

#[test]
fn help_of_every_command_equals_its_snapshot() {
    for command in [
        "",
        "demo",
        "run",
        "collect",
        "console",
        "fold",
        "generate",
        "topics",
        "topics apply",
        "topics check",
        "topics acl",
        "query",
        "audit",
        "check",
        "completions",
        "man",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let output = crowdfold(&arguments);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let name =
            if command.is_empty() { "help".into() } else { format!("help-{}", command.replace(' ', "-")) };
        snapshot(&format!("{name}.txt"), &text(&output.stdout));
    }
}

#[test]
fn version_equals_the_version_of_the_package() {
    let output = crowdfold(&["-V"]);
    assert_eq!(text(&output.stdout), format!("crowdfold {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2_and_reports_the_problem() {
    for (arguments, expect) in [
        (&["nope"][..], "crowdfold: unrecognized subcommand 'nope'"),
        (&["fold", "--format", "xml"], "crowdfold: invalid value 'xml' for '--format <json|cmcd|capture>'"),
        (
            &["query", "--where", "os"],
            "crowdfold: invalid value 'os' for '--where <NAME=VALUE>': \"=\" is missing; write name=",
        ),
        (
            &["query", "--since", "1"],
            "crowdfold: invalid value '1' for '--since <DURATION>': not a duration; write",
        ),
        (
            &["audit", "--allow", "content=name"],
            "crowdfold: invalid value 'content=name' for '--allow <FIELD=KIND>': unknown kind \"name\"; the kinds are",
        ),
        (
            &["audit", "--allow", "colour=uuid"],
            "crowdfold: --allow: unknown field \"colour\"; the fields are tenant, country, ",
        ),
        (
            &["audit", "--limit", "0"],
            "crowdfold: invalid value '0' for '--limit <N>': not a number in range; write",
        ),
        (&["generate"], "crowdfold: the following required arguments were not provided"),
        (
            &["demo", "--k", "3"],
            "crowdfold: --k: release.k is 3, but a row must cover at least 10 sessions; raise k",
        ),
        (
            &["check", "--config", "no/such.toml"],
            "crowdfold: no/such.toml: cannot be read: there is no such file",
        ),
        (&["topics"], "Create topics"),
        (&[], "Turn player beacons into crowd metrics"),
    ] {
        let output = crowdfold(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with(expect), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn release_settings_that_protect_too_little_exit_with_2_and_name_key_and_fix() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("crowdfold.toml");
    for (line, expect) in [
        ("margin = 26", ["release.margin", "25"]),
        ("noise = 101", ["release.noise", "from 1 to 100"]),
        ("detail_breakdown = [\"cdn\"]", ["release.detail_breakdown", "exactly as it is listed"]),
        ("noise = 0", ["release.noise", "from 1 to 100"]),
        (
            "privacy.secret_file = \"/no/such.key\"",
            ["/no/such.key: release.privacy.secret_file", "openssl rand"],
        ),
    ] {
        std::fs::write(&path, format!("[release]\n{line}\n")).expect("a file");
        let output = crowdfold(&["run", "--config", &path.display().to_string()]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
        assert!(expect.iter().all(|words| stderr.contains(words)), "{line}: {stderr}");
    }
}

#[test]
fn fold_reports_once_that_only_session_counts_are_published_outside_the_detail_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("secret"), "0123456789abcdef".repeat(4)).expect("a file");
    std::fs::write(path("none.toml"), "").expect("a file");
    let keyed = format!("[release.privacy]\nsecret_file = {:?}\n", path("secret"));
    std::fs::write(path("keyed.toml"), keyed).expect("a file");
    for (config, times) in [("none.toml", 1), ("keyed.toml", 0)] {
        let output = crowdfold(&["fold", "--config", &path(config)]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert_eq!(stderr.matches("session counts").count(), times, "{config}: {stderr}");
    }
}

#[test]
fn unknown_key_in_a_file_exits_with_2_and_names_the_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("crowdfold.toml");
    std::fs::write(&path, "[windows]\nlength = \"1m\"\nlatness = \"30s\"\n").expect("a file");
    let path = path.display().to_string();
    let output = crowdfold(&["check", "--config", &path]);
    assert_eq!(output.status.code(), Some(2));
    let expect =
        format!("crowdfold: {path}:3: windows.latness is not a known key; did you mean windows.lateness?\n");
    assert_eq!(text(&output.stderr), expect);
}

/// The names of all configurations in `deploy/`.
const SHIPPED: [&str; 11] = [
    "cdn/akamai.toml",
    "cdn/cloudfront-v2.toml",
    "cdn/cloudfront.toml",
    "cdn/fastly.toml",
    "collect.toml",
    "default.toml",
    "differential-privacy.toml",
    "error-codes.toml",
    "existing-topic.toml",
    "minimal.toml",
    "secured.toml",
];

#[test]
fn printed_form_of_a_shipped_configuration_loads_as_the_same_configuration() {
    for name in SHIPPED {
        let first = check(&deploy(name));
        let directory = tempfile::tempdir().expect("a directory");
        let printed = directory.path().join("printed.toml");
        std::fs::write(&printed, &first).expect("a file");
        let second = check(&printed);
        assert_eq!(without_comments(&first), without_comments(&second), "{name}");
    }
}

/// `SHIPPED` contains every configuration in `deploy/`.
#[test]
fn every_shipped_configuration_is_tested() {
    let names = |folder: &str| -> Vec<String> {
        std::fs::read_dir(deploy(folder))
            .expect("deploy/ can be read")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .filter(|name| name.ends_with(".toml"))
            .collect()
    };
    let mut all: Vec<_> = names("cdn").iter().map(|name| format!("cdn/{name}")).collect();
    all.extend(names(""));
    all.sort();
    assert_eq!(all, SHIPPED);
}

fn check(path: &Path) -> String {
    let output = crowdfold(&["check", "--config", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), text(&output.stderr));
    text(&output.stdout)
}

fn without_comments(toml: &str) -> String {
    toml.lines()
        .map(|line| line.split(" # ").next().unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn check_prints_effective_settings_and_consequences() {
    let output = command(&["check", "--config", &deploy("minimal.toml").display().to_string()])
        .env("CROWDFOLD_KAFKA__INSTANCE", "worker-1")
        .env("CROWDFOLD_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter2")
        .env("CROWDFOLD_TTL__MAX_OUTAGE", "43m")
        .output()
        .expect("the program runs");
    let printed = text(&output.stdout).replace(&deploy("minimal.toml").display().to_string(), "minimal.toml");
    snapshot("check.txt", &printed);
}

/// `secured.toml` is the configuration for the secured example cluster.
#[test]
fn permissions_of_the_secured_cluster_equal_the_snapshot_in_both_formats() {
    let config = deploy("secured.toml").display().to_string();
    for format in ["kafka-acls", "strimzi"] {
        let output = crowdfold(&["topics", "acl", "--config", &config, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        snapshot(&format!("acl-{format}.txt"), &text(&output.stdout));
    }
}

#[test]
fn closed_output_pipe_is_not_an_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command(&["check"]).stdout(writer).output().expect("the program runs");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}
