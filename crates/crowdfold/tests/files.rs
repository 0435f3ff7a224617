//! Tests of the files and file descriptors that a shell passes to the program, and of resource limits.
#![cfg(target_os = "linux")]

mod shell;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use shell::shell;

const BEACON: &str = "{\"ts\":1795308480000,\"session\":\"a\",\"os\":\"Linux\"}\n";

/// Creates a directory with the file `F`, which contains one beacon.
fn scratch_dir() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("F"), BEACON).expect("written");
    dir
}

#[test]
fn output_to_an_input_file_or_to_another_output_is_refused() {
    let dir = scratch_dir();
    fs::hard_link(dir.path().join("F"), dir.path().join("hard")).expect("linked");
    symlink("F", dir.path().join("soft")).expect("linked");
    for command in [
        "$C fold --output F F",
        "$C fold --output ./F F",
        "$C fold --output hard F",
        "$C fold --output F soft",
        "$C fold --ledger F F",
        "$C fold --ledger soft hard",
        "$C fold --output F < F",
        "$C fold --ledger F - < F",
        "$C fold F >> F",
        "$C fold --output new --ledger ./new F",
        "$C generate --output new --truth new --beacons 1",
    ] {
        let (code, stdout, stderr) = shell(dir.path(), command);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{command}: {stderr}");
        assert!(
            stderr.starts_with("crowdfold: ") && stderr.contains(" is the same file as "),
            "{command}: {stderr}"
        );
        assert_eq!(fs::read_to_string(dir.path().join("F")).expect("read"), BEACON, "{command}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 3, "an unexpected file is in the directory");
}

#[test]
fn fold_replaces_output_files_only_after_success() {
    let dir = scratch_dir();
    fs::write(dir.path().join("rows"), "old").expect("written");
    let (code, _, stderr) = shell(dir.path(), "$C fold --output rows --ledger ledger F missing");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("missing cannot be read"), "{stderr}");
    assert_eq!(fs::read_to_string(dir.path().join("rows")).expect("read"), "old");
    assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 2, "an unexpected file is in the directory");

    let (code, _, stderr) = shell(dir.path(), "$C fold --output rows --ledger ledger F");
    assert_eq!(code, Some(0), "{stderr}");
    // The input has one session, which is too few for a row.
    assert_eq!(fs::read_to_string(dir.path().join("rows")).expect("read"), "");
    assert!(fs::read_to_string(dir.path().join("ledger")).expect("read").contains("\"balanced\""));
    assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 3, "an unexpected file is in the directory");
    let (code, _, stderr) = shell(dir.path(), "$C fold --output /dev/null --ledger /dev/null F");
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn closed_standard_output_is_an_error_only_if_the_command_writes_to_it() {
    let dir = scratch_dir();
    for command in ["$C fold F >&-", "$C generate --output - --beacons 1 >&-"] {
        let (code, _, stderr) = shell(dir.path(), command);
        assert_eq!(code, Some(2), "{command}: {stderr}");
        assert!(stderr.contains("standard output is closed"), "{command}: {stderr}");
    }
    for command in ["$C fold F >/dev/null", "$C fold F | cat", "$C fold --output rows F >&-", "$C check >&-"]
    {
        let (code, _, stderr) = shell(dir.path(), command);
        assert_eq!(code, Some(0), "{command}: {stderr}");
    }
    if Path::new("/dev/full").exists() {
        let (code, _, stderr) = shell(dir.path(), "$C generate --output - --beacons 1000 >/dev/full");
        assert_eq!(code, Some(1), "{stderr}");
    }
}

#[test]
fn number_of_generated_sessions_outside_the_range_is_refused() {
    let dir = scratch_dir();
    for number in ["10000000000", "5000001", "0", "99999999999999999999"] {
        let (code, stdout, stderr) =
            shell(dir.path(), &format!("$C generate --output - --sessions {number}"));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{number}: {stderr}");
        assert!(stderr.contains("--sessions") && stderr.contains(number), "{stderr}");
    }
}

#[test]
fn limit_of_open_files_that_is_too_low_is_refused_with_the_needed_number() {
    let dir = scratch_dir();
    let config =
        "[kafka]\nbrokers = \"127.0.0.1:9\"\n[metrics]\nlisten = \"\"\n[collect]\nlisten = \"127.0.0.1:0\"\n";
    fs::write(dir.path().join("C"), config).expect("written");
    for (command, needed) in [("run", "256"), ("collect", "4352")] {
        let (code, _, stderr) = shell(dir.path(), &format!("ulimit -n 100; exec $C {command} --config C"));
        assert_eq!(code, Some(2), "{stderr}");
        let expected = format!("the system allows 100 open files, but {needed} are needed");
        assert!(stderr.contains(&expected), "{stderr}");
    }
}

#[test]
fn certificate_that_is_a_pipe_is_refused() {
    let dir = scratch_dir();
    let config = "[collect]\nlisten = \"127.0.0.1:0\"\n[collect.tls]\ncertificate = \"pipe\"\nkey = \"F\"\n[metrics]\nlisten = \"\"\n";
    fs::write(dir.path().join("C"), config).expect("written");
    let (code, _, stderr) = shell(dir.path(), "mkfifo pipe; exec $C collect --config C");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("pipe is not a regular file; set the path of a file in PEM format"), "{stderr}");
}
