//! The summary of one session in one window.

use crowdfold_airlock::Measures;

use crate::attempts::{Counted, InWindow};
use crate::bounded::{self, Budget};
use crate::errors::ErrorClasses;
use crate::session::Observed;
use crate::{Bounded, Cell, Rules, Sums};

/// The summary of one session in one window, without its dimensions. Counts stop at the greatest number they can hold,
/// which is far above what is given to cells.
#[derive(Debug, Default)]
pub(crate) struct SessionSummary {
    pub(crate) beacons: u64,
    network_bits: u64,
    bandwidth: Mean,
    bitrate: Mean,
    /// Which slots of its dimensions were reported in this window; the others are inherited.
    pub(crate) reported: u32,
    /// Which slots have a value.
    pub(crate) filled: u32,
    playing_ms: u32,
    stalled_ms: u32,
    stalls: u32,
    dropped_frames: u32,
    switches: u32,
    startup_ms: Option<u32>,
    /// Index of its session's tenant.
    pub(crate) tenant: u16,
    attempts: u8,
    plays: u8,
    startup_failures: u8,
    playback_failures: u8,
    errors: ErrorClasses,
    pub(crate) in_window: InWindow,
    /// Taken out by an opt-out.
    pub(crate) gone: bool,
}

impl SessionSummary {
    pub(crate) fn new(tenant: u16) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// Adds a beacon.
    pub(crate) fn add(&mut self, measures: &Measures, observed: &Observed, network_bit: u64) {
        self.beacons += 1;
        self.network_bits |= network_bit;
        self.in_window = observed.in_window;
        if observed.counted != Counted::default() {
            self.count(&observed.counted);
        }
        self.playing_ms = self.playing_ms.saturating_add(observed.playing_ms);
        self.stalled_ms = self.stalled_ms.saturating_add(observed.stalled_ms);
        self.stalls = self.stalls.saturating_add(observed.stalls);
        self.dropped_frames = self.dropped_frames.saturating_add(observed.dropped_frames);
        self.switches = self.switches.saturating_add(observed.switches);
        self.startup_ms = self.startup_ms.or(observed.new_startup);
        self.errors.add_all(observed.new_errors);
        if let Some(rate) = measures.bandwidth_kbps {
            self.bandwidth.add(rate, observed.playing_ms);
        }
        if let Some(rate) = measures.bitrate_kbps {
            self.bitrate.add(rate, observed.playing_ms);
        }
    }

    #[cold]
    fn count(&mut self, counted: &Counted) {
        for (count, more) in [
            (&mut self.attempts, counted.attempts),
            (&mut self.plays, counted.plays),
            (&mut self.startup_failures, counted.startup_failures),
            (&mut self.playback_failures, counted.playback_failures),
        ] {
            *count = count.saturating_add(more);
        }
    }

    /// Returns what the session contributes to its cells: clamped amounts, one value for each distribution, and the
    /// same within the budget.
    pub(crate) fn close(&self, rules: &Rules, budget: &Budget) -> Contribution {
        let most = Sums::most(rules.window, rules.idle);
        let playing_ms = u64::from(self.playing_ms).min(most.playing_ms);
        let mut pending = Counted::default();
        pending.add(self.in_window.pending);
        let sums = Sums {
            beacons: self.beacons,
            clamped_beacons: self.beacons.min(most.clamped_beacons),
            attempts: u64::from(self.attempts).min(most.attempts),
            plays: u64::from(self.plays).min(most.plays),
            startup_failures: (u64::from(self.startup_failures) + u64::from(pending.startup_failures))
                .min(most.startup_failures),
            playback_failures: (u64::from(self.playback_failures) + u64::from(pending.playback_failures))
                .min(most.playback_failures),
            playing_ms,
            stalled_ms: u64::from(self.stalled_ms).min(most.stalled_ms - playing_ms),
            stalls: u64::from(self.stalls).min(most.stalls),
            dropped_frames: u64::from(self.dropped_frames).min(most.dropped_frames),
            switches: u64::from(self.switches).min(most.switches),
            errors: self.errors.counts(),
        };
        let (bandwidth_kbps, bitrate_kbps) = (self.bandwidth.two_digits(), self.bitrate.two_digits());
        let amounts = bounded::amounts(&sums, self.startup_ms, bitrate_kbps, bandwidth_kbps);
        Contribution {
            networks: self.network_bits,
            sums,
            bounded: budget.bound(amounts),
            startup_ms: self.startup_ms,
            bandwidth_kbps,
            bitrate_kbps,
        }
    }
}

