//! Measures the combiner by the number of live sessions, of breakdowns and of values, and its memory per session.
//!
//! Each case runs in a process of its own, because freed memory of another case would change the result. The time is
//! the CPU time of the thread, without creating beacons. The memory is the growth of the resident memory.
#![expect(clippy::print_stdout, reason = "the figures are printed")]

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record, SessionHasher, Settings, Shared};
use crowdfold_engine::{Combiner, CombinerSettings, Operator as _, Rules, Start};
use crowdfold_model::{Dimension, Qualities, Span, Timestamp};
use rustix::time::{ClockId, clock_gettime};

const START: u64 = 1_795_308_480_000;

/// The time between two beacons of a session in milliseconds.
const INTERVAL: u64 = 20_000;

/// The number of beacons that are created before they are measured together.
const GROUP: u64 = 1_024;

/// One case: the name, the form of beacons, and the number of sessions, of breakdowns and of contents.
type Case = (&'static str, &'static str, u64, usize, u64);

const CASES: [Case; 10] = [
    ("10,000 sessions", "json", 10_000, 2, 1_000),
    ("100,000 sessions", "json", 100_000, 2, 1_000),
    ("1,000,000 sessions", "json", 1_000_000, 2, 1_000),
    ("1 breakdown", "json", 100_000, 1, 1_000),
    ("5 breakdowns", "json", 100_000, 5, 1_000),
    ("10 contents", "json", 100_000, 2, 10),
    ("50,000 contents", "json", 100_000, 2, 50_000),
    ("CMCD, 10,000 sessions", "cmcd", 10_000, 2, 1_000),
    ("CMCD, 100,000 sessions", "cmcd", 100_000, 2, 1_000),
    ("CMCD, 1,000,000 sessions", "cmcd", 1_000_000, 2, 1_000),
];

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--test");
    if let Some(at) = arguments.iter().position(|argument| argument == "--case") {
        let nth = arguments[at + 1].parse::<usize>().expect("the index of a case");
        return run(&CASES[nth], smoke);
    }
    println!("{:<26} {:>14} {:>20}", "case", "ns per beacon", "bytes per session");
    for (nth, (name, ..)) in CASES.iter().enumerate() {
        let mut child = Command::new(&arguments[0]);
        child.args(["--case", &nth.to_string()]).args(smoke.then_some("--test"));
        assert!(child.status().expect("this program starts").success(), "the case {name} failed");
    }
}

fn run(&(name, form, sessions, breakdowns, contents): &Case, smoke: bool) {
    let sessions = if smoke { sessions / 1_000 } else { sessions };
    let mut combiner = combiner(breakdowns);
    // The memory of a group is in use before the combiner's memory grows, so that only the combiner is measured.
    let mut group = vec![(0, "x".repeat(512)); GROUP as usize];
    let resident = resident();
    // In the first four intervals, sessions begin and the first window closes. They are not measured.
    let first = (4 * sessions).next_multiple_of(GROUP);
    let beacons = first + if smoke { GROUP } else { (4 * sessions).max(1_000_000) };
    let content_type = (form == "cmcd").then_some(&b"application/cmcd"[..]);
    let (mut nanos, mut measured) = (0, 0);
    for begin in (0..beacons).step_by(GROUP as usize) {
        let numbers = begin..beacons.min(begin + GROUP);
        for (number, (time, text)) in numbers.clone().zip(&mut group) {
            *time = START + number * INTERVAL / sessions;
            text.clear();
            write_beacon(text, form, number, sessions, *time, contents);
        }
        let before = cpu_nanos();
        for (number, (time, text)) in numbers.clone().zip(&group) {
            let payload = text.as_bytes();
            let record = Record { payload, content_type, timestamp: Some(Timestamp::from_millis(*time)) };
            let now = Timestamp::from_millis(u64::MAX / 2);
            assert!(combiner.buffer(&record, number as i64, now).is_ok(), "the record is accepted");
            if combiner.is_full() {
                combiner.mark_committed();
            }
        }
        if begin >= first {
            nanos += cpu_nanos() - before;
            measured += numbers.end - numbers.start;
        }
    }
    combiner.insert_buffered();
    combiner.mark_committed();
    let totals = combiner.totals();
    assert_eq!((totals.read, totals.without_summary()), (beacons, 0), "every beacon is in a session summary");
    if smoke {
        return println!("{name:<26} {:>14} {:>20}", "ok", "ok");
    }
    let bytes = self::resident().saturating_sub(resident) / sessions;
    println!("{name:<26} {:>14} {bytes:>20}", nanos / measured);
}

/// Writes a beacon of the time `time`. The sessions report in turn.
fn write_beacon(text: &mut String, form: &str, number: u64, sessions: u64, time: u64, contents: u64) {
    let session = number % sessions;
    let content = session % contents;
    let country = ["SE", "NO", "DK", "FI", "DE", "FR", "ES", "IT"][(session % 8) as usize];
    let written = match form {
        "json" => write!(
            text,
            r#"{{"ts":{time},"session":"6f1c1f8e-0000-4000-8000-{session:012x}","event":"heartbeat","device":"phone","os":"Android","browser":"Chrome","country":"{country}","asn":"AS{}","player":"hls.js","player_version":"1.5","cdn":"cdn-{}","connection":"wifi","stream":"vod","format":"hls","content":"movie-{content}","playing_ms":19800,"stalled_ms":200,"bitrate_kbps":3200,"dropped_frames":2}}"#,
            1_000 + session % 50,
            session % 3,
        ),
        _ => write!(
            text,
            "bl=(12300),br=(3200),cid=\"movie-{content}\",e=t,mtp=(5400),pt=20000,sf=h,\
             sid=\"6f1c1f8e-0000-4000-8000-{session:012x}\",sn={},st=v,sta=p,ts={time},v=2",
            number / sessions,
        ),
    };
    assert!(written.is_ok(), "writing to a string succeeds");
}

fn combiner(breakdowns: usize) -> Combiner {
    use Dimension as D;
    let all = [
        vec![D::Device, D::Os, D::Browser],
        vec![D::Stream, D::Format, D::Content],
        vec![D::Country, D::Asn],
        vec![D::Player, D::PlayerVersion],
        vec![D::Cdn, D::Connection],
    ];
    let rules = Rules {
        window: Span::MINUTE,
        lateness: Span::SECOND * 5,
        idle: Span::SECOND * 90,
        breakdowns: all[..breakdowns].to_vec().into(),
        qualities: Qualities::default(),
        max_sessions: 10_000_000,
    };
    let airlock = Settings::default();
    let settings = Arc::new(CombinerSettings {
        rules: Arc::new(rules),
        partitions: 1,
        partial_partitions: 1,
        tenants: airlock.tenants.clone(),
        topic: "beacons".into(),
        trust_timestamps: true,
        max_skew: Span::MINUTE,
        idle_timeout: Span::MINUTE,
    });
    let shared = Arc::new(Shared::new(airlock, SessionHasher::fixed(1)).expect("default settings"));
    let airlock = Airlock::new(&shared, Some(Placement { partition: 0, of: 1 }));
    let start = Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
    Combiner::new(settings, airlock, &start, 0, false)
}

/// Returns the CPU time of this thread in nanoseconds.
fn cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns the resident memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux has this file");
    let line =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line with the resident memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
