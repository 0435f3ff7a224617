mod sources;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crowdfold_model::Span;

use super::*;

const WINDOW: Span = Span::from_millis(10);
const LATENESS: Span = Span::from_millis(5);
const IDLE: Span = Span::from_millis(15);
/// A time well after the epoch, at the start of a window.
const T: Timestamp = at(0);

/// Returns the time this many milliseconds after [`T`].
const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000 + millis)
}

/// One beacon: the timestamp of its record, its own time, its source (0 for JSON, 1 for an event, 2 for a request), and
/// its reports.
#[derive(Clone, Copy, Debug)]
struct Beacon {
    record: Timestamp,
    at: Timestamp,
    source: usize,
    states: &'static str,
}

/// The state of one session, and of its open windows.
struct Rig {
    lines: [Line; 3],
    open: BTreeMap<Timestamp, InWindow>,
    /// The numbers of attempts, plays, startup failures, playback failures and exits in each window.
    counted: BTreeMap<Timestamp, [u32; 5]>,
    closed_until: Timestamp,
    is_any_late: bool,
}

impl Rig {
    fn new(closed_until: Timestamp) -> Self {
        Self {
            lines: std::array::from_fn(|_| Line::new()),
            open: BTreeMap::new(),
            counted: BTreeMap::new(),
            closed_until,
            is_any_late: false,
        }
    }

    fn read(&mut self, beacon: Beacon) {
        let Beacon { record, at, source, states } = beacon;
        let now = Now { record, idle: IDLE, horizon: self.closed_until.saturating_sub(IDLE) };
        let window = at.min(record).floor(WINDOW);
        let is_late = window + WINDOW <= self.closed_until;
        self.is_any_late |= is_late;
        let context = WindowContext { window, implied: true };
        let mut open = self.open.get(&window).copied().filter(|_| !is_late).unwrap_or_default();
        let report = AttemptReport {
            at,
            start: states.contains('s'),
            frame: states.contains('p'),
            idle: states.contains('a'),
            fatal: states.contains('f'),
            end: states.contains('q'),
        };
        let [json, events, requests] = &mut self.lines;
        let (line, others) = match source {
            0 => {
                let others = OtherLines::NONE
                    .above(events, context, &open, &now)
                    .above(requests, context, &open, &now);
                (json, others)
            }
            1 => {
                let others =
                    OtherLines::NONE.below(json, context, &open, &now).above(requests, context, &open, &now);
                (events, others)
            }
            _ => (
                requests,
                OtherLines::NONE.below(json, context, &open, &now).below(events, context, &open, &now),
            ),
        };
        let counted = line.report(&report, &others, context, &mut open, &now);
        if !is_late {
            self.open.insert(window, open);
            add(self.counted.entry(window).or_default(), counted);
        }
        let watermark = record.saturating_sub(LATENESS);
        self.closed_until = self.closed_until.max(watermark.floor(WINDOW));
    }

    /// Returns the numbers of each window as they would be if all windows were closed now.
    fn windows(&self) -> BTreeMap<Timestamp, [u32; 5]> {
        let mut windows = self.counted.clone();
        for (window, open) in &self.open {
            let mut pending = Counted::default();
            pending.add(open.pending);
            add(windows.entry(*window).or_default(), pending);
        }
        windows
    }
}

fn add(sums: &mut [u32; 5], counted: Counted) {
    let Counted { attempts, plays, startup_failures, playback_failures, exits_before_start, .. } = counted;
    let all = [attempts, plays, startup_failures, playback_failures, exits_before_start];
    for (sum, more) in sums.iter_mut().zip(all) {
        *sum += u32::from(more);
    }
}

