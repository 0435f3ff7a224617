use std::path::PathBuf;

use clap::Parser as _;
use serde_json::Value;

use super::*;
use crate::cli::{Cli, Command};
use crowdfold_config::Sources;

/// Runs `crowdfold generate` with these flags. Returns its result and its standard output.
fn generate(flags: &[&str], file: Option<PathBuf>) -> (Result<(), CrowdfoldError>, Vec<u8>) {
    let cli = Cli::try_parse_from(["crowdfold", "generate"].iter().chain(flags)).unwrap();
    let sources = Sources { file, flags: cli.overrides(), host: "host".into(), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    let Command::Generate(args) = &cli.command else { panic!("the command is not `generate`") };
    let mut stdout = Vec::new();
    (run(args, &config, &mut stdout), stdout)
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn same_seed_gives_the_same_bytes_in_a_file_and_on_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("beacons.ndjson");
    let flags = ["--sessions", "50", "--seed", "7", "--for", "2m", "--output"];
    let (done, nothing) = generate(&[&flags[..], &[path.to_str().unwrap()]].concat(), None);
    done.unwrap();
    assert!(nothing.is_empty());
    let (done, stdout) = generate(&[&flags[..], &["-"]].concat(), None);
    done.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), stdout);
    let beacons = lines(&stdout);
    assert!(
        (550..750).contains(&beacons.len()),
        "50 sessions, every 10 s, for two minutes: {}",
        beacons.len()
    );
    let (first, last) = (beacons[0]["ts"].as_u64().unwrap(), beacons.last().unwrap()["ts"].as_u64().unwrap());
    assert!((115_000..120_000).contains(&(last - first)));
}

#[test]
fn rate_and_number_of_beacons_are_as_requested() {
    let (done, stdout) = generate(&["--output", "-", "--rate", "500", "--beacons", "5000"], None);
    done.unwrap();
    let beacons = lines(&stdout);
    assert_eq!(beacons.len(), 5_000);
    let seconds = (beacons[4_999]["ts"].as_u64().unwrap() - beacons[0]["ts"].as_u64().unwrap()) / 1_000;
    assert!((9..=11).contains(&seconds), "{seconds}");
}

#[test]
fn truth_has_the_configured_tenants_breakdowns_and_windows() {
    let dir = tempfile::tempdir().unwrap();
    let (config, truth) = (dir.path().join("crowdfold.toml"), dir.path().join("cells.ndjson"));
    let text = r#"
        [tenants]
        names = ["acme", "blip", "kids"]
        default = "blip"
        [windows]
        length = "30s"
        [consent.child_directed]
        tenants = ["kids"]
        [release]
        breakdowns = [["os", "browser"], ["region"]]
    "#;
    std::fs::write(&config, text).unwrap();
    let (done, stdout) =
        generate(&["--for", "90s", "--output", "-", "--truth", truth.to_str().unwrap()], Some(config));
    done.unwrap();
    let records = lines(&std::fs::read(truth).unwrap());
    let (ledger, cells) = records.split_last().unwrap();
    assert_eq!(ledger["ledger"]["read"].as_u64(), Some(lines(&stdout).len() as u64));
    let distinct = |pointer: &str| {
        let mut values: Vec<_> =
            cells.iter().map(|cell| cell.pointer(pointer).unwrap().to_string()).collect();
        values.sort();
        values.dedup();
        values
    };
    assert_eq!(distinct("/tenant"), [r#""acme""#, r#""blip""#]);
    assert_eq!(distinct("/breakdown"), [r#"["os","browser"]"#, r#"["region"]"#]);
    assert_eq!(distinct("/window/start").len(), 3);
}

#[test]
fn rate_that_requires_an_impossible_report_interval_is_a_usage_error() {
    for flags in [["--output", "-", "--rate", "5000"], ["--output", "-", "--rate", "10"]] {
        let (done, stdout) = generate(&flags, None);
        let failure = done.unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("the report interval is "), "{failure}");
        assert!(stdout.is_empty());
    }
}

#[test]
fn error_names_the_file_that_cannot_be_written() {
    let (done, _) = generate(&["--output", "/nowhere/at/all"], None);
    let failure = done.unwrap_err();
    assert_eq!(failure.exit_code(), 1);
    assert!(failure.to_string().starts_with("/nowhere/at/all cannot be written to: "), "{failure}");
}

#[test]
fn topic_with_renamed_fields_is_refused_before_sending() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("crowdfold.toml");
    std::fs::write(&config, "[source.fields]\nsession = \"sid\"\n").unwrap();
    let (done, _) = generate(&["--brokers", "127.0.0.1:1"], Some(config));
    let failure = done.unwrap_err();
    assert!(failure.to_string().contains("source.fields"), "{failure}");
    assert_eq!(failure.exit_code(), 2);
}
