//! The types of the columns in the table of metrics, such as units and limits.

use crate::Span;

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of events.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Kilobits per second.
    Kbps,
}

impl Unit {
    /// Returns the maximum number that a beacon may contain: a million events, a day, or 100 Gbit/s. If a number is
    /// larger, the sender has made an error.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Count => 1_000_000,
            Self::Milliseconds => 86_400_000,
            Self::Kbps => 100_000_000,
        }
    }
}

/// The maximum amount that one session adds to a sum in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A fixed number.
    Fixed(u64),
    /// A fixed number for each second of the window.
    PerSecond(u64),
    /// The length of the window plus the idle time-out of sessions, in milliseconds.
    Span,
}

impl Limit {
    /// Returns the limit for windows of this length. `idle` is the idle time-out of sessions.
    #[must_use]
    pub const fn of(self, window: Span, idle: Span) -> u64 {
        match self {
            Self::Fixed(limit) => limit,
            Self::PerSecond(limit) => limit * window.as_millis().div_ceil(1_000),
            Self::Span => window.as_millis() + idle.as_millis(),
        }
    }
}

/// The maximum amount that one session contributes to a number of a row outside the detail table. The standard
/// deviation of the noise of the number is a multiple of this maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clamp {
    /// The number occurs only in the detail table.
    Hidden,
    /// The clamp does not depend on the length of the window.
    Fixed(u64),
    /// The clamp for a window of one minute. For other windows, the clamp is proportional to their length.
    PerMinute(u64),
}

/// The way to combine several values that one session reports in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The first value is used.
    First,
    /// The mean of the values is used. Each value is weighted by the playing time of its beacon.
    Mean,
    /// The mean of the values is used, with equal weights.
    PlainMean,
}

/// The item of a CMCD member that is used if the value of the member is an inner list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CmcdPart {
    /// The first item.
    First,
    /// The item for video. If it is missing, the item for audio and video together. If both are missing, the item
    /// without a label.
    Video,
    /// The same item as for `Video`. However, the member is ignored if the requested object contains no video.
    Picture,
}

/// The direction in which a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// A higher value is better.
    Higher,
    /// A lower value is better.
    Lower,
    /// The metric is an amount, so a higher value is neither better nor worse.
    Neither,
}

impl Better {
    /// Returns the name of the direction in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "neither",
        }
    }
}
