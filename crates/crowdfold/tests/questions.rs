//! Runs each command of docs/guides/questions.md on rows of generated players and of incidents. Compares the answers
//! with the activity of the players.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

#[path = "questions/bench.rs"]
mod bench;
#[path = "questions/incidents.rs"]
mod incidents;

use std::collections::BTreeMap;

use crowdfold_model::{SumMetric, ValueMetric};
use serde_json::Value;

use bench::{Bench, MINUTE, Sums, WEEK, blocks};

const GOOD: usize = SumMetric::GoodSessions as usize;
const EXITS: usize = SumMetric::ExitsBeforeStart as usize;
const ATTEMPTS: usize = SumMetric::Attempts as usize;
const PLAYS: usize = SumMetric::Plays as usize;
const STARTUP_FAILURES: usize = SumMetric::StartupFailures as usize;

fn count(line: &Value) -> u64 {
    line["sessions"].as_u64().or_else(|| line["session_windows"].as_u64()).unwrap()
}

fn span(lines: &[Value]) -> (u64, u64) {
    let at = |name: &'static str| lines.iter().map(move |line| line[name].as_u64().unwrap());
    (at("from").min().unwrap(), at("to").max().unwrap())
}

/// Checks that an exact number equals the expected number, except for the rounding of output.
#[track_caller]
fn exact(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 0.06_f64.max(expected * 1e-4), "{found} is not {expected}");
}

/// Checks that a number with noise differs from the expected number by at most five standard errors. Contributions are
/// clamped, so the number may also be too low by a quarter. Returns the number, or `None` if it is absent because of
/// its noise.
#[track_caller]
fn close(line: &Value, name: &str, expected: f64) -> Option<f64> {
    let mean = |value: &Value| value.get("mean").unwrap_or(value).as_f64();
    let (found, error) = mean(&line[name]).zip(mean(&line["standard_error"][name]))?;
    assert!(error > 0.0, "{name} of {} has no standard error", line["dimensions"]);
    let range = expected * 0.75 - 5.0 * error..=expected * 1.02 + 5.0 * error;
    assert!(range.contains(&found), "{name} of {} is {found} ±{error}, not {expected}", line["dimensions"]);
    Some(found)
}

/// Returns the lines by the value of a dimension.
fn by<'a>(lines: &'a [Value], dimension: &str) -> BTreeMap<&'a str, &'a Value> {
    lines.iter().map(|line| (line["dimensions"][dimension].as_str().unwrap(), line)).collect()
}

/// Returns the dimension value that has the largest number.
fn largest<'a>(numbers: impl Iterator<Item = (&'a str, f64)>) -> &'a str {
    numbers.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap().0
}

#[test]
fn every_question_has_an_answer_or_a_note_with_the_setting_that_permits_it() {
    let bench = Bench::new();
    let commands = blocks("sh");
    let questions: Vec<usize> = commands.iter().map(|(question, _)| *question).collect();
    assert_eq!(questions, [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12]);
    let mut answers: Vec<_> = commands.iter().map(|(_, command)| bench.ask(command)).collect();
    let mut next = || answers.remove(0);
    watching_now(&bench, &next().0);
    worst_cdn(&bench, &next().0);
    startup(&bench, &next().0);
    failing_devices(&bench, &next().0);
    error_codes(&bench, &next().0);
    slow_networks(&bench, &next().0);
    totals(&bench, &next().0, ValueMetric::LiveLatencyMs);
    event(&bench, &next().0);
    let (devices, notes) = next();
    let good_by_device = refused(&devices, &notes, "good");
    good_sessions(&bench, &next().0);
    let (versions, notes) = next();
    let exits_by_version = refused(&versions, &notes, "ebvs_reported");
    exits(&bench, &versions);
    arms(&bench, &next().0);
    hidden(&bench, &next().0);

    bench.apply(&good_by_device);
    permitted(&bench, "device", "good", |sums| (sums.sums[GOOD], sums.sessions));
    bench.apply(&exits_by_version);
    permitted(&bench, "player_version", "ebvs_reported", |sums| (sums.sums[EXITS], sums.sums[ATTEMPTS]));
}

