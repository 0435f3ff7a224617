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
    /// Returns the maximum number that a beacon may contain: a million events, a day, or 100 Gbit/s. A larger number
    /// is an error of the sender.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Count => 1_000_000,
            Self::Milliseconds => 86_400_000,
            Self::Kbps => 100_000_000,
        }
    }
}

/// The maximum that one session adds to a sum in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A fixed number.
    Fixed(u64),
    /// This number for each second of the window.
    PerSecond(u64),
    /// The sum of the length of the window and the idle time-out of sessions, in milliseconds.
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

/// The maximum that one session contributes to a number of a row outside the detail table. The standard deviation of
/// the noise of the number is a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clamp {
    /// Only the detail table contains the number.
    Hidden,
    /// This clamp for windows of any length.
    Fixed(u64),
    /// This clamp for a window of one minute. For other windows, it is proportional to their length.
    PerMinute(u64),
}

/// The way in which several values that one session reports in one window become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The first value.
    First,
    /// The mean of the values, weighted by the playing time of the beacon that contains each value.
    Mean,
    /// The mean of the values, with equal weights.
    PlainMean,
}

/// The item of a CMCD member that is used if the value of the member is an inner list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CmcdPart {
    /// The first item.
    First,
    /// The item for video. If there is none, the item for audio and video together. If there is none either, the item
    /// without a label.
    Video,
    /// The same item as for `Video`. The member is ignored if the requested object contains no video.
    Picture,
}