/// Returns the numbers of a session over all windows. Its beacons arrive without delay. In `beacons`, each beacon is
/// written as its time in milliseconds after [`T`], followed by its reports: `3p` is a first frame after 3 ms. It is an
/// event. The prefix `j` makes it a JSON beacon, and `r` a request.
fn sums(beacons: &str) -> [u32; 5] {
    let mut rig = Rig::new(Timestamp::EPOCH);
    for beacon in beacons.split(' ') {
        let sources = [("j", 0), ("r", 2)];
        let (source, beacon) = sources
            .into_iter()
            .find_map(|(prefix, source)| Some((source, beacon.strip_prefix(prefix)?)))
            .unwrap_or((1, beacon));
        let (time, states) = beacon.split_at(beacon.find(|c: char| c.is_alphabetic()).unwrap());
        let at = at(time.parse().unwrap());
        let states = ["s", "p", "a", "f", "q", "pf"].into_iter().find(|known| *known == states).unwrap();
        rig.read(Beacon { record: at, at, source, states });
    }
    rig.windows().values().fold([0; 5], |sums, window| std::array::from_fn(|i| sums[i] + window[i]))
}

#[test]
fn attempts_plays_and_failures_of_short_sessions_are_counted() {
    for (beacons, expected) in [
        ("0s 1p 2p 9p", [1, 1, 0, 0, 0]),
        // There is no start. If the first report is a pause, playback began before the first record.
        ("0p", [1, 1, 0, 0, 0]),
        ("0f", [1, 0, 1, 0, 0]),
        ("0a 1p", [0, 0, 0, 0, 0]),
        ("0a 1f", [0, 0, 0, 0, 0]),
        // Before the first frame, the player pauses, preloads, or plays an advertisement.
        ("0s 1a 9p", [1, 1, 0, 0, 0]),
        ("0s 1a 9s 10p", [1, 1, 0, 0, 0]),
        ("0a 9s 10p 12a", [1, 1, 0, 0, 0]),
        // Playback after a pause is not another play.
        ("0s 1p 2a 9p 10a", [1, 1, 0, 0, 0]),
        ("0s 1p 10a 20a 30a 40p", [1, 1, 0, 0, 0]),
        // The next title begins in the same session.
        ("0s 1p 9s 10p", [2, 2, 0, 0, 0]),
        ("0s 1p 9s 10f", [2, 1, 1, 0, 0]),
        // The start is reported several times.
        ("0s 1s 9s 10s 11p", [1, 1, 0, 0, 0]),
        // The failure is reported several times, also in the next window.
        ("0s 1f 2f 3f", [1, 0, 1, 0, 0]),
        ("0s 9f 11f 21f 31f", [1, 0, 1, 0, 0]),
        ("0p 1f 2f 12f", [1, 1, 0, 1, 0]),
        ("0p 1pf 2f", [1, 1, 0, 1, 0]),
        // The player retries in the same window. It either recovers, or has one failure.
        ("0s 1f 2s 3f 4s 5f", [1, 0, 1, 0, 0]),
        ("0s 1f 2s 3p", [1, 1, 0, 0, 0]),
        ("0s 1f 3p", [1, 1, 0, 0, 0]),
        ("0f 3p", [1, 1, 0, 0, 0]),
        ("0p 1f 3p", [1, 1, 0, 0, 0]),
        // If the player retries in the next window, this is another attempt.
        ("0s 9f 10s 11p", [2, 1, 1, 0, 0]),
        ("0s 9f 11p", [2, 1, 1, 0, 0]),
        ("0s 9f 10s 11f", [2, 0, 2, 0, 0]),
        ("0p 9f 10s 11p", [2, 2, 0, 1, 0]),
        ("0p 9f 11p", [2, 2, 0, 1, 0]),
        // One failure is reported in two windows, and then another attempt begins.
        ("0s 9f 10f 11s 12f", [2, 0, 2, 0, 0]),
        ("0s 9f 10f 11s 12p", [2, 1, 1, 0, 0]),
        // Another attempt follows a playback failure in the same window.
        ("0s 1p 2f 3s 4p", [2, 2, 0, 1, 0]),
        ("0s 1p 7f 8s 11p", [2, 2, 0, 1, 0]),
        // The idle time-out passes without a report, so all assertions have expired.
        ("0s 1p 17p", [2, 2, 0, 0, 0]),
        ("0s 16p", [2, 1, 0, 0, 0]),
    ] {
        assert_eq!(sums(beacons), expected, "{beacons}");
    }
}

