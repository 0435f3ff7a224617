//! Performs the work on beacons without measuring time. Other tools count its instructions and allocations per beacon.
//!
//! `crowdfold-cost WORKLOAD GROUPS` performs a workload on this many groups of [`GROUP`] beacons. `.ci/instructions`
//! runs it under valgrind with one group and with three groups. The difference, divided by the number of beacons in two
//! groups, is the number of instructions per beacon. It does not include the start of the program.
//!
//! `crowdfold-cost hostile` prints the names of hostile records. `crowdfold-cost hostile NAME TIMES` reads such a record
//! this many times, and prints the number of bytes. `.ci/instructions` compares the instructions per byte with those of
//! ordinary beacons.
//!
//! `crowdfold-cost allocations` counts the allocations of each workload, and fails if there are more than the maximum.
//!
//! This is a separate package, because it must be built without a Kafka client.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

mod hostile;
mod packed;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Observation, Placement, Record, SessionHasher, Settings, Shared};
use crowdfold_engine::{Combiner, CombinerSettings, Operator as _, Rules, SessionStore, Start};
use crowdfold_loadgen::{Mix, Players, PlayersConfig};
use crowdfold_model::{Dimension, Qualities, Span, Timestamp};
use crowdfold_testkit::envelope::CONTENT_TYPE;

/// The number of beacons in a group.
const GROUP: usize = 8_192;

/// The number of groups. All groups are created before the work on the first one begins.
const GROUPS: usize = 4;

/// The number of beacons in an array of the workload `arrays`.
const ARRAY: usize = 16;

/// The time of the first beacon.
const START: u64 = 1_795_308_480_000;

/// The workloads, each with the maximum number of allocations per 1,000 beacons. A beacon whose shape, words and
/// session are known does not allocate. A packed record allocates for the texts that it lists. The workload `pack`
/// allocates the address of each request. A session allocates when it begins and when its number of beacons grows. A
/// window allocates when it closes.
const WORKLOADS: [(&str, u64); 10] = [
    ("admit", 0),
    ("arrays", 0),
    ("packed", 120),
    ("packed-batches", 120),
    ("cmcd", 0),
    ("packed-cmcd", 10),
    ("pack", 1_100),
    ("insert", 200),
    ("combine", 600),
    ("packed-combine", 600),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let groups = arguments.get(1).and_then(|groups| groups.parse().ok());
    match (arguments.first().map(String::as_str), groups) {
        (Some("allocations"), None) => return count_allocations(),
        (Some("hostile"), _) => return read_hostile(&arguments[1..]),
        (Some(name), Some(groups)) if (1..=GROUPS).contains(&groups) => {
            if let Some(mut work) = Work::new(name) {
                work.perform(0..groups);
                println!("{}", groups * GROUP);
                return ExitCode::SUCCESS;
            }
        }
        _ => {}
    }
    let names = WORKLOADS.map(|(name, _)| name).join("|");
    eprintln!("usage: crowdfold-cost allocations, or crowdfold-cost {names} GROUPS (1 to {GROUPS})");
    ExitCode::from(2)
}

