//! Chromium with real players, which `tests/live` drives.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::scenes::Scene;

/// What the driver keeps from one run to the next, and in `seen` what the last one leaves to be looked at.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/live");
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/drive.js");

/// Plays all scenes, which report to the edge at `collector`: what their pages saw and sent, by scene.
pub(super) fn play(collector: &str, scenes: &[Scene]) -> Vec<Value> {
    let plan = json!({
        "collector": collector,
        "at_once": 6,
        "within_s": 240,
        "playbacks": scenes.iter().map(|scene| scene.plan(collector)).collect::<Vec<_>>(),
    });
    let mut driver = Command::new("node")
        .args([DRIVER, HOME])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("players in a browser need Node.js: run `make doctor` ({error})"));
    driver.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = driver.wait_with_output().unwrap();
    assert!(output.status.success(), "the driver failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
