//! The numbers of a row that may carry noise, and the size of the noise.

use crowdfold_release::BOUNDED_FIELDS;

use crate::row::{Row, Window};

#[cfg(test)]
mod tests;

/// The longest window that a policy allows, ms. Longer ones come from other programs and are clamped like this one.
const LONGEST_WINDOW: u64 = 86_400_000;

/// A number of a row, except `sessions`, `beacons` and the classes of `errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    Attempts,
    Plays,
    StartupFailures,
    PlaybackFailures,
    PlayingMs,
    StalledMs,
    Stalls,
    DroppedFrames,
    Switches,
    StartupMs,
    BandwidthKbps,
    BitrateKbps,
}

impl Measure {
    /// All measures, in the order of a row.
    pub(crate) const ALL: [Self; 12] = [
        Self::Attempts,
        Self::Plays,
        Self::StartupFailures,
        Self::PlaybackFailures,
        Self::PlayingMs,
        Self::StalledMs,
        Self::Stalls,
        Self::DroppedFrames,
        Self::Switches,
        Self::StartupMs,
        Self::BandwidthKbps,
        Self::BitrateKbps,
    ];

    /// The measures that are plain numbers in a row. The others are the sums of distributions.
    pub(crate) const PLAIN: [Self; 9] = [
        Self::Attempts,
        Self::Plays,
        Self::StartupFailures,
        Self::PlaybackFailures,
        Self::PlayingMs,
        Self::StalledMs,
        Self::Stalls,
        Self::DroppedFrames,
        Self::Switches,
    ];

    /// The measures that are sums of distributions.
    pub(crate) const DISTRIBUTIONS: [Self; 3] = [Self::StartupMs, Self::BandwidthKbps, Self::BitrateKbps];

    /// Returns the name of the field.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Plays => "plays",
            Self::StartupFailures => "startup_failures",
            Self::PlaybackFailures => "playback_failures",
            Self::PlayingMs => "playing_ms",
            Self::StalledMs => "stalled_ms",
            Self::Stalls => "stalls",
            Self::DroppedFrames => "dropped_frames",
            Self::Switches => "switches",
            Self::StartupMs => "startup_ms",
            Self::BandwidthKbps => "bandwidth_kbps",
            Self::BitrateKbps => "bitrate_kbps",
        }
    }

    /// Returns the value in a row; absent if the row contains session counts only.
    pub(crate) fn of(self, row: &Row) -> Option<i64> {
        match self {
            Self::Attempts => row.attempts,
            Self::Plays => row.plays,
            Self::StartupFailures => row.startup_failures,
            Self::PlaybackFailures => row.playback_failures,
            Self::PlayingMs => row.playing_ms,
            Self::StalledMs => row.stalled_ms,
            Self::Stalls => row.stalls,
            Self::DroppedFrames => row.dropped_frames,
            Self::Switches => row.switches,
            Self::StartupMs => row.startup_ms.as_ref().map(|summary| summary.sum),
            Self::BandwidthKbps => row.bandwidth_kbps.as_ref().map(|summary| summary.sum),
            Self::BitrateKbps => row.bitrate_kbps.as_ref().map(|summary| summary.sum),
        }
    }

    /// Returns the variance of the noise in one row whose noise is `noise` times the clamp of each field.
    pub(crate) fn variance(self, noise: u64, window: Window) -> f64 {
        variance(self.name(), noise, window)
    }
}

/// Returns the variance of the noise in one class of errors. All classes have the same clamp, including those that this
/// version does not know.
pub(crate) fn error_variance(noise: u64, window: Window) -> f64 {
    variance("errors.other", noise, window)
}

/// Returns (noise × clamp)². The discrete Gaussian of parameter σ has a variance of at most σ², and for σ ≥ 1 it is so
/// close that no printed digit differs.
fn variance(field: &str, noise: u64, window: Window) -> f64 {
    let length = window.end.saturating_sub(window.start).min(LONGEST_WINDOW);
    let clamp =
        BOUNDED_FIELDS.iter().find(|bounded| bounded.name == field).map(|bounded| bounded.clamp(length));
    let sigma = noise as f64 * clamp.unwrap_or_default() as f64;
    sigma * sigma
}
