//! The metrics of a row. A metric is either a sum over sessions, or a value of each session.

mod either;

use crate::{Better, Clamp, CmcdPart, Combine, Limit, Unit};

pub use either::Metric;

/// The definition of a metric that is a sum.
struct SumDefinition {
    name: &'static str,
    description: &'static str,
    cmcd: &'static [&'static str],
    unit: Unit,
    is_in_beacons: bool,
    most: Limit,
    outside_detail: Clamp,
    rank: u8,
}

/// The definition of a metric that is a value of each session.
struct ValueDefinition {
    name: &'static str,
    description: &'static str,
    cmcd: &'static [&'static str],
    unit: Unit,
    largest: u64,
    combine: Combine,
    better: Better,
    has_histogram: bool,
    outside_detail: Clamp,
    rank: u8,
}

/// Defines the enums and the tables of metrics. The doc comment of a metric is also its description in the schema of
/// rows and in the reference.
///
/// - `json`: true if JSON beacons have a field with the name of the sum. For values, JSON beacons always have a field.
/// - `cmcd`: the CMCD key that contains the metric, and the item of a list that is used. For a sum, CMCD reports
///   the total since the start of the session.
/// - `largest`: the maximum value that a beacon may contain, if it is smaller than the maximum of the unit. A larger
///   value is an error of the sender.
/// - `better`: the direction in which the mean of the values improves.
/// - `most`: the maximum that one session adds in one window.
/// - `outside`: the maximum that one session contributes outside the detail table.
/// - `rank`: fields use the contribution budget of a session in this order. Classes of errors have the ranks 4 to 9.
macro_rules! metrics {
    (
        sums {$(
            $(#[doc = $sum_doc:literal])+
            $sum:ident: $sum_name:literal, unit = $sum_unit:ident, json = $json:literal,
                cmcd = [$($sum_key:literal $sum_part:ident)?], most = $most:expr,
                outside = $sum_clamp:expr, rank = $sum_rank:literal;
        )+}
        values {$(
            $(#[doc = $value_doc:literal])+
            $value:ident: $value_name:literal, unit = $value_unit:ident, $(largest = $largest:literal,)?
                cmcd = [$($value_key:literal $value_part:ident)?], combine = $combine:ident, better = $better:ident,
                histogram = $histogram:literal,
                outside = $value_clamp:expr, rank = $value_rank:literal;
        )+}
    ) => {
        /// A metric that is summed over the sessions of a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum SumMetric {
            $($(#[doc = $sum_doc])+ $sum,)+
        }

        /// A metric that has at most one value for each session in a window. A row contains the distribution of these
        /// values.
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
            rank: $sum_rank,
        },)+];

        const VALUES: &[ValueDefinition] = &[$(ValueDefinition {
            name: $value_name,
            description: concat!($($value_doc),+),
            cmcd: &[$($value_key)?],
            unit: Unit::$value_unit,
            largest: smaller(Unit::$value_unit.limit(), &[$($largest)?]),
            combine: Combine::$combine,
            better: Better::$better,
            has_histogram: $histogram,
            outside_detail: $value_clamp,
            rank: $value_rank,
        },)+];

        impl SumMetric {
            /// All sums, in the order of their fields in a row.
            pub const ALL: [Self; SUMS.len()] = [$(Self::$sum,)+];

            /// The sums that CMCD reports. CMCD reports each of them as the total since the start of the session.
            pub const TOTALS: [Self; <[&str]>::len(&[$($($sum_key,)?)+])] = [$($({
                const _: &str = $sum_key;
                Self::$sum
            },)?)+];
        }

        impl ValueMetric {
            /// All values, in the order of their fields in a row.
            pub const ALL: [Self; VALUES.len()] = [$(Self::$value,)+];
        }

        impl Metric {
            /// Returns the metric that a CMCD key contains, and the item of the value that is used if the value is a
            /// list. Returns `None` for other keys.
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

/// Returns the smaller of two numbers: `limit`, and the first number in `others`. If `others` is empty, returns
/// `limit`.
const fn smaller(limit: u64, others: &[u64]) -> u64 {
    match others {
        [other, ..] if *other < limit => *other,
        _ => limit,
    }
}

/// The maximum number of attempts, plays or failures of one session in one window.
const TIMES: Limit = Limit::Fixed(10);

metrics! {
    sums {
        /// Requests for playback.
        Attempts: "attempts", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), rank = 0;
        /// Attempts whose first frame was shown.
        Plays: "plays", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), rank = 1;
        /// Attempts that a fatal error ended before the first frame.
        StartupFailures: "startup_failures", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), rank = 2;
        /// Plays that a fatal error ended.
        PlaybackFailures: "playback_failures", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Fixed(1), rank = 3;
        /// Playing time.
        PlayingMs: "playing_ms", unit = Milliseconds, json = true, cmcd = [], most = Limit::Span,
            outside = Clamp::PerMinute(60_000), rank = 17;
        /// Time stalled, without startup and seeks.
        StalledMs: "stalled_ms", unit = Milliseconds, json = true, cmcd = ["bsda" Video], most = Limit::Span,
            outside = Clamp::PerMinute(15_000), rank = 11;
        /// Stalls.
        Stalls: "stalls", unit = Count, json = true, cmcd = ["bsa" Video], most = Limit::PerSecond(1),
            outside = Clamp::PerMinute(3), rank = 10;
        /// Dropped frames.
        DroppedFrames: "dropped_frames", unit = Count, json = true, cmcd = ["dfa" First],
            most = Limit::PerSecond(120), outside = Clamp::PerMinute(60), rank = 12;
        /// Changes of quality.
        Switches: "switches", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::PerMinute(3), rank = 13;
        /// Changes to a higher bitrate.
        SwitchesUp: "switches_up", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, rank = 255;
        /// Changes to a lower bitrate.
        SwitchesDown: "switches_down", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, rank = 255;
        /// Seeks after the first frame.
        Seeks: "seeks", unit = Count, json = true, cmcd = [], most = Limit::PerSecond(1),
            outside = Clamp::Hidden, rank = 255;
        /// Time from a seek until playback continues, without pauses.
        SeekingMs: "seeking_ms", unit = Milliseconds, json = true, cmcd = [], most = Limit::Span,
            outside = Clamp::Hidden, rank = 255;
        /// Attempts that the viewer ended before the first frame, as far as the player reports it.
        ExitsBeforeStart: "exits_before_start", unit = Count, json = false, cmcd = [], most = TIMES,
            outside = Clamp::Hidden, rank = 255;
        /// Sessions that met all quality thresholds of their tenant.
        GoodSessions: "good_sessions", unit = Count, json = false, cmcd = [], most = Limit::Fixed(1),
            outside = Clamp::Hidden, rank = 255;
    }
    values {
        /// Time from the request for playback to the first frame.
        StartupMs: "startup_ms", unit = Milliseconds, cmcd = ["msd" First], combine = First,
            better = Lower, histogram = true, outside = Clamp::Fixed(10_000), rank = 14;
        /// Measured throughput.
        BandwidthKbps: "bandwidth_kbps", unit = Kbps, cmcd = ["mtp" Video], combine = Mean,
            better = Higher, histogram = true, outside = Clamp::Fixed(30_000), rank = 16;
        /// Encoded bitrate. It takes only a few values, so percentiles describe it without a histogram.
        BitrateKbps: "bitrate_kbps", unit = Kbps, cmcd = ["br" Picture], combine = Mean,
            better = Higher, histogram = false, outside = Clamp::Fixed(10_000), rank = 15;
        /// Time from the recording of a picture to its display in a live stream.
        LiveLatencyMs: "live_latency_ms", unit = Milliseconds, cmcd = ["ltc" First], combine = Mean,
            better = Lower, histogram = true, outside = Clamp::Hidden, rank = 255;
        /// Time from a request for media to the first byte of the response. Values above 60 s are ignored, because
        /// players time out earlier, and some report the time of day instead.
        TtfbMs: "ttfb_ms", unit = Milliseconds, largest = 60_000, cmcd = ["ttfb" First], combine = PlainMean,
            better = Lower, histogram = true, outside = Clamp::Hidden, rank = 255;
    }
}

