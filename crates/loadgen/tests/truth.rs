//! Compares two kinds of cells: the truth that the players report, and the cells that the oracle computes from their
//! beacons.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::collections::BTreeMap;

use crowdfold_loadgen::{Cell, Custom, Faults, Mix, Players, PlayersConfig, Report, Truth};
use crowdfold_model::{BOUNDED_FIELDS, Budget, Span, SumMetric, ValueMetric};
use crowdfold_testkit::oracle::{self, Record, Settings, TableKey};

const BREAKDOWNS: [&[&str]; 7] = [
    &["country", "asn"],
    &["device", "os", "browser"],
    &["player", "player_version", "app", "app_version"],
    &["stream", "format", "content", "quality"],
    &["cdn", "connection"],
    &["arm"],
    &["error_code"],
];

/// The arms of an experiment, as values of a custom dimension.
const ARMS: [&str; 3] = ["A", "B", "C"];

fn config(seed: u64) -> PlayersConfig {
    PlayersConfig {
        sessions: 300,
        seed,
        tenants: vec!["acme".into(), "blip".into(), "tiny".into()],
        // The oracle does not parse user agents.
        mix: Mix { user_agents: 0, ..Mix::default() },
        faults: Faults::some(),
        custom: vec![Custom {
            name: "arm".into(),
            tenant: None,
            path: vec!["trial".into(), "arm".into()],
            values: ARMS.map(Into::into).to_vec(),
        }],
        ..PlayersConfig::default()
    }
}

/// Runs the players for seven minutes. The oracle reads their beacons from `partitions` partitions with these
/// timestamps. Asserts that the truth of the players equals the result of the oracle.
fn compare(config: PlayersConfig, partitions: usize, timestamp: fn(&Report) -> Option<u64>) {
    let until = config.start_ms + 7 * 60_000;
    let settings = Settings {
        tenants: config.tenants.clone(),
        default_tenant: config.tenants[0].clone(),
        custom: vec![oracle::Custom {
            name: "arm".into(),
            tenant: None,
            json: vec!["trial".into(), "arm".into()],
            cmcd: String::new(),
            values: Some(ARMS.map(Into::into).to_vec()),
        }],
        breakdowns: BREAKDOWNS.map(|names| names.iter().map(ToString::to_string).collect()).to_vec(),
        ..Settings::default()
    };
    let truth = Truth::with_custom(60_000, &BREAKDOWNS, &config.custom).unwrap();
    let mut truth = truth.with_budget(Budget::new(Span::MINUTE));
    let mut log = vec![Vec::new(); partitions];
    for report in Players::new(config).unwrap().take_while(|report| report.sent_ms < until) {
        truth.watch(&report);
        let partition = report.session().map_or(0, |session| session.bytes().map(usize::from).sum());
        log[partition % partitions].push(Record { timestamp: timestamp(&report), payload: report.payload });
    }
    let early = truth.complete();
    let (late, ledger) = truth.finish();
    let outcome = oracle::evaluate(&log, &settings);

    let theirs = &outcome.ledger.beacons;
    let rejected = |reason| theirs.rejected.get(reason).copied().unwrap_or(0);
    assert_eq!(
        (ledger.read, ledger.placed, ledger.late, ledger.duplicate, ledger.opted_out),
        (theirs.read, theirs.released + theirs.withheld, theirs.late, theirs.duplicate, theirs.opted_out)
    );
    assert_eq!(
        (ledger.malformed, ledger.no_session, ledger.no_time),
        (rejected("malformed"), rejected("no_session"), rejected("no_time"))
    );
    let rejected = [ledger.malformed, ledger.no_session, ledger.no_time];
    for share in [ledger.late, ledger.duplicate, ledger.opted_out].into_iter().chain(rejected) {
        assert!(share > 0, "a fault did not occur: {ledger:?}");
    }

    let mut reported = BTreeMap::<TableKey, oracle::Cells>::new();
    for cell in early.into_iter().chain(late) {
        let breakdown = BREAKDOWNS.iter().position(|names| **names == *cell.breakdown).unwrap();
        let key = TableKey { start: cell.window.start, tenant: cell.tenant.clone(), breakdown };
        let cell_key = cell.dimensions.iter().map(|(_, value)| value.clone()).collect();
        let known = reported.entry(key).or_default().insert(cell_key, as_theirs(cell));
        assert_eq!(known, None, "a cell occurs twice");
    }
    assert!(reported.len() > 90, "windows, tenants and breakdowns: {}", reported.len());
    let mut cells = outcome.cells;
    for cell in cells.values_mut().flat_map(BTreeMap::values_mut) {
        // The truth does not contain the ids of sessions, so they are not compared.
        assert_eq!(std::mem::take(&mut cell.session_ids).len() as u64, cell.sessions);
    }
    for (key, cells) in &cells {
        for (cell_key, cell) in cells {
            assert_eq!(reported[key].get(cell_key), Some(cell), "{key:?} {cell_key:?}");
        }
    }
    assert_eq!(reported.len(), cells.len());
}

