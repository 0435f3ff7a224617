//! The metrics of a row: sums over its sessions, and values that each session has one of.

mod either;

use crate::{Clamp, CmcdPart, Combine, Limit, Unit};

pub use either::Metric;

/// The definition of a sum.
struct SumDefinition {
    name: &'static str,
    description: &'static str,
    cmcd: &'static [&'static str],
    unit: Unit,
    is_in_beacons: bool,
    most: Limit,
    outside_detail: Clamp,
    spent: u8,
}

/// The definition of a value.
struct ValueDefinition {
    name: &'static str,
    description: &'static str,
    cmcd: &'static [&'static str],
    unit: Unit,
    largest: u64,
    combine: Combine,
    has_histogram: bool,
    outside_detail: Clamp,
    spent: u8,
}

/// Defines the enums and tables of metrics. The documentation of a metric is also its description in the schema of rows and
/// in the reference.
///
/// - `json`: true if JSON beacons have a field of that name. Values always have one.
/// - `cmcd`: the key of CMCD that contains it, and the part of its value; for a sum, CMCD reports the total since the
///   start of the session.
/// - `largest`: the largest value that a beacon can report, if it is smaller than the limit of the unit. A larger one is
///   an error of the sender.
/// - `most`: the most that one session adds in one window.
/// - `outside`: the most that one session contributes outside the detail table, and the position at which its budget
///   there is spent. Errors have the positions 4 to 9.
macro_rules! metrics {
    (
        sums {$(
            $(#[doc = $sum_doc:literal])+
            $sum:ident: $sum_name:literal, unit = $sum_unit:ident, json = $json:literal,
                cmcd = [$($sum_key:literal $sum_part:ident)?], most = $most:expr,
                outside = $sum_clamp:expr, spent = $sum_spent:literal;
        )+}
        values {$(
            $(#[doc = $value_doc:literal])+
            $value:ident: $value_name:literal, unit = $value_unit:ident, $(largest = $largest:literal,)?
                cmcd = [$($value_key:literal $value_part:ident)?], combine = $combine:ident, histogram = $histogram:literal,
                outside = $value_clamp:expr, spent = $value_spent:literal;
        )+}
    ) => {
        /// A metric that is summed over the sessions of a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum SumMetric {
            $($(#[doc = $sum_doc])+ $sum,)+
        }

        /// A metric of which each session has at most one value in a window. A row shows their distribution.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ValueMetric {
            $($(#[doc = $value_doc])+ $value,)+
        }

        const SUMS: &[SumDefinition] = &[$(SumDefinition {
            name: $sum_name,
            description: concat!($($sum_doc),+),
            cmcd: &[$($sum_key)?],
            unit: Unit::$sum_unit,
            is_in_beacons: $json,
            most: $most,
            outside_detail: $sum_clamp,
            spent: $sum_spent,
        },)+];

        const VALUES: &[ValueDefinition] = &[$(ValueDefinition {
            name: $value_name,
            description: concat!($($value_doc),+),
            cmcd: &[$($value_key)?],
            unit: Unit::$value_unit,
            largest: smaller(Unit::$value_unit.limit(), &[$($largest)?]),
            combine: Combine::$combine,
            has_histogram: $histogram,
            outside_detail: $value_clamp,
            spent: $value_spent,
        },)+];

        impl SumMetric {
            /// All sums, in the order of a row.
            pub const ALL: [Self; SUMS.len()] = [$(Self::$sum,)+];

            /// The sums that CMCD reports, each as the total since the start of the session.
            pub const TOTALS: [Self; <[&str]>::len(&[$($($sum_key,)?)+])] = [$($({
                const _: &str = $sum_key;
                Self::$sum
            },)?)+];
        }

        impl ValueMetric {
            /// All values, in the order of a row.
            pub const ALL: [Self; VALUES.len()] = [$(Self::$value,)+];
        }

        impl Metric {
            /// Returns the metric that a CMCD key reports, and the part of the member that counts.
            #[inline]
            #[must_use]
            pub fn of_cmcd(key: &str) -> Option<(Self, CmcdPart)> {
                match key {
                    $($($sum_key => Some((Self::Sum(SumMetric::$sum), CmcdPart::$sum_part)),)?)+
                    $($($value_key => Some((Self::Value(ValueMetric::$value), CmcdPart::$value_part)),)?)+
                    _ => None,
                }
            }
        }
    };
}

/// Returns the smallest of a limit and others.
const fn smaller(limit: u64, others: &[u64]) -> u64 {
    match others {
        [other, ..] if *other < limit => *other,
        _ => limit,
    }
}

/// The most attempts, plays and failures of one session in one window.
const TIMES: Limit = Limit::Fixed(10);

metrics! {
    sums {
        /// Requests for playback.
        Attempts: "attempts", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), spent = 0;
        /// Attempts whose first frame was shown.
        Plays: "plays", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), spent = 1;
        /// Attempts that a fatal error ended before the first frame.
        StartupFailures: "startup_failures", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), spent = 2;
        /// Plays that a fatal error ended.
        PlaybackFailures: "playback_failures", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), spent = 3;
        /// Time played.
        PlayingMs: "playing_ms", unit = Milliseconds, json = true, cmcd = [], most = Limit::Span,
            outside = Clamp::PerMinute(60_000), spent = 17;
        /// Time stalled, without startup and seeks.
        StalledMs: "stalled_ms", unit = Milliseconds, json = true, cmcd = ["bsda" Video], most = Limit::Span,
            outside = Clamp::PerMinute(15_000), spent = 11;
        /// Stalls.
        Stalls: "stalls", unit = Count, json = true, cmcd = ["bsa" Video], most = Limit::PerSecond(1),
            outside = Clamp::PerMinute(3), spent = 10;
        /// Frames dropped.
        DroppedFrames: "dropped_frames", unit = Count, json = true, cmcd = ["dfa" First],
            most = Limit::PerSecond(120), outside = Clamp::PerMinute(60), spent = 12;
        /// Changes of quality.
        Switches: "switches", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::PerMinute(3), spent = 13;
        /// Changes to a higher bitrate.
        SwitchesUp: "switches_up", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, spent = 255;
        /// Changes to a lower bitrate.
        SwitchesDown: "switches_down", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, spent = 255;
        /// Seeks after the first frame.
        Seeks: "seeks", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, spent = 255;
        /// Time from a seek until it plays again, without pauses.
        SeekingMs: "seeking_ms", unit = Milliseconds, json = true, cmcd = [], most = Limit::Span,
            outside = Clamp::Hidden, spent = 255;
        /// Attempts that the viewer ended before the first frame, as far as the player reports it.
        ExitsBeforeStart: "exits_before_start", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Hidden, spent = 255;
        /// Sessions that met all thresholds of `[quality]`.
        GoodSessions: "good_sessions", unit = Count, json = false, cmcd = [], most = Limit::Fixed(1),
            outside = Clamp::Hidden, spent = 255;
    }
    values {
        /// Time from the request for playback to the first frame.
        StartupMs: "startup_ms", unit = Milliseconds, cmcd = ["msd" First], combine = First, histogram = true,
            outside = Clamp::Fixed(10_000), spent = 14;
        /// Measured throughput.
        BandwidthKbps: "bandwidth_kbps", unit = Kbps, cmcd = ["mtp" Video], combine = Mean, histogram = true,
            outside = Clamp::Fixed(30_000), spent = 16;
        /// Encoded bitrate. It has few steps, so percentiles show all of them.
        BitrateKbps: "bitrate_kbps", unit = Kbps, cmcd = ["br" Picture], combine = Mean, histogram = false,
            outside = Clamp::Fixed(10_000), spent = 15;
        /// Time from the recording of a picture to its display in a live stream.
        LiveLatencyMs: "live_latency_ms", unit = Milliseconds, cmcd = ["ltc" First], combine = Mean, histogram = true,
            outside = Clamp::Hidden, spent = 255;
        /// Time from a request for media to the first byte of the response. Values above 60 s are ignored, because players
        /// give up earlier and some report the time of the clock.
        TtfbMs: "ttfb_ms", unit = Milliseconds, largest = 60_000, cmcd = ["ttfb" First], combine = PlainMean,
            histogram = true, outside = Clamp::Hidden, spent = 255;
    }
}

