//! Runs `tests/live/drive.js`, which plays in Chromium.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The directory of the driver. It contains players and streams, which are kept, and `seen` with the pages and reports
/// of the last round.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/live");
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/drive.js");

/// Plays all plans, with `at_once` concurrent playbacks. Returns the measurements of the page and the reports for each
/// plan.
pub(super) fn play(collector: &str, at_once: usize, plans: &[Value]) -> Vec<Value> {
    let input = json!({
        "collector": collector,
        "at_once": at_once,
        // Only a browser that hangs reaches this time-out.
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
