//! Opens the page of the demo in a real browser.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crowdfold_testkit::{binary, cpu_wait};
use serde_json::Value;

use super::HOME;

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/demo.js");

/// The picture of the page in the documentation. `BLESS=1` writes it.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/console.png");

/// The maximum time from the start of the demo to its first chart.
const FIRST: Duration = Duration::from_secs(10);

/// A process that is killed at the end of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> (Self, BufReader<ChildStdout>) {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        (Self(child), output)
    }
}

/// Reads the next line.
fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("UTF-8");
    line.trim_end().to_owned()
}

/// The result of one run of the demo.
struct Seen {
    /// The time from the start of the demo to its first chart.
    first: Duration,
    /// The time for which the threads of the demo waited for a CPU until then.
    waited: Duration,
    page: Value,
}

#[expect(clippy::disallowed_methods, reason = "the test measures how long the demo takes")]
fn run(picture: Option<&Path>) -> Seen {
    let program = binary("crowdfold");
    let (mut driver, mut steps) = Running::start(Command::new("node").args([DRIVER, HOME]).args(picture));
    assert_eq!(line(&mut steps), "browser");
    let began = Instant::now();
    let (demo, mut printed) = Running::start(Command::new(program).args(["demo", "--for", "600s"]));
    let first = line(&mut printed);
    let address = first.strip_prefix("page: ").unwrap_or_else(|| panic!("the first line is {first:?}"));
    writeln!(driver.0.stdin.take().expect("a pipe"), "{address}").expect("the driver reads");
    // the demo must not wait for a reader of its output
    let rest = std::thread::spawn(move || printed.lines().count());
    assert_eq!(line(&mut steps), "chart");
    let (first, waited) = (began.elapsed(), cpu_wait(demo.0.id()));
    assert_eq!(line(&mut steps), "live");
    let page = serde_json::from_str(&line(&mut steps)).expect("JSON");
    drop(demo);
    rest.join().expect("the output is read");
    Seen { first, waited, page }
}

#[test]
fn demo_page_shows_its_first_chart_within_ten_seconds_and_new_windows_without_a_reload() {
    let picture = std::env::vars_os().any(|(name, _)| name == "BLESS").then_some(Path::new(PICTURE));
    let mut seen = run(picture);
    // if the machine is busy, the demo and the browser wait for a CPU
    for _ in 0..2 {
        if seen.first > FIRST && seen.waited > Duration::from_secs(1) {
            seen = run(None);
        }
    }
    let Seen { first, waited, page } = seen;
    assert!(first < FIRST + waited, "the first chart appeared after {first:?}, with {waited:?} of waiting");
    assert!(page["drawn"].as_u64().unwrap() > 5, "the first chart is empty: {page}");
    assert_eq!(page["isSamePage"], true);
    assert_eq!(page["errors"], serde_json::json!([]));
}
