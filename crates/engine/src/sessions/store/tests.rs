//! Tests each rule of the store separately. The tests in `tests/it` compare all rules together with the oracle.

use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};

use super::*;
use crowdfold_model::{Cell, Dimension, Qualities, Span, SumMetric, ValueMetric};

mod tenants;

const T0: u64 = 1_000_000_000_000;

/// A store of one partition with windows of 10 s, an idle time-out of 15 s, and one breakdown.
struct Rig {
    airlock: Airlock,
    store: SessionStore,
}

impl Rig {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let shared = Shared::new(settings, SessionHasher::fixed(1)).unwrap();
        let rules = Rules {
            window: Span::SECOND.times(10),
            lateness: Span::SECOND.times(5),
            idle: Span::SECOND.times(15),
            breakdowns: vec![vec![Dimension::Cdn, Dimension::Quality]].into(),
            qualities: Qualities::default(),
            max_sessions: 3,
        };
        Self {
            airlock: Airlock::new(&Arc::new(shared), None),
            store: SessionStore::new(Arc::new(rules), &[], Timestamp::EPOCH),
        }
    }

    /// Inserts a beacon of session `s`. The timestamp of its record and its own time are both `at` ms after [`T0`].
    fn beacon(&mut self, s: u32, at: u64, fields: &str) -> Outcome {
        self.late_beacon(s, at, at, fields)
    }

    fn late_beacon(&mut self, s: u32, ts: u64, at: u64, fields: &str) -> Outcome {
        let payload = format!(r#"{{"ts":{},"session":"s{s}"{fields}}}"#, T0 + ts);
        let time = Timestamp::from_millis(T0 + at);
        let record = Record { payload: payload.as_bytes(), content_type: None, timestamp: Some(time) };
        let (mut outcome, store) = (None, &mut self.store);
        self.airlock.admit(&record, &mut |_, beacon| outcome = Some(store.insert(&beacon.unwrap(), time)));
        outcome.unwrap()
    }

    /// Closes the windows that end at or before `until`. The store has only one table. Returns the key and the content
    /// of each of its cells.
    fn close(&mut self, until: u64) -> Vec<(String, Cell)> {
        let closed = self.store.close(Timestamp::from_millis(T0 + until), self.airlock.dictionary());
        let tables = closed.into_iter().flat_map(|window| window.tenants.into_values().flatten());
        tables.flatten().map(|(cell_key, cell)| (cell_key.join("/"), cell)).collect()
    }
}

#[test]
fn session_counts_once_with_any_number_of_beacons() {
    let mut rig = Rig::new();
    for at in 0..50 {
        assert_eq!(rig.beacon(1, at, r#","cdn":"a","playing_ms":100"#), Outcome::Inserted);
    }
    let rows = rig.close(10_000);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].1.sessions, rows[0].1.sums.beacons, rows[0].1.sums[SumMetric::PlayingMs]),
        (1, 50, 5_000)
    );
}

