//! Tests of the console with bad requests, bad records, and a disk without space.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crowdfold_testkit::eventually;
use crowdfold_testkit::rows::{of_tenant, table};
use serde_json::Value;

use super::{Cluster, Console, this_minute, window};

#[test]
fn bad_requests_are_refused_with_the_reason() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let now = this_minute();
    let os = table(now - 3, "os/browser", &[("Windows/Chrome", 900)]);
    cluster.write(&[window(now - 3), os, of_tenant("beta", window(now - 3))].concat());
    let console = Console::start(&cluster, directory.path(), "");
    eventually("the windows are in the store", || {
        (console.json("/api/v1/tenants")["tenants"].as_array()?.len() == 2).then_some(())
    });
    let all = "tenant=acme&metric=vsf";
    for (path, status, text) in [
        ("timeseries?tenant=acme&metric=happiness".into(), 400, "the metrics are sessions, concurrent_mean"),
        ("timeseries?tenant=acme".into(), 400, "metric is missing"),
        ("timeseries?metric=vsf".into(), 400, "tenant is missing; set it to one of: acme, beta"),
        ("timeseries?tenant=nobody&metric=vsf".into(), 404, "the tenants with rollups are: acme, beta"),
        ("windows?tenant=nobody".into(), 404, "the tenants with rollups are: acme, beta"),
        (format!("breakdown?{all}&breakdown=cdn.os"), 404, "the breakdowns of acme are cdn, os.browser"),
        (format!("breakdown?{all}&by=colour"), 400, "by: "),
        (format!("breakdown?{all}&where=colour:red"), 400, "where: "),
        (format!("breakdown?{all}&where=os"), 400, "write it like os:Windows"),
        (format!("breakdown?{all}&by=cdn&where=os:Windows"), 422, "tables cannot be joined"),
        (format!("breakdown?{all}&by=browser&breakdown=os.browser"), 422, "browser"),
        (format!("breakdown?{all}&rank=luck"), 400, "the ranks are value, sessions, impact"),
        ("breakdown?tenant=acme&metric=sessions".into(), 422, "ask with rank=value"),
        ("breakdown?tenant=acme&metric=vsf,vpf".into(), 400, "metric contains several metrics"),
        (format!("breakdown?{all}&limit=0"), 400, "a number from 1 to 1000"),
        (format!("breakdown?{all}&limit=-1"), 400, "a number from 1 to 1000"),
        (format!("timeseries?{all}&since=yesterday"), 400, "set it to a time such as"),
        (format!("timeseries?{all}&since=2026-02-30T00:00:00Z"), 400, "set it to a time such as"),
        (format!("timeseries?{all}&since=1h&until=2h"), 400, "is not before until"),
        (format!("timeseries?{all}&since={}", u64::MAX), 400, "is not before until"),
        (format!("timeseries?{all}&since=30d&step=1m"), 400, "step"),
        (format!("timeseries?{all}&step=0s"), 400, "set it to a length of time"),
        (format!("compare?{all}&against=tomorrow"), 400, "against"),
        (format!("compare?{all}&since=1d&against=1h"), 200, "rows"),
        ("distribution?tenant=acme&metric=stalls".into(), 400, "the metrics with histograms are"),
        (format!("timeseries?{all}&since=0&until={}", u64::MAX), 200, "intervals"),
        (format!("timeseries?{all}&since=0&step=520w"), 200, "intervals"),
        (format!("timeseries?{all}&colour=%00%ff"), 400, "unknown parameter"),
        (format!("windows?tenant=acme&since=0&until={}", u64::MAX), 200, "tenants"),
    ] {
        let (head, body) = console.get(&format!("/api/v1/{path}"), "");
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {head}\n{body}");
        assert!(body.contains(text), "{path}: {body}");
    }
}

#[test]
fn records_that_are_not_rollups_and_rows_of_next_year_are_counted_and_ignored() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let now = this_minute();
    let mut broken = window(now - 3);
    broken[0]["row"] = 9.into();
    broken[1]["sessions"] = (-5).into();
    let next_year = window(now + 366 * 1_440);
    let bad =
        [Value::Null, serde_json::json!("text"), serde_json::json!({"schema": "other/1"}), broken[0].clone()];
    cluster.write(&[&bad, &broken[1..], &next_year, &window(now - 2)[..]].concat());
    let console = Console::start(&cluster, directory.path(), "");
    console.wait_for_windows(1);
    // older windows that arrive later are added
    cluster.write(&[window(now - 30), window(now - 5)].concat());
    console.wait_for_windows(3);
    let status = console.json("/api/v1/status");
    assert_eq!(status["ignored"], serde_json::json!({"records": 5, "rows_in_future": 2}));
    assert_eq!(status["problem"], Value::Null, "rows with correct times arrived later");
    cluster.write(&next_year);
    eventually("the page shows the problem", || {
        let status = console.json("/api/v1/status");
        status["problem"].as_str()?.contains("check the clocks").then_some(())
    });
}