fn watching_now(bench: &Bench, lines: &[Value]) {
    assert!((1..=6).contains(&lines.len()), "{}", lines.len());
    for line in lines {
        let (from, to) = span(std::slice::from_ref(line));
        let truth = Sums::of(bench.truth("cdn", from, to).into_values());
        assert_eq!(count(line), truth.sessions);
    }
}

fn worst_cdn(bench: &Bench, lines: &[Value]) {
    let sessions: u64 = lines.iter().map(count).sum();
    let truth = |from| bench.truth("cdn", from, bench.end());
    let from = bench.since(60, |from| Sums::of(truth(from).into_values()).sessions == sessions);
    let truth = truth(from);
    let all = Sums::of(truth.clone().into_values()).rebuffering();
    for line in lines {
        let cdn = line["dimensions"]["cdn"].as_str().unwrap();
        // A ratio that is mostly noise is absent.
        let Some(own) = complete(&truth, cdn, line).filter(|_| line["value"].is_object()) else { continue };
        near(&line["value"], own.rebuffering());
        let rest = truth.iter().filter(|(other, _)| *other != cdn).map(|(_, sums)| sums.clone());
        let gain = all - Sums::of(rest).rebuffering();
        if line["impact"].is_object() {
            let (impact, error) = figure(&line["impact"]);
            assert!(
                (impact - gain).abs() <= 5.0 * error + 0.25 * all,
                "{cdn}: {impact} ±{error}, not {gain}"
            );
        }
    }
    let shown: BTreeMap<_, _> = by(lines, "cdn")
        .into_iter()
        .filter(|(cdn, line)| complete(&truth, cdn, line).is_some() && line["value"].is_object())
        .collect();
    assert!(shown.len() > 1, "{shown:?}");
    let worst = largest(shown.keys().map(|cdn| (*cdn, truth[*cdn].rebuffering())));
    assert_eq!(largest(shown.iter().map(|(cdn, line)| (*cdn, figure(&line["value"]).0))), worst);
    let (gain, error) = figure(&shown[worst]["impact"]);
    // The sessions of an incident with this CDN stall.
    assert!(worst == "cdn-b" && gain > 5.0 * error, "{worst}: {gain} ±{error}");
}

/// Returns the activity for a dimension value, if no session with this value is in a row with `*`. A large group may
/// also be folded, so that a row with `*` is a crowd.
fn complete<'a>(truth: &'a BTreeMap<String, Sums>, value: &str, line: &Value) -> Option<&'a Sums> {
    let own = truth.get(value)?;
    assert!(count(line) <= own.sessions, "{value}");
    (count(line) == own.sessions).then_some(own)
}

/// Returns a number of a ranking or a comparison, and its standard error.
fn figure(figure: &Value) -> (f64, f64) {
    let number = |name: &str| figure[name].as_f64().unwrap_or_else(|| panic!("{name} of {figure}"));
    (number("value"), number("error"))
}

/// Checks a number with noise as [`close`] does.
#[track_caller]
fn near(found: &Value, expected: f64) {
    let (found, error) = figure(found);
    assert!(error > 0.0, "{found} has no standard error");
    let range = expected * 0.75 - 5.0 * error..=expected * 1.02 + 5.0 * error;
    assert!(range.contains(&found), "{found} ±{error} is not {expected}");
}

/// Checks an exact comparison of two periods of 20 minutes.
fn startup(bench: &Bench, lines: &[Value]) {
    let [line] = lines else { panic!("{lines:?}") };
    assert_eq!(line["metric"], "startup_ms");
    let mean = |from: u64, to: u64| {
        Sums::of(bench.truth("cdn", from, to).into_values()).mean(ValueMetric::StartupMs)
    };
    let (now, now_error) = figure(&line["now"]);
    let is = |found: f64, expected: f64| (found - expected).abs() < 0.06;
    let start = bench.since(20, |start| is(now, mean(start, bench.end())));
    let (before, before_error) = figure(&line["before"]);
    assert_eq!((now_error, before_error), (0.0, 0.0));
    let expected = mean(start - 20 * MINUTE, bench.end() - 20 * MINUTE);
    assert!(is(before, expected), "{before} is not {expected}");
    // Since then, the sessions of an incident start slowly.
    assert!(now > before * 1.5, "{now} after {before}");
}

