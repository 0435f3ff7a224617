//! Tests with shortened records of real players: hls.js 1.7.4, dash.js 5.2.1 and Shaka Player 5.2.12. Each player has
//! its own peculiarities.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};
use crowdfold_model::{Cell, Dimension, Qualities, Span, SumMetric, Timestamp, ValueMetric};

use crate::{Outcome, Rules, SessionStore};

mod requests;
mod values;

/// The start of the first window, in milliseconds since the epoch.
const BEGIN: u64 = 1_795_312_440_000;

/// The time 0 of the relative times in the tests. It is later than [`BEGIN`], because some events precede the first
/// request.
const T0: u64 = BEGIN + 1_000;

/// The airlock and the store of one session.
struct Rig {
    airlock: Airlock,
    store: SessionStore,
}

impl Rig {
    fn new() -> Self {
        let rules = Rules {
            window: Span::MINUTE,
            lateness: Span::SECOND.times(30),
            idle: Span::SECOND.times(90),
            breakdowns: vec![vec![Dimension::Format]].into(),
            qualities: Qualities::default(),
            max_sessions: 3,
        };
        let shared = Shared::new(Settings::default(), SessionHasher::fixed(1)).unwrap();
        Self {
            airlock: Airlock::new(&Arc::new(shared), None),
            store: SessionStore::new(Arc::new(rules), &[], Timestamp::EPOCH),
        }
    }

    /// Adds events that arrive `at` ms after [`T0`]. `lines` contains neither the session nor the version. A time with
    /// `+` is relative to [`T0`].
    fn events(&mut self, at: u64, lines: &[&str]) -> &mut Self {
        let line = |line: &&str| {
            let (before, after) = line.split_once("ts=").unwrap();
            let (ts, rest) = after.split_once(',').unwrap_or((after, ""));
            let ts = T0.checked_add_signed(ts.parse().unwrap()).unwrap();
            format!("{before}ts={ts},sid=\"a\",v=2,{rest}").trim_end_matches(',').to_owned() + "\n"
        };
        let body: String = lines.iter().map(line).collect();
        self.record(at, &body)
    }

    /// Adds a request for media that arrives `at` ms after [`T0`].
    fn request(&mut self, at: u64, record: &str) -> &mut Self {
        self.record(at, &format!("CMCD=sid=\"a\",{record}"))
    }

    fn record(&mut self, at: u64, payload: &str) -> &mut Self {
        let time = Timestamp::from_millis(T0 + at);
        let record = Record {
            payload: payload.as_bytes(),
            content_type: Some(b"application/cmcd"),
            timestamp: Some(time),
        };
        let store = &mut self.store;
        self.airlock.admit(&record, &mut |_, beacon| {
            let Ok(beacon) = beacon else { panic!("rejected: {payload}") };
            assert_eq!(store.insert(&beacon, time), Outcome::Inserted, "{payload}");
        });
        self
    }

    /// Returns the session's cell in the window that starts `start` ms after [`BEGIN`].
    fn cell(&mut self, start: u64) -> Cell {
        let start = Timestamp::from_millis(BEGIN + start);
        let closed = self.store.close(start + Span::MINUTE, self.airlock.dictionary());
        let window = closed.into_iter().find(|window| window.window.start == start).unwrap();
        let mut cells = window.tenants.into_values().flatten().flatten().map(|(_, cell)| cell);
        cells.next().unwrap()
    }
}

/// Returns the playing time, the stalled time, the stalls, the attempts, the plays and the startup time of a cell.
fn amounts(cell: &Cell) -> (u64, u64, u64, u64, u64, Option<u32>) {
    let sums = &cell.sums;
    let startup = cell.values[ValueMetric::StartupMs].values().first().map(|(value, _)| *value);
    (
        sums[SumMetric::PlayingMs],
        sums[SumMetric::StalledMs],
        sums[SumMetric::Stalls],
        sums[SumMetric::Attempts],
        sums[SumMetric::Plays],
        startup,
    )
}

