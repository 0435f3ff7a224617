//! Tests of `fold` with input files that are compressed, truncated or invalid, and with more input than `--memory`.
#![cfg(target_os = "linux")]

mod shell;

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crowdfold_testkit::eventually;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tempfile::TempDir;

use shell::shell;

fn scratch_dir() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    let config = "[release]\nk = 1\nallow_small_k = true\nbreakdowns = [[\"os\"]]\n";
    fs::write(dir.path().join("K"), config).expect("written");
    dir
}

fn beacons(count: u64) -> String {
    let beacon = |number: u64| {
        let ts = 1_795_308_480_000 + number * 7_919 % 1_000_000;
        format!("{{\"ts\":{ts},\"session\":\"s{}\",\"os\":\"Linux\",\"playing_ms\":900}}\n", number % 50)
    };
    (0..count).map(beacon).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn ledger(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("L")).expect("a ledger")).expect("JSON")
}

#[test]
fn numbers_of_rejected_and_late_beacons_are_logged() {
    let dir = scratch_dir();
    let capture = |received: u64, ts: u64| {
        format!(
            r#"{{"received_at_ms":{received},"path":"/v1/beacons","body":"{{\"ts\":{ts},\"session\":\"a\"}}"}}"#
        )
    };
    let t = 1_795_308_480_000;
    let lines = [
        capture(t, t),
        capture(t + 300_000, t + 1),
        "garbage".into(),
        r#"{"path":"/v1/beacons","body":"{\"session\":\"a\"}"}"#.into(),
        "{".into(),
    ];
    fs::write(dir.path().join("F"), lines.join("\n")).expect("written");
    let (code, stdout, stderr) = shell(dir.path(), "$C fold --config K --format capture --ledger L F");
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.lines().count(), 1);
    assert!(stderr.contains("3 beacons were rejected (2 malformed, 1 no_time), of 5 in total"), "{stderr}");
    assert!(stderr.contains("1 beacon was late, of 5 in total"), "{stderr}");
    assert!(!stderr.contains("garbage"), "{stderr}");
    let ledger = ledger(dir.path());
    assert_eq!((&ledger["beacons"]["late"], &ledger["balanced"]), (&1.into(), &true.into()));
}