fn totals(bench: &Bench, lines: &[Value], metric: ValueMetric) {
    assert!((5..=7).contains(&lines.len()), "{}", lines.len());
    for line in lines {
        let (from, to) = span(std::slice::from_ref(line));
        let truth = Sums::of(bench.truth("error_code", from, to).into_values());
        assert_eq!((line["numbers"].as_str(), count(line)), (Some("exact"), truth.sessions));
        exact(&line[metric.name()]["mean"], truth.mean(metric));
    }
}

/// Compares a number for each dimension value of which no session is in a row with `*`. Returns the numbers that are
/// not absent.
fn compare<'a>(
    bench: &Bench,
    lines: &'a [Value],
    dimension: &str,
    name: &str,
    expected: impl Fn(&Sums) -> f64,
) -> BTreeMap<&'a str, f64> {
    let (from, to) = span(lines);
    let truth = bench.truth(dimension, from, to);
    let number = |(value, line): (&'a str, &Value)| {
        Some((value, close(line, name, expected(complete(&truth, value, line)?))?))
    };
    by(lines, dimension).into_iter().filter_map(number).collect()
}

/// Checks that consoles fail most often, because the sessions of an incident fail on consoles.
fn failing_devices(bench: &Bench, lines: &[Value]) {
    let vsf = |sums: &Sums| sums.ratio(SumMetric::StartupFailures, &[SumMetric::Attempts]);
    let found = compare(bench, lines, "device", "vsf", vsf);
    assert!(found.len() > 2, "{found:?}");
    assert_eq!(largest(found.into_iter()), "console");
}

/// Checks the error codes. Only the sessions of three incidents have codes that are frequent enough to be shown. The
/// rarest of these codes may be in the row with `*`.
fn error_codes(bench: &Bench, lines: &[Value]) {
    assert_rows(bench, lines, "error_code");
    let shown: Vec<&str> =
        lines.iter().filter_map(|line| line["dimensions"]["error_code"].as_str()).collect();
    let codes: Vec<&str> = shown.into_iter().filter(|code| !matches!(*code, "*" | "none")).collect();
    assert_eq!(codes[..2], ["keySystemNoAccess", "1001"], "{codes:?}");
}

/// Checks that the session count of each row equals the count of the oracle.
#[track_caller]
fn assert_rows(bench: &Bench, lines: &[Value], dimension: &str) {
    let (from, to) = span(lines);
    let shown = by(lines, dimension).into_iter().map(|(value, line)| (value.to_owned(), count(line)));
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), bench.folded(dimension, from, to));
}

fn slow_networks(bench: &Bench, lines: &[Value]) {
    // In a table with noise, a session without a bitrate counts as 0.
    let bitrate =
        |sums: &Sums| sums.values[ValueMetric::BitrateKbps as usize].0 as f64 / sums.sessions as f64;
    let mut found = compare(bench, lines, "asn", "bitrate_kbps", bitrate);
    found.remove("unknown");
    assert!(found.len() > 2, "{found:?}");
    let (from, to) = span(lines);
    let truth = bench.truth("asn", from, to);
    let lowest = largest(found.iter().map(|(asn, bitrate)| (*asn, -bitrate)));
    let least = found.keys().map(|asn| bitrate(&truth[*asn])).fold(f64::MAX, f64::min);
    assert!(bitrate(&truth[lowest]) < least * 1.1, "{lowest}: {found:?}");
}

fn event(bench: &Bench, lines: &[Value]) {
    let (from, to) = (bench.end() - 65 * MINUTE, bench.end());
    let minutes = |from: u64, to: u64| {
        let truth = &bench.truth("content", from, to)["channel-0001"];
        assert_eq!(bench.folded("content", from, to)["channel-0001"], truth.sessions);
        truth.sums[SumMetric::PlayingMs as usize] as f64 / 60_000.0
    };
    let line = lines.iter().find(|line| line["metric"] == "minutes_watched").unwrap();
    near(&line["now"], minutes(from, to));
    near(&line["before"], minutes(from - WEEK, to - WEEK));
}

