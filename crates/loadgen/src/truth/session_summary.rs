//! The summary of one session in one window. Its amounts are not clamped, because the amounts of synthetic players are
//! below all clamps of the worker.

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_model::{
    Bounded, Budget, Combine, ErrorClass, Quality, SumMetric, Sums, Unit, ValueMetric, amounts,
};

use super::{Cell, Window};
use crate::catalogue::error_code;
use crate::profile::Profile;
use crate::report::{Activity, Event};

pub(super) struct SessionSummary {
    profile: Arc<Profile>,
    cdn: &'static str,
    quality: Option<&'static str>,
    beacons: u64,
    sums: [u64; SumMetric::COUNT],
    errors: Vec<&'static str>,
    /// The first error code.
    code: Option<&'static str>,
    values: [Mean; ValueMetric::COUNT],
}

impl SessionSummary {
    pub(super) fn of(profile: Arc<Profile>) -> Self {
        Self {
            profile,
            cdn: "",
            quality: None,
            beacons: 0,
            sums: [0; SumMetric::COUNT],
            errors: Vec::new(),
            code: None,
            values: Default::default(),
        }
    }

    pub(super) fn tenant(&self) -> Arc<str> {
        Arc::clone(&self.profile.tenant)
    }

    /// Returns the value of a dimension. If the value changed within the window, returns the first value.
    pub(super) fn value(&self, dimension: &str) -> Option<&str> {
        match dimension {
            "cdn" => Some(self.cdn),
            "quality" => self.quality,
            "error_code" => self.code,
            constant => self.profile.value(constant),
        }
    }

    pub(super) fn add(&mut self, activity: &Activity) {
        if self.beacons == 0 {
            self.cdn = activity.cdn;
        }
        self.beacons += 1;
        for metric in SumMetric::ALL {
            self.sums[metric as usize] += rounded(metric, activity.sum(metric));
        }
        // A session has at most one attempt and one play.
        self.happened(SumMetric::Attempts, activity.event == Event::Attempt);
        self.happened(SumMetric::Plays, activity.event == Event::Play);
        // A session has no rendition before its playback begins.
        self.happened(
            SumMetric::ExitsBeforeStart,
            activity.event == Event::End && activity.picture.is_none(),
        );
        let playing_ms = rounded(SumMetric::PlayingMs, activity.sum(SumMetric::PlayingMs));
        for metric in ValueMetric::ALL {
            if let Some(value) = activity.values[metric as usize] {
                self.values[metric as usize].add(metric.combine(), value, playing_ms);
            }
        }
        if let Some(picture) = activity.picture {
            self.quality.get_or_insert(picture.quality);
        }
        if let Some(error) = activity.error {
            self.code.get_or_insert(error_code(error));
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
            // A session with a rendition was playing. So the error ended its playback, and not its startup.
            self.happened(SumMetric::PlaybackFailures, activity.fatal && activity.picture.is_some());
            self.happened(SumMetric::StartupFailures, activity.fatal && activity.picture.is_none());
        }
    }

    /// Returns true if the session meets these thresholds.
    fn is_good(&self, quality: &Quality) -> bool {
        let (sums, values) = self.amounts();
        quality.is_met(&sums, &values)
    }

    /// Returns the amounts that the session adds to a row of a table other than the detail table.
    fn bounded(&self, budget: &Budget) -> Bounded {
        let (sums, values) = self.amounts();
        budget.bound(amounts(&sums, &values))
    }

    fn amounts(&self) -> (Sums, [Option<u32>; ValueMetric::COUNT]) {
        let mut sums = Sums::default();
        SumMetric::ALL.into_iter().for_each(|metric| sums[metric] = self.sums[metric as usize]);
        for class in ErrorClass::ALL {
            sums.errors[class as usize] = self.errors.contains(&class.name()).into();
        }
        let value = |metric: ValueMetric| {
            self.values[metric as usize].value().map(|value| u32::try_from(value).unwrap_or(u32::MAX))
        };
        (sums, ValueMetric::ALL.map(value))
    }

    fn happened(&mut self, metric: SumMetric, happened: bool) {
        let sum = &mut self.sums[metric as usize];
        *sum = (*sum).max(happened.into());
    }
}

/// The accumulator for the value of one session: the value in its first beacon, or the mean over its beacons.
#[derive(Default)]
struct Mean {
    weighted: u64,
    weight: u64,
    plain: u64,
    beacons: u64,
}

impl Mean {
    fn add(&mut self, combine: Combine, value: u32, playing_ms: u64) {
        if combine == Combine::First && self.beacons > 0 {
            return;
        }
        let value = two_digits(value.into(), 1);
        let playing_ms = if combine == Combine::PlainMean { 0 } else { playing_ms };
        self.weighted += value * playing_ms;
        self.weight += playing_ms;
        self.plain += value;
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

/// Rounds an amount like the worker. Times are rounded to 100 ms, and a remainder of 50 ms is rounded up.
fn rounded(metric: SumMetric, amount: u32) -> u64 {
    match metric.unit() {
        Unit::Milliseconds => (u64::from(amount) + 50) / 100 * 100,
        Unit::Count | Unit::Kbps => amount.into(),
    }
}

/// Rounds a fraction to two significant digits, or to an integer if the fraction is below 100. Halves are rounded up.
fn two_digits(over: u64, under: u64) -> u64 {
    let mut step = under;
    while over / 100 >= step {
        step *= 10;
    }
    (2 * over + step) / (2 * step) * (step / under)
}

/// Adds up session summaries to a cell.
pub(super) fn sum(
    summaries: &[&SessionSummary],
    quality: &Quality,
    budget: Option<&Budget>,
    tenant: String,
    window: Window,
    breakdown: Vec<String>,
    dimensions: Vec<(String, String)>,
) -> Cell {
    let good = || summaries.iter().filter(|summary| summary.is_good(quality)).count() as u64;
    let total = |metric: SumMetric| match metric {
        SumMetric::GoodSessions => good(),
        _ => summaries.iter().map(|summary| summary.sums[metric as usize]).sum(),
    };
    let distribution = |metric: ValueMetric| {
        let mut values = BTreeMap::new();
        for value in summaries.iter().filter_map(|summary| summary.values[metric as usize].value()) {
            *values.entry(value).or_default() += 1;
        }
        values.into_iter().collect()
    };
    let mut bounded = Bounded::default();
    for summary in budget.iter().flat_map(|budget| summaries.iter().map(|summary| summary.bounded(budget))) {
        bounded.add(&summary);
    }
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
        beacons: summaries.iter().map(|summary| summary.beacons).sum(),
        sums: SumMetric::ALL.map(total),
        errors,
        values: ValueMetric::ALL.map(distribution),
        bounded,
    }
}
