//! Tests that other processes cannot read the raw beacons in the memory of the process.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crowdfold_testkit::eventually;
use tempfile::TempDir;

const CANARY: &str = "c4n4ry-in-memory";

/// Creates a directory that every user may enter, with a copy of the program.
fn scratch_dir() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    let all = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("permitted");
    all(dir.path());
    let program = dir.path().join("crowdfold");
    // Another process copies the program. If this process copied it, a child process of another test could inherit the
    // open file. A file that is open for writing cannot be executed.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_crowdfold")).arg(&program).status();
    assert!(copied.expect("cp runs").success());
    all(&program);
    dir
}

/// Starts a shell command as a user other than root. The command may write core dumps of any size, if the host permits
/// this.
fn start(dir: &TempDir, command: &str) -> Child {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit -c unlimited 2>/dev/null; exec {command}")])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if rustix::process::geteuid().is_root() {
        shell.uid(65_534).gid(65_534);
    }
    shell.spawn().expect("a shell runs")
}

/// Starts `fold`, and sends one beacon to its standard input. `fold` then waits for further beacons.
fn folding(dir: &TempDir) -> Child {
    let mut child = start(dir, "./crowdfold fold -");
    let beacon = format!("{{\"ts\":1795308480000,\"session\":\"{CANARY}\",\"ip\":\"203.0.113.77\"}}\n");
    child.stdin.as_mut().expect("a pipe").write_all(beacon.as_bytes()).expect("it reads");
    eventually("core dumps are off", || core_limit(child.id()).filter(|limits| limits == &["0", "0"]));
    child
}

/// Returns the soft and the hard limit on core dumps that the kernel reports for a process.
fn core_limit(process: u32) -> Option<Vec<String>> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size"))?;
    Some(line.split_whitespace().take(2).map(str::to_owned).collect())
}

/// Returns the owner of the files of a process in `/proc`. The owner is the user of the process, or root if the process
/// is not dumpable (proc(5)).
fn owner(process: u32) -> u32 {
    fs::metadata(format!("/proc/{process}/environ")).expect("it runs").uid()
}

fn end(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn memory_is_not_readable_by_other_processes_of_the_same_user() {
    let dir = scratch_dir();
    let other = start(&dir, "sleep 600");
    let ours = folding(&dir);
    let user = owner(other.id());
    assert_ne!(user, 0, "an ordinary process belongs to its user");
    eventually("its entries belong to root", || (owner(ours.id()) == 0).then_some(()));
    // The same user tries to read a file of the process that has the same permissions as its memory.
    let read = |process: u32| {
        let mut child = start(&dir, &format!("head -c 1 /proc/{process}/environ"));
        child.wait().expect("ended").success()
    };
    assert!(read(other.id()), "the memory of the other process is readable by its user");
    assert!(!read(ours.id()), "the memory of the program is not readable");
    end(ours);
    end(other);
}

#[test]
fn fatal_signal_leaves_no_core_dump() {
    let dir = scratch_dir();
    // SIGQUIT is omitted because the parent of this test may ignore it. SIGSEGV is omitted because Rust has a handler
    // for it.
    for signal in ["ABRT", "TRAP", "FPE"] {
        let mut ours = folding(&dir);
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", ours.id())]).status();
        assert!(sent.expect("a shell runs").success());
        let ended = ours.wait().expect("ended");
        assert!(ended.signal().is_some(), "{signal} did not end the process: {ended}");
        assert!(!ended.core_dumped(), "a core dump exists after {signal}");
    }
    let left: Vec<_> =
        fs::read_dir(dir.path()).expect("read").map(|entry| entry.expect("read").file_name()).collect();
    assert_eq!(left, ["crowdfold"], "a file is left in the directory");
}

/// Returns the number of times that a process has tried to write.
fn written(child: &std::process::Child) -> u64 {
    let counts = fs::read_to_string(format!("/proc/{}/io", child.id())).unwrap_or_default();
    let count = counts.lines().find_map(|line| line.strip_prefix("syscw: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[test]
fn process_continues_and_exits_normally_after_stderr_is_closed() {
    let dir = TempDir::new().expect("a directory");
    let config = dir.path().join("crowdfold.toml");
    // No process listens on this port, so the program logs errors continually.
    let text = "[kafka]\nbrokers = [\"127.0.0.1:9\"]\n[collect]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"\"\n";
    fs::write(&config, text).expect("written");
    for command in ["run", "collect"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
            .args([command, "--config"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("it logs");
        assert!(line.contains("INFO") || line.contains("WARN"), "{line}");
        drop(log);
        let before = written(&child);
        // The program logs further errors. Its other writes are few.
        let continues = (0..6_000).any(|_| {
            sleep(Duration::from_millis(50));
            child.try_wait().expect("asked").is_some() || written(&child) >= before + 20
        });
        assert!(continues, "{command} does not log");
        assert!(child.try_wait().expect("asked").is_none(), "{command} runs");
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status();
        assert!(sent.expect("a shell runs").success());
        let ended = (0..3_000).find_map(|_| {
            sleep(Duration::from_millis(20));
            child.try_wait().expect("asked")
        });
        let code = ended.and_then(|status| status.code());
        if code.is_none() {
            child.kill().expect("killed");
        }
        assert_eq!(code, Some(0), "{command} exits on SIGTERM");
    }
}

/// The prefix of an argument that makes the next test panic. The rest of the argument is the message of the panic. The
/// test starts itself with this argument in a separate process. The test harness ignores the argument, because no test
/// has such a name.
const PANIC_WITH: &str = "--skip=no-such-test-";

#[test]
fn panic_reports_its_location_and_not_its_message() {
    let message = std::env::args().find_map(|argument| argument.strip_prefix(PANIC_WITH).map(str::to_owned));
    if let Some(message) = message {
        crowdfold::hardening::harden();
        panic!("what was being read: {message}");
    }
    let output = Command::new(std::env::current_exe().expect("the path of the test"))
        .args(["--exact", "panic_reports_its_location_and_not_its_message", "--nocapture"])
        .arg(format!("{PANIC_WITH}{CANARY}"))
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the test runs");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(!output.status.success(), "the test did not panic: {printed}");
    assert!(printed.contains("internal error at crates/crowdfold/tests/hardening.rs:"), "{printed}");
    assert!(!printed.contains(CANARY) && !printed.contains("what was being read"), "{printed}");
}
