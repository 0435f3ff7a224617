//! Tests of the demo with SIGHUP, the signal that a process receives when its terminal is closed.
#![cfg(target_os = "linux")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The control sequence that switches to the alternate screen.
const OPENED: &str = "\x1b[?1049h";
/// The control sequences that show the cursor again and leave the alternate screen.
const RESTORED: &str = "\x1b[?25h\x1b[?1049l";

#[test]
fn demo_restores_the_terminal_on_hangup() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("granted");
    unlockpt(&terminal).expect("unlocked");
    tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    let name = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("UTF-8");
    let end = OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["demo", "--for", "10m"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(end)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let (sender, shown) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut terminal, mut piece) = (File::from(terminal), [0; 4_096]);
        // Reading fails after the last process that uses the terminal has ended.
        while let Ok(length @ 1..) = terminal.read(&mut piece) {
            let _ = sender.send(piece[..length].to_vec());
        }
    });
    let mut screen = String::new();
    while !screen.contains(OPENED) {
        let piece = shown.recv_timeout(Duration::from_secs(120)).expect("a screen");
        screen += &String::from_utf8_lossy(&piece);
    }
    let sent = Command::new("sh").args(["-c", &format!("kill -HUP {}", demo.id())]).status();
    assert!(sent.expect("a shell runs").success());
    while let Ok(piece) = shown.recv_timeout(Duration::from_secs(120)) {
        screen += &String::from_utf8_lossy(&piece);
    }
    let status = demo.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(screen.contains(RESTORED), "the terminal is not restored");
}

/// Returns a signal mask of a process by its name in `/proc/PID/status`, such as `SigIgn`.
fn mask(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[test]
fn sighup_is_handled_unless_it_is_ignored_at_the_start() {
    const HANGUP: u64 = 1;
    const TERMINATE: u64 = 1 << 14;
    // The first process is started like by `nohup`, and the second process is an ordinary one.
    for (trap, ignored) in [("trap '' HUP; ", HANGUP), ("", 0)] {
        let mut demo = Command::new("sh")
            .args(["-c", &format!("{trap}exec \"$C\" demo --for 10m")])
            .env("C", env!("CARGO_BIN_EXE_crowdfold"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell runs");
        // The demo registers its signals before it prints its first line.
        let mut output = BufReader::new(demo.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert!(!line.is_empty(), "the demo ended");
        let caught = mask(demo.id(), "SigCgt");
        let seen = mask(demo.id(), "SigIgn") & HANGUP;
        demo.kill().expect("killed");
        demo.wait().expect("ended");
        assert!(caught & TERMINATE != 0, "the process does not catch SIGTERM");
        assert_eq!(seen, ignored, "{trap}");
        assert_eq!(caught & HANGUP != 0, ignored == 0, "{trap}: caught");
    }
}