/// Checks that a number is not published for a table, and that a note names the number. The note contains a setting
/// with which the number would be published. Returns this setting as a line of the section `[release]`.
fn refused(lines: &[Value], notes: &str, number: &str) -> String {
    assert!(!lines.is_empty());
    assert!(lines.iter().all(|line| line[number].is_null()), "{number}");
    let note = notes.lines().find(|line| line.contains("only the detail table contains")).unwrap();
    assert!(note.contains(number), "{note}");
    let (_, setting) = note.split_once("set release.").unwrap();
    assert!(setting.starts_with("detail_breakdown = "), "{note}");
    setting.to_owned()
}

/// Checks that an exact share is published after the setting was applied.
fn permitted(bench: &Bench, dimension: &str, name: &str, share: impl Fn(&Sums) -> (u64, u64)) {
    let (lines, notes) = bench.ask(&format!("crowdfold query --by {dimension} --since 1h"));
    assert!(!notes.contains("only the detail table contains"), "{notes}");
    assert_rows(bench, &lines, dimension);
    let (from, to) = span(&lines);
    let truth = bench.truth(dimension, from, to);
    let mut compared = 0;
    for (value, line) in by(&lines, dimension) {
        let Some((part, of)) = complete(&truth, value, line).map(&share).filter(|(_, of)| *of > 0) else {
            continue;
        };
        let found = line[name].as_f64().unwrap();
        assert!((found - part as f64 / of as f64).abs() < 1e-5, "{value}: {found} is not {part} of {of}");
        compared += 1;
    }
    assert!(compared > 2, "{compared}");
}

/// Checks the number of attempts that ended without a first frame and without a failure. These numbers are published
/// with noise. The sessions of an incident with version 9.9 end in this way.
fn exits(bench: &Bench, lines: &[Value]) {
    let ebvs = |sums: &Sums| {
        let ends = sums.sums[PLAYS] + sums.sums[STARTUP_FAILURES];
        1.0 - ends as f64 / sums.sums[ATTEMPTS] as f64
    };
    let found = compare(bench, lines, "player_version", "ebvs", ebvs);
    assert!(found.len() > 1, "{found:?}");
    assert!(largest(found.clone().into_iter()) == "9.9", "{found:?}");
}

fn good_sessions(bench: &Bench, lines: &[Value]) {
    let [line] = lines else { panic!("{lines:?}") };
    let (from, to) = span(lines);
    let truth = Sums::of(bench.truth("cdn", from, to).into_values());
    let share = truth.sums[SumMetric::GoodSessions as usize] as f64 / truth.sessions as f64;
    assert!((line["good"].as_f64().unwrap() - share).abs() < 1e-5, "{} is not {share}", line["good"]);
    assert!((0.1..0.999).contains(&share), "{share}");
}

fn arms(bench: &Bench, lines: &[Value]) {
    let (from, to) = span(lines);
    let truth = bench.truth("arm", from, to);
    let lines = by(lines, "arm");
    let mut found = BTreeMap::new();
    for (arm, line) in lines {
        assert_eq!(count(line), truth[arm].sessions, "{arm}");
        let ratio = close(line, "rebuffering_ratio", truth[arm].rebuffering());
        // Arm B hardly stalls, so noise can make its stalled time negative. Then there is no ratio.
        let below_zero = line["below_zero"].as_array().unwrap().contains(&"stalled_ms".into());
        assert!(ratio.is_some() != below_zero, "{line}");
        found.insert(arm, ratio.unwrap_or(0.0));
    }
    // The sessions of an incident with arm A stall.
    assert!(found.keys().eq(["A", "B"].iter()) && found["B"] < found["A"] / 2.0, "{found:?}");
}

fn hidden(bench: &Bench, lines: &[Value]) {
    assert_rows(bench, lines, "content");
    assert!(count(by(lines, "content")["*"]) > 0);
}