#[test]
fn numbers_of_ignored_values_are_logged_by_field() {
    let dir = scratch_dir();
    let t = 1_795_308_480_000_u64;
    let lines = [
        format!(r#"{{"session":"a","ts":{t},"event":"play","height":"1080p","stalls":-1}}"#),
        format!(r#"{{"session":"b","ts":{t},"event":"video_start","height":null,"cdn":{{"secret":1}}}}"#),
        format!(r#"{{"session":"c","ts":{t},"event":"play","height":[1]}}"#),
    ];
    fs::write(dir.path().join("F"), lines.join("\n")).expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --config K F");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("6 values were ignored"), "{stderr}");
    assert!(stderr.contains("(3 height, 1 cdn, 1 event, 1 stalls)"), "{stderr}");
    assert!(!stderr.contains("secret") && !stderr.contains("video_start"), "{stderr}");
    let sound = format!(r#"{{"session":"a","ts":{t},"event":"play"}}"#);
    fs::write(dir.path().join("F"), sound).expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --config K F");
    assert!(code == Some(0) && !stderr.contains("ignored"), "{stderr}");
}

#[test]
fn mapped_paths_that_occur_in_no_beacon_are_named() {
    let dir = scratch_dir();
    let config = fs::read_to_string(dir.path().join("K")).expect("a configuration");
    let config = config + "[source.fields]\nplaying_ms = \"qoe.played\"\nstartup_ms = \"qoe.strtup\"\n";
    fs::write(dir.path().join("K"), config).expect("written");
    let beacon = |number: u64| {
        let ts = 1_795_308_480_000 + number;
        format!("{{\"ts\":{ts},\"session\":\"s{number}\",\"qoe\":{{\"played\":900,\"startup\":850}}}}\n")
    };
    fs::write(dir.path().join("F"), (0..20).map(beacon).collect::<String>()).expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --config K F");
    assert_eq!(code, Some(0), "{stderr}");
    let expected =
        "source.fields.startup_ms = \"qoe.strtup\": the path is absent from each of 20 JSON beacons; check";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(!stderr.contains("qoe.played") && !stderr.contains("850"), "{stderr}");
    // If the path of the session is wrong, all beacons are rejected. The path is named in addition.
    let command = "CROWDFOLD_SOURCE__FIELDS__SESSION=player.id $C fold --config K F";
    let (code, _, stderr) = shell(dir.path(), command);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("source.fields.session = \"player.id\": the path is absent"), "{stderr}");
}

#[test]
fn mapped_durations_in_seconds_are_reported() {
    let dir = scratch_dir();
    let config = fs::read_to_string(dir.path().join("K")).expect("a configuration");
    fs::write(dir.path().join("K"), config + "[source.fields]\nplaying_ms = \"played\"\n").expect("written");
    for (seconds, is_reported) in [("9.5", true), ("9500.5", false)] {
        let beacon = |number: u64| {
            let ts = 1_795_308_480_000 + number;
            format!("{{\"ts\":{ts},\"session\":\"s{number}\",\"played\":{seconds}}}\n")
        };
        fs::write(dir.path().join("F"), (0..20).map(beacon).collect::<String>()).expect("written");
        let (code, _, stderr) = shell(dir.path(), "$C fold --config K F");
        assert_eq!(code, Some(0), "{stderr}");
        let expected =
            "source.fields.playing_ms = \"played\" is read as milliseconds, but all 20 values are below 60";
        assert_eq!(stderr.contains(expected), is_reported, "{stderr}");
    }
}

#[test]
fn withheld_sessions_are_counted_and_explained() {
    let dir = scratch_dir();
    // Two windows of a minute have 12 sessions each, and the third has 3.
    let beacon = |number: u64| {
        let ts = 1_795_308_480_000 + number / 12 * 60_000 + number;
        format!("{{\"ts\":{ts},\"session\":\"s{number}\",\"os\":\"Linux\"}}\n")
    };
    fs::write(dir.path().join("F"), (0..27).map(beacon).collect::<String>()).expect("written");
    let fold = |environment: &str| {
        let (code, stdout, stderr) = shell(dir.path(), &format!("{environment} $C fold --config K F"));
        assert_eq!(code, Some(0), "{stderr}");
        (stdout.lines().count(), stderr)
    };
    let (rows, stderr) = fold("CROWDFOLD_RELEASE__K=1");
    assert!(rows > 0 && !stderr.contains("withheld"), "{stderr}");
    let (rows, stderr) = fold("CROWDFOLD_RELEASE__K=10");
    let expected = "3 of 27 session-windows were withheld, in 1 of 3 windows, because a window of a tenant is published \
                    only if it has at least k = 10 sessions; use longer windows (windows.length) or input with more";
    assert!(rows > 0 && stderr.contains(expected), "{stderr}");
    assert!(!stderr.contains("no rows were written"), "{stderr}");
    let (rows, stderr) = fold("CROWDFOLD_RELEASE__K=50");
    let expected = "no rows were written: 27 of 27 session-windows were withheld, in 3 of 3 windows, because";
    assert!(
        rows == 0 && stderr.contains(expected) && stderr.contains("at least k = 50 sessions;"),
        "{stderr}"
    );

    fs::write(dir.path().join("secret"), "00".repeat(32)).expect("written");
    let (rows, stderr) = fold(
        "CROWDFOLD_RELEASE__K=50 CROWDFOLD_RELEASE__POLICY=differential-privacy CROWDFOLD_TTL__BEACONS=3h \
         CROWDFOLD_RELEASE__PRIVACY__SECRET_FILE=secret",
    );
    let expected = "no rows were written: 27 of 27 session-windows are in no row, even of the breakdown that covers the \
                    most of them, because under differential-privacy a row is published only if its session count with \
                    noise is at least ";
    assert!(
        rows == 0 && stderr.contains(expected) && stderr.contains("(for k = 50); use longer"),
        "{stderr}"
    );
    assert!(!stderr.contains("lower release.k"), "{stderr}");
}

#[test]
fn input_without_a_readable_beacon_exits_with_1() {
    let dir = scratch_dir();
    fs::write(dir.path().join("F"), "no beacon\nand none\n{}\n").expect("written");
    fs::write(dir.path().join("rows"), "old").expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --config K --output rows --ledger L F");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr
            .contains("crowdfold: no beacon could be read: all 3 beacons were rejected (2 malformed, 1 no_")
    );
    assert_eq!(fs::read_to_string(dir.path().join("rows")).expect("read"), "old");
    // The ledger is written despite the error, and contains the reasons.
    assert_eq!(ledger(dir.path())["beacons"]["rejected"]["malformed"], 2);
    fs::write(dir.path().join("empty"), "").expect("written");
    for command in ["$C fold --config K empty", "$C fold --config K < /dev/null"] {
        let (code, stdout, stderr) = shell(dir.path(), command);
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
        assert!(stderr.contains("the input contains no beacons"), "{stderr}");
    }
}

#[test]
fn truncated_compressed_file_is_named_in_the_error_and_nothing_is_written() {
    let dir = scratch_dir();
    let text = beacons(2_000);
    fs::write(dir.path().join("whole"), &text).expect("written");
    let compressed = [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).expect("compressed")];
    let (_, expected, _) = shell(dir.path(), "$C fold --config K whole");
    assert!(!expected.is_empty());
    for (extension, compressed) in ["gz", "zst"].iter().zip(compressed) {
        fs::write(dir.path().join(format!("whole.{extension}")), &compressed).expect("written");
        let (code, stdout, stderr) = shell(dir.path(), &format!("$C fold --config K whole.{extension}"));
        assert_eq!((code, stdout == expected), (Some(0), true), "{stderr}");
        fs::write(dir.path().join(format!("cut.{extension}")), &compressed[..compressed.len() / 2])
            .expect("written");
        fs::write(dir.path().join("rows"), "old").expect("written");
        let command = format!("$C fold --config K --output rows --ledger L whole cut.{extension}");
        let (code, _, stderr) = shell(dir.path(), &command);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(&format!("cut.{extension} cannot be read to its end: ")), "{stderr}");
        assert_eq!(fs::read_to_string(dir.path().join("rows")).expect("read"), "old");
        assert!(!dir.path().join("L").exists());
    }
}