#[test]
fn wrong_tokens_are_answered_slowly_and_are_not_logged() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef").expect("a file");
    let more = format!("[console.tokens.all]\nfile = {file:?}\n");
    let console = Console::start(&cluster, directory.path(), &more);
    let guesses = ["wrong-guess-number-1", "", "x", "0123456789abcdef0123456789abcdeg"];
    #[expect(clippy::disallowed_methods, reason = "a test of a duration")]
    let began = std::time::Instant::now();
    thread::scope(|scope| {
        for guess in guesses.iter().cycle().take(12) {
            let header = format!("authorization: Bearer {guess}\r\n");
            let console = &console;
            scope.spawn(move || {
                assert!(console.get("/api/v1/tenants", &header).0.starts_with("HTTP/1.1 401"))
            });
        }
    });
    // at most four guesses are handled at a time, each for half a second
    assert!(began.elapsed().as_millis() >= 1_400, "{:?}", began.elapsed());
    let log = console.log();
    assert!(log.contains("a request with a wrong token was refused"), "{log}");
    assert!(!log.contains("guess") && !log.contains("0123456789abcdef"), "{log}");
}

/// Sends a request with a wrong token. Returns the status, or `None` if the connection failed.
fn guess(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!(
        "GET /api/v1/tenants HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer wrong-wrong-wrong\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    response.get(9..12).map(str::to_owned)
}

#[test]
fn health_and_gauges_are_answered_during_a_flood_of_wrong_tokens() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    let token = "0123456789abcdef0123456789abcdef";
    std::fs::write(&file, token).expect("a file");
    let console =
        Console::start(&cluster, directory.path(), &format!("[console.tokens.all]\nfile = {file:?}\n"));
    let (is_over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        // more connections than the console accepts at a time
        for _ in 0..300 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if guess(&console.address).as_deref() == Some("429") {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    thread::sleep(Duration::from_millis(50));
                }
            });
        }
        eventually("the flood is at its height", || (refused.load(Ordering::Relaxed) > 300).then_some(()));
        let slowest = (0..10).map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a test of a duration")]
            let began = std::time::Instant::now();
            assert!(console.get("/healthz", "").0.starts_with("HTTP/1.1 200"));
            let header = format!("authorization: Bearer {token}\r\n");
            assert!(console.get("/metrics", &header).0.starts_with("HTTP/1.1 200"));
            began.elapsed()
        });
        let slowest = slowest.max().expect("a duration");
        is_over.store(true, Ordering::Relaxed);
        // if each wrong token kept a connection until its response, this would take more than 10 s
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    });
}

#[test]
fn second_console_on_a_store_exits_with_the_reason() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let _console = Console::start(&cluster, directory.path(), "");
    let second = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["console", "--listen", "127.0.0.1:0", "--config"])
        .arg(directory.path().join("crowdfold.toml"))
        .env_clear()
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{text}");
    assert!(
        text.contains("console.data_dir: the store ") && text.contains("is in use by another console"),
        "{text}"
    );
}

#[test]
fn store_that_cannot_be_written_is_shown_and_its_rows_are_still_served() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let now = this_minute();
    cluster.write(&window(now - 50));
    // a limit on the size of files has the effect of a full disk, and can be removed later
    let mut program = Command::new("sh");
    let script = r#"trap "" XFSZ; ulimit -S -f 400; exec "$0" "$@""#;
    program.args(["-c", script, env!("CARGO_BIN_EXE_crowdfold")]);
    let console = Console::run(program, &cluster, directory.path(), "");
    console.wait_for_windows(1);
    let cells: Vec<String> = (0..100).map(|at| format!("cdn-{at}")).collect();
    let cells: Vec<(&str, u64)> = cells.iter().map(|cell| (cell.as_str(), 400)).collect();
    let many: Vec<Value> = (5..40).flat_map(|before| table(now - before, "cdn", &cells)).collect();
    cluster.write(&many);
    let problem = || console.json("/api/v1/status")["problem"].as_str().map(str::to_owned);
    let shown = eventually("the page shows the problem", problem);
    assert!(
        shown.starts_with("console.data_dir: the store failed: ") && shown.contains("check the free space"),
        "{shown}"
    );
    // the problem remains while the rows cannot be added, and the page and its answers are still available
    for _ in 0..20 {
        assert_eq!(problem().as_deref(), Some(shown.as_str()));
        assert!(console.get("/", "").0.starts_with("HTTP/1.1 200"));
        let answer = console.json("/api/v1/breakdown?metric=rebuffering_ratio&by=cdn&since=1h");
        assert!(answer["rows"].as_array().is_some_and(|rows| rows.len() >= 2), "{answer}");
        thread::sleep(Duration::from_millis(200));
    }
    let process = console.process.id().to_string();
    let status = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &process]).status();
    assert!(status.expect("prlimit runs").success());
    eventually("the store is up to date", || problem().is_none().then_some(()));
    console.wait_for_windows(36);
    assert_eq!(console.log().matches("the store failed").count(), 1, "{}", console.log());
}
