//! Tests of the console with a real Kafka and a real browser.

use std::process::Command;

use crowdfold_loadgen::Faults;
use crowdfold_testkit::{Kafka, eventually};
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, window_ago};

mod demo;
mod pipeline;

/// The working directory of the driver. `seen` below it contains the screenshots of the last run.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/console");
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/drive.js");

const TENANT: &str = "acme";

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Opens the page in Chromium. `secured` is the address of a console that requires the token. Returns the measurements
/// of the driver.
fn drive(address: &str, secured: &str) -> Value {
    let [address, secured] = [address, secured].map(|host| format!("http://{host}"));
    let output = Command::new("node")
        .args([DRIVER, HOME, &address, TENANT, "stream.format.content", &secured, TOKEN])
        .output()
        .unwrap_or_else(|error| panic!("the page needs Node.js: run `make doctor` ({error})"));
    assert!(output.status.success(), "the driver failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_sign_in_keeps_the_state(signed: &Value) {
    let kept = serde_json::json!({
        "screen": "breakdown", "tenant": TENANT, "period": "3h", "metric": "vsf", "breakdown": "stream.format.content",
        "where": "stream:*",
    });
    assert_eq!(signed["kept"], kept, "the sign-in keeps the state of the page");
    assert_eq!((&signed["title"], &signed["chosen"]), (&"Breakdown".into(), &"3h".into()));
    assert_eq!((&signed["failed"], &signed["errors"]), (&Value::Null, &serde_json::json!([])));
}

fn assert_unknown_names_are_refused(strange: &Value) {
    for (name, text) in [
        ("tenant", "Unknown tenant “nobody”"),
        ("breakdown", "Unknown table “os.shoe”"),
        ("metric", "Unknown metric “happiness”"),
        ("period", "Unknown period “9y”"),
        ("by", "Unknown grouping “shoe”"),
        ("where", "cannot be filtered by “shoe:large”"),
    ] {
        assert!(strange["texts"][name].as_str().unwrap().contains(text), "{strange}");
    }
    assert!(strange["texts"]["tenant"].as_str().unwrap().contains(TENANT), "{strange}");
    assert_eq!(strange["chosen"], "", "no other tenant is selected");
    assert!(!strange["after"].as_str().unwrap().contains("nobody"), "{strange}");
    assert_eq!(strange["errors"], serde_json::json!([]));
}

fn assert_sums_of_different_windows_are_not_compared(unlike: &Value) {
    let [sum, ratio] = ["sum", "ratio"].map(|name| unlike[name].as_str().unwrap());
    assert!(sum.contains("not comparable with a day before: 60 windows now, 12 before"), "{sum}");
    assert!(ratio.contains("▲ +50.0% worse than a day before: 2.00%"), "{ratio}");
    assert_eq!(unlike["errors"], serde_json::json!([]));
}

fn assert_link_opens_the_same_view(linked: &Value) {
    assert_eq!(linked["first"], linked["second"], "{linked}");
    let url = linked["url"].as_str().unwrap();
    assert!(
        ["where=stream%3A", "by=stream%2Cformat", "metric=vsf"].iter().all(|part| url.contains(part)),
        "{url}"
    );
    assert!(linked["first"]["rows"].as_str().unwrap().contains("stream · format"), "{linked}");
    assert_eq!(linked["errors"], serde_json::json!([]));
}

fn assert_content_stays_while_the_console_does_not_answer(silent: &Value) {
    let text = silent["text"].as_str().unwrap();
    let time = text
        .strip_prefix("The console no longer answers; last update ")
        .unwrap_or_else(|| panic!("{silent}"));
    assert!(time.len() == "12:31:05.".len() && time.ends_with('.'), "{text}");
    assert_eq!(silent["before"], silent["kept"], "the content stays");
    let other = silent["other"].as_str().unwrap();
    assert!(other.contains("Data appears here when the console answers again."), "{other}");
    assert!(silent["after"].as_str().unwrap().contains("not below k"), "{silent}");
    assert_eq!((&silent["isOver"], &silent["errors"]), (&true.into(), &serde_json::json!([])));
}

fn assert_error_bars_and_gaps_are_shown(noisy: &Value, absent: &Value) {
    let beyond = noisy["beyond"].as_array().unwrap();
    assert_eq!(beyond.len(), 6, "{noisy}");
    assert!(beyond.iter().all(|pixels| pixels.as_f64().unwrap() <= 0.1), "error bars are clipped: {noisy}");
    assert_eq!(absent["errors"], serde_json::json!([]));
    assert_eq!(absent["legend"], "windows are missing\nwindows were withheld\nwindows are incomplete");
    assert!(absent["tip"].as_str().unwrap().ends_with(": no window was published"), "{absent}");
}

#[test]
fn console_page_shows_published_rows_in_a_browser() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("console.listen", "\"127.0.0.1:0\"");
    let mut deployment = deployment.with_topics();
    let start = window_ago(deployment.rules.window, 120_000);
    let log = deployment.players_with(5, 600, start, 60_000, Faults::default());
    // The beacons are written before the worker starts. A worker that finds an idle topic would close their windows.
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    deployment.await_committed(start + 50_000);
    deployment.set("console.workers", &format!("[{:?}]", worker.address()));
    let console = Worker::console(&deployment, "console");

    let detail = ["cdn"];
    let rows = deployment.rows("read_committed");
    let is_mine = |row: &Value| row["tenant"] == TENANT && row["breakdown"] == serde_json::json!(detail);
    let published: u64 = rows
        .iter()
        .map(|row| &row.json)
        .filter(|row| is_mine(row))
        .filter_map(|row| row["sessions"].as_u64())
        .sum();
    assert!(published > 0, "no row of {TENANT} was published");
    // The console has read all rows if its total equals the total of the topic.
    eventually("the console has read all rows", || {
        let (status, body) = console
            .get_at(&console.page_address(), "/api/v1/breakdown?tenant=acme&metric=vsf&by=cdn&since=1h");
        let answer: Value = serde_json::from_str(&body).ok()?;
        (status == 200 && answer["sessions"].as_u64()? >= published).then_some(())
    });

    let token = deployment.dir.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    deployment.set("console.tokens.all.file", &format!("{token:?}"));
    let secured = Worker::console(&deployment, "secured");

    let seen = drive(&console.page_address(), &secured.page_address());
    let shown = seen["shown"].as_array().unwrap();
    assert_eq!(shown.len(), 5 * 8);
    let mut times: Vec<u64> = shown.iter().filter_map(|screen| screen["took_ms"].as_u64()).collect();
    times.sort_unstable();
    assert!(times[20] < 3_000, "a screen takes too long: {times:?} ms");
    for screen in shown {
        let name = format!("{} {} {}", screen["screen"], screen["width"], screen["scheme"]);
        assert_eq!(screen["violations"], serde_json::json!([]), "{name}: accessibility");
        assert_eq!(screen["errors"], serde_json::json!([]), "{name}: errors");
        assert!(screen["overflow"].as_i64().unwrap() <= 0, "{name} is wider than the window");
    }
    let texts = |name: &str| {
        let screen = shown.iter().find(|screen| screen["screen"] == name && screen["width"] == 1280);
        screen.and_then(|screen| screen["text"].as_str()).unwrap_or_default().to_owned()
    };
    assert!(
        texts("overview").contains("Answered from table cdn: all its numbers are exact."),
        "{}",
        texts("overview")
    );
    assert!(texts("privacy").contains("not below k"), "{}", texts("privacy"));
    let text = texts("pipeline");
    assert!(text.contains("1 worker answers") && text.contains("accounts for every beacon"), "{text}");
    pipeline::assert_outcomes_are_shown(&seen["workers"]);
    assert_eq!(seen["used"]["errors"], serde_json::json!([]));
    assert_eq!(seen["same"]["errors"], serde_json::json!([]));
    assert_eq!(seen["broken"], serde_json::json!({"text": "The disk is full", "errors": []}));
    assert_sums_of_different_windows_are_not_compared(&seen["unlike"]);
    assert_link_opens_the_same_view(&seen["linked"]);
    assert_content_stays_while_the_console_does_not_answer(&seen["silent"]);
    assert_sign_in_keeps_the_state(&seen["signed"]);
    assert_unknown_names_are_refused(&seen["strange"]);
    assert_error_bars_and_gaps_are_shown(&seen["noisy"], &seen["absent"]);
    let card = seen["same"]["card"].as_str().unwrap();
    assert!(card.contains("3.52%") && card.contains("no change"), "{card}");
    assert!(seen["used"]["filtered"].as_str().unwrap().contains("where="), "{}", seen["used"]);
}
