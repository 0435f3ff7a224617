use super::*;

const IDLE: u64 = 90_000;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn now(record: u64, idle: u64, horizon: u64) -> Now {
    Now { record: at(record), idle: Span::from_millis(idle), horizon: at(horizon) }
}

/// A timeline, and the amounts that follow from its states.
struct Rig {
    line: Timeline,
    sum: Step,
    stalls: u32,
}

impl Rig {
    fn new() -> Self {
        Self { line: Timeline::default(), sum: Step::default(), stalls: 0 }
    }

    fn at(&mut self, record: u64, time: u64, state: State) -> Step {
        let now = now(record, IDLE, 0);
        let step = self.line.step(state, at(time), None, Span::MAX, &now);
        self.line.add_state(state, at(time), Assertion::at(at(record)), &now);
        self.sum.playing_ms += step.playing_ms;
        self.sum.stalled_ms += step.stalled_ms;
        self.stalls += u32::from(step.stall);
        step
    }

    fn kept(&self) -> [usize; Kind::COUNT] {
        self.line.kinds.each_ref().map(|entries| entries.0.len())
    }

    fn all(states: &[(u64, State)]) -> (u32, u32, u32) {
        let mut rig = Self::new();
        for (at, state) in states {
            rig.at(*at, *at, *state);
        }
        (rig.sum.playing_ms, rig.sum.stalled_ms, rig.stalls)
    }
}

use State::{Paused, Playing, Rebuffering, Seeking, Starting, Waiting};

#[test]
fn time_between_two_states_is_attributed_to_the_earlier_one() {
    assert_eq!(Rig::all(&[(0, Starting), (600, Playing), (5_000, Playing), (7_000, Paused)]), (6_400, 0, 0));
    assert_eq!(Rig::all(&[(0, Playing), (4_000, Rebuffering), (5_500, Playing)]), (4_000, 1_500, 1));
}

#[test]
fn waiting_is_a_stall_only_after_playing_and_not_after_a_seek() {
    assert_eq!(Rig::all(&[(0, Rebuffering), (900, Playing), (1_000, Playing)]), (100, 0, 0));
    assert_eq!(
        Rig::all(&[(0, Playing), (1_000, Seeking), (1_000, Waiting), (3_000, Playing), (3_500, Playing)]),
        (1_500, 0, 0)
    );
    assert_eq!(
        Rig::all(&[
            (0, Playing),
            (1_000, Rebuffering),
            (2_000, Seeking),
            (2_100, Rebuffering),
            (9_000, Playing)
        ]),
        (1_000, 1_000, 1),
        "the waiting before the seek is a stall"
    );
}

#[test]
fn stall_lasts_until_the_player_plays() {
    let states = [
        (0, Playing),
        (1_000, Rebuffering),
        (2_000, Waiting),
        (3_000, Paused),
        (4_000, Rebuffering),
        (5_000, Playing),
    ];
    assert_eq!(Rig::all(&states), (1_000, 3_000, 1));
}

#[test]
fn late_state_is_neither_counted_twice_nor_lost() {
    let mut rig = Rig::new();
    rig.at(10, 0, Playing);
    assert_eq!(rig.at(2_010, 2_000, Playing).playing_ms, 2_000);
    assert_eq!(rig.at(2_020, 900, Rebuffering), Step::default(), "a request that began long before");
    assert_eq!(
        rig.at(4_010, 4_000, Playing).playing_ms,
        2_000,
        "the time begins at the latest state by the clock, not in the log"
    );
}

#[test]
fn sum_of_short_times_has_no_rounding_error() {
    let states: Vec<_> = (0..=500).map(|nth| (nth * 17, Playing)).collect();
    assert_eq!(Rig::all(&states).0, 8_500, "8,500 ms in steps of 17");
}

#[test]
fn time_after_an_expired_state_is_not_attributed() {
    let mut rig = Rig::new();
    rig.at(0, 0, Playing);
    assert_eq!(rig.at(IDLE + 1, IDLE + 1, Playing), Step::default());
    let mut rig = Rig::new();
    rig.at(0, 0, Playing);
    assert_eq!(
        rig.at(1, 2 * IDLE, Playing).playing_ms,
        IDLE as u32,
        "the limit also applies if a clock jumps"
    );
}

#[test]
fn state_before_the_latest_one_counts_again_when_the_latest_one_expires() {
    let mut rig = Rig::new();
    rig.at(0, 50_000, Paused);
    rig.at(60_000, 40_000, Playing);
    assert_eq!(rig.at(95_000, 52_000, Paused).playing_ms, 12_000, "the pause was reported 95 s ago");
    let kept = rig.kept();
    assert_eq!(kept, [1, 0, 0, 1], "the first pause can never be the latest state again");
}

#[test]
fn only_one_state_of_each_kind_is_kept_if_records_are_in_order() {
    let mut rig = Rig::new();
    for nth in 0..1_000 {
        rig.at(
            nth * 100,
            nth * 100,
            [Playing, Seeking, Waiting, Playing, Rebuffering, Paused][nth as usize % 6],
        );
    }
    assert_eq!(rig.kept(), [1; Kind::COUNT]);
}

#[test]
fn timeline_equals_a_model_that_keeps_all_states() {
    let mut random = 7_u64;
    let mut below = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    for _ in 0..2_000 {
        let (mut line, mut all) = (Timeline::default(), Vec::new());
        for nth in 0..12 {
            // The timestamps of records are slightly out of order, and the times of the player's clock are far out of
            // order.
            let (record, time) = (nth * 10 + below(40), below(200));
            let now = now(record, 60, nth * 4);
            let state = [Playing, Seeking, Rebuffering, Paused][below(4) as usize];
            let valid = all.iter().filter(|(record, ..): &&(Assertion, _, _)| record.is_valid(&now));
            let latest = valid.max_by_key(|(_, time, _)| *time).map(|(_, time, state)| (*time, *state));
            assert_eq!(line.latest(&now).of_all(), latest);
            line.add_state(state, at(time), Assertion::at(at(record)), &now);
            all.push((Assertion::at(at(record)), at(time), state));
        }
    }
}

#[test]
fn states_in_the_reverse_order_of_the_clock_are_kept_until_they_expire() {
    let mut rig = Rig::new();
    for nth in 0..200_000 {
        rig.at(nth, 1_000_000 - nth, Playing);
    }
    assert_eq!(rig.kept()[0], 200_000);
    let now = now(300_000, IDLE, 190_000);
    for nth in 0..200_000 {
        rig.line.add_state(Playing, at(500_000 - nth), Assertion::at(at(300_000 + nth)), &now);
    }
    assert!(rig.kept()[0] < 250_000, "{:?}", rig.kept());
}
