//! Benchmarks the combiner: from observations to session summaries, and from JSON to closed windows.
//!
//! Items are beacons, so the time per beacon in nanoseconds is 1000 / (Mitem/s). In `from_json`, one thread parses and
//! combines payloads that are in memory.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, Observation, Record, SessionHasher, Settings, Shared};
use crowdfold_engine::{Combiner, CombinerSettings, Operator, Rules, SessionStore, Start};
use crowdfold_loadgen::{Mix, Players, PlayersConfig};
use crowdfold_model::{Breakdowns, Dimension, Qualities, Span, Timestamp};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const START: u64 = 1_795_308_480_000;
const BEACONS: usize = 200_000;

fn main() {
    divan::main();
}

fn breakdowns(how_many: usize) -> Vec<Vec<Dimension>> {
    use Dimension as D;
    let all = [
        vec![D::Device, D::Os, D::Browser],
        vec![D::Country, D::Asn],
        vec![D::Player, D::PlayerVersion],
        vec![D::Stream, D::Format, D::Content],
        vec![D::Cdn, D::Connection],
    ];
    all[..how_many].to_vec()
}

fn rules(how_many: usize) -> Arc<Rules> {
    Arc::new(Rules {
        window: Span::MINUTE,
        lateness: Span::SECOND * 30,
        idle: Span::SECOND * 90,
        breakdowns: breakdowns(how_many).into(),
        qualities: Qualities::default(),
        max_sessions: 10_000_000,
    })
}

/// Returns the record timestamps and the payloads of beacons of `sessions` live sessions.
fn beacons(sessions: u32) -> Vec<(Timestamp, Vec<u8>)> {
    beacons_of(sessions, 1)
}

/// Returns the record timestamps and the payloads of beacons of `sessions` live sessions, which are divided among
/// `tenants` tenants.
fn beacons_of(sessions: u32, tenants: usize) -> Vec<(Timestamp, Vec<u8>)> {
    let config = PlayersConfig {
        tenants: tenant_names(tenants),
        sessions,
        start_ms: START,
        heartbeat_ms: 10_000,
        mix: Mix::lean(),
        ..PlayersConfig::default()
    };
    let players = Players::new(config).expect("a valid configuration");
    players.take(BEACONS).map(|report| (Timestamp::from_millis(report.sent_ms), report.payload)).collect()
}

/// Returns names of tenants: `default`, `tenant-0`, `tenant-1` and so on.
fn tenant_names(how_many: usize) -> Vec<String> {
    std::iter::once("default".into()).chain((0..).map(|n| format!("tenant-{n}"))).take(how_many).collect()
}

fn airlock() -> Airlock {
    let settings = Settings { tenants: tenant_names(100), ..Settings::default() };
    let shared = Shared::new(settings, SessionHasher::fixed(1)).expect("default settings");
    Airlock::new(&Arc::new(shared), None)
}

/// Benchmarks adding observations to session summaries, by the number of live sessions.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn insert(bencher: Bencher<'_, '_>, sessions: u32) {
    let mut airlock = airlock();
    let mut observations: Vec<(Timestamp, Observation)> = Vec::new();
    for (timestamp, payload) in beacons(sessions) {
        let record = Record { payload: &payload, content_type: None, timestamp: Some(timestamp) };
        airlock.admit(&record, &mut |_, outcome| {
            observations.extend(outcome.ok().map(|beacon| (timestamp, beacon)))
        });
    }
    bencher
        .counter(ItemsCount::new(observations.len()))
        .with_inputs(|| SessionStore::new(rules(5), &[], Timestamp::EPOCH))
        .bench_refs(|store| {
            for (timestamp, beacon) in &observations {
                black_box(store.insert(beacon, *timestamp));
            }
        });
}

/// Benchmarks the combiner from JSON to closed windows, by the number of live sessions.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn from_json(bencher: Bencher<'_, '_>, sessions: u32) {
    whole(bencher, sessions, 5);
}

/// Benchmarks the combiner from JSON to closed windows, by the number of breakdowns. The number matters because cells
/// are built when a window closes.
#[divan::bench(args = [1, 2, 5], sample_count = 5)]
fn by_breakdowns(bencher: Bencher<'_, '_>, how_many: usize) {
    whole(bencher, 10_000, how_many);
}

/// Benchmarks the combiner from JSON to closed windows, by the number of tenants with their own breakdowns. These
/// breakdowns contain all dimensions, so every session summary has more slots. Each tenant has another order of the
/// dimensions, so no two tenants have the same list of breakdowns.
#[divan::bench(args = [0, 1, 100], sample_count = 5)]
fn by_tenants(bencher: Bencher<'_, '_>, how_many: usize) {
    let own = |tenant: usize| {
        let mut all = Dimension::ALL;
        all.rotate_left(tenant % Dimension::BUILT_IN);
        let (first, rest) = all.split_at(1 + tenant / Dimension::BUILT_IN);
        (
            format!("tenant-{tenant}"),
            [first, rest].into_iter().flat_map(|l| l.chunks(8)).map(<[_]>::to_vec).collect(),
        )
    };
    let breakdowns = Breakdowns::new(breakdowns(5), (0..how_many).map(own));
    whole_of(bencher, beacons_of(10_000, 100), Rules { breakdowns, ..(*rules(5)).clone() });
}

fn whole(bencher: Bencher<'_, '_>, sessions: u32, how_many: usize) {
    whole_of(bencher, beacons(sessions), (*rules(how_many)).clone());
}

fn whole_of(bencher: Bencher<'_, '_>, beacons: Vec<(Timestamp, Vec<u8>)>, rules: Rules) {
    let settings = Arc::new(CombinerSettings {
        rules: Arc::new(rules),
        partitions: 1,
        partial_partitions: 1,
        tenants: tenant_names(100),
        topic: "beacons".into(),
        trust_timestamps: true,
        max_skew: Span::MINUTE,
        idle_timeout: Span::MINUTE,
    });
    let fresh = Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
    let now = Timestamp::from_millis(u64::MAX / 2);
    let bytes: usize = beacons.iter().map(|(_, payload)| payload.len()).sum();
    bencher
        .counter(ItemsCount::new(beacons.len()))
        .counter(BytesCount::new(bytes))
        .with_inputs(|| Combiner::new(Arc::clone(&settings), airlock(), &fresh, 0, false))
        .bench_refs(|combiner| {
            for (offset, (timestamp, payload)) in beacons.iter().enumerate() {
                let record = Record { payload, content_type: None, timestamp: Some(*timestamp) };
                combiner.buffer(&record, offset as i64, now).expect("no error");
                if combiner.is_full() {
                    combiner.mark_committed();
                }
            }
            combiner.insert_buffered();
            assert!(combiner.balanced() && combiner.totals().rejected() == 0);
        });
}
