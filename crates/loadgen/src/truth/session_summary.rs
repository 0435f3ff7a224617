//! The summary of one session in one window. Players stay below every clamp of the worker, so none is needed here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Cell, Window};
use crate::profile::Profile;
use crate::report::{Deed, Event};

pub(super) struct SessionSummary {
    who: Arc<Profile>,
    cdn: &'static str,
    quality: Option<&'static str>,
    beacons: u64,
    attempted: bool,
    played: bool,
    failed_to_start: bool,
    failed_playing: bool,
    startup_ms: Option<u64>,
    playing_ms: u64,
    stalled_ms: u64,
    stalls: u64,
    dropped_frames: u64,
    switches: u64,
    errors: Vec<&'static str>,
    bandwidth: Mean,
    bitrate: Mean,
}

impl SessionSummary {
    pub(super) fn of(who: Arc<Profile>) -> Self {
        Self {
            who,
            cdn: "",
            quality: None,
            beacons: 0,
            attempted: false,
            played: false,
            failed_to_start: false,
            failed_playing: false,
            startup_ms: None,
            playing_ms: 0,
            stalled_ms: 0,
            stalls: 0,
            dropped_frames: 0,
            switches: 0,
            errors: Vec::new(),
            bandwidth: Mean::default(),
            bitrate: Mean::default(),
        }
    }

    pub(super) fn tenant(&self) -> Arc<str> {
        Arc::clone(&self.who.tenant)
    }

    /// Returns the value of a dimension, the first in the window.
    pub(super) fn value(&self, dimension: &str) -> Option<&str> {
        match dimension {
            "cdn" => Some(self.cdn),
            "quality" => self.quality,
            constant => self.who.value(constant),
        }
    }

    pub(super) fn add(&mut self, deed: &Deed) {
        if self.beacons == 0 {
            self.cdn = deed.cdn;
        }
        self.beacons += 1;
        self.attempted |= deed.event == Event::Attempt;
        self.played |= deed.event == Event::Play;
        if let Some(startup_ms) = deed.startup_ms {
            self.startup_ms = Some(two_digits(startup_ms.into(), 1));
        }
        let playing_ms = to_100_ms(deed.playing_ms);
        self.playing_ms += playing_ms;
        self.stalled_ms += to_100_ms(deed.stalled_ms);
        self.stalls += u64::from(deed.stalls);
        self.dropped_frames += u64::from(deed.dropped_frames);
        self.switches += u64::from(deed.switches);
        if let Some(picture) = deed.picture {
            self.quality.get_or_insert(picture.quality);
            self.bandwidth.add(picture.bandwidth_kbps, playing_ms);
            self.bitrate.add(picture.bitrate_kbps, playing_ms);
        }
        if let Some(error) = deed.error {
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
            // Only playing sessions have a picture.
            self.failed_playing |= deed.fatal && deed.picture.is_some();
            self.failed_to_start |= deed.fatal && deed.picture.is_none();
        }
    }
}

/// A mean over beacons, weighted by playing time.
#[derive(Default)]
struct Mean {
    weighted: u64,
    weight: u64,
    plain: u64,
    beacons: u64,
}

impl Mean {
    fn add(&mut self, kbps: u32, playing_ms: u64) {
        let kbps = two_digits(kbps.into(), 1);
        self.weighted += kbps * playing_ms;
        self.weight += playing_ms;
        self.plain += kbps;
        self.beacons += 1;
    }

    fn value(&self) -> Option<u64> {
        match (self.weight, self.beacons) {
            (_, 0) => None,
            (0, beacons) => Some(two_digits(self.plain, beacons)),
            (weight, _) => Some(two_digits(self.weighted, weight)),
        }
    }
}

/// Rounds a time to 100 ms, half up.
fn to_100_ms(ms: u32) -> u64 {
    (u64::from(ms) + 50) / 100 * 100
}

/// Rounds a fraction to two significant digits, half up; below 100 to an integer.
fn two_digits(over: u64, under: u64) -> u64 {
    let mut step = under;
    while over / 100 >= step {
        step *= 10;
    }
    (2 * over + step) / (2 * step) * (step / under)
}

/// Returns the sum of some session summaries.
pub(super) fn sum(
    summaries: &[&SessionSummary],
    tenant: String,
    window: Window,
    breakdown: Vec<String>,
    dimensions: Vec<(String, String)>,
) -> Cell {
    let total = |amount: fn(&SessionSummary) -> u64| summaries.iter().map(|summary| amount(summary)).sum();
    let distribution = |value: fn(&SessionSummary) -> Option<u64>| {
        let mut values = BTreeMap::new();
        for value in summaries.iter().filter_map(|summary| value(summary)) {
            *values.entry(value).or_default() += 1;
        }
        values.into_iter().collect()
    };
    let mut errors = BTreeMap::new();
    for class in summaries.iter().flat_map(|summary| &summary.errors) {
        *errors.entry(*class).or_default() += 1;
    }
    Cell {
        tenant,
        window,
        breakdown,
        dimensions,
        sessions: summaries.len() as u64,
        beacons: total(|s| s.beacons),
        attempts: total(|s| s.attempted.into()),
        plays: total(|s| s.played.into()),
        startup_failures: total(|s| s.failed_to_start.into()),
        playback_failures: total(|s| s.failed_playing.into()),
        playing_ms: total(|s| s.playing_ms),
        stalled_ms: total(|s| s.stalled_ms),
        stalls: total(|s| s.stalls),
        dropped_frames: total(|s| s.dropped_frames),
        switches: total(|s| s.switches),
        errors,
        startup_ms: distribution(|s| s.startup_ms),
        bandwidth_kbps: distribution(|s| s.bandwidth.value()),
        bitrate_kbps: distribution(|s| s.bitrate.value()),
    }
}
