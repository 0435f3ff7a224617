use serde_json::Value;

use crate::Answer;
use crate::testing::{assert_is_fixture, query, rows, table};

mod noise;

fn ask(flags: &str, records: &[Vec<Value>]) -> Answer {
    query(flags).unwrap().run(&rows(records)).unwrap()
}

fn two_windows() -> Vec<Vec<Value>> {
    vec![
        table(90, "os/browser", &[("*/*", 113), ("Windows/Chrome", 900)]),
        table(91, "os/browser", &[("Windows/Chrome", 850), ("Windows/Samsung Internet", 80)]),
    ]
}

#[test]
fn text_table_of_one_window_counts_sessions() {
    let answer = ask("--breakdown os,browser", &two_windows()[..1]);
    assert_is_fixture(&answer.table(120), "one_window.txt");
    assert_eq!(answer.notes(), ["answered from the detail table os,browser: all numbers are exact"]);
}

#[test]
fn text_table_of_several_windows_counts_session_windows_instead_of_sessions() {
    let answer = ask("--breakdown os,browser", &two_windows());
    assert_is_fixture(&answer.table(120), "several_windows.txt");
    assert_eq!(
        answer.notes(),
        [
            "answered from the detail table os,browser: all numbers are exact",
            "session_windows counts a session once per window, so it is not a number of people",
        ]
    );
}

#[test]
fn text_table_fits_the_terminal_and_keeps_the_main_columns() {
    let mut records = two_windows();
    for row in records.iter_mut().flatten() {
        row["bitrate_kbps"] = row["bandwidth_kbps"].clone();
    }
    let answer = ask("--breakdown os,browser", &records);
    let widest = |width| answer.table(width).lines().map(str::len).max().unwrap();
    let columns = |width| answer.table(width).lines().next().unwrap().split_whitespace().count();
    assert_eq!((columns(usize::MAX), columns(120), columns(80)), (17, 11, 6));
    assert!(widest(120) <= 120 && widest(80) <= 80, "{}", answer.table(80));
    // These columns are never omitted, because the table would be meaningless without them.
    assert_eq!(
        answer.table(1).lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["os", "browser", "session_windows", "rebuffering", "startup_ms", "bandwidth"]
    );
}

#[test]
fn text_table_can_be_grouped_by_time_and_tenant() {
    let mut globex = table(90, "os/browser", &[("Windows/Chrome", 60)]);
    globex[0]["tenant"] = "globex".into();
    let mut records = two_windows();
    records.push(globex);
    let table = ask("--breakdown os,browser --by os --every 1m", &records).table(120);
    let heads: Vec<_> =
        table.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>()).collect();
    assert_eq!(
        heads,
        [
            ["tenant", "from", "os", "sessions"],
            ["acme", "1970-01-01T01:30:00Z", "Windows", "900"],
            ["acme", "1970-01-01T01:30:00Z", "*", "113"],
            ["globex", "1970-01-01T01:30:00Z", "Windows", "60"],
            ["acme", "1970-01-01T01:31:00Z", "Windows", "930"],
        ]
    );
}

#[test]
fn csv_has_every_column_in_a_fixed_order() {
    let answer = ask("--breakdown os,browser --where os=Windows", &two_windows()[..1]);
    assert_is_fixture(&answer.csv(), "answer.csv");
}

#[test]
fn json_has_one_object_per_group_and_line() {
    let answer = ask("--breakdown os,browser --where os=Windows", &two_windows()[..1]);
    assert_is_fixture(&answer.json(), "answer.ndjson");
    let sums = ask("--breakdown os,browser --by os", &two_windows()).json();
    let lines: Vec<Value> = sums.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[0]["session_windows"], &lines[0]["sessions"]),
        (2, &1830.into(), &Value::Null)
    );
    assert_eq!(
        (&lines[0]["bandwidth_kbps"]["p50"], &lines[0]["bandwidth_kbps"]["mean"]),
        (&Value::Null, &5000.0.into())
    );
}

#[test]
fn share_below_0_or_above_100_percent_is_left_empty_and_explained() {
    let shares = |attempts: u64, plays: u64, failures: u64, playback: u64| {
        let mut one = table(90, "os", &[("Windows", 60)]);
        one[0]["attempts"] = attempts.into();
        one[0]["plays"] = plays.into();
        one[0]["startup_failures"] = failures.into();
        one[0]["playback_failures"] = playback.into();
        let answer = ask("--breakdown os", &[one]);
        let line: Value = serde_json::from_str(&answer.json()).unwrap();
        let notes = answer
            .notes()
            .into_iter()
            .filter(|note| note.contains("began outside the queried period"))
            .count();
        (line["vsf"].clone(), line["ebvs"].clone(), line["vpf"].clone(), notes)
    };
    let null = Value::Null;
    assert_eq!(shares(20, 14, 1, 7), (0.05.into(), 0.25.into(), 0.5.into(), 0));
    assert_eq!(shares(20, 20, 0, 20), (0.0.into(), 0.0.into(), 1.0.into(), 0));
    assert_eq!(
        shares(20, 21, 0, 0),
        (0.0.into(), null.clone(), 0.0.into(), 1),
        "some plays belong to earlier attempts"
    );
    assert_eq!(shares(1, 0, 6, 0), (null.clone(), null.clone(), null.clone(), 1));
    assert_eq!(shares(20, 2, 0, 3), (0.0.into(), 0.9.into(), null, 1));
}

#[test]
fn ratio_with_a_zero_denominator_is_absent() {
    let mut idle = table(90, "os", &[("Windows", 60)]);
    for field in ["attempts", "plays", "playing_ms", "stalled_ms"] {
        idle[0][field] = 0.into();
    }
    let answer = ask("--breakdown os", &[idle]);
    let line: Value = serde_json::from_str(&answer.json()).unwrap();
    for ratio in ["rebuffering_ratio", "stalls_per_hour", "vsf", "ebvs", "vpf"] {
        assert!(line[ratio].is_null(), "{ratio}");
    }
    // The columns of these ratios have no values. The table omits them, and CSV leaves them empty.
    assert_eq!(answer.table(120).lines().next(), Some(IDLE_COLUMNS));
    assert!(answer.csv().lines().nth(1).unwrap().contains(",0.0,,,,,,,0.5000,16,"), "{}", answer.csv());
}

const IDLE_COLUMNS: &str = "os       sessions  plays  minutes    good  startup_ms  bandwidth  bandwidth_p50";

#[test]
fn empty_answer_consists_of_a_header() {
    let answer = ask("--breakdown os", &[]);
    assert!(answer.table(120).starts_with("os  sessions") && answer.table(120).lines().count() == 1);
    assert_eq!((answer.csv().lines().count(), answer.json().as_str()), (1, ""));
}

#[test]
fn note_contains_the_size_of_the_noise_which_grows_with_the_number_of_added_rows() {
    let mut records = two_windows();
    for row in records.iter_mut().flatten() {
        row["policy"] = serde_json::json!({
            "name": "differential-privacy", "k": 50, "epsilon": 1.0, "delta": 1e-8, "sigma": 30.0, "tau": 240
        });
    }
    let note = |flags| ask(flags, &records).notes().pop().unwrap();
    // The group consists of four rows. The noise of each has the standard deviation 30, so the noise of the sum has √4
    // · 30.
    assert_eq!(
        note("--breakdown os,browser --by ''"),
        "differential privacy: every number has noise, session_windows has a standard deviation of up to 60, and cells \
         that are too small are missing, so totals are too low and differ between breakdowns"
    );
    assert!(note("--breakdown os,browser --since 10m").contains(" of up to 42, "));
}
