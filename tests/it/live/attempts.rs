//! Plays the scenarios, several at the same time. An attempt is *disturbed* if the machine was too busy during it. A
//! disturbed attempt is repeated up to three times.
//!
//! Disturbances are detected in the measurements of the page and the driver, before any row is read. Therefore a
//! difference between rows and measurements never causes a repetition. If the last attempt is disturbed too, its rows
//! are compared nevertheless.

use serde_json::Value;

use super::browser;
use super::scenario::{Fault, Scenario};

/// The number of concurrent playbacks in the first round, and in each repetition.
const AT_ONCE: [usize; 4] = [3, 2, 1, 1];
/// The lateness of the worker in this test, in milliseconds.
pub(super) const LATENESS_MS: u64 = 15_000;
/// The maximum response time of a report, in milliseconds. It is below the lateness, so no record is late.
const ANSWER_MS: f64 = 5_000.0;
/// The maximum delay of a timer of the page, in milliseconds. With a longer delay, the page and the player may have
/// received events late.
const LAG_MS: f64 = 500.0;
/// The maximum sum of the delays of timers, in milliseconds.
const TOTAL_LAG_MS: f64 = 1_500.0;
/// The maximum share of dropped frames. After a stall, players drop about a fifth of the frames on any machine.
const DROPPED_FRAMES: f64 = 0.5;

/// One playback of a scenario. Each attempt has its own content id, which identifies its rows.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) scenario: Scenario,
    pub(super) content: String,
    page: Value,
    /// Descriptions of the measurements that show that the machine was too busy. The list is empty if the machine was
    /// not too busy.
    pub(super) disturbances: Vec<String>,
}

/// Plays all scenarios, and repeats disturbed playbacks. The players report to `collector`. Returns all attempts, in
/// order.
pub(super) fn play(collector: &str, scenarios: &[Scenario]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let mut left = scenarios.to_vec();
    for (at_once, number) in AT_ONCE.into_iter().zip(1..) {
        if left.is_empty() {
            break;
        }
        let contents: Vec<String> = left.iter().map(|scenario| format!("{}-{number}", scenario.id)).collect();
        let plans: Vec<Value> =
            left.iter().zip(&contents).map(|(scenario, content)| scenario.plan(collector, content)).collect();
        let pages = browser::play(collector, at_once, &plans);
        let mut disturbed = Vec::new();
        for (scenario, content) in left.into_iter().zip(contents) {
            let page = pages.iter().find(|page| page["id"] == *content).unwrap().clone();
            let attempt = Attempt { disturbances: disturbances(&scenario, &page), scenario, content, page };
            if !attempt.disturbances.is_empty() {
                let disturbances = attempt.disturbances.join("; ");
                eprintln!(
                    "{}: the machine was too busy: {disturbances}\n  page {}",
                    attempt.content,
                    attempt.seen()
                );
                disturbed.push(scenario);
            }
            attempts.push(attempt);
        }
        left = disturbed;
    }
    attempts
}

