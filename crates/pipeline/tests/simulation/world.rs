//! Random small worlds: what players sent, partition by partition.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::sync::Arc;

use crowdfold_airlock::Dimension;
use crowdfold_release::{Policy, PolicySettings};
use crowdfold_rollup::Rules;

pub(crate) const WINDOW: u64 = 10_000;
pub(crate) const LATENESS: u64 = 5_000;
pub(crate) const IDLE: u64 = 15_000;
pub(crate) const SKEW: u64 = 2_000;
pub(crate) const START: u64 = 1_000_000_000;

/// Splitmix64: the same schedule for the same seed, on every machine.
pub(crate) struct Rng(pub u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    /// With a chance of one in `n`.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub(crate) struct Record {
    pub(crate) timestamp: u64,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Allowed {
    /// Beyond doubt late.
    late: bool,
    opt_out: bool,
}

pub(crate) struct World {
    pub(crate) rules: Arc<Rules>,
    pub(crate) policy: Policy,
    pub(crate) partitions: u32,
    pub(crate) merge_partitions: u32,
    pub(crate) logs: Vec<Vec<Record>>,
    pub(crate) beacons: u64,
}

impl World {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let drilldowns = vec![vec![Dimension::Os, Dimension::Browser], vec![Dimension::Cdn]];
        let policy = PolicySettings {
            k: 1 + rng.below(3),
            allow_small_k: true,
            drilldowns: drilldowns.clone(),
            histogram_drilldown: 0,
            guard_networks: None,
            allow_below_place: false,
        };
        let partitions = 1 + rng.below(3) as u32;
        let mut world = Self {
            rules: Arc::new(Rules {
                window: WINDOW,
                lateness: LATENESS,
                idle: IDLE,
                drilldowns,
                max_sessions: 1000,
            }),
            policy: Policy::threshold(policy).unwrap(),
            partitions,
            merge_partitions: 1 + rng.below(2) as u32,
            logs: Vec::new(),
            beacons: 0,
        };
        for partition in 0..partitions {
            let log = world.log(partition, rng);
            world.logs.push(log);
        }
        world
    }

    pub(crate) fn end(&self) -> u64 {
        self.logs.iter().flatten().map(|record| record.timestamp).max().unwrap_or(START)
    }

    fn log(&mut self, partition: u32, rng: &mut Rng) -> Vec<Record> {
        let mut now = START + rng.below(2 * WINDOW);
        let mut log: Vec<Record> = Vec::new();
        for nth in 0..rng.below(36) {
            let gap = match rng.below(20) {
                0 => rng.below(3 * WINDOW),
                _ => rng.below(1_500),
            };
            now += gap;
            // what follows must not depend on whether the silence before it was noticed and closed windows
            let may = Allowed { late: nth > 0 && gap <= 6_000, opt_out: gap <= SKEW };
            let payload = match rng.below(24) {
                0 => {
                    self.beacons += 1;
                    b"{\"ts\":12,\"session\":".to_vec()
                }
                1 => {
                    let several: Vec<_> =
                        (0..=rng.below(3)).map(|_| self.beacon(partition, now, may, rng)).collect();
                    format!("[{}]", several.join(",")).into_bytes()
                }
                // a producer's retry
                2 if log.last().is_some_and(|last| now - last.timestamp < 2_000) => {
                    let again = log.last().unwrap().payload.clone();
                    if again.starts_with(b"[") || !again.ends_with(b"}") || late_by(&again, now) > LATENESS {
                        self.beacon(partition, now, may, rng).into_bytes()
                    } else {
                        self.beacons += 1;
                        again
                    }
                }
                _ => self.beacon(partition, now, may, rng).into_bytes(),
            };
            log.push(Record { timestamp: now, payload });
        }
        log
    }

    fn beacon(&mut self, partition: u32, now: u64, may: Allowed, rng: &mut Rng) -> String {
        self.beacons += 1;
        let behind = match rng.below(16) {
            0 if may.late => WINDOW + LATENESS + 6_001 + rng.below(WINDOW),
            _ => rng.below(LATENESS),
        };
        let event =
            ["attempt", "play", "heartbeat", "heartbeat", "heartbeat", "error", "end"][rng.below(7) as usize];
        let mut beacon = format!(
            r#"{{"ts":{},"tenant":"{}","session":"p{partition}-s{}","event":"{event}""#,
            now - behind,
            ["one", "two"][usize::from(rng.one_in(4))],
            rng.below(6)
        );
        if !rng.one_in(3) {
            beacon += &format!(r#","os":"{}""#, ["Windows", "macOS", "Linux"][rng.below(3) as usize]);
        }
        if !rng.one_in(3) {
            beacon += &format!(r#","browser":"{}""#, ["Chrome", "Firefox"][rng.below(2) as usize]);
        }
        if rng.one_in(2) {
            beacon += &format!(r#","cdn":"cdn-{}""#, rng.below(3));
        }
        if rng.one_in(2) {
            beacon += &format!(r#","playing_ms":{},"bandwidth_kbps":{}"#, rng.below(9000), rng.below(9000));
        }
        if rng.one_in(6) {
            beacon += &format!(r#","startup_ms":{}"#, rng.below(3000));
        }
        if rng.one_in(8) {
            beacon += r#","error":"network","fatal":true"#;
        }
        if may.opt_out && rng.one_in(24) {
            beacon += r#","opt_out":true"#;
        }
        beacon + "}"
    }
}

fn late_by(payload: &[u8], now: u64) -> u64 {
    let beacon: serde_json::Value = serde_json::from_slice(payload).unwrap();
    now.saturating_sub(beacon["ts"].as_u64().unwrap())
}
