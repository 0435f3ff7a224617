//! Session summaries: the activity of one session in one window.

use crowdfold_airlock::Measures;

use crate::Rules;
use crate::sessions::attempts::{Counted, InWindow};
use crate::sessions::errors::ErrorClasses;
use crate::sessions::session::Observed;
use crowdfold_model::{Bounded, Budget, Cell, Combine, Quality, SumMetric, Sums, ValueMetric, amounts};

/// The summary of one session in one window, without its dimension values. A count that reaches the maximum of its type
/// does not grow further. These maxima are far above the limits that are applied when the window closes.
#[derive(Debug, Default)]
pub(crate) struct SessionSummary {
    pub(crate) beacons: u64,
    network_bits: u64,
    values: [Mean; ValueMetric::COUNT],
    /// The dimension slots that were reported in this window. The values in all other slots are inherited from earlier
    /// windows.
    pub(crate) reported: u32,
    /// The dimension slots that have a value.
    pub(crate) filled: u32,
    sums: [u32; SumMetric::COUNT],
    /// The index of the session's tenant.
    pub(crate) tenant: u16,
    errors: ErrorClasses,
    pub(crate) in_window: InWindow,
    /// True if an opt-out removed the session summary.
    pub(crate) gone: bool,
}

impl SessionSummary {
    pub(crate) fn new(tenant: u16) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// Adds a beacon and its effects.
    pub(crate) fn add(&mut self, measures: &Measures, observed: &Observed, network_bit: u64) {
        self.beacons += 1;
        self.network_bits |= network_bit;
        self.in_window = observed.in_window;
        if observed.counted != Counted::default() {
            self.count(&observed.counted);
        }
        for (sum, more) in self.sums.iter_mut().zip(observed.sums) {
            *sum = sum.saturating_add(more);
        }
        self.errors.add_all(observed.new_errors);
        let playing_ms = observed.sums[SumMetric::PlayingMs as usize];
        for metric in ValueMetric::ALL {
            let value = match metric {
                ValueMetric::StartupMs => observed.new_startup,
                _ => measures.value(metric),
            };
            let is_weighted = metric != ValueMetric::BitrateKbps || observed.bitrate_before.is_none();
            if let Some(value) = value {
                let playing_ms = if is_weighted { playing_ms } else { 0 };
                self.values[metric as usize].add(metric.combine(), value, playing_ms);
            }
        }
        if let Some(bitrate) = observed.bitrate_before {
            self.values[ValueMetric::BitrateKbps as usize].weigh(bitrate, playing_ms);
        }
    }

    #[cold]
    fn count(&mut self, counted: &Counted) {
        for (metric, more) in [
            (SumMetric::Attempts, counted.attempts),
            (SumMetric::Plays, counted.plays),
            (SumMetric::StartupFailures, counted.startup_failures),
            (SumMetric::PlaybackFailures, counted.playback_failures),
            (SumMetric::ExitsBeforeStart, counted.exits_before_start),
        ] {
            let sum = &mut self.sums[metric as usize];
            *sum = sum.saturating_add(more.into());
        }
    }

    /// Returns the contribution of the session to its cells. For the detail table, it has clamped amounts, and at most
    /// one value for each distribution. For the other tables, its amounts are within the noise budget of the session.
    pub(crate) fn close(&self, rules: &Rules, quality: &Quality, budget: &Budget) -> Contribution {
        let most = Sums::most(rules.window, rules.idle);
        let mut pending = Counted::default();
        pending.add(self.in_window.pending);
        let mut sums = Sums {
            beacons: self.beacons,
            clamped_beacons: self.beacons.min(most.clamped_beacons),
            metrics: self.sums.map(u64::from),
            errors: self.errors.counts(),
        };
        sums[SumMetric::StartupFailures] += u64::from(pending.startup_failures);
        sums[SumMetric::PlaybackFailures] += u64::from(pending.playback_failures);
        sums[SumMetric::ExitsBeforeStart] += u64::from(pending.exits_before_start);
        for (sum, most) in sums.metrics.iter_mut().zip(most.metrics) {
            *sum = (*sum).min(most);
        }
        // The sum of the playing time and the stalled time must not exceed the limit for stalled time.
        let left = most[SumMetric::StalledMs] - sums[SumMetric::PlayingMs];
        sums[SumMetric::StalledMs] = sums[SumMetric::StalledMs].min(left);
        // The number of switches is at least the number of switches up plus the number of switches down.
        let switches = sums[SumMetric::Switches];
        sums[SumMetric::SwitchesUp] = sums[SumMetric::SwitchesUp].min(switches);
        sums[SumMetric::SwitchesDown] =
            sums[SumMetric::SwitchesDown].min(switches - sums[SumMetric::SwitchesUp]);
        let values = ValueMetric::ALL.map(|metric| self.values[metric as usize].close(metric.combine()));
        sums[SumMetric::GoodSessions] = quality.is_met(&sums, &values).into();
        Contribution {
            networks: self.network_bits,
            bounded: budget.bound(amounts(&sums, &values)),
            sums,
            values,
        }
    }
}

/// The contribution of one session to each of its cells.
pub(crate) struct Contribution {
    networks: u64,
    sums: Sums,
    bounded: Bounded,
    values: [Option<u32>; ValueMetric::COUNT],
}

