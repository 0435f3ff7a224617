//! The thresholds that a good session meets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{SumMetric, Sums, ValueMetric};

/// The thresholds of a good session. If a session does not report a number, it meets the threshold for this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The maximum startup time in milliseconds. It applies to sessions that started in the window.
    pub startup_ms: u32,
    /// The maximum share of stalled time in the sum of playing and stalled time, in millionths.
    pub rebuffering_millionths: u32,
    /// The minimum mean bitrate in kbit/s. The value 0 disables this threshold.
    pub bitrate_kbps: u32,
}

impl Default for Quality {
    fn default() -> Self {
        Self { startup_ms: 2_000, rebuffering_millionths: 10_000, bitrate_kbps: 0 }
    }
}

impl Quality {
    /// Returns the definition of a good session as the end of a sentence.
    #[must_use]
    pub fn definition(&self) -> String {
        let (startup, stalled) =
            (f64::from(self.startup_ms) / 1e3, f64::from(self.rebuffering_millionths) / 1e4);
        let mut text = format!("started within {startup} s, stalled for at most {stalled} % of the time");
        if self.bitrate_kbps > 0 {
            let _ = write!(text, ", had a mean bitrate of at least {} kbit/s", self.bitrate_kbps);
        }
        text + " and had no failure"
    }

    /// Returns true if a session met all thresholds in a window, and had no failure.
    #[must_use]
    pub fn is_met(&self, sums: &Sums, values: &[Option<u32>; ValueMetric::COUNT]) -> bool {
        let value = |metric: ValueMetric| values[metric as usize];
        let (playing, stalled) = (sums[SumMetric::PlayingMs], sums[SumMetric::StalledMs]);
        let most_stalled = u128::from(playing + stalled) * u128::from(self.rebuffering_millionths);
        sums[SumMetric::StartupFailures] == 0
            && sums[SumMetric::PlaybackFailures] == 0
            && value(ValueMetric::StartupMs).is_none_or(|startup| startup <= self.startup_ms)
            && u128::from(stalled) * 1_000_000 <= most_stalled
            && value(ValueMetric::BitrateKbps).is_none_or(|bitrate| bitrate >= self.bitrate_kbps)
    }
}

/// The thresholds of all tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qualities {
    common: Quality,
    /// The thresholds of tenants whose thresholds differ from the common ones.
    own: BTreeMap<String, Quality>,
}

impl Qualities {
    /// Creates the thresholds of all tenants. `common` applies to every tenant that is not in `own`.
    #[must_use]
    pub fn new(common: Quality, own: impl IntoIterator<Item = (String, Quality)>) -> Self {
        Self { common, own: own.into_iter().filter(|(_, quality)| *quality != common).collect() }
    }

    /// Returns the thresholds of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Quality {
        self.own.get(tenant).copied().unwrap_or(self.common)
    }

    /// Returns true if all tenants have the same thresholds.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.own.is_empty()
    }

    /// Returns the thresholds of tenants without thresholds of their own.
    #[must_use]
    pub const fn common(&self) -> Quality {
        self.common
    }

    /// Appends all thresholds to the text from which a fingerprint is computed. Appends nothing if all thresholds have
    /// the default value.
    pub fn write_to(&self, text: &mut String) {
        if *self == Self::default() {
            return;
        }
        let mut write = |tenant: &str, quality: &Quality| {
            let Quality { startup_ms, rebuffering_millionths, bitrate_kbps } = quality;
            let _ = write!(text, " q={tenant}:{startup_ms}:{rebuffering_millionths}:{bitrate_kbps}");
        };
        write("", &self.common);
        self.own.iter().for_each(|(tenant, quality)| write(tenant, quality));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_of_a_good_session_names_all_thresholds() {
        assert_eq!(
            Quality::default().definition(),
            "started within 2 s, stalled for at most 1 % of the time and had no failure"
        );
        let quality = Quality { startup_ms: 1_500, rebuffering_millionths: 2_500, bitrate_kbps: 800 };
        assert_eq!(
            quality.definition(),
            "started within 1.5 s, stalled for at most 0.25 % of the time, had a mean bitrate of at least 800 kbit/s \
             and had no failure"
        );
    }

    #[test]
    fn session_that_misses_one_threshold_or_has_a_failure_is_not_good() {
        let quality = Quality { bitrate_kbps: 1_000, ..Quality::default() };
        let is_good = |sums: &[(SumMetric, u64)], startup, bitrate| {
            let mut values = [None; ValueMetric::COUNT];
            values[ValueMetric::StartupMs as usize] = startup;
            values[ValueMetric::BitrateKbps as usize] = bitrate;
            quality.is_met(&Sums::of(sums), &values)
        };
        let played = |stalled| [(SumMetric::PlayingMs, 9_900), (SumMetric::StalledMs, stalled)];
        assert!(is_good(&[], None, None));
        assert!(is_good(&played(100), Some(2_000), Some(1_000)));
        assert!(!is_good(&played(101), None, None));
        assert!(!is_good(&played(0), Some(2_001), None));
        assert!(!is_good(&played(0), None, Some(999)));
        assert!(!is_good(&[(SumMetric::StartupFailures, 1)], None, None));
        assert!(!is_good(&[(SumMetric::PlaybackFailures, 1)], None, None));
    }

    #[test]
    fn fingerprint_text_is_empty_for_the_default_and_depends_on_the_tenant() {
        let text = |qualities: &Qualities| {
            let mut text = String::new();
            qualities.write_to(&mut text);
            text
        };
        let strict = Quality { startup_ms: 1_000, ..Quality::default() };
        assert_eq!(text(&Qualities::default()), "");
        let of_acme = Qualities::new(Quality::default(), [("acme".into(), strict)]);
        assert_eq!(text(&of_acme), " q=:2000:10000:0 q=acme:1000:10000:0");
        assert_eq!((of_acme.of("acme"), of_acme.of("blip")), (strict, Quality::default()));
    }
}