/// Waits until a process ends. Returns its maximum resident memory in KiB, and its exit code.
fn most_memory(mut child: Child) -> (u64, Option<i32>) {
    let mut most = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(number.unwrap_or(0));
        if let Some(ended) = child.try_wait().expect("waited") {
            return (most, ended.code());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn fold_uses_less_than_64_mib_for_large_compressed_inputs() {
    let dir = scratch_dir();
    let beacon = beacons(1);
    // The inputs are many lines that are not beacons, one very long line, and more beacons than fit into `--memory`.
    let bombs: [(&str, Vec<u8>); 3] = [
        ("lines", b"x\n".repeat(4 << 20)),
        ("line", b"x".repeat(128 << 20)),
        ("beacons", beacon.repeat((32 << 20) / beacon.len()).into_bytes()),
    ];
    for (name, bomb) in bombs {
        let decompressed = bomb.len();
        for (extension, compressed) in
            [("gz", gzip(&bomb)), ("zst", zstd::encode_all(&bomb[..], 3).expect("compressed"))]
        {
            assert!(compressed.len() * 50 < decompressed, "{name}");
            fs::write(dir.path().join(format!("{name}.{extension}")), compressed).expect("written");
            let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
            command
                .args([
                    "fold",
                    "--config",
                    "K",
                    "--memory",
                    "4MiB",
                    &format!("{name}.{extension}"),
                    "--ledger",
                    "L",
                ])
                .current_dir(dir.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let (memory, code) = most_memory(command.spawn().expect("the program runs"));
            assert!(memory < 64 << 10, "{name}.{extension}: {memory} KiB");
            assert_eq!(code, Some(i32::from(name != "beacons")), "{name}.{extension}");
            let ledger = ledger(dir.path());
            assert_eq!(ledger["balanced"], true, "{ledger}");
            let count = match name {
                "lines" => (4 << 20, "malformed"),
                _ => (1, "too_large"),
            };
            if name != "beacons" {
                assert_eq!(ledger["beacons"]["rejected"][count.1], count.0, "{name}.{extension}");
            }
        }
    }
}

/// Returns the metadata of files in a directory, for those that a process has open.
fn open_files(process: u32, dir: &Path) -> Vec<fs::Metadata> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let files = entries.filter_map(|entry| {
        let descriptor = entry.ok()?.path();
        fs::read_link(&descriptor).ok()?.starts_with(dir).then(|| fs::metadata(descriptor).ok())?
    });
    files.collect()
}

#[test]
fn killed_fold_leaves_no_temporary_files() {
    for flag in [true, false] {
        let dir = scratch_dir();
        let temp = dir.path().join("temp");
        fs::create_dir(&temp).expect("a directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
        command.args(["fold", "--config", "K", "--memory", "64KiB"]).current_dir(dir.path());
        if flag {
            command.args(["--temp-dir", "temp"]);
        } else {
            command.env("TMPDIR", &temp);
        }
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = pipes.spawn().expect("the program runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(beacons(20_000).as_bytes()).expect("written");
        // A new file has no name, so no other user can open it before its permissions are set.
        eventually("it sorts in files that only its user can read", || {
            let files = open_files(child.id(), &temp);
            assert!(files.iter().all(|file| file.nlink() == 0));
            (files.len() > 3 && files.iter().all(|file| file.mode() & 0o777 == 0o600)).then_some(())
        });
        assert_eq!(fs::read_dir(&temp).expect("read").count(), 0);
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(fs::read_dir(&temp).expect("read").count(), 0);
    }
}

#[test]
fn error_about_unwritable_temporary_files_contains_the_fix() {
    let dir = scratch_dir();
    fs::write(dir.path().join("F"), beacons(20_000)).expect("written");
    fs::write(dir.path().join("rows"), "old").expect("written");
    // A limit on the size of files causes the same error as a full disk.
    let command =
        "trap '' XFSZ; ulimit -f 16; exec $C fold --config K --memory 256KiB --temp-dir . F --output rows";
    let (code, _, stderr) = shell(dir.path(), command);
    assert_eq!(code, Some(1), "{stderr}");
    for part in
        ["records cannot be sorted in temporary files in .; ", "--temp-dir", "--memory", "File too large"]
    {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("rows")).expect("read"), "old");
    for (flags, message) in [
        ("--temp-dir missing", "--temp-dir: missing is not a directory"),
        ("--temp-dir F", "--temp-dir: F is not a directory"),
        ("--memory 0", "not a size; write a number above 0"),
        ("--memory much", "unknown unit; write a number and a unit"),
    ] {
        let (code, _, stderr) = shell(dir.path(), &format!("$C fold --config K {flags} F"));
        assert_eq!(code, Some(2), "{flags}: {stderr}");
        assert!(stderr.contains(message), "{flags}: {stderr}");
    }
}

#[test]
fn progress_is_drawn_only_on_a_terminal() {
    let dir = scratch_dir();
    fs::write(dir.path().join("F"), beacons(50_000)).expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --config K F");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("reading") && !stderr.contains("records, "), "{stderr}");

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("granted");
    unlockpt(&terminal).expect("unlocked");
    tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    let name = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("UTF-8");
    let end = OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    let mut child = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["fold", "--config", "K", "F"])
        .current_dir(dir.path())
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(end)
        .spawn()
        .expect("the program runs");
    let (mut terminal, mut piece, mut screen) = (File::from(terminal), [0; 4_096], String::new());
    // Reading fails after the last process that uses the terminal has ended.
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        screen += &String::from_utf8_lossy(&piece[..length]);
    }
    assert_eq!(child.wait().expect("ended").code(), Some(0), "{screen}");
    assert!(screen.contains("reading ") && screen.contains("folding "), "{screen}");
}
