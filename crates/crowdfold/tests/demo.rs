//! Tests of the demo with its output in a pipe. Rows must appear soon, each row must cover at least k sessions, the
//! output must contain no personal data, and the demo must exit after the given time.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crowdfold_testkit::cpu_wait;

const K: u64 = 30;

/// The minimum number of rows that a run must show.
const ROWS: usize = 20;

/// If the demo's threads together waited longer than this for a CPU, the machine was too busy.
const DISTURBED: Duration = Duration::from_secs(2);

/// The result of one run of the demo.
struct Demo {
    status: ExitStatus,
    lines: Vec<String>,
    stderr: String,
    /// The time from the start to the first table, or `None` if there was no table.
    first: Option<Duration>,
    /// The time from the start to the exit.
    took: Duration,
    /// The total time for which the demo's threads waited for a CPU.
    waited: Duration,
}

#[expect(clippy::disallowed_methods, reason = "the test measures how long the demo takes")]
fn run(seconds: u64) -> Demo {
    let began = Instant::now();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["demo", "--for", &format!("{seconds}s"), "--k", &K.to_string()])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let (mut first, mut lines, mut waited) = (None, Vec::new(), Duration::ZERO);
    for line in BufReader::new(demo.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("UTF-8");
        if first.is_none() && line.starts_with("device ") {
            first = Some(began.elapsed());
        }
        waited = waited.max(cpu_wait(demo.id()));
        lines.push(line);
    }
    let mut stderr = String::new();
    demo.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
    let status = demo.wait().expect("it ends");
    Demo { status, lines, stderr, first, took: began.elapsed(), waited }
}

impl Demo {
    /// Returns true if the demo showed too few rows because the machine was too busy.
    fn is_disturbed(&self) -> bool {
        self.waited > DISTURBED && sessions(&self.lines).len() < ROWS
    }
}

/// If the machine is too busy, the demo is repeated with more time. The time for which it waited for a CPU is
/// subtracted.
#[test]
fn demo_shows_rows_of_at_least_k_sessions_within_fifteen_seconds() {
    let mut seconds = 20;
    let mut demo = run(seconds);
    while demo.is_disturbed() && seconds < 180 {
        seconds *= 3;
        demo = run(seconds);
    }
    let Demo { status, lines, stderr, first, took, waited } = demo;
    let printed = lines.join("\n");

    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{printed}");
    let asked = Duration::from_secs(seconds);
    assert!(
        took >= asked && took < asked + Duration::from_secs(20) + waited,
        "the demo took {took:?}, and waited {waited:?} for a CPU"
    );
    let first = first.unwrap_or_else(|| panic!("the demo showed no table:\n{printed}"));
    let bound = Duration::from_secs(15) + waited;
    assert!(first < bound, "the first table appeared after {first:?}, with {waited:?} of waiting for a CPU");

    let sessions = sessions(&lines);
    assert!(sessions.len() >= ROWS, "the demo showed only {} rows:\n{printed}", sessions.len());
    assert!(sessions.iter().all(|sessions| *sessions >= K), "a row has fewer than {K} sessions:\n{printed}");
    assert!(lines.iter().any(|line| line.contains(" *")), "nothing was folded:\n{printed}");
    let legend =
        |line: &&String| line.starts_with("legend      * is the rest: groups of fewer than 30 sessions");
    assert_eq!(lines.iter().filter(legend).count(), 1, "{printed}");
    assert!(lines[0].starts_with("page: http://127.0.0.1:"), "{printed}");
    // The demo has a secret of its own, so the tables of devices have noise.
    assert!(printed.contains("sessions; the rest with noise"), "{printed}");
    let is_noisy = |line: &String| line.contains('±') && !line.starts_with([' ', 'n']);
    assert!(lines.iter().any(is_noisy), "no number is shown as noise:\n{printed}");
    let counts = counts(&lines);
    assert!(counts.iter().all(|(read, released)| read >= released), "{counts:?}:\n{printed}");
    assert!(counts.iter().any(|(_, released)| *released > 0), "{printed}");
    assert!(printed.contains("withheld    all rows of tenant village-tv"), "{printed}");
    let (read, outcomes) = summary(&lines);
    // each number is rounded down to a multiple of k
    assert!(read + K > outcomes, "read {read} beacons, but {outcomes} have an outcome:\n{printed}");
    for (at, line) in lines.iter().enumerate() {
        if let Some(personal) = line.split([' ', ',', ';', '(', ')']).find(|word| is_personal(word)) {
            panic!("line {at} shows {personal:?}:\n{printed}");
        }
    }
}

/// Returns the numbers of beacons read and released, for each time that the demo printed both.
fn counts(lines: &[String]) -> Vec<(u64, u64)> {
    let (mut counts, mut read) = (Vec::new(), 0);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["worker", number, "read,", ..] => read = parsed(number),
            ["released", number, "beacons", ..] => counts.push((read, parsed(number))),
            _ => {}
        }
    }
    counts
}

/// Returns the number of beacons read in the summary, and the sum of their outcomes.
fn summary(lines: &[String]) -> (u64, u64) {
    let begin = lines.iter().position(|line| line.starts_with("finished after ")).expect("a summary");
    let (mut read, mut outcomes) = (0, 0);
    for line in &lines[begin..] {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [
                "worker",
                all,
                "read,",
                "of",
                "which",
                late,
                "late,",
                duplicate,
                "duplicate,",
                opted_out,
                "opted",
                "out,",
                rejected,
                "rejected",
            ] => {
                read = parsed(all);
                outcomes += [late, duplicate, opted_out, rejected].map(parsed).iter().sum::<u64>();
            }
            ["released", number, "beacons", ..] => outcomes += parsed(number),
            _ => {}
        }
    }
    (read, outcomes)
}

/// Parses a number with separators of thousands.
fn parsed(number: &str) -> u64 {
    number.replace(',', "").parse().unwrap_or_else(|_| panic!("no number: {number}"))
}

/// Returns the numbers in the column `sessions` of all tables.
fn sessions(lines: &[String]) -> Vec<u64> {
    let mut sessions = Vec::new();
    let mut end = None;
    for line in lines {
        if let Some(at) = line.find("  sessions ") {
            end = Some(at + "  sessions".len());
        } else if line.is_empty() || line.starts_with('…') {
            end = None;
        } else if let Some(end) = end {
            sessions.push(parsed(line[..end].rsplit(' ').next().expect("a word")));
        }
    }
    sessions
}

/// Returns true if a word is an IP address other than 127.0.0.1, or looks like a session id.
fn is_personal(word: &str) -> bool {
    let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
    if host == "127.0.0.1" {
        return false;
    }
    let hexadecimal = |text: &str| text.bytes().filter(u8::is_ascii_hexdigit).count();
    host.parse::<std::net::Ipv4Addr>().is_ok()
        || word.matches(':').count() >= 3
        || (hexadecimal(word) >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

#[test]
fn addresses_and_session_ids_are_recognised_as_personal() {
    for word in [
        "203.0.113.9",
        "203.0.113.9:443",
        "2001:db8:1:2::9",
        "00c0ffee00c0ffee",
        "12345678-9abc-4def-8123-456789abcdef",
    ] {
        assert!(is_personal(word), "{word}");
    }
    for word in ["127.0.0.1:40123", "16:03:25", "1,234,567", "AS64496", "--", "crowdfold-demo.rollups"] {
        assert!(!is_personal(word), "{word}");
    }
}

#[test]
fn demo_refuses_k_below_ten() {
    let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["demo", "--k", "9"])
        .env_clear()
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
}
