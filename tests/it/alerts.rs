//! A test of the alerts in `deploy/prometheus` with a real Prometheus.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crowdfold_testkit::{Kafka, eventually, oracle};
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, get, now, window_ago};

const MINUTE: u64 = 60_000;
const TENANT: &str = "acme";
/// The sessions of each CDN in each window. The alert needs 500.
const SESSIONS: u64 = 1_500;
/// The share of failed starts in the hour before the incident, in percent. During the incident, this share is three
/// times as high on one CDN.
const USUAL: u64 = 2;
const INCIDENT: (&str, u64) = ("cdn-b", 3 * USUAL);
const CDNS: [&str; 3] = ["cdn-a", INCIDENT.0, "cdn-c"];
const ALERT: &str = "CrowdfoldStartupFailuresRising";

/// A running Prometheus, which is killed when it is dropped.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns a command for a program of Prometheus, which is downloaded if it is not installed.
fn program(name: &str) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/prometheus"));
    command.arg(name);
    command
}

impl Prometheus {
    /// Starts a Prometheus that reads the gauges of a console, and evaluates the rules in `deploy/prometheus`.
    fn start(directory: &Path, target: &str) -> Self {
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/quality.yaml");
        let config = directory.join("prometheus.yaml");
        let text = format!(
            "global: {{scrape_interval: 2s}}\nrule_files: [{rules:?}]\nscrape_configs:\n  - job_name: crowdfold\n    \
             static_configs: [{{targets: [{target:?}]}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = program("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.join("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    /// Returns the labels of all alerts in a state. Returns `None` if Prometheus does not answer yet.
    fn alerts(&self, state: &str) -> Option<Vec<Value>> {
        let (_, body) = get(&self.address, "/api/v1/alerts").ok()?;
        let answer: Value = serde_json::from_str(&body).ok()?;
        let alerts = answer["data"]["alerts"].as_array()?.iter();
        Some(alerts.filter(|alert| alert["state"] == state).map(|alert| alert["labels"].clone()).collect())
    }
}

/// Writes the usual values of the hour before the last ten minutes to the database of Prometheus.
fn write_history(directory: &Path) {
    let mut text = String::from("# TYPE crowdfold:vsf:last gauge\n");
    let now = now() / 1_000;
    for cdn in CDNS {
        for second in (now - 75 * 60..now - 10 * 60).step_by(30) {
            let labels = format!(r#"job="crowdfold",tenant="{TENANT}",breakdown="cdn",cdn="{cdn}""#);
            writeln!(text, "crowdfold:vsf:last{{{labels}}} {} {second}", USUAL as f64 / 100.0).unwrap();
        }
    }
    text += "# EOF\n";
    let (history, data) = (directory.join("history.txt"), directory.join("data"));
    std::fs::write(&history, text).unwrap();
    let output = program("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&history, &data])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns one window of sessions that start or fail to start, by partition.
fn window(deployment: &Deployment<'_>, start: u64) -> Vec<Vec<oracle::Record>> {
    let mut log = vec![Vec::new(); deployment.partitions as usize];
    for cdn in CDNS {
        let failed = SESSIONS * if cdn == INCIDENT.0 { INCIDENT.1 } else { USUAL } / 100;
        for number in 0..SESSIONS {
            let session = format!("{cdn}-{start}-{number}");
            let time = start + number * (MINUTE - 10_000) / SESSIONS;
            let outcome = if number < failed {
                r#""event":"error","error":"network","fatal":true"#
            } else {
                r#""event":"play","startup_ms":900"#
            };
            for (time, event) in [(time, r#""event":"attempt""#), (time + 1_000, outcome)] {
                let payload = format!(
                    r#"{{"ts":{time},"session":"{session}","tenant":"{TENANT}","cdn":"{cdn}",{event}}}"#
                );
                let record = oracle::Record { timestamp: Some(time), payload: payload.into() };
                log[deployment.partition_of(&session) as usize].push(record);
            }
        }
    }
    log
}

#[test]
fn startup_failures_that_triple_on_one_cdn_raise_an_alert_within_two_windows() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.window = MINUTE;
    deployment.rules.breakdowns = vec![vec!["cdn".into()]];
    deployment.set("console.listen", "\"127.0.0.1:0\"");
    deployment.set("console.export", "[\"cdn: vsf\"]");
    let deployment = deployment.with_topics();
    let directory = deployment.dir.path().join("prometheus");
    std::fs::create_dir(&directory).unwrap();
    write_history(&directory);
    let worker = Worker::start(&deployment, "a");
    let console = Worker::console(&deployment, "console");
    let prometheus = Prometheus::start(&directory, &console.page_address());
    eventually("Prometheus answers", || prometheus.alerts("firing"));

    // The window of the incident ended just now, and is published immediately.
    let start = window_ago(MINUTE, MINUTE + 2_000);
    deployment.produce(&window(&deployment, start));
    worker.await_ready();
    let failing =
        format!(r#"crowdfold_rollup_vsf{{tenant="{TENANT}",breakdown="cdn",cdn="{}"}} 0.06"#, INCIDENT.0);
    eventually("the console exports the incident", || {
        let (_, page) = console.get_at(&console.page_address(), "/metrics");
        page.lines().any(|line| line == failing).then_some(())
    });
    let published = now();
    eventually("the alert fires", || {
        let firing = prometheus.alerts("firing")?;
        firing.iter().any(|labels| labels["alertname"] == ALERT).then_some(())
    });
    let waited = Duration::from_millis(now() - published);
    let firing: Vec<_> = prometheus.alerts("firing").unwrap();
    let named: Vec<_> = firing.iter().map(|labels| (&labels["alertname"], &labels["cdn"])).collect();
    assert_eq!(named, [(&Value::from(ALERT), &Value::from(INCIDENT.0))]);
    // The rules are evaluated every 30 s, and the condition must hold for one minute.
    assert!(waited <= Duration::from_millis(2 * MINUTE), "the alert fired after {waited:?}");
}
