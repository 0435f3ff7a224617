//! Tests of `crowdfold fold`, which runs as a process.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod threads;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crowdfold_loadgen::{Faults, Mix, Players, PlayersConfig};
use crowdfold_testkit::binary;
use crowdfold_testkit::oracle::{self, Record, Settings};
use crowdfold_testkit::rows::{IN_DETAIL_ONLY, remove_histograms};
use serde_json::Value;
use tempfile::TempDir;

const SCENARIO: &str = include_str!("../data/scenario/beacons.ndjson");

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// Runs `crowdfold fold` with the configuration of the scenario, and with this standard input.
fn fold(arguments: &[&str], input: &[u8]) -> Output {
    let config = data("scenario/config.toml");
    let mut child = Command::new(binary("crowdfold"))
        .arg("fold")
        .args(if arguments.contains(&"--config") {
            vec![]
        } else {
            vec!["--config", config.to_str().unwrap()]
        })
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Errors of this write are ignored, because a program that fails does not read all of its input.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs `crowdfold fold`, which must succeed. Returns the rows and the ledger.
fn folded(arguments: &[&str], input: &[u8]) -> (String, Value) {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("ledger.json");
    let arguments = [arguments, &["--ledger", ledger.to_str().unwrap()]].concat();
    let output = fold(&arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ledger: Value = serde_json::from_slice(&std::fs::read(ledger).unwrap()).unwrap();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    (String::from_utf8(output.stdout).unwrap(), ledger)
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_of_the_scenario_equal_those_of_an_independent_reference_program() {
    let (text, ledger) = folded(&[data("scenario/beacons.ndjson").to_str().unwrap()], b"");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(data("scenario/expected.json")).unwrap()).unwrap();
    let mut rows = rows(&text).into_iter();
    let mut tables: Vec<_> = expected["tables2"].as_array().unwrap().iter().collect();
    // Rows are ordered by window, tenant and breakdown.
    tables.sort_by_key(|table| (table["start"].as_u64(), table["tenant"].to_string()));
    for table in tables {
        let cell_key = |row: &Value| -> Vec<String> {
            let names = table["breakdown"].as_array().unwrap().iter();
            names.map(|name| row["dimensions"][name.as_str().unwrap()].as_str().unwrap().into()).collect()
        };
        let mut theirs: Vec<_> = table["rows"].as_array().unwrap().iter().collect();
        theirs.sort_by_key(|row| cell_key(row));
        for (number, theirs) in theirs.into_iter().enumerate() {
            let ours = rows.next().unwrap();
            assert_eq!((&ours["tenant"], &ours["window"]["start"]), (&table["tenant"], &table["start"]));
            assert_eq!((&ours["breakdown"], &ours["row"]), (&table["breakdown"], &(number + 1).into()));
            assert_eq!(ours["detail"], table["breakdown"][0] == "stream");
            for (name, value) in theirs.as_object().unwrap() {
                let ours = match name.as_str() {
                    "startup_sessions" => &ours["startup_ms"]["sessions"],
                    "startup_sum" => &ours["startup_ms"]["sum"],
                    name => &ours[name],
                };
                assert_eq!(ours, value, "{name} of {theirs}");
            }
            if ours["detail"] == false {
                let hidden = ["errors", "startup_ms", "bandwidth_kbps", "bitrate_kbps", "startup_failures"];
                let mut hidden = hidden.into_iter().chain(IN_DETAIL_ONLY);
                assert!(hidden.all(|name| ours.get(name) == Some(&Value::Null)), "{ours}");
            }
        }
    }
    assert_eq!(rows.next(), None);
    for kind in ["released", "withheld"] {
        let theirs = &expected[kind];
        let ours = |what: &str| &ledger[what][kind];
        assert_eq!(
            (ours("beacons"), ours("session_windows")),
            (&theirs["beacons"], &theirs["session_windows"])
        );
    }
}

#[test]
fn rows_and_ledger_of_synthetic_players_equal_those_of_the_oracle() {
    let names = ["acme", "blip", "tiny"].map(String::from).to_vec();
    let settings = Settings {
        tenants: names.clone(),
        default_tenant: "acme".into(),
        k: 20,
        breakdowns: [&["os", "browser"][..], &["cdn"], &["stream", "format", "content"]]
            .map(|names| names.iter().map(ToString::to_string).collect())
            .to_vec(),
        // The clock of the oracle is a day after the start of the players, so no beacon is dated in its future.
        now: Some(PlayersConfig::default().start_ms + 86_400_000),
        ..Settings::default()
    };
    let config = PlayersConfig {
        sessions: 100,
        seed: 12,
        tenants: names,
        mix: Mix { user_agents: 0, ..Mix::default() },
        faults: Faults::some(),
        ..PlayersConfig::default()
    };
    let until = config.start_ms + 8 * 60_000;
    let sent = Players::new(config).unwrap().take_while(|report| report.sent_ms < until);
    let mut log: Vec<_> = sent.map(|report| Record { timestamp: None, payload: report.payload }).collect();
    let lines: Vec<u8> = log.iter().flat_map(|record| [&record.payload[..], b"\n"].concat()).collect();
    // `fold` sorts lines by time, but the oracle does not, so the lines are sorted here. A line without a time is
    // rejected at any position.
    log.sort_by_key(|record| {
        serde_json::from_slice(&record.payload).map_or(0, |beacon: Value| beacon["ts"].as_u64().unwrap_or(0))
    });
    let outcome = oracle::evaluate(&[log], &settings);

    let (text, ledger) = folded(&["-"], &lines);
    let mut ours = rows(&text);
    ours.iter_mut().for_each(|row| drop(remove_histograms(row)));
    assert!(ours.len() > 40, "{} rows", ours.len());
    // This comparison includes the order of the rows: by window, tenant, breakdown and dimension values.
    assert_eq!(ours, outcome.rollups(&settings));
    let theirs = &outcome.ledger;
    let beacons = &theirs.beacons;
    assert!(beacons.withheld > 0 && beacons.duplicate > 0 && beacons.opted_out > 0);
    // A beacon in a line without a record timestamp is never late.
    assert_eq!(beacons.late, 0);
    for (name, count) in [
        ("read", beacons.read),
        ("released", beacons.released),
        ("withheld", beacons.withheld),
        ("late", beacons.late),
        ("duplicate", beacons.duplicate),
        ("opted_out", beacons.opted_out),
    ] {
        assert_eq!(ledger["beacons"][name], count, "{name}");
    }
    for (reason, count) in &beacons.rejected {
        assert_eq!(ledger["beacons"]["rejected"][*reason], *count, "{reason}");
    }
    assert_eq!(ledger["session_windows"]["withheld"], theirs.session_windows.withheld);
    assert_eq!(ledger["windows"]["released"], theirs.windows.released);
}

#[test]
fn same_lines_give_the_same_rows_from_files_and_from_standard_input() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (expected, ledger) = folded(&[&write("whole", SCENARIO)], b"");
    assert_eq!(expected.lines().count(), 113);
    let half = SCENARIO[..SCENARIO.len() / 2].rfind('\n').unwrap() + 1;
    let (first, second) = SCENARIO.split_at(half);
    let (first, second) = (write("first", first), write("second", second));
    let crlf = SCENARIO.replace('\n', "\r\n");
    let unended = SCENARIO.trim_end().as_bytes();
    let again = |rows: (String, Value), what: &str| {
        assert!(rows.0 == expected && rows.1 == ledger, "{what}: {}", rows.1);
    };
    again(folded(&[], SCENARIO.as_bytes()), "without a file, standard input is read");
    again(folded(&["-"], SCENARIO.as_bytes()), "a file - is standard input");
    again(folded(&[&first, &second], b""), "two files");
    again(folded(&[&first, "-"], std::fs::read(&second).unwrap().as_slice()), "a file and standard input");
    again(folded(&[&write("crlf", &crlf)], b""), "lines with CRLF");
    again(folded(&[], unended), "a last line without a line break");
    let output = dir.path().join("rollups.ndjson");
    let (nothing, _) = folded(&["--output", output.to_str().unwrap()], SCENARIO.as_bytes());
    assert_eq!((nothing.as_str(), std::fs::read_to_string(output).unwrap()), ("", expected));
}

#[test]
fn unreadable_or_unwritable_file_is_named_and_the_exit_code_is_1() {
    let scenario = data("scenario/beacons.ndjson");
    let scenario = scenario.to_str().unwrap();
    for (arguments, words) in [
        (&["no-such-file.ndjson"][..], &["no-such-file.ndjson cannot be read", "No such file"][..]),
        (&[scenario, "no-such-file.ndjson"], &["no-such-file.ndjson cannot be read"]),
        (&["/"], &["/ cannot be read", "directory"]),
        (&[scenario, "--output", "/dev/full"], &["rollups cannot be written", "No space left"]),
        (&[scenario, "--output", "/no/such/place"], &["/no/such/place"]),
        (
            &[scenario, "--ledger", "/dev/full"],
            &["the ledger cannot be written to /dev/full", "No space left"],
        ),
    ] {
        let output = fold(arguments, b"");
        let printed = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {printed}");
        for words in words {
            assert!(printed.contains(words), "{arguments:?}: {words:?} is not in {printed}");
        }
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let config = data("scenario/config.toml");
    let mut command = Command::new(binary("crowdfold"));
    let output = command.args(["fold", scenario, "--config"]).arg(config).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("No space left"), "{}", printed(&output));
}

#[test]
fn closed_output_pipe_is_not_an_error() {
    let mut child = Command::new(binary("crowdfold"))
        .args(["fold", "--config", data("scenario/config.toml").to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The reader closes the pipe before the first row is written.
    drop(child.stdout.take());
    // Errors of this write are ignored, because the program may exit before it has read all of its input.
    drop(child.stdin.take().unwrap().write_all(SCENARIO.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && !printed(&output).contains("Broken pipe"), "{}", printed(&output));
}

/// Returns the beacons of the scenario, with these lines inserted in the middle.
fn with_lines(lines: &[Vec<u8>]) -> Vec<u8> {
    let half = SCENARIO[..SCENARIO.len() / 2].rfind('\n').unwrap() + 1;
    let mut input = SCENARIO.as_bytes()[..half].to_vec();
    for line in lines {
        input.extend(line);
        input.push(b'\n');
    }
    input.extend(&SCENARIO.as_bytes()[half..]);
    input
}

/// Asserts that these lines change no row, and no count of the ledger except `read` and the count at this path.
fn counts_as(lines: &[Vec<u8>], path: &[&str]) {
    let (expected, before) = folded(&[], SCENARIO.as_bytes());
    let (rows, after) = folded(&[], &with_lines(lines));
    assert!(rows == expected, "{path:?}: the rows differ");
    let mut wanted = before;
    for path in [&["read"], path] {
        let count = path.iter().fold(&mut wanted["beacons"], |at, name| &mut at[*name]);
        *count = (count.as_u64().unwrap() + lines.len() as u64).into();
    }
    assert_eq!(after, wanted);
}

#[test]
fn invalid_lines_are_counted_by_reason_and_change_no_row() {
    let lines: Vec<Vec<u8>> = vec![
        b"GET /favicon.ico HTTP/1.1".to_vec(),
        vec![0xff, 0xfe, 0x00, 0x7b, 0x22],
        b"{".to_vec(),
        b"[]".to_vec(),
        b"[".repeat(100_000),
        br#"{"ts":soon,"session":"later"}"#.to_vec(),
        br#"{"ts":1795308480000,"session":"a","#.to_vec(),
        br#"{"ts":1795308480000,"session":"a","playing_ms":NaN}"#.to_vec(),
    ];
    counts_as(&lines, &["rejected", "malformed"]);
    counts_as(&[br#"{"ts":"soon","session":"later"}"#.to_vec()], &["rejected", "no_time"]);
    counts_as(&[br#"{"ts":1795308480000,"session":"a\ud800"}"#.to_vec()], &["rejected", "no_session"]);
}

#[test]
fn line_of_ten_megabytes_is_rejected_as_too_large_and_changes_no_row() {
    let mut line = br#"{"ts":1795308480000,"session":"a","content":""#.to_vec();
    line.resize(10_000_000, b'x');
    line.extend(br#""}"#);
    counts_as(&[line.clone(), line], &["rejected", "too_large"]);
}

#[test]
fn beacon_with_an_impossible_time_is_rejected_and_does_not_make_others_late() {
    // This time is five years ahead. If it moved the watermark, all later lines would be late.
    let at = |ts: u64| {
        format!(r#"{{"ts":{ts},"tenant":"acme","session":"from-elsewhere","event":"play"}}"#).into_bytes()
    };
    counts_as(&[at(1_953_158_400_000)], &["rejected", "future"]);
    // These times are in the year 2100 and in 1970. A clock that was never set is in 1970.
    counts_as(&[at(4_102_444_800_000), at(0), at(1)], &["rejected", "no_time"]);
    // A beacon with an impossible time has the same effect at the beginning and at the end of a file.
    let (expected, _) = folded(&[], SCENARIO.as_bytes());
    for input in
        [[&at(5), &b"\n"[..], SCENARIO.as_bytes()].concat(), [SCENARIO.as_bytes(), &at(5), b"\n"].concat()]
    {
        let (rows, ledger) = folded(&[], &input);
        assert_eq!(rows, expected);
        let beacons = &ledger["beacons"];
        assert_eq!((&beacons["late"], &beacons["rejected"]["no_time"]), (&0.into(), &1.into()));
    }
}
