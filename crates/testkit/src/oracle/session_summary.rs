//! Summarizes one session in one window. All beacons are kept, and added up when the window closes.

use std::collections::BTreeMap;

use super::attempts::WindowAttempts;
use super::beacon::{Beacon, ERRORS};
use super::bounded::contribution;
use super::numbers::two_digits_of;
use super::playback::Amounts;
use super::{Cell, Settings, Sums};

/// An inserted beacon, with the values that depend on the state of its session.
pub(super) struct InsertedBeacon {
    pub(super) beacon: Beacon,
    /// The startup time that the beacon adds, or `None`.
    pub(super) startup: Option<u64>,
    /// The classes of the errors that the beacon adds.
    pub(super) errors: Vec<&'static str>,
    /// The amounts that the beacon adds.
    pub(super) amounts: Amounts,
    /// The last asserted value of each dimension, unless the value has expired.
    pub(super) asserted: BTreeMap<String, String>,
}

/// The inserted beacons of one session in one window, in log order, and the attempts in this window.
#[derive(Default)]
pub(super) struct SessionSummary {
    inserted: Vec<InsertedBeacon>,
    pub(super) attempts: WindowAttempts,
}

impl SessionSummary {
    pub(super) fn insert(&mut self, inserted: InsertedBeacon) {
        self.inserted.push(inserted);
    }

    pub(super) fn beacons(&self) -> u64 {
        self.inserted.len() as u64
    }

    /// Returns the value of a dimension: the first value that was reported in the window. If no value was reported in
    /// the window, returns the value of an earlier window, unless that value has expired.
    pub(super) fn dimension(&self, dimension: &str) -> String {
        let reported = self.inserted.iter().find_map(|inserted| inserted.beacon.dimensions.get(dimension));
        if dimension == "error_code" {
            // An error code of an earlier window is never used.
            return reported.cloned().unwrap_or_else(|| "none".into());
        }
        let asserted = || self.inserted.iter().find_map(|inserted| inserted.asserted.get(dimension));
        reported.or_else(asserted).cloned().unwrap_or_else(|| "unknown".into())
    }

    /// Returns the numbers of this session, in the form of a cell with one session. All numbers are clamped.
    pub(super) fn cell(&self, session: &str, tenant: &str, settings: &Settings) -> Cell {
        let sum = |amount: fn(&Amounts) -> u64| {
            self.inserted.iter().map(|inserted| amount(&inserted.amounts)).sum::<u64>()
        };
        let attempts = self.attempts.closed();

        let at_most = settings.window + settings.idle;
        let playing_ms = sum(|amounts| amounts.playing_ms).min(at_most);
        let stalled_ms = sum(|amounts| amounts.stalled_ms).min(at_most - playing_ms);
        let seconds = settings.window / 1000;
        let switches = sum(|amounts| amounts.switches).min(seconds);
        let switches_up = sum(|amounts| amounts.switches_up).min(switches);
        let errors =
            ERRORS.into_iter().filter(|class| self.inserted.iter().any(|p| p.errors.contains(class)));
        let mut sums = Sums {
            beacons: self.beacons(),
            attempts: attempts.attempts.min(10),
            plays: attempts.plays.min(10),
            startup_failures: attempts.startup_failures.min(10),
            playback_failures: attempts.playback_failures.min(10),
            playing_ms,
            stalled_ms,
            stalls: sum(|amounts| amounts.stalls).min(seconds),
            dropped_frames: sum(|amounts| amounts.dropped_frames).min(120 * settings.window / 1000),
            switches,
            switches_up,
            switches_down: sum(|amounts| amounts.switches_down).min(switches - switches_up),
            seeks: sum(|amounts| amounts.seeks).min(seconds),
            seeking_ms: sum(|amounts| amounts.seeking_ms).min(at_most),
            exits_before_start: attempts.exits_before_start.min(10),
            good_sessions: 0,
            errors: errors.map(|class| (class, 1)).collect(),
        };
        let startup_ms = self.inserted.iter().find_map(|inserted| inserted.startup);
        let bandwidth_kbps = self.mean(|beacon| beacon.bandwidth_kbps);
        let bitrate_kbps = self.mean_bitrate();
        let quality = settings.quality_of(tenant);
        let rebuffers = stalled_ms * 1_000_000 > quality.rebuffering * (playing_ms + stalled_ms);
        let fails = sums.startup_failures + sums.playback_failures > 0;
        let is_slow = startup_ms.is_some_and(|startup| startup > quality.startup_ms);
        let is_coarse = bitrate_kbps.is_some_and(|bitrate| bitrate < quality.bitrate_kbps);
        sums.good_sessions = u64::from(!(rebuffers || fails || is_slow || is_coarse));
        Cell {
            sessions: 1,
            session_ids: [session.to_owned()].into(),
            bounded: contribution(
                &sums,
                startup_ms,
                bitrate_kbps,
                bandwidth_kbps,
                settings.window,
                settings.budget,
            ),
            sums,
            startup_ms: startup_ms.into_iter().collect(),
            bandwidth_kbps: bandwidth_kbps.into_iter().collect(),
            bitrate_kbps: bitrate_kbps.into_iter().collect(),
            live_latency_ms: self.mean(|beacon| beacon.live_latency_ms).into_iter().collect(),
            ttfb_ms: self.plain_mean(|beacon| beacon.ttfb_ms).into_iter().collect(),
        }
    }

    /// Returns the mean bitrate, weighted by playing time. During the time that an event adds, the bitrate is that of
    /// earlier events. If the session has no playing time, the mean is not weighted.
    fn mean_bitrate(&self) -> Option<u64> {
        let during = |inserted: &InsertedBeacon| {
            let rate = inserted.amounts.bitrate_kbps.or(inserted.beacon.bitrate_kbps)?;
            Some((u128::from(rate), u128::from(inserted.amounts.playing_ms)))
        };
        let rates: Vec<_> = self.inserted.iter().filter_map(during).collect();
        let weight: u128 = rates.iter().map(|(_, weight)| weight).sum();
        if weight == 0 {
            return self.plain_mean(|beacon| beacon.bitrate_kbps);
        }
        Some(two_digits_of(rates.iter().map(|(rate, weight)| rate * weight).sum(), weight))
    }

    /// Returns the mean of a value over the beacons that contain it. Returns `None` if there are none.
    fn plain_mean(&self, value: fn(&Beacon) -> Option<u64>) -> Option<u64> {
        let values: Vec<u128> =
            self.inserted.iter().filter_map(|inserted| value(&inserted.beacon)).map(u128::from).collect();
        (!values.is_empty()).then(|| two_digits_of(values.iter().sum(), values.len() as u128))
    }

    /// Returns the mean of a rate over the beacons that contain it, weighted by their playing time. If none of these
    /// beacons has playing time, the mean is not weighted. Returns `None` if no beacon contains the rate.
    fn mean(&self, rate: fn(&Beacon) -> Option<u64>) -> Option<u64> {
        let rates: Vec<(u128, u128)> = self
            .inserted
            .iter()
            .filter_map(|inserted| Some((rate(&inserted.beacon)?.into(), inserted.amounts.playing_ms.into())))
            .collect();
        if rates.is_empty() {
            return None;
        }
        let weight: u128 = rates.iter().map(|(_, weight)| weight).sum();
        Some(if weight == 0 {
            two_digits_of(rates.iter().map(|(rate, _)| rate).sum(), rates.len() as u128)
        } else {
            two_digits_of(rates.iter().map(|(rate, weight)| rate * weight).sum(), weight)
        })
    }
}