impl SumMetric {
    /// The number of sums.
    pub const COUNT: usize = SUMS.len();

    const fn definition(self) -> &'static SumDefinition {
        &SUMS[self as usize]
    }

    /// Returns the name in rollups and, if beacons have it, in JSON beacons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the description.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().description.trim_ascii_start()
    }

    /// Returns the CMCD key that contains it.
    #[must_use]
    pub fn cmcd_key(self) -> Option<&'static str> {
        self.definition().cmcd.first().copied()
    }

    /// Returns the unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Returns true if a JSON beacon has a field of that name.
    #[must_use]
    pub const fn is_in_beacons(self) -> bool {
        self.definition().is_in_beacons
    }

    /// Returns the most that one session adds in one window.
    #[must_use]
    pub const fn most(self) -> Limit {
        self.definition().most
    }

    /// Returns the most that one session contributes outside the detail table.
    #[must_use]
    pub const fn outside_detail(self) -> Clamp {
        self.definition().outside_detail
    }

    /// Returns the position at which the budget of a session is spent on it.
    pub(crate) const fn spent(self) -> u8 {
        self.definition().spent
    }
}

impl ValueMetric {
    /// The number of values.
    pub const COUNT: usize = VALUES.len();

    const fn definition(self) -> &'static ValueDefinition {
        &VALUES[self as usize]
    }

    /// Returns the name in rollups and JSON beacons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the description.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().description.trim_ascii_start()
    }

    /// Returns the CMCD key that contains it.
    #[must_use]
    pub fn cmcd_key(self) -> Option<&'static str> {
        self.definition().cmcd.first().copied()
    }

    /// Returns the unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Returns the largest value that a beacon can report.
    #[must_use]
    pub const fn largest(self) -> u64 {
        self.definition().largest
    }

    /// Returns how the reports of one session become one value.
    #[must_use]
    pub const fn combine(self) -> Combine {
        self.definition().combine
    }

    /// Returns true if the detail table shows a histogram.
    #[must_use]
    pub const fn has_histogram(self) -> bool {
        self.definition().has_histogram
    }

    /// Returns the most that one session contributes outside the detail table.
    #[must_use]
    pub const fn outside_detail(self) -> Clamp {
        self.definition().outside_detail
    }

    /// Returns the position at which the budget of a session is spent on it.
    pub(crate) const fn spent(self) -> u8 {
        self.definition().spent
    }
}

#[cfg(test)]
mod tests;