impl Attempt {
    /// Returns the last attempt of a scenario. This attempt is the last possible one or was not disturbed.
    pub(super) fn to_compare<'a>(attempts: &'a [Self], scenario: &Scenario) -> &'a Self {
        attempts.iter().rfind(|attempt| attempt.scenario.id == scenario.id).unwrap()
    }

    /// Returns the measurements of the page.
    pub(super) fn seen(&self) -> &Value {
        &self.page["seen"]
    }

    /// Returns the reports that the player sent, with the status codes of the responses.
    pub(super) fn reports(&self) -> &[Value] {
        self.page["reports"].as_array().unwrap()
    }

    /// Returns the measurements of the responses with media.
    pub(super) fn responses(&self) -> &[Value] {
        self.page["responses"].as_array().unwrap()
    }

    /// Returns a measurement of the page, or 0 if the page did not measure it.
    pub(super) fn number(&self, name: &str) -> f64 {
        number(self.seen(), name)
    }

    /// Returns the playing time that the page measured until the last report, in milliseconds.
    pub(super) fn playing_until_last_report(&self) -> f64 {
        let bodies = self.reports().iter().filter_map(|report| report["body"].as_str());
        let fields = bodies.flat_map(|body| body.split([',', '\n']));
        let times = fields.filter_map(|field| field.strip_prefix("ts=")?.trim_end().parse::<f64>().ok());
        let end = times.fold(0.0, f64::max) - self.number("asked_ms");
        let changes = self.seen()["log"].as_array().unwrap();
        let at = |change: &Value| change[0].as_f64().unwrap().min(end);
        let next = changes.iter().skip(1).map(at).chain([end]);
        let states = changes.iter().zip(next).filter(|(change, _)| change[1] == "playing");
        states.map(|(change, next)| next - at(change)).sum()
    }

    /// Returns true if the page measured a first frame.
    pub(super) fn started(&self) -> bool {
        self.seen()["startup_ms"].is_number()
    }

    /// Returns true if the player reported a fatal error to the page.
    pub(super) fn failed(&self) -> bool {
        self.seen()["error"].is_string()
    }

    /// Returns a message if the page did not measure the planned event of the scenario, such as a stall. In this case,
    /// a comparison would be meaningless.
    pub(super) fn unplanned(&self) -> Option<String> {
        unplanned(&self.scenario, self.seen())
    }
}

fn number(seen: &Value, name: &str) -> f64 {
    seen[name].as_f64().unwrap_or(0.0)
}

fn unplanned(scenario: &Scenario, seen: &Value) -> Option<String> {
    let number = |name: &str| number(seen, name);
    let (started, failed, ended) =
        (seen["startup_ms"].is_number(), seen["error"].is_string(), seen["ended"] == true);
    let is_planned = match scenario.fault {
        Fault::None | Fault::Responses => ended && number("playing_ms") > 13_000.0,
        Fault::Live => started && !failed && number("stalls") >= 1.0 && number("playing_ms") > 15_000.0,
        Fault::Stall => ended && number("stalls") >= 1.0 && number("stalled_ms") > 1_500.0,
        Fault::Missing => !started && failed,
        Fault::Broken => started && failed && number("playing_ms") > 3_000.0,
        Fault::Seek => ended && number("seeks") >= 1.0 && number("playing_ms") < 9_000.0,
        Fault::Slow => ended && number("switches_down") >= 1.0,
        Fault::Rise => ended && number("switches_up") >= 1.0,
    };
    (!is_planned).then(|| "the page did not measure the planned event".into())
}

fn disturbances(scenario: &Scenario, page: &Value) -> Vec<String> {
    let seen = &page["seen"];
    let number = |name: &str| number(seen, name);
    let mut found: Vec<String> = unplanned(scenario, seen).into_iter().collect();
    if number("max_lag_ms") > LAG_MS {
        found.push(format!("a timer was {:.0} ms late", number("max_lag_ms")));
    }
    if number("total_lag_ms") > TOTAL_LAG_MS {
        found.push(format!("timers were {:.0} ms late in total", number("total_lag_ms")));
    }
    if number("dropped_frames") > number("frames") * DROPPED_FRAMES {
        found.push(format!("{} of {} frames were dropped", seen["dropped_frames"], seen["frames"]));
    }
    if scenario.caused_stalls().is_some_and(|caused| number("stalls") > caused) {
        found.push(format!("there were {} stalls, more than the origin caused", seen["stalls"]));
    }
    for report in page["reports"].as_array().unwrap() {
        match report["status"].as_u64() {
            Some(0) => found.push("a report received no response".into()),
            Some(503) => found.push("the collector was busy".into()),
            _ if report["took_ms"].as_f64().unwrap() > ANSWER_MS => {
                found.push(format!("a report was answered after {} ms", report["took_ms"]));
            }
            _ => {}
        }
    }
    found
}
