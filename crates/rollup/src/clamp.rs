//! The most that one session can give to one window (privacy.md, "Numbers inside a row").

use crowdfold_airlock::{ErrorClass, Millis};

use crate::Sums;

/// Most attempts, plays and failures.
const MOST_TIMES: u64 = 10;

/// Most frames dropped in a second.
const MOST_FRAMES: u64 = 120;

/// Seconds that a report takes, over a whole window: players report every ten seconds or less often.
const REPORT_SECONDS: u64 = 10;

impl Sums {
    /// The most that one session can give to one window of that length, where what it said stands for `idle`, both ms.
    /// `beacons` has no bound; playing and stalled together stay below the bound that each has.
    #[must_use]
    pub const fn most(window: Millis, idle: Millis) -> Self {
        let seconds = window.div_ceil(1000);
        Self {
            beacons: u64::MAX,
            clamped_beacons: seconds.div_ceil(REPORT_SECONDS) + MOST_TIMES,
            attempts: MOST_TIMES,
            plays: MOST_TIMES,
            startup_failures: MOST_TIMES,
            playback_failures: MOST_TIMES,
            playing_ms: window + idle,
            stalled_ms: window + idle,
            stalls: seconds,
            dropped_frames: MOST_FRAMES * seconds,
            switches: seconds,
            errors: [1; ErrorClass::COUNT],
        }
    }
}
