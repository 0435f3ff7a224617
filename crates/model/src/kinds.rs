//! The kinds of units, limits and clamps that the table of metrics uses.

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
    /// Returns the largest number that a beacon can report: a million events, a day, 100 Gbit/s. A larger number is an
    /// error of the sender.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Count => 1_000_000,
            Self::Milliseconds => 86_400_000,
            Self::Kbps => 100_000_000,
        }
    }
}

/// The most that one session adds to a sum in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A fixed number.
    Fixed(u64),
    /// A number for each second of the window.
    PerSecond(u64),
    /// The length of the window and of the session's idle timeout, ms.
    Span,
}

impl Limit {
    /// Returns the limit for windows of a length, where sessions end after `idle`.
    #[must_use]
    pub const fn of(self, window: Span, idle: Span) -> u64 {
        match self {
            Self::Fixed(limit) => limit,
            Self::PerSecond(limit) => limit * window.as_millis().div_ceil(1_000),
            Self::Span => window.as_millis() + idle.as_millis(),
        }
    }
}

/// The most that one session contributes to a number outside the detail table. The noise of the number is a multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clamp {
    /// The number is shown in the detail table only.
    Hidden,
    /// The clamp is the same for windows of every length.
    Fixed(u64),
    /// The clamp for a window of one minute. It grows with the length of the window.
    PerMinute(u64),
}

/// The way in which the reports of one session in one window become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The first value counts.
    First,
    /// The mean counts, weighted by the playing time of each beacon.
    Mean,
    /// Their mean; all have the same weight.
    PlainMean,
}

/// The part of a CMCD member that counts if its value is an inner list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CmcdPart {
    /// The first item.
    First,
    /// The item of video, otherwise of audio and video, otherwise the one without a label.
    Video,
    /// The same item as `Video`. It is ignored if the requested object has no picture.
    Picture,
}
