//! Tests the airlock with records of real players (tests/data/README.md).

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_airlock::{Format, Settings};
use crowdfold_model::{Dimension, ErrorClass, Timestamp, ValueMetric};
use serde_json::Value;

use crate::seen::{Seen, admit, airlock};

const PLAYERS: &str = include_str!("../data/players.ndjson");

/// Returns every line of the data with its outcomes.
fn all(settings: Settings) -> Vec<(Value, Vec<Seen>)> {
    let mut airlock = airlock(Settings { format: Format::Capture, ..settings });
    let admitted = |line: &str| {
        let truth: Value = serde_json::from_str(line).expect("a line of JSON");
        let outcomes = admit(&mut airlock, line.as_bytes(), None);
        let seen = outcomes.into_iter().map(|(time, outcome)| {
            assert_eq!(time.map(Timestamp::as_millis), truth["received_at_ms"].as_u64());
            outcome.unwrap_or_else(|reason| panic!("{}: {line}", reason.name()))
        });
        let seen = seen.collect();
        (truth, seen)
    };
    PLAYERS.lines().map(admitted).collect()
}

#[test]
fn every_record_is_admitted_once() {
    let all = all(Settings::default());
    assert_eq!(all.len(), 102);
    assert_eq!(all.iter().map(|(_, seen)| seen.len()).sum::<usize>(), 170);
    for (truth, seen) in &all {
        let lines = truth["body"].as_str().unwrap().lines().count();
        assert_eq!(seen.len(), lines.max(1));
    }
}

#[test]
fn each_playback_is_one_session() {
    let mut hashes: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (truth, seen) in all(Settings::default()) {
        hashes
            .entry(truth["session_label"].to_string())
            .or_default()
            .extend(seen.iter().map(|seen| seen.session_hash));
    }
    assert_eq!(hashes.len(), 17);
    assert!(hashes.values().all(|hashes| hashes.len() == 1));
    assert_eq!(hashes.values().flatten().collect::<BTreeSet<_>>().len(), 17);
}

#[test]
fn streaming_format_of_each_player_is_recognised() {
    for (truth, seen) in all(Settings::default()) {
        let expect = if truth["player"] == "hls" { "hls" } else { "dash" };
        for seen in seen {
            assert!(["unknown", expect].contains(&seen.word(Dimension::Format)));
            assert!(["unknown", "vod", "live"].contains(&seen.word(Dimension::Stream)));
        }
    }
}

#[test]
fn every_client_is_recognised_from_its_user_agent() {
    let clients: BTreeSet<_> = all(Settings::default())
        .into_iter()
        .flat_map(|(_, seen)| seen)
        .map(|seen| {
            [Dimension::Device, Dimension::Os, Dimension::Browser]
                .map(|dimension| seen.word(dimension).to_owned())
        })
        .collect();
    let expect = [
        ["desktop", "Linux", "Firefox"],
        ["desktop", "Windows", "Chrome"],
        ["desktop", "Windows", "Edge"],
        ["desktop", "macOS", "Safari"],
        ["phone", "Android", "Chrome"],
        ["phone", "iOS", "Safari"],
        ["tv", "Fire OS", "WebView"],
        ["tv", "Roku", "app"],
        ["tv", "Tizen", "other"],
        ["tv", "webOS", "Chrome"],
    ];
    assert_eq!(
        clients.iter().map(|client| client.each_ref().map(String::as_str)).collect::<Vec<_>>(),
        expect
    );
}

#[test]
fn sessions_with_an_opt_out_are_not_counted() {
    for (truth, seen) in all(Settings::default()) {
        let asked = truth["headers"].get("sec-gpc").is_some();
        assert!(seen.iter().all(|seen| seen.opt_out == asked));
    }
    let deaf = all(Settings { gpc: false, ..Settings::default() });
    assert!(deaf.iter().flat_map(|(_, seen)| seen).all(|seen| !seen.opt_out));
}

#[test]
fn numbers_are_plausible() {
    let all = all(Settings::default());
    let measures = || all.iter().flat_map(|(_, seen)| seen).map(|seen| &seen.measures);
    assert!(measures().any(|measures| measures.value(ValueMetric::BandwidthKbps).is_some()));
    assert!(
        measures()
            .filter_map(|measures| measures.value(ValueMetric::BitrateKbps))
            .all(|kbps| (60..=1_000).contains(&kbps))
    );
    assert!(measures().filter_map(|measures| measures.value(ValueMetric::StartupMs)).all(|ms| ms < 60_000));
    assert!(measures().any(|measures| measures.value(ValueMetric::StartupMs).is_some() && measures.play));
    // dash.js 5.2.1 repeats the code 27 after a missing segment. The session counts this error once.
    let errors: Vec<_> = measures().filter_map(|measures| measures.error).collect();
    assert_eq!(errors, [ErrorClass::Network; 2]);
    assert!(measures().all(|measures| !measures.fatal));
}

#[test]
fn different_records_with_sequence_numbers_have_different_identities() {
    let mut identities = BTreeSet::new();
    for (truth, seen) in all(Settings::default()) {
        for seen in seen {
            let Some(identity) = seen.identity else {
                assert_eq!(truth["method"], "GET", "events have numbers");
                continue;
            };
            assert!(
                identities.insert((seen.session_hash, identity.get())),
                "a record has the identity of another one"
            );
        }
    }
    assert!(identities.len() > 80);
}
