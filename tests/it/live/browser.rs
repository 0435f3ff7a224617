//! Runs the driver `tests/live/drive.js`, which plays streams in Chromium.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The working directory of the driver. It contains the players and streams, which are kept between runs, and the
/// directory `seen` with the screenshots, measurements and reports of the last round.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/live");
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/drive.js");

/// Plays all plans, at most `at_once` of them at the same time. Returns the measurements and the reports of each.
pub(super) fn play(collector: &str, at_once: usize, plans: &[Value]) -> Vec<Value> {
    let input = json!({
        "collector": collector,
        "at_once": at_once,
        // The purpose of this time limit is only to end a browser that hangs.
        "within_s": 600 + 120 * plans.len() / at_once,
        "playbacks": plans,
    });
    let mut driver = Command::new("node")
        .args([DRIVER, HOME])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("players in a browser need Node.js: run `make doctor` ({error})"));
    driver.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = driver.wait_with_output().unwrap();
    assert!(output.status.success(), "the driver failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