/// Reads a hostile record repeatedly, and prints the number of bytes that were read. Without arguments, prints the names
/// of the records.
fn read_hostile(arguments: &[String]) -> ExitCode {
    let [name, times] = arguments else {
        hostile::RECORDS.iter().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let (Some(records), Ok(times)) = (hostile::records(name), times.parse::<usize>()) else {
        eprintln!("usage: crowdfold-cost hostile [NAME TIMES]");
        return ExitCode::from(2);
    };
    let (mut airlock, mut bytes) = (airlock(), 0);
    for record in records.iter().cycle().take(times * records.len()) {
        bytes += record.1.len();
        airlock.admit(&as_record(record, None), &mut |time, outcome| {
            black_box((time, outcome.is_ok()));
        });
    }
    println!("{bytes}");
    ExitCode::SUCCESS
}

/// Prints the number of allocations of each workload. Fails if a workload has too many. For the workloads of the
/// airlock, the second pass is counted, because new words allocate in the first pass. For the other workloads, all
/// groups after the first one are counted, because in a second pass every beacon would be a duplicate.
fn count_allocations() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (name, most) in WORKLOADS {
        let Some(mut work) = Work::new(name) else { continue };
        let (first, counted) = if most == 0 { (GROUPS, 0..GROUPS) } else { (1, 1..GROUPS) };
        work.perform(0..first);
        let beacons = (counted.len() * GROUP) as u64;
        let counted = allocation_counter::measure(|| work.perform(counted)).count_total;
        println!("{name:>8}: {counted} allocations for {beacons} beacons");
        if counted * 1_000 > most * beacons {
            eprintln!(
                "{name} may have at most {most} allocations per 1,000 beacons; find the allocation that was added"
            );
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The timestamp and the value of a record.
type Timed = (Timestamp, Vec<u8>);

/// A workload with its state.
struct Work {
    /// The records of each group, with their timestamps.
    groups: Vec<Vec<Timed>>,
    /// The content type of the records.
    content_type: Option<&'static [u8]>,
    kind: Kind,
}

enum Kind {
    /// From bytes to observations.
    Admit(Box<Airlock>),
    /// From JSON beacons to packed records, as in the collector.
    Pack,
    /// From observations to session summaries.
    Insert(Vec<Vec<(Timestamp, Observation)>>, Box<SessionStore>),
    /// From bytes to closed windows.
    Combine(Box<Combiner>, i64),
}

impl Work {
    fn new(name: &str) -> Option<Self> {
        let mut groups = beacons();
        let mut content_type = None;
        let mut pack = |how: fn(&[Timed]) -> Vec<Timed>| {
            content_type = Some(CONTENT_TYPE.as_bytes());
            groups.iter().map(|group| how(group)).collect()
        };
        let kind = match name {
            "admit" => Kind::Admit(Box::new(airlock())),
            "arrays" => {
                groups = groups.iter().map(|group| group.chunks(ARRAY).map(array).collect()).collect();
                Kind::Admit(Box::new(airlock()))
            }
            "packed" => {
                groups = pack(packed::requests);
                Kind::Admit(Box::new(airlock()))
            }
            "packed-batches" => {
                groups = pack(packed::batches);
                Kind::Admit(Box::new(airlock()))
            }
            "cmcd" => {
                content_type = Some(b"application/cmcd");
                groups = (0..GROUPS).map(packed::events).collect();
                Kind::Admit(Box::new(airlock()))
            }
            "packed-cmcd" => {
                content_type = Some(CONTENT_TYPE.as_bytes());
                groups = (0..GROUPS).map(|group| packed::bodies(&packed::events(group))).collect();
                Kind::Admit(Box::new(airlock()))
            }
            "packed-combine" => {
                groups = pack(packed::requests);
                Kind::Combine(Box::new(combiner()), 0)
            }
            "pack" => Kind::Pack,
            "insert" => {
                let mut airlock = airlock();
                let observed = groups.iter().map(|group| observations(&mut airlock, group)).collect();
                Kind::Insert(observed, Box::new(SessionStore::new(rules(), &[], Timestamp::EPOCH)))
            }
            "combine" => Kind::Combine(Box::new(combiner()), 0),
            _ => return None,
        };
        Some(Self { groups, content_type, kind })
    }

    fn perform(&mut self, groups: std::ops::Range<usize>) {
        let content_type = self.content_type;
        match &mut self.kind {
            Kind::Admit(airlock) => {
                let mut admitted = 0;
                for record in self.groups[groups.clone()].iter().flatten() {
                    airlock.admit(&as_record(record, content_type), &mut |time, outcome| {
                        admitted += usize::from(outcome.is_ok());
                        black_box((time, outcome.is_ok()));
                    });
                }
                assert_eq!(admitted, groups.len() * GROUP, "every beacon is valid");
            }
            Kind::Pack => {
                for group in &self.groups[groups] {
                    assert!(!black_box(packed::requests(group)).is_empty(), "every beacon is valid");
                }
            }
            Kind::Insert(observed, store) => {
                for (timestamp, observation) in observed[groups].iter().flatten() {
                    black_box(store.insert(observation, *timestamp));
                }
            }
            Kind::Combine(combiner, offset) => {
                let now = Timestamp::from_millis(u64::MAX / 2);
                for record in self.groups[groups].iter().flatten() {
                    assert!(
                        combiner.buffer(&as_record(record, content_type), *offset, now).is_ok(),
                        "the combiner must accept every record"
                    );
                    *offset += 1;
                    if combiner.is_full() {
                        combiner.mark_committed();
                    }
                }
                combiner.insert_buffered();
                assert!(combiner.balanced() && combiner.totals().rejected() == 0, "every beacon is valid");
            }
        }
    }
}

/// Returns groups of heartbeats of 1,000 live sessions, with the times of their records.
fn beacons() -> Vec<Vec<Timed>> {
    let config = PlayersConfig { start_ms: START, mix: Mix::lean(), ..PlayersConfig::default() };
    let Ok(mut players) = Players::new(config) else { return Vec::new() };
    let mut group = || {
        let reports = players.by_ref().take(GROUP);
        reports.map(|report| (Timestamp::from_millis(report.sent_ms), report.payload)).collect()
    };
    (0..GROUPS).map(|_| group()).collect()
}

/// Joins beacons into one record. Its timestamp is the time of the last beacon.
fn array(beacons: &[Timed]) -> Timed {
    let last = beacons.last().map_or(Timestamp::EPOCH, |(timestamp, _)| *timestamp);
    let texts: Vec<_> = beacons.iter().map(|(_, beacon)| beacon.as_slice()).collect();
    (last, [b"[", texts.join(&b","[..]).as_slice(), b"]"].concat())
}

fn as_record<'a>((timestamp, payload): &'a Timed, content_type: Option<&'static [u8]>) -> Record<'a> {
    Record { payload, content_type, timestamp: Some(*timestamp) }
}

fn observations(airlock: &mut Airlock, group: &[Timed]) -> Vec<(Timestamp, Observation)> {
    let mut observed = Vec::new();
    for record in group {
        airlock.admit(&as_record(record, None), &mut |_, outcome| {
            observed.extend(outcome.ok().map(|observation| (record.0, observation)));
        });
    }
    observed
}

fn airlock() -> Airlock {
    let Ok(shared) = Shared::new(Settings::default(), SessionHasher::fixed(1)) else {
        unreachable!("the default settings are valid")
    };
    Airlock::new(&Arc::new(shared), Some(Placement { partition: 0, of: 1 }))
}

fn rules() -> Arc<Rules> {
    use Dimension as D;
    let breakdowns = vec![vec![D::Device, D::Os, D::Browser], vec![D::Stream, D::Format, D::Content]];
    Arc::new(Rules {
        window: Span::MINUTE,
        lateness: Span::SECOND * 30,
        idle: Span::SECOND * 90,
        breakdowns: breakdowns.into(),
        qualities: Qualities::default(),
        max_sessions: 1_000_000,
    })
}

fn combiner() -> Combiner {
    let settings = Arc::new(CombinerSettings {
        rules: rules(),
        partitions: 1,
        partial_partitions: 1,
        tenants: Settings::default().tenants,
        topic: "beacons".into(),
        trust_timestamps: true,
        max_skew: Span::MINUTE,
        idle_timeout: Span::MINUTE,
    });
    let fresh = Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
    Combiner::new(settings, airlock(), &fresh, 0, false)
}
