//! Generates small random scenarios. A scenario consists of the records that players send, by partition.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod one_session;
mod reports;

use std::sync::{Arc, OnceLock};

use crowdfold_engine::Rules;
use crowdfold_model::{Dimension, Qualities, Quality, murmur2};
use crowdfold_random::Random;
use crowdfold_release::{Detail, Policies, Policy, PolicySettings, Secret};

pub(crate) const WINDOW: u64 = 10_000;
pub(crate) const LATENESS: u64 = 5_000;
pub(crate) const SKEW: u64 = 2_000;
pub(crate) const START: u64 = 1_795_308_480_000;
pub(crate) const TENANTS: [&str; 2] = ["one", "two"];

/// The maximum number of sessions in one partition.
const SESSIONS: usize = 6;
/// One scenario in this many has a secret, so that its rows have noise.
const NOISY: u64 = 12;
/// The maximum number of partitions of a scenario after growth.
const MAX_PARTITIONS: u32 = 6;

pub(crate) struct Record {
    pub(crate) timestamp: u64,
    pub(crate) payload: Vec<u8>,
}

impl Record {
    pub(crate) fn content_type(&self) -> Option<&'static [u8]> {
        let is_cmcd = self.payload.starts_with(b"e=") || self.payload.starts_with(b"CMCD=");
        is_cmcd.then_some(b"application/cmcd")
    }
}

/// The settings of combiners and mergers. A roll-out replaces one version of the settings by another.
pub(crate) struct Version {
    pub(crate) rules: Arc<Rules>,
    pub(crate) policies: Policies,
    /// The same policies with another detail table. A worker must treat these policies as a change.
    pub(crate) other_detail: Policies,
}

impl Version {
    /// Returns the version with a secret, so that rows outside the detail table have noise.
    fn keyed(self, secret: u8) -> Self {
        let secret = Secret::new([secret; 32]);
        let Self { rules, policies, other_detail } = self;
        Self { rules, policies: policies.keyed(&secret), other_detail: other_detail.keyed(&secret) }
    }

    /// Returns the version with other thresholds of good sessions.
    fn with(self, qualities: Qualities) -> Self {
        Self { rules: Arc::new(Rules { qualities, ..Rules::clone(&self.rules) }), ..self }
    }

    /// Returns true if at most the thresholds of good sessions differ from those of another version.
    pub(crate) fn differs_in_quality_alone(&self, other: &Self) -> bool {
        let rules = Rules { qualities: self.rules.qualities.clone(), ..Rules::clone(&other.rules) };
        rules == *self.rules
    }
}

pub(crate) struct Scenario {
    /// The version that is deployed first, and the version that may replace it.
    pub(crate) versions: [Version; 2],
    /// The number of partitions of the topic of beacons, before and after it grows.
    pub(crate) partitions: [u32; 2],
    /// The time from which producers use the new partitions, in milliseconds.
    pub(crate) grows_at: u64,
    pub(crate) partial_partitions: u32,
    /// The first offset of the log. Records with lower offsets have expired.
    pub(crate) first: i64,
    /// The log of each partition, including partitions that are added later.
    pub(crate) logs: Vec<Vec<Record>>,
    pub(crate) beacons: u64,
}

impl Scenario {
    pub(crate) fn random(rng: &mut Random) -> Self {
        let breakdowns = vec![vec![Dimension::Os, Dimension::Browser], vec![Dimension::Cdn]];
        let k = 1 + rng.below(3);
        let idle = rng.pick(&[4_000, 9_000, 15_000]);
        let own = match rng.below(3) {
            0 => None,
            1 => Some((k + 2, breakdowns.clone())),
            _ => Some((k, vec![vec![Dimension::ErrorCode, Dimension::Cdn, Dimension::Os]])),
        };
        let change = rng.below(9);
        let next = match change {
            // Only the thresholds of good sessions change.
            7.. => version(k, idle, breakdowns.clone(), own.clone()),
            6 => {
                let settings = PolicySettings { margin: Some(0), noise: 3, ..PolicySettings::default() };
                version_with(k, idle, breakdowns.clone(), own.clone(), settings)
            }
            5 => {
                let settings = PolicySettings { detail: Detail::Index(0), ..PolicySettings::default() };
                version_with(k, idle, breakdowns.clone(), own.clone(), settings)
            }
            0 => version(k, idle, vec![vec![Dimension::Os], vec![Dimension::Cdn]], own.clone()),
            1 => version(k + 1, idle, breakdowns.clone(), own.clone()),
            // The other tenants keep the common settings.
            2 => {
                let other = (k + 1 + rng.below(2), vec![vec![Dimension::Browser], vec![Dimension::Cdn]]);
                version(k, idle, breakdowns.clone(), own.is_none().then_some(other))
            }
            _ => {
                let idle = if idle == 15_000 { 4_000 } else { 15_000 };
                version(k, idle, breakdowns.clone(), own.clone())
            }
        };
        let before = 1 + rng.below(3) as u32;
        let after = if rng.one_in(5) { 2 * before } else { before };
        let good = qualities(rng);
        let next_good = if change < 7 { good.clone() } else { qualities(rng) };
        let mut versions = [version(k, idle, breakdowns, own).with(good), next.with(next_good)];
        // Only a few scenarios have noise, because noise is slow to compute.
        if rng.one_in(NOISY) {
            let secrets = [1, if rng.one_in(2) { 3 } else { 1 }];
            let [first, second] = versions;
            versions = [first.keyed(secrets[0]), second.keyed(secrets[1])];
        }
        let mut scenario = Self {
            versions,
            partitions: [before, after],
            grows_at: START + WINDOW + rng.below(2 * WINDOW),
            partial_partitions: 1 + rng.below(2) as u32,
            first: rng.pick(&[0, 2]),
            logs: Vec::new(),
            beacons: 0,
        };
        for partition in 0..after {
            let mut log: Vec<_> =
                (0..scenario.first).map(|_| Record { timestamp: 0, payload: Vec::new() }).collect();
            log.extend(scenario.log(partition, rng));
            scenario.logs.push(log);
        }
        scenario
    }

