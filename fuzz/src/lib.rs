//! The checks of the fuzz targets. No input may cause a panic. If there is an independent parser of the same input,
//! both parsers must agree.
//!
//! Each module has two functions: `check` panics if a property does not hold, and `seeds` returns inputs with which the
//! fuzzer starts. The binaries in `fuzz_targets` only pass bytes to `check`.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a target reports a failure by a panic")]

pub mod address;
pub mod admit;
pub mod capture;
pub mod checkpoint;
pub mod cmcd;
pub mod configuration;
pub mod envelope;
pub mod json;
pub mod partials;
pub mod rollups;
pub mod scan;
mod seen;
pub mod user_agent;

use std::path::Path;

const CAPTURES: &str = include_str!("../../tests/data/captures/players.ndjson");
const SCENARIO: &str = include_str!("../../tests/data/scenario/beacons.ndjson");

/// Writes the seeds of a target to its corpus if they do not exist yet.
pub fn plant(target: &str, seeds: Vec<Vec<u8>>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&corpus).unwrap();
    for (number, seed) in seeds.iter().enumerate() {
        let path = corpus.join(format!("seed-{number:03}"));
        if !path.exists() {
            std::fs::write(path, seed).unwrap();
        }
    }
}

/// Returns at most `count` lines of a text at equal intervals.
fn some_lines(text: &'static str, count: usize) -> impl Iterator<Item = &'static str> {
    let all = text.lines().count();
    text.lines().step_by(all.div_ceil(count).max(1))
}

/// Returns the distinct values of a key in the captured requests or in their headers.
fn captured(key: &str) -> Vec<String> {
    let mut found: Vec<String> = CAPTURES
        .lines()
        .filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = line.get(key).or_else(|| line["headers"].get(key))?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