#[test]
fn exit_before_the_first_frame_counts_once_unless_a_frame_or_failure_follows_in_the_window() {
    for (beacons, expected) in [
        ("0s 1q", [1, 0, 0, 0, 1]),
        // The exit is reported several times, also in the next window.
        ("0s 1q 2q 11q", [1, 0, 0, 0, 1]),
        // The viewer ends the session after the first frame, after a failure, or without a start.
        ("0s 1p 2q", [1, 1, 0, 0, 0]),
        ("0s 1f 2q", [1, 0, 1, 0, 0]),
        ("0q", [0, 0, 0, 0, 0]),
        ("0p 1a 2q", [1, 1, 0, 0, 0]),
        // A first frame or a failure replaces the exit if it is in the same window, but not if it is in a later window.
        ("0s 1q 2p", [1, 1, 0, 0, 0]),
        ("0s 1q 2f", [1, 0, 1, 0, 0]),
        ("0s 9q 11p", [1, 1, 0, 0, 1]),
        // The next title begins in the same session.
        ("0s 1p 2s 3q", [2, 1, 0, 0, 1]),
        // The player retries in the next window.
        ("0s 9f 11s 12q", [2, 0, 1, 0, 1]),
        // A request shows that media plays, so the exit is not before the first frame.
        ("0s r1s r2p 3q", [1, 1, 0, 0, 0]),
    ] {
        assert_eq!(sums(beacons), expected, "{beacons}");
    }
}

#[test]
fn start_that_is_repeated_after_the_first_frame_is_not_another_attempt() {
    for source in 0..3 {
        let mut rig = Rig::new(Timestamp::EPOCH);
        for (record, own, states) in [(0, 0, "s"), (2, 2, "p"), (4, 0, "s"), (6, 6, "p"), (8, 8, "p")] {
            rig.read(Beacon { record: at(record), at: at(own), source, states });
        }
        assert_eq!(rig.windows()[&T], [1, 1, 0, 0, 0]);
    }
}