    pub(crate) const fn grows(&self) -> bool {
        self.partitions[0] < self.partitions[1]
    }

    pub(crate) fn end(&self) -> u64 {
        self.logs.iter().flatten().map(|record| record.timestamp).max().unwrap_or(START)
    }

    fn log(&mut self, partition: u32, rng: &mut Random) -> Vec<Record> {
        let begins = if partition < self.partitions[0] { START } else { self.grows_at };
        let mut now = begins + rng.below(2 * WINDOW);
        let mut log: Vec<Record> = Vec::new();
        // The records come from three sessions, or mostly from one session.
        let (what, talkers) = if rng.one_in(3) { (80, 1) } else { (30, 3) };
        // In one log in four, playback fails often.
        let states: &[&str] = if rng.one_in(4) {
            &["s", "p", "f", "f", "a", "q"]
        } else {
            &["s", "p", "p", "p", "r", "r", "w", "k", "a", "f", "e", "q"]
        };
        // The event times of the records that contain a single beacon. For other records, the entry is `None`.
        let mut times: Vec<Option<u64>> = Vec::new();
        for _ in 0..rng.below(36) {
            now += match rng.below(20) {
                0 => rng.below(3 * WINDOW),
                _ => rng.below(1_500),
            };
            let closed = Closed::at(log.last().map(|last| last.timestamp), now);
            let (payload, time) = match rng.below(what) {
                0 => {
                    self.beacons += 1;
                    (b"{\"ts\":12,\"session\":".to_vec(), None)
                }
                1 => {
                    let several: Vec<_> =
                        (0..=rng.below(3)).map(|_| self.beacon(partition, now, closed, rng).0).collect();
                    (format!("[{}]", several.join(",")).into_bytes(), None)
                }
                // A producer sends a record again, either immediately or much later.
                2..=5 => match self.again(&log, &times, closed, rng) {
                    Some((payload, time)) => (payload, Some(time)),
                    None => {
                        let (beacon, time) = self.beacon(partition, now, closed, rng);
                        (beacon.into_bytes(), Some(time))
                    }
                },
                6..=9 | 30..=59 => {
                    let session = self.session(partition, now, talkers, rng);
                    let lines: Vec<_> =
                        (0..=rng.below(3)).map(|_| self.event(session, now, closed, states, rng)).collect();
                    let time = if let [(_, time)] = lines[..] { Some(time) } else { None };
                    let lines: Vec<_> = lines.into_iter().map(|(line, _)| line).collect();
                    (lines.join("\n").into_bytes(), time)
                }
                10..=13 | 60..=79 => {
                    let session = self.session(partition, now, talkers, rng);
                    // The time of a request is that of its record. If the request is sent again, its time is different.
                    (self.request(session, states, rng).into_bytes(), None)
                }
                _ => {
                    let (beacon, time) = self.beacon(partition, now, closed, rng);
                    (beacon.into_bytes(), Some(time))
                }
            };
            log.push(Record { timestamp: now, payload });
            times.push(time);
        }
        log
    }

    /// Repeats one of the last records. Returns `None` if no record may be repeated.
    fn again(
        &mut self,
        log: &[Record],
        times: &[Option<u64>],
        closed: Closed,
        rng: &mut Random,
    ) -> Option<(Vec<u8>, u64)> {
        let back = 1 + rng.below(12) as usize;
        let at = log.len().checked_sub(back)?;
        let time = times[at].filter(|time| closed.allows(*time))?;
        let payload = &log[at].payload;
        let opts_out = payload.windows(7).any(|word| word == b"opt_out");
        (closed.is_sure() || !opts_out).then(|| {
            self.beacons += 1;
            (payload.clone(), time)
        })
    }