#[test]
fn hls_js_reports_no_startup_time_and_rebuffers_after_a_seek() {
    let mut rig = Rig::new();
    rig.request(0, "ot=m,sn=0,sta=d,su")
        .events(11, &["e=t,sn=0,ts=-20", "e=ps,sn=1,sta=d,ts=-19", "e=ps,sn=2,sta=s,ts=-16"])
        .request(69, "br=(868),ot=m,sn=1,sta=s,su")
        .events(198, &["e=bc,sn=3,sta=s,ts=65,br=(868)", "e=rr,sn=5,sta=s,ts=167,br=(868)"])
        .events(
            451,
            &["e=ps,sn=9,sta=p,ts=428,tpb=(867.654)", "e=rr,sn=10,sta=p,ts=418", "e=rr,sn=11,sta=p,ts=410"],
        )
        .request(2_781, "ot=a,sn=18,sta=p")
        .events(4_279, &["e=t,sn=18,sta=p,ts=2981", "e=ps,sn=19,sta=k,ts=4266", "e=ps,sn=20,sta=r,ts=4268"])
        // hls.js sends `bs` after every seek, although a seek is not a stall.
        .request(4_768, "ot=v,sn=19,sta=p,su,bs")
        .events(
            5_985,
            &["e=ps,sn=21,sta=p,ts=4288", "e=bc,sn=22,sta=p,ts=4764,br=(316)", "e=t,sn=23,sta=p,ts=5981"],
        )
        .events(11_130, &["e=t,sn=24,sta=p,ts=8981", "e=ps,sn=26,sta=r,ts=11126"]);
    let cell = rig.cell(0);
    // The player plays for 3.9 s before the seek and for 6.8 s after it. The stall at the end has a duration of 0. The
    // time from `s` to `p` is 444 ms.
    assert_eq!(amounts(&cell), (10_700, 0, 1, 1, 1, Some(440)));
    let sums = |metrics: [SumMetric; 3]| metrics.map(|metric| cell.sums[metric]);
    // The first selection of a bitrate is not a switch.
    assert_eq!(sums([SumMetric::Switches, SumMetric::SwitchesUp, SumMetric::SwitchesDown]), [1, 0, 1]);
    assert_eq!((cell.sums[SumMetric::Seeks], cell.sums[SumMetric::SeekingMs]), (1, 0));
}

#[test]
fn dash_js_reports_startup_twice_waits_after_a_seek_and_repeats_an_error() {
    let mut rig = Rig::new();
    rig.request(0, "msd=3,ot=m,sn=0,sta=s")
        .events(
            32,
            &[
                "e=t,sn=0,ts=-21",
                "e=ps,sn=1,sta=s,msd=2,ts=-18",
                "e=rr,sn=2,sta=s,msd=58,ts=-9,ttfb=1795312440021",
            ],
        )
        // An `rr` event contains the time at which its request began, and the state at that time.
        .events(879, &["e=ps,sn=7,sta=p,ts=558", "e=rr,sn=8,sta=s,ts=546"])
        .events(5_088, &["e=rr,sn=30,sta=p,ts=4371", "e=ps,sn=31,sta=k,ts=5044", "e=ps,sn=32,sta=w,ts=5044"])
        .events(
            8_985,
            &["e=ps,sn=33,sta=p,ts=7089", "e=e,sn=34,sta=p,ec=27,ts=8000", "e=t,sn=35,sta=p,ec=27,ts=8980"],
        )
        .events(61_000, &["e=t,sn=36,sta=p,ec=27,ts=60900"]);
    let cell = rig.cell(0);
    // The time from `s` to `p` is 576 ms.
    assert_eq!(amounts(&cell), (6_300, 0, 0, 1, 1, Some(580)));
    assert_eq!(cell.sums.errors, [1, 0, 0, 0, 0, 0]);
    let next = rig.cell(60_000);
    assert_eq!(amounts(&next), (51_900, 0, 0, 0, 0, None), "time counts in the window of its last beacon");
    assert_eq!(next.sums.errors, [0; 6]);
}