fn as_theirs(cell: Cell) -> oracle::Cell {
    use SumMetric as S;
    let values = |metric: ValueMetric| -> Vec<u64> {
        let all = cell.values(metric).iter();
        all.flat_map(|(value, sessions)| (0..*sessions).map(move |_| *value)).collect()
    };
    oracle::Cell {
        sessions: cell.sessions,
        sums: oracle::Sums {
            beacons: cell.beacons,
            attempts: cell.sum(S::Attempts),
            plays: cell.sum(S::Plays),
            startup_failures: cell.sum(S::StartupFailures),
            playback_failures: cell.sum(S::PlaybackFailures),
            playing_ms: cell.sum(S::PlayingMs),
            stalled_ms: cell.sum(S::StalledMs),
            stalls: cell.sum(S::Stalls),
            dropped_frames: cell.sum(S::DroppedFrames),
            switches: cell.sum(S::Switches),
            switches_up: cell.sum(S::SwitchesUp),
            switches_down: cell.sum(S::SwitchesDown),
            seeks: cell.sum(S::Seeks),
            seeking_ms: cell.sum(S::SeekingMs),
            exits_before_start: cell.sum(S::ExitsBeforeStart),
            good_sessions: cell.sum(S::GoodSessions),
            errors: cell.errors.clone(),
        },
        startup_ms: values(ValueMetric::StartupMs),
        bandwidth_kbps: values(ValueMetric::BandwidthKbps),
        bitrate_kbps: values(ValueMetric::BitrateKbps),
        live_latency_ms: values(ValueMetric::LiveLatencyMs),
        ttfb_ms: values(ValueMetric::TtfbMs),
        bounded: BOUNDED_FIELDS.iter().map(|field| field.name).zip(cell.bounded.0).collect(),
        ..oracle::Cell::default()
    }
}

#[test]
fn truth_equals_the_oracle_for_records_with_timestamps() {
    for seed in 1..=4 {
        compare(config(seed), 3, |report| Some(report.sent_ms));
    }
}

#[test]
fn truth_equals_the_oracle_for_records_without_timestamps() {
    for seed in 5..=8 {
        compare(config(seed), 1, |_| None);
    }
}

#[test]
fn truth_equals_the_oracle_at_other_report_intervals() {
    for (heartbeat_ms, sessions) in [(1_000, 400), (30_000, 1_500), (3_337, 400)] {
        let config = PlayersConfig { heartbeat_ms, sessions, ..config(9) };
        compare(config, 2, |report| Some(report.sent_ms));
    }
}

#[test]
fn sessions_have_realistic_rates_of_plays_failures_errors_and_stalls() {
    let config = PlayersConfig { sessions: 2_000, ..config(10) };
    let until = config.start_ms + 600_000;
    let mut truth = Truth::new(60_000, &[&["device"]]).unwrap();
    Players::new(config).unwrap().take_while(|r| r.sent_ms < until).for_each(|report| truth.watch(&report));
    let (cells, _) = truth.finish();
    let sum = |amount: fn(&Cell) -> u64| cells.iter().map(amount).sum::<u64>();
    let minutes = sum(|c| c.sessions) as f64;
    let about = |amount: fn(&Cell) -> u64, low: f64, high: f64| {
        let share = sum(amount) as f64 / minutes;
        assert!((low..high).contains(&share), "{share} a summary");
    };
    about(|c| c.sum(SumMetric::Attempts), 0.1, 0.4);
    about(|c| c.sum(SumMetric::Plays), 0.1, 0.4);
    about(|c| c.sum(SumMetric::PlayingMs), 30_000.0, 60_000.0);
    about(|c| c.sum(SumMetric::StalledMs), 20.0, 3_000.0);
    about(|c| c.sum(SumMetric::StartupFailures), 0.001, 0.02);
    about(|c| c.sum(SumMetric::PlaybackFailures), 0.0001, 0.01);
    about(|c| c.errors.values().sum(), 0.005, 0.1);
    about(|c| c.sum(SumMetric::ExitsBeforeStart), 0.001, 0.02);
    about(|c| c.sum(SumMetric::GoodSessions), 0.3, 0.99);
    about(|c| c.sum(SumMetric::DroppedFrames), 1.0, 30.0);
    about(|c| c.sum(SumMetric::SwitchesUp), 0.05, 2.0);
    about(|c| c.sum(SumMetric::SwitchesDown), 0.05, 2.0);
    about(|c| c.sum(SumMetric::Seeks), 0.01, 0.3);
    about(|c| c.sum(SumMetric::SeekingMs), 5.0, 300.0);
    // 30 % of the content items are live streams.
    let live =
        |cell: &Cell| cell.values(ValueMetric::LiveLatencyMs).iter().map(|(_, sessions)| sessions).sum();
    about(live, 0.1, 0.6);
}