impl SumMetric {
    /// The number of metrics that are sums.
    pub const COUNT: usize = SUMS.len();

    const fn definition(self) -> &'static SumDefinition {
        &SUMS[self as usize]
    }

    /// Returns the name of the sum in rollups, and in JSON beacons if they have such a field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the description of the metric.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().description.trim_ascii_start()
    }

    /// Returns the CMCD key that contains the metric, or `None` if there is none.
    #[must_use]
    pub fn cmcd_key(self) -> Option<&'static str> {
        self.definition().cmcd.first().copied()
    }

    /// Returns the unit of the metric.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Returns true if JSON beacons have a field with the name of the sum.
    #[must_use]
    pub const fn is_in_beacons(self) -> bool {
        self.definition().is_in_beacons
    }

    /// Returns the maximum that one session adds in one window.
    #[must_use]
    pub const fn most(self) -> Limit {
        self.definition().most
    }

    /// Returns the maximum that one session contributes outside the detail table.
    #[must_use]
    pub const fn outside_detail(self) -> Clamp {
        self.definition().outside_detail
    }

    /// Returns the rank of the field. Fields use the contribution budget of a session in the order of their ranks.
    pub(crate) const fn rank(self) -> u8 {
        self.definition().rank
    }
}

impl ValueMetric {
    /// The number of metrics that are values of each session.
    pub const COUNT: usize = VALUES.len();

    const fn definition(self) -> &'static ValueDefinition {
        &VALUES[self as usize]
    }

    /// Returns the name in rollups and JSON beacons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the description of the metric.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().description.trim_ascii_start()
    }

    /// Returns the CMCD key that contains the metric, or `None` if there is none.
    #[must_use]
    pub fn cmcd_key(self) -> Option<&'static str> {
        self.definition().cmcd.first().copied()
    }

    /// Returns the unit of the metric.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Returns the maximum value that a beacon may contain.
    #[must_use]
    pub const fn largest(self) -> u64 {
        self.definition().largest
    }

    /// Returns the way in which several values of one session become one value.
    #[must_use]
    pub const fn combine(self) -> Combine {
        self.definition().combine
    }

    /// Returns the direction in which the mean of the metric improves.
    #[must_use]
    pub const fn better(self) -> Better {
        self.definition().better
    }

    /// Returns true if the detail table contains a histogram of the metric.
    #[must_use]
    pub const fn has_histogram(self) -> bool {
        self.definition().has_histogram
    }

    /// Returns the maximum that one session contributes outside the detail table.
    #[must_use]
    pub const fn outside_detail(self) -> Clamp {
        self.definition().outside_detail
    }

    /// Returns the rank of the field. Fields use the contribution budget of a session in the order of their ranks.
    pub(crate) const fn rank(self) -> u8 {
        self.definition().rank
    }
}

#[cfg(test)]
mod tests;