#[test]
fn shaka_rebuffers_before_its_start_and_reports_stalls_that_differ_from_seeks() {
    let mut rig = Rig::new();
    rig.request(0, "ot=m,sn=0,sta=r")
        .events(37, &["e=t,sn=0,ts=-21", "e=ps,sn=1,sta=r,ts=-7", "e=bc,sn=2,sta=r,ts=32,br=(864)"])
        .request(150, "msd=135,ot=v,sn=5,sta=p")
        .events(162, &["e=rr,sn=6,sta=r,ts=51", "e=ps,sn=7,sta=p,ts=128", "e=rr,sn=8,sta=p,ts=132,msd=135"])
        .events(5_182, &["e=rr,sn=22,sta=p,ts=4298", "e=ps,sn=23,sta=k,ts=5178"])
        .events(8_943, &["e=ps,sn=24,sta=r,ts=5184", "e=rr,sn=33,sta=r,ts=6693", "e=ps,sn=35,sta=p,ts=8937"])
        .events(11_152, &["e=t,sn=36,sta=p,ts=8979", "e=ps,sn=37,sta=r,ts=9957", "e=rr,sn=38,sta=r,ts=8919"])
        .request(11_175, "ot=v,sn=27,sta=r,su")
        .events(
            11_984,
            &["e=rr,sn=39,sta=r,ts=8927", "e=ps,sn=40,sta=p,ts=11173", "e=t,sn=41,sta=p,ts=11981"],
        );
    // The player plays for 5.1 s, 1.1 s and 0.8 s, and stalls once for 1.2 s.
    assert_eq!(amounts(&rig.cell(0)), (7_000, 1_200, 1, 1, 1, Some(140)));
}

#[test]
fn totals_are_used_if_records_contain_no_states() {
    let mut rig = Rig::new();
    rig.events(100, &["e=rr,sn=0,ts=0,br=(800)", "e=t,sn=1,ts=10,bsa=(1),bsda=(400),dfa=(7)"])
        .events(9_000, &["e=t,sn=2,ts=8900,bsa=(3),bsda=(1650),dfa=(9)", "e=rr,sn=3,ts=8950,msd=135"]);
    let cell = rig.cell(0);
    assert_eq!(amounts(&cell), (0, 1_300, 2, 1, 1, Some(140)));
    assert_eq!(cell.sums[SumMetric::DroppedFrames], 2);
}

#[test]
fn repeated_failure_counts_once_as_startup_or_playback_failure() {
    let failures = |lines: &[&str]| {
        let mut rig = Rig::new();
        rig.events(20_000, lines);
        let sums = rig.cell(0).sums;
        (
            sums[SumMetric::Attempts],
            sums[SumMetric::Plays],
            sums[SumMetric::StartupFailures],
            sums[SumMetric::PlaybackFailures],
        )
    };
    let fatal = ["e=e,sn=2,sta=f,ec=\"404\",ts=9000", "e=t,sn=3,sta=f,ts=19000"];
    assert_eq!(failures(&["e=ps,sn=0,sta=s,ts=0", fatal[0], fatal[1]]), (1, 0, 1, 0));
    assert_eq!(
        failures(&["e=ps,sn=0,sta=r,ts=0", "e=ps,sn=1,sta=p,ts=900", fatal[0], fatal[1]]),
        (1, 1, 0, 1)
    );
    assert_eq!(failures(&fatal), (1, 0, 1, 0), "a failure implies an attempt");
}

