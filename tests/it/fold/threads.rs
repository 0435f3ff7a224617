//! Tests of `crowdfold fold` with several threads and several files.

use crowdfold_loadgen::{Faults, Mix, Players, PlayersConfig};
use tempfile::TempDir;

use super::{Value, data, fold, printed};

/// Returns the rows and the ledger of these files with this number of threads.
fn folded(threads: usize, arguments: &[&str]) -> (String, Value) {
    let dir = TempDir::new().unwrap();
    let text = std::fs::read_to_string(data("scenario/config.toml")).unwrap();
    let (config, ledger) = (dir.path().join("config.toml"), dir.path().join("ledger.json"));
    std::fs::write(&config, format!("worker.threads = {threads}\n{text}").replace("k = 20", "k = 10"))
        .unwrap();
    let options = ["--config", config.to_str().unwrap(), "--ledger", ledger.to_str().unwrap()];
    let output = fold(&[&options, arguments].concat(), b"");
    assert!(output.status.success(), "{}", printed(&output));
    let ledger: Value = serde_json::from_slice(&std::fs::read(ledger).unwrap()).unwrap();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    (String::from_utf8(output.stdout).unwrap(), ledger)
}

/// Returns lines with several beacons, and lines without a time, among the beacons of synthetic players.
fn lines() -> Vec<Vec<u8>> {
    let config = PlayersConfig {
        sessions: 300,
        seed: 5,
        mix: Mix::default(),
        tenants: ["acme", "blip", "tiny"].map(String::from).to_vec(),
        faults: Faults::some(),
        ..PlayersConfig::default()
    };
    let start = config.start_ms;
    let mut lines: Vec<Vec<u8>> =
        Players::new(config).unwrap().take(15_000).map(|report| report.payload).collect();
    let session = |nth: usize| format!(r#""session":"several-{nth}""#);
    for nth in 0..400 {
        let ts = start + 1_000 * nth as u64;
        let several: Vec<_> = (0..nth % 7)
            .map(|beacon| {
                format!(
                    r#"{{"ts":{ts},{},"event":"play","playing_ms":{}}}"#,
                    session(nth + beacon),
                    900 + beacon
                )
            })
            .collect();
        let line = match nth % 5 {
            0 => several.join(""),
            1 => format!(r#"{{{},"opt_out":true}}"#, session(nth)),
            2 => format!(r#"{{{},"ts":"soon","playing_ms":1}}"#, session(nth)),
            3 => format!("{},{{", several.join(" ")),
            _ => format!("[{}]", several.join(",")),
        };
        lines.insert(lines.len() * nth / 400, line.into_bytes());
    }
    lines
}

#[test]
fn rows_do_not_depend_on_the_number_of_threads_or_files() {
    let dir = TempDir::new().unwrap();
    let write = |name: String, lines: &[Vec<u8>]| {
        let path = dir.path().join(name);
        std::fs::write(&path, lines.join(&b"\n"[..])).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lines = lines();
    let one = write("one".into(), &lines);
    let (rows, ledger) = folded(1, &[&one]);
    assert!(rows.lines().count() > 20, "{} rows", rows.lines().count());
    for reason in ["no_time", "malformed"] {
        assert!(ledger["beacons"]["rejected"][reason].as_u64().unwrap() > 0, "{ledger}");
    }
    assert!(ledger["beacons"]["opted_out"].as_u64().unwrap() > 0, "{ledger}");
    let several: Vec<_> = lines
        .chunks(lines.len() / 6)
        .enumerate()
        .map(|(nth, lines)| write(format!("part-{nth}"), lines))
        .collect();
    let several: Vec<_> = several.iter().map(String::as_str).collect();
    for threads in [2, 5] {
        for files in [&[one.as_str()][..], &several] {
            let again = folded(threads, files);
            assert!(again.0 == rows, "{threads} threads, {} files: the rows differ", files.len());
            assert_eq!(again.1, ledger, "{threads} threads, {} files", files.len());
            let in_files = folded(threads, &[&["--memory", "64KiB"], files].concat());
            assert!(in_files.0 == rows && in_files.1 == ledger, "{threads} threads with temporary files");
        }
    }
}