#[test]
fn dimension_has_the_first_value_in_the_window_otherwise_an_inherited_one_otherwise_unknown() {
    let mut rig = Rig::new();
    rig.beacon(1, 0, r#","cdn":"a","height":1080"#);
    rig.beacon(1, 1_000, r#","cdn":"b""#);
    assert_eq!(rig.close(10_000)[0].0, "a/1080p", "the first value of the window");
    rig.beacon(1, 12_000, "");
    rig.beacon(1, 13_000, r#","height":720"#);
    assert_eq!(rig.close(20_000)[0].0, "b/720p", "a reported value takes precedence over an inherited one");
    rig.beacon(1, 28_000, "");
    assert_eq!(rig.close(30_000)[0].0, "unknown/720p", "a value expires 15 s after its last record");
}

#[test]
fn amounts_are_clamped_when_the_window_closes_and_stalled_time_is_reduced_before_playing_time() {
    let mut rig = Rig::new();
    let fields = r#","playing_ms":20000,"stalled_ms":20000,"stalls":99,"switches":99,"dropped_frames":9999"#;
    rig.beacon(1, 0, fields);
    let sums = rig.close(10_000)[0].1.sums;
    assert_eq!(
        (sums[SumMetric::PlayingMs], sums[SumMetric::StalledMs]),
        (20_000, 5_000),
        "window + idle is 25 s"
    );
    assert_eq!(
        (sums[SumMetric::Stalls], sums[SumMetric::Switches], sums[SumMetric::DroppedFrames]),
        (10, 10, 1_200)
    );
}

#[test]
fn repeated_play_or_attempt_counts_once_until_idle_timeout() {
    let mut rig = Rig::new();
    rig.beacon(1, 0, r#","event":"attempt""#);
    rig.beacon(1, 1_000, r#","event":"play","startup_ms":850"#);
    rig.beacon(1, 9_000, r#","event":"play","startup_ms":999"#);
    let first = rig.close(10_000).remove(0).1;
    assert_eq!((first.sums[SumMetric::Attempts], first.sums[SumMetric::Plays]), (1, 1));
    assert_eq!(first.values[ValueMetric::StartupMs].values(), [(850, 1)]);
    rig.beacon(1, 23_999, r#","event":"play""#);
    rig.beacon(1, 39_000, r#","event":"play""#);
    let rows = rig.close(40_000);
    let plays: Vec<_> = rows.iter().map(|(_, cell)| cell.sums[SumMetric::Plays]).collect();
    assert_eq!(plays, [0, 1], "the assertion expires 15 s after the last report");
}

#[test]
fn startup_time_in_the_last_beacon_of_a_session_does_not_count_again() {
    for (last, expected) in [(7_000, 1), (60_000, 0)] {
        let mut rig = Rig::new();
        rig.beacon(1, 0, r#","event":"play","startup_ms":850"#);
        for at in (1_000..last).step_by(3_000) {
            rig.beacon(1, at, r#","playing_ms":3000"#);
        }
        rig.beacon(1, last, r#","event":"end","startup_ms":850"#);
        rig.close(last - last % 10_000);
        let cell = rig.close(last + 10_000).remove(0).1;
        assert_eq!(cell.values[ValueMetric::StartupMs].values().len(), expected, "{last}");
    }
}

#[test]
fn opt_out_removes_the_open_session_summaries() {
    let mut rig = Rig::new();
    rig.beacon(1, 0, "");
    rig.beacon(1, 9_999, "");
    rig.beacon(1, 10_000, "");
    rig.close(10_000);
    assert_eq!(
        rig.beacon(1, 11_000, r#","opt_out":true"#),
        Outcome::OptedOut(1),
        "the summary in the closed window is not removed"
    );
    assert_eq!(rig.beacon(1, 26_000, ""), Outcome::OptedOut(0), "the opt-out has not expired");
    assert_eq!(rig.beacon(1, 26_001, ""), Outcome::Inserted);
    assert_eq!((rig.store.open(), rig.store.open_beacons()), (1, 1));
}

#[test]
fn excluded_beacon_is_ignored_except_its_opt_out() {
    let cartoons = Settings { child_directed_content: vec!["cartoon".into()], ..Settings::default() };
    let mut rig = Rig::with(cartoons);
    assert_eq!(rig.beacon(1, 1_000, ""), Outcome::Inserted);
    assert_eq!(rig.beacon(1, 2_000, r#","content":"cartoon","event":"play""#), Outcome::Excluded(0));
    assert_eq!(rig.beacon(1, 3_000, ""), Outcome::Inserted);
    assert_eq!(rig.beacon(1, 4_000, r#","content":"cartoon","opt_out":true"#), Outcome::Excluded(2));
    assert_eq!(rig.beacon(1, 5_000, ""), Outcome::OptedOut(0), "the opt-out has not expired");
    assert_eq!(rig.beacon(2, 5_000, r#","content":"cartoon","opt_out":true"#), Outcome::Excluded(0));
    assert_eq!(rig.beacon(2, 20_000, ""), Outcome::OptedOut(0), "the session has no other beacons");
    assert_eq!(rig.beacon(2, 20_001, ""), Outcome::Inserted, "an opt-out expires like any other assertion");
    assert_eq!(rig.close(10_000), [], "both sessions were removed");
}

#[test]
fn outcomes_are_checked_in_the_documented_order() {
    let mut rig = Rig::new();
    rig.beacon(1, 0, "");
    assert_eq!(rig.beacon(1, 0, ""), Outcome::Duplicate);
    rig.close(10_000);
    assert_eq!(rig.late_beacon(1, 0, 12_000, ""), Outcome::Late, "late is checked before duplicate");
    assert_eq!(
        rig.late_beacon(1, 1, 12_000, r#","opt_out":true"#),
        Outcome::OptedOut(0),
        "opted out is checked before late"
    );
}

#[test]
fn new_session_beyond_the_limit_is_overload_until_another_session_expires() {
    let mut rig = Rig::new();
    for s in 1..=3 {
        assert_eq!(rig.beacon(s, 0, ""), Outcome::Inserted);
    }
    assert_eq!(rig.beacon(4, 0, ""), Outcome::Overload);
    rig.beacon(1, 20_000, "");
    rig.close(20_000);
    assert_eq!(rig.store.sessions(), 1, "the assertions of the other sessions have expired");
    assert_eq!(rig.beacon(4, 21_000, ""), Outcome::Inserted);
    assert_eq!(rig.close(30_000).iter().map(|(_, cell)| cell.sessions).sum::<u64>(), 2);
}

#[test]
fn repeated_beacon_is_recognised_among_many_beacons_of_one_session() {
    let mut rig = Rig::new();
    for at in 0..2_000 {
        assert_eq!(rig.beacon(1, at, ""), Outcome::Inserted);
    }
    for at in 0..2_000 {
        assert_eq!(rig.beacon(1, at, ""), Outcome::Duplicate);
    }
}