#[test]
fn startup_time_is_unknown_after_a_pause_or_seek_before_the_first_frame() {
    let startup = |lines: &[&str]| {
        let mut rig = Rig::new();
        rig.events(40_000, lines);
        amounts(&rig.cell(0)).5
    };
    assert_eq!(startup(&["e=ps,sn=0,sta=s,ts=0", "e=ps,sn=1,sta=p,ts=900"]), Some(900));
    assert_eq!(
        startup(&["e=ps,sn=0,sta=s,ts=0", "e=ps,sn=1,sta=r,ts=5", "e=ps,sn=2,sta=p,ts=900"]),
        Some(900)
    );
    for pause in ["a", "k"] {
        let between = format!("e=ps,sn=1,sta={pause},ts=900");
        assert_eq!(startup(&["e=ps,sn=0,sta=s,ts=0", &between, "e=ps,sn=2,sta=p,ts=30900"]), None);
        // After the interruption, the player starts again.
        let again =
            ["e=ps,sn=0,sta=s,ts=0", &between, "e=ps,sn=2,sta=s,ts=30000", "e=ps,sn=3,sta=p,ts=30800"];
        assert_eq!(startup(&again), Some(800));
        // One pause is before the start, and the other pause is after the first frame.
        let before = format!("e=ps,sn=0,sta={pause},ts=-900");
        let after = format!("e=ps,sn=3,sta={pause},ts=2000");
        let all =
            [&before, "e=ps,sn=1,sta=s,ts=0", "e=ps,sn=2,sta=p,ts=700", &after, "e=ps,sn=4,sta=p,ts=9000"];
        assert_eq!(startup(&all), Some(700));
    }
    // The startup time in the report of this player includes the pause.
    let mut rig = Rig::new();
    rig.request(0, "sn=0,sta=s").request(900, "sn=1,sta=a").request(30_900, "sn=2,sta=p,msd=30900");
    assert_eq!(amounts(&rig.cell(0)).5, None);
}

#[test]
fn each_attempt_of_a_session_has_its_own_startup_time() {
    let mut rig = Rig::new();
    rig.events(1_000, &["e=ps,sn=0,sta=s,ts=0", "e=ps,sn=1,sta=p,ts=700"])
        .events(70_000, &["e=ps,sn=2,sta=s,ts=65000", "e=ps,sn=3,sta=p,ts=65400"]);
    assert_eq!(amounts(&rig.cell(0)), (0, 0, 0, 1, 1, Some(700)));
    assert_eq!(amounts(&rig.cell(60_000)), (64_300, 0, 0, 1, 1, Some(400)));
}