#[test]
fn start_that_arrives_after_a_later_failure_is_not_another_attempt() {
    let failed = [1, 0, 1, 0, 0];
    type Reports = [(u64, u64, &'static str)];
    let cases: [(&Reports, [u32; 5]); 6] = [
        (&[(2, 2, "f"), (3, 0, "s"), (4, 4, "f")], failed),
        (&[(2, 2, "f"), (3, 0, "s"), (4, 4, "s"), (5, 5, "f")], failed),
        // The late start belongs to another window.
        (&[(11, 11, "f"), (12, 9, "s"), (13, 13, "f")], failed),
        (&[(1, 1, "s"), (11, 11, "f"), (12, 9, "s"), (13, 13, "f")], failed),
        // The player retries after the failure.
        (&[(2, 2, "f"), (3, 0, "s"), (4, 4, "p")], [1, 1, 0, 0, 0]),
        (&[(2, 2, "f"), (3, 0, "s"), (12, 12, "s"), (13, 13, "p")], [2, 1, 1, 0, 0]),
    ];
    for (reports, expected) in cases {
        for source in 0..3 {
            let mut rig = Rig::new(Timestamp::EPOCH);
            for &(record, own, states) in reports {
                rig.read(Beacon { record: at(record), at: at(own), source, states });
            }
            let mut sums = [0; 5];
            rig.windows().values().for_each(|window| {
                sums.iter_mut().zip(window).for_each(|(sum, more)| *sum += more);
            });
            assert_eq!(sums, expected, "{reports:?}, source {source}");
        }
    }
}

#[test]
fn assertion_does_not_expire_earlier_if_a_late_report_repeats_it() {
    let mut rig = Rig::new(Timestamp::EPOCH);
    for (record, own) in [(30, 30), (14, 14), (32, 32)] {
        rig.read(Beacon { record: at(record), at: at(own), source: 0, states: "p" });
    }
    assert_eq!(rig.windows()[&at(30)], [1, 1, 0, 0, 0]);
}

#[test]
fn attempts_without_a_start_do_not_count_if_the_records_before_are_unknown() {
    let first = |states: &[&str]| {
        let (mut line, mut open, mut sums) = (Line::new(), InWindow::default(), [0; 5]);
        for states in states {
            let report = AttemptReport {
                at: T,
                start: *states == "s",
                frame: *states == "p",
                idle: false,
                fatal: *states == "f",
                end: false,
            };
            let now = Now { record: T, idle: IDLE, horizon: Timestamp::EPOCH };
            let context = WindowContext { window: T, implied: false };
            add(&mut sums, line.report(&report, &OtherLines::NONE, context, &mut open, &now));
        }
        let mut pending = Counted::default();
        pending.add(open.pending);
        add(&mut sums, pending);
        sums
    };
    assert_eq!(first(&["p", "p"]), [0, 0, 0, 0, 0]);
    assert_eq!(first(&["f"]), [0, 0, 0, 0, 0]);
    assert_eq!(first(&["p", "f"]), [0, 0, 0, 1, 0], "the first frame is in an unknown record");
    assert_eq!(first(&["s", "p", "f"]), [1, 1, 0, 1, 0]);
    assert_eq!(first(&["p", "s", "p"]), [1, 1, 0, 0, 0]);
}

/// Generates beacons. Each beacon is defined by the time since the previous beacon, by two delays (of its record and of
/// its own time), and by its source.
fn beacons(
    steps: &'static [u64],
    delays: &'static [u64],
    sources: usize,
) -> impl Strategy<Value = Vec<Beacon>> {
    let states = ["s", "s", "p", "p", "f", "f", "a", "q", "sp", "pf", ""];
    let step = (0..steps.len(), 0..delays.len(), 0..delays.len(), 0..sources, 0..states.len());
    (0..WINDOW.as_millis(), vec(step, 1..14)).prop_map(move |(offset, all)| {
        let mut now = offset;
        let beacon = |(step, back, delay, source, state): (usize, usize, usize, usize, usize)| {
            now += steps[step];
            let back = Span::from_millis(if steps.len() > 6 { delays[back] } else { 0 });
            let record = at(now) - back;
            let own = record - Span::from_millis(delays[delay]);
            Beacon { record, at: own, source, states: states[state] }
        };
        all.into_iter().map(beacon).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn plays_and_failures_do_not_exceed_attempts(
        all in beacons(&[0, 0, 1, 1, 2, 5], &[0, 0, 0, 1, 2, 4], 1),
        first in prop_oneof![Just("s"), Just("p")],
        source in 0..3_usize,
    ) {
        let mut rig = Rig::new(Timestamp::EPOCH);
        let begins = all[0].record;
        for (number, beacon) in all.into_iter().enumerate() {
            if beacon.record > begins + IDLE {
                break;
            }
            rig.read(Beacon { source, states: if number == 0 { first } else { beacon.states }, ..beacon });
        }
        prop_assume!(!rig.is_any_late);
        let windows = rig.windows();
        let [attempts, plays, startup, playback, _] = windows
            .values()
            .fold([0; 5], |sums: [u32; 5], window| std::array::from_fn(|i| sums[i] + window[i]));
        prop_assert!(plays + startup <= attempts, "{windows:?}");
        prop_assert!(playback <= plays, "{windows:?}");
    }

    #[test]
    fn replay_from_any_record_has_the_same_result(
        all in beacons(&[0, 0, 1, 2, 3, 6, 9, 14], &[0, 0, 0, 1, 4, 9, 14], 3),
    ) {
        let mut whole = Rig::new(Timestamp::EPOCH);
        let mut closed = Vec::new();
        for beacon in &all {
            whole.read(*beacon);
            closed.push(whole.closed_until);
        }
        closed.dedup();
        for closed_until in closed {
            let mut again = Rig::new(closed_until);
            let first = all.iter().position(|beacon| beacon.record >= closed_until.saturating_sub(IDLE));
            for beacon in &all[first.unwrap_or(all.len())..] {
                again.read(*beacon);
            }
            let open = |rig: &Rig| {
                let mut windows = rig.windows();
                windows.retain(|window, sums| *window >= closed_until && *sums != [0; 5]);
                windows
            };
            prop_assert_eq!(open(&whole), open(&again), "cut at {:?}", closed_until);
        }
    }
}