/// One session's share of its cells.
pub(crate) struct Contribution {
    networks: u64,
    sums: Sums,
    bounded: Bounded,
    startup_ms: Option<u32>,
    bandwidth_kbps: Option<u32>,
    bitrate_kbps: Option<u32>,
}

impl Contribution {
    /// Adds the session to a cell.
    pub(crate) fn add_to(&self, cell: &mut Cell) {
        cell.sessions += 1;
        cell.networks |= self.networks;
        cell.sums.add(&self.sums);
        cell.bounded.add(&self.bounded);
        for (value, distribution) in [
            (self.startup_ms, &mut cell.startup),
            (self.bandwidth_kbps, &mut cell.bandwidth),
            (self.bitrate_kbps, &mut cell.bitrate),
        ] {
            if let Some(value) = value {
                distribution.record(value);
            }
        }
    }
}

/// The mean of a rate over a session's beacons, weighted by the time each played; plain where none played.
#[derive(Debug, Default)]
struct Mean {
    weighted: u64,
    weight: u64,
    plain: u64,
    beacons: u64,
}

impl Mean {
    /// Rates are at most 10^8 kbit/s and times a day in units of 100 ms: 200,000 beacons of both extremes fit.
    fn add(&mut self, rate: u32, playing_ms: u32) {
        let weight = u64::from(playing_ms) / 100;
        self.weighted = self.weighted.saturating_add(u64::from(rate) * weight);
        self.weight += weight;
        self.plain += u64::from(rate);
        self.beacons += 1;
    }

    /// The mean, to two significant digits, half up; `None` where no beacon carried the rate.
    fn two_digits(&self) -> Option<u32> {
        let (sum, of) =
            if self.weight > 0 { (self.weighted, self.weight) } else { (self.plain, self.beacons) };
        (of > 0).then(|| u32::try_from(quotient_to_two_digits(sum, of)).unwrap_or(u32::MAX))
    }
}

/// `sum / of`, rounded half up to two significant digits (to a whole number below ten). Never rounds twice.
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
    use crate::bounded::Budget;
    use crate::errors::ErrorClasses;
    use crate::{Rules, Sums};

    #[test]
    fn no_session_gives_more_than_the_most() {
        let many = u32::MAX;
        let mut summary = SessionSummary {
            beacons: many.into(),
            attempts: u8::MAX,
            plays: u8::MAX,
            startup_failures: u8::MAX,
            playback_failures: u8::MAX,
            playing_ms: 3_000_000,
            stalled_ms: many,
            stalls: many,
            dropped_frames: many,
            switches: many,
            errors: ErrorClasses::ALL,
            ..SessionSummary::default()
        };
        let rules = Rules {
            window: 3_600_000,
            lateness: 0,
            idle: 90_000,
            breakdowns: Vec::new().into(),
            max_sessions: 1,
        };
        let (most, budget) = (Sums::most(rules.window, rules.idle), Budget::new(rules.window));
        assert_eq!((most.clamped_beacons, most.playing_ms, most.stalls), (370, 3_690_000, 3_600));
        let expected = Sums { beacons: many.into(), playing_ms: 3_000_000, stalled_ms: 690_000, ..most };
        assert_eq!(summary.close(&rules, &budget).sums, expected);
        summary.playing_ms = many;
        assert_eq!(summary.close(&rules, &budget).sums, Sums { beacons: many.into(), stalled_ms: 0, ..most });
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