impl Contribution {
    /// Adds the session to a cell.
    pub(crate) fn add_to(&self, cell: &mut Cell) {
        cell.sessions += 1;
        cell.networks |= self.networks;
        cell.sums.add(&self.sums);
        cell.bounded.add(&self.bounded);
        for (distribution, value) in cell.values.0.iter_mut().zip(self.values) {
            if let Some(value) = value {
                distribution.record(value);
            }
        }
    }
}

/// The value of a metric for one session. The metric determines if this is the first value or a mean over the session's
/// beacons. A mean is weighted by playing time, or unweighted if no beacon has playing time.
#[derive(Debug, Default)]
struct Mean {
    weighted: u64,
    weight: u64,
    /// The sum of the values without weights, or the first value.
    plain: u64,
    beacons: u64,
}

impl Mean {
    /// Adds the value of one beacon, with the playing time of the beacon as its weight.
    fn add(&mut self, combine: Combine, value: u32, playing_ms: u32) {
        match combine {
            Combine::First if self.beacons == 0 => self.plain = value.into(),
            Combine::First => {}
            Combine::PlainMean => self.plain += u64::from(value),
            Combine::Mean => {
                self.weigh(value, playing_ms);
                self.plain += u64::from(value);
            }
        }
        self.beacons += 1;
    }

    /// Adds a value with its playing time to a weighted mean. The sums could overflow only after 200,000 beacons with
    /// the largest possible value (10^8) and weight (a day in units of 100 ms).
    fn weigh(&mut self, value: u32, playing_ms: u32) {
        let weight = u64::from(playing_ms) / 100;
        self.weighted = self.weighted.saturating_add(u64::from(value) * weight);
        self.weight += weight;
    }

    /// Returns the value of the session, or `None` if no value is known. A mean is rounded to two significant digits,
    /// half up.
    fn close(&self, combine: Combine) -> Option<u32> {
        if self.beacons == 0 && self.weight == 0 {
            return None;
        }
        let value = match combine {
            Combine::First => self.plain,
            Combine::Mean if self.weight > 0 => quotient_to_two_digits(self.weighted, self.weight),
            Combine::Mean | Combine::PlainMean => quotient_to_two_digits(self.plain, self.beacons),
        };
        Some(u32::try_from(value).unwrap_or(u32::MAX))
    }
}

/// Returns `sum / of`, rounded half up to two significant digits. A quotient below ten is rounded to a whole number.
/// The exact quotient is rounded only once.
pub(crate) fn quotient_to_two_digits(sum: u64, of: u64) -> u64 {
    let (sum, of) = (u128::from(sum), u128::from(of));
    let mut unit: u128 = 1;
    while sum / (of * unit) >= 100 {
        unit *= 10;
    }
    let step = of * unit;
    (((2 * sum + step) / (2 * step)) * unit) as u64
}

#[cfg(test)]
mod tests {
    use super::{SessionSummary, quotient_to_two_digits};
    use crate::Rules;
    use crate::sessions::errors::ErrorClasses;
    use crowdfold_model::{Budget, Qualities, Quality, Span, SumMetric, Sums};

    #[test]
    fn contribution_of_a_session_does_not_exceed_the_clamps() {
        let many = u32::MAX;
        let mut sums = [many; SumMetric::COUNT];
        sums[SumMetric::PlayingMs as usize] = 3_000_000;
        let mut summary = SessionSummary {
            beacons: many.into(),
            sums,
            errors: ErrorClasses::ALL,
            ..SessionSummary::default()
        };
        let rules = Rules {
            window: Span::HOUR,
            lateness: Span::ZERO,
            idle: Span::SECOND.times(90),
            breakdowns: Vec::new().into(),
            qualities: Qualities::default(),
            max_sessions: 1,
        };
        let (most, budget) = (Sums::most(rules.window, rules.idle), Budget::new(rules.window));
        let numbers = (most.clamped_beacons, most[SumMetric::PlayingMs], most[SumMetric::Stalls]);
        assert_eq!(numbers, (370, 3_690_000, 3_600));
        let mut expected = Sums { beacons: many.into(), ..most };
        (expected[SumMetric::SwitchesDown], expected[SumMetric::GoodSessions]) = (0, 0);
        (expected[SumMetric::PlayingMs], expected[SumMetric::StalledMs]) = (3_000_000, 690_000);
        assert_eq!(summary.close(&rules, &Quality::default(), &budget).sums, expected);
        summary.sums[SumMetric::PlayingMs as usize] = many;
        (expected[SumMetric::PlayingMs], expected[SumMetric::StalledMs]) = (3_690_000, 0);
        assert_eq!(summary.close(&rules, &Quality::default(), &budget).sums, expected);
    }

    #[test]
    fn means_are_rounded_once_half_up() {
        for (sum, of, expect) in [
            (0, 3, 0),
            (1, 2, 1),
            (1, 3, 0),
            (99, 1, 99),
            (199, 2, 100),
            (1249, 1, 1200),
            (12_499, 10, 1200),
            (12_500, 10, 1300),
            (9_949, 1, 9_900),
            (9_950, 1, 10_000),
            (u64::MAX, 1, 18_000_000_000_000_000_000),
        ] {
            assert_eq!(quotient_to_two_digits(sum, of), expect, "{sum}/{of}");
        }
    }
}
