//! Tests of lines of CDN logs, with the configurations in `deploy/cdn`.

mod lines;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crowdfold_testkit::binary;
use serde_json::Value;
use tempfile::TempDir;

use lines::{CANARY, Cdn, START};

/// Runs `crowdfold fold` on these lines. Returns its output and the ledger.
fn fold(config: &Path, lines: &[String]) -> (Output, Value) {
    let dir = TempDir::new().unwrap();
    let (input, ledger) = (dir.path().join("log"), dir.path().join("ledger"));
    std::fs::write(&input, lines.join("\n")).unwrap();
    let mut command = Command::new(binary("crowdfold"));
    command.env("CROWDFOLD_RELEASE__K", "10").args(["fold", "--config"]).arg(config);
    let output = command.arg("--ledger").arg(&ledger).arg(&input).output().unwrap();
    let ledger = std::fs::read(ledger).ok().map(|text| serde_json::from_slice(&text).unwrap());
    (output, ledger.unwrap_or_default())
}

fn rows(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn shipped(cdn: Cdn) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/cdn");
    folder.join(format!("{}.toml", cdn.name()))
}

/// Returns the names and values of all dimensions. Each breakdown must have only one row.
fn shown(rows: &[Value]) -> BTreeMap<String, String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let shown = rows.iter().flat_map(|row| {
        assert_eq!(row["rows"], 1, "{row}");
        row["dimensions"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), word(value)))
    });
    shown.collect()
}

#[test]
fn log_lines_of_each_cdn_give_the_expected_rows() {
    for cdn in Cdn::ALL {
        let mut log: Vec<String> =
            (0..12).flat_map(|nth| cdn.session(&format!("s3ss10n-{nth}"), nth)).collect();
        let beacons = log.len();
        // Lines without CMCD or without a readable time are rejected.
        log.extend([
            cdn.without_cmcd(),
            cdn.with_time("yesterday"),
            "#Fields: date time".into(),
            "{}".into(),
        ]);
        let (output, ledger) = fold(&shipped(cdn), &log);
        let rows = rows(&output);
        let counted = &ledger["beacons"];
        assert_eq!(counted["released"], beacons, "{}: {ledger}", cdn.name());
        assert_eq!(counted["rejected"]["malformed"], 3, "{}: {ledger}", cdn.name());
        assert_eq!(counted["rejected"]["no_time"], 1, "{}: {ledger}", cdn.name());
        assert_eq!(counted["read"], beacons + 4, "{}: {ledger}", cdn.name());

        let shown = shown(&rows);
        let expect = [
            ("country", "DE"),
            ("asn", if cdn == Cdn::Akamai { "unknown" } else { "AS64500" }),
            ("device", "desktop"),
            ("os", "Windows"),
            ("browser", "Chrome"),
            ("stream", "vod"),
            ("format", "dash"),
            ("content", "movie-0042"),
        ];
        for (dimension, value) in expect {
            assert_eq!(shown[dimension], value, "{}: {dimension}", cdn.name());
        }
        for row in &rows {
            assert_eq!((&row["sessions"], &row["window"]["start"]), (&12.into(), &START.into()), "{row}");
        }
        let detail: Vec<_> = rows.iter().filter(|row| row["detail"] == true).collect();
        assert_eq!(detail.len(), 1, "{rows:?}");
        for row in detail {
            assert_eq!(row["beacons"], beacons, "{row}");
            assert_eq!(row["bandwidth_kbps"]["sum"], 12 * 5_400, "{row}");
            assert_eq!(row["bitrate_kbps"]["sum"], 12 * 3_200, "{row}");
            assert_eq!(row["ttfb_ms"]["sum"], 12 * 2, "{row}");
        }
        for printed in [&output.stdout, &output.stderr] {
            let printed = String::from_utf8_lossy(printed);
            for secret in [CANARY, "s3ss10n", "203.0.113.", "Mozilla"] {
                assert!(!printed.contains(secret), "{}: {secret} in {printed}", cdn.name());
            }
        }
    }
}

#[test]
fn opt_out_signal_in_a_log_line_takes_effect() {
    let crowd = (0..12).flat_map(|nth| Cdn::Fastly.session(&format!("crowd-{nth}"), nth));
    let asked =
        Cdn::Fastly.session("asked", 3).into_iter().map(|line| line.replace(r#""gpc":"""#, r#""gpc":"1""#));
    let (output, ledger) = fold(&shipped(Cdn::Fastly), &crowd.chain(asked).collect::<Vec<_>>());
    assert!(rows(&output).iter().all(|row| row["sessions"] == 12));
    assert_eq!(ledger["beacons"]["opted_out"], 3, "{ledger}");
}

#[test]
fn invalid_source_log_section_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.toml");
    for (text, words) in [
        (
            "format = \"capture\"\n[source.log]\ntme = \"t\"\n",
            "source.log.tme is not a field of a log; did you mean time?",
        ),
        (
            "format = \"capture\"\n[source.log]\ntime = \"t\"\n",
            "source.log names no field that contains CMCD; add query",
        ),
        ("[source.log]\nquery = \"q\"\n", "source.log is used only with source.format = \"capture\""),
        ("format = \"capture\"\n[source.log]\nquery = \"q\"\ntime = \"q.t\"\n", "overlaps with the path of"),
        (
            "format = \"capture\"\n[source.log]\nhost = \"h\"\nquery = \"q\"\n",
            "source.log.host is not a field of a log",
        ),
    ] {
        std::fs::write(&path, format!("[source]\n{text}")).unwrap();
        let (output, _) = fold(&path, &[]);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{printed}");
        assert!(printed.contains(words), "{words}: {printed}");
    }
}