    /// Returns the number of one of the first sessions that belong to the partition.
    fn session(&self, partition: u32, now: u64, first: usize, rng: &mut Random) -> u64 {
        // Some producers do not know the new partitions immediately, and continue to use the old ones.
        let fresh = now >= self.grows_at && (partition >= self.partitions[0] || !rng.one_in(4));
        let of = self.partitions[usize::from(fresh)];
        sessions(partition, of)[rng.below(first as u64) as usize]
    }
}

/// Returns the event time of a beacon that arrives at the time `now`.
fn time(now: u64, closed: Closed, rng: &mut Random) -> u64 {
    match rng.below(16) {
        0 if closed.is_sure() && closed.surely > START => closed.surely - 1 - rng.below(2 * WINDOW),
        _ => (now - rng.below(WINDOW + LATENESS)).max(closed.perhaps),
    }
}

/// Returns thresholds that some sessions of a log meet and others miss. The second tenant may have its own thresholds.
fn qualities(rng: &mut Random) -> Qualities {
    let mut quality = || Quality {
        startup_ms: rng.pick(&[200, 1_000, 2_000]),
        rebuffering_millionths: rng.pick(&[0, 10_000, 300_000]),
        bitrate_kbps: rng.pick(&[0, 1_000, 4_000]),
    };
    let (common, own) = (quality(), quality());
    Qualities::new(common, rng.one_in(2).then(|| (TENANTS[1].to_owned(), own)))
}

/// Creates a version. If the second tenant differs, `own` contains its k and its breakdowns.
fn version(
    k: u64,
    idle: u64,
    breakdowns: Vec<Vec<Dimension>>,
    own: Option<(u64, Vec<Vec<Dimension>>)>,
) -> Version {
    version_with(k, idle, breakdowns, own, PolicySettings::default())
}

/// Creates a version with the detail table, the margin and the noise of `settings`.
fn version_with(
    k: u64,
    idle: u64,
    breakdowns: Vec<Vec<Dimension>>,
    own: Option<(u64, Vec<Vec<Dimension>>)>,
    settings: PolicySettings,
) -> Version {
    let detail = settings.detail;
    let policy = |k, breakdowns, detail| {
        let settings = PolicySettings { k, allow_small_k: true, breakdowns, detail, ..settings.clone() };
        Policy::threshold(settings).unwrap()
    };
    let policies = |detail| {
        let own = own.clone().map(|(k, breakdowns)| (TENANTS[1].to_owned(), policy(k, breakdowns, detail)));
        Policies::new(policy(k, breakdowns.clone(), detail), own)
    };
    let other_detail = policies(if detail == Detail::Last { Detail::Index(0) } else { Detail::Last });
    let policies = policies(detail);
    let rules = Rules {
        window: crate::span(WINDOW),
        lateness: crate::span(LATENESS),
        idle: crate::span(idle),
        breakdowns: policies.breakdowns(),
        qualities: Qualities::default(),
        max_sessions: 1000,
    };
    Version { rules: Arc::new(rules), policies, other_detail }
}

/// The windows that are closed when a record arrives. A silence before the record may or may not have closed further
/// windows. The published rows must not depend on this, so the scenario contains no record with an outcome that depends
/// on it.
#[derive(Clone, Copy)]
struct Closed {
    surely: u64,
    perhaps: u64,
}

impl Closed {
    fn at(before: Option<u64>, now: u64) -> Self {
        let floor = |moment: u64| moment - moment % WINDOW;
        let surely = before.map_or(0, |before| floor(before - LATENESS));
        Self { surely, perhaps: surely.max(floor(now - LATENESS - SKEW - 1)) }
    }

    const fn is_sure(self) -> bool {
        self.surely == self.perhaps
    }

    const fn allows(self, time: u64) -> bool {
        time >= self.perhaps || self.is_sure()
    }
}

/// Returns the numbers of the sessions that belong to a partition, if the topic has `of` partitions.
fn sessions(partition: u32, of: u32) -> &'static [u64; SESSIONS] {
    static ALL: OnceLock<Vec<Vec<[u64; SESSIONS]>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let belongs = |number: &u64, partition, of| {
            (murmur2(format!("s{number}").as_bytes()) & 0x7fff_ffff) % of == partition
        };
        let some = |partition, of| {
            let mut numbers = (0..).filter(|number| belongs(number, partition, of));
            std::array::from_fn(|_| numbers.next().unwrap_or(0))
        };
        (1..=MAX_PARTITIONS).map(|of| (0..of).map(|partition| some(partition, of)).collect()).collect()
    });
    &all[of as usize - 1][partition as usize]
}