#[test]
fn waiting_is_a_stall_only_if_it_interrupts_playback() {
    let stalled = |states: &str| {
        let lines: Vec<_> = states
            .chars()
            .enumerate()
            .map(|(n, sta)| format!("e=ps,sn={n},sta={sta},ts={}", n * 1_000))
            .collect();
        let mut rig = Rig::new();
        rig.events(30_000, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let amounts = amounts(&rig.cell(0));
        (amounts.1, amounts.2)
    };
    for (states, expected) in [
        ("sprp", (1_000, 1)),
        ("sprarp", (2_000, 1)),
        ("sprawaap", (2_000, 1)),
        ("sparap", (0, 0)),
        ("sparrp", (0, 0)),
        ("sperp", (0, 0)),
        ("spsrp", (0, 0)),
        ("sprsrp", (1_000, 1)),
        ("spkrp", (0, 0)),
        ("sprkrp", (1_000, 1)),
        ("sparprp", (1_000, 1)),
        ("srp", (0, 0)),
    ] {
        assert_eq!(stalled(states), expected, "{states}");
    }
}

#[test]
fn changed_player_clock_adds_no_playing_time() {
    for batch in [1, 3] {
        for jump in [-7_200_000_i64, -40_000, -5_000, 5_000, 40_000, 59_000] {
            let mut rig = Rig::new();
            let line = |nth: i64| {
                let set = if nth > 6 { jump } else { 0 };
                format!("e=t,sn={nth},sta=p,ts={}", nth * 2_000 + set)
            };
            let all: Vec<_> = (0..24).map(line).collect();
            for (nth, lines) in all.chunks(batch).enumerate() {
                let sent = ((nth + 1) * batch - 1) as u64 * 2_000 + 100;
                rig.events(sent, &lines.iter().map(String::as_str).collect::<Vec<_>>());
            }
            let playing = amounts(&rig.cell(0)).0;
            assert!(playing <= 46_000, "{playing} of 46000 ms, {jump} ms, batches of {batch}");
            assert!(jump < 0 || playing >= 40_000, "{playing} of 46000 ms, {jump} ms, batches of {batch}");
        }
    }
}

#[test]
fn delayed_batch_adds_all_the_time_that_it_covers() {
    // Events that cover 40 s are delayed, and arrive together with the next record. The player's clock is 3 s slow.
    let mut rig = Rig::new();
    rig.events(3_000, &["e=ps,sn=0,sta=p,ts=0"])
        .events(6_000, &["e=t,sn=1,sta=p,ts=3000"])
        .events(50_000, &["e=t,sn=2,sta=p,ts=20000", "e=ps,sn=3,sta=r,ts=30000", "e=ps,sn=4,sta=p,ts=32000"])
        .events(50_500, &["e=t,sn=5,sta=p,ts=47000"]);
    assert_eq!(amounts(&rig.cell(0)), (45_000, 2_000, 1, 1, 1, None));
}

#[test]
fn playback_after_a_long_pause_is_not_another_play() {
    let mut rig = Rig::new();
    rig.events(1_000, &["e=ps,sn=0,sta=s,ts=0", "e=ps,sn=1,sta=p,ts=700"]);
    for nth in 1..=6 {
        rig.events(30_000 * nth, &[&format!("e=t,sn={},sta=a,ts={}", nth + 1, 30_000 * nth - 10)]);
    }
    rig.events(200_000, &["e=ps,sn=8,sta=p,ts=199000", "e=t,sn=9,sta=p,ts=199900"]);
    assert_eq!(amounts(&rig.cell(0)).4, 1);
    assert_eq!(amounts(&rig.cell(180_000)), (900, 0, 0, 0, 0, None));
}

#[test]
fn amounts_do_not_change_if_the_player_clock_is_ahead() {
    let mut rig = Rig::new();
    rig.events(1_000, &["e=ps,sn=0,sta=p,ts=20000", "e=ps,sn=1,sta=r,ts=20500", "e=ps,sn=2,sta=p,ts=20800"]);
    assert_eq!(amounts(&rig.cell(0)), (500, 300, 1, 1, 1, None));
}

#[test]
fn late_report_of_the_first_bitrate_is_not_a_switch() {
    let mut rig = Rig::new();
    // On a busy machine, reports of Shaka Player arrive out of order.
    rig.events(0, &["e=ps,sta=r,ts=+0"]).events(600, &["br=(664),e=ps,sta=p,ts=+500"]);
    rig.events(700, &["br=(664),e=bc,sta=r,ts=+270"]);
    // A change to a similar bitrate is a switch, and so is the change back.
    rig.events(9_000, &["br=(660),e=bc,sta=p,ts=+9000"]).events(19_000, &["br=(664),e=bc,sta=p,ts=+19000"]);
    assert_eq!(rig.cell(0).sums[SumMetric::Switches], 2);
}

#[test]
fn time_is_not_lost_by_network_jitter() {
    let mut rig = Rig::new();
    rig.events(900, &["e=ps,sta=p,ts=+0"]).events(10_400, &["e=t,sta=p,ts=+10000"]);
    rig.events(20_050, &["e=t,sta=p,ts=+20000"]).events(30_700, &["e=ps,sta=e,ts=+30000"]);
    assert_eq!(rig.cell(0).sums[SumMetric::PlayingMs], 30_000);
    // Here the clocks differ by 1,200 ms, more than jitter explains: the player's clock was changed.
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sta=p,ts=+0"]).events(10_100, &["e=ps,sta=e,ts=+11200"]);
    assert_eq!(rig.cell(0).sums[SumMetric::PlayingMs], 10_000);
}
