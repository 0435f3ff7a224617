//! Delays between retries, and the limit on fencing.

use std::collections::VecDeque;
use std::time::Duration;

use crowdfold_model::{Span, Timestamp};

/// The delay before the next retry. The first delay is 0.1 s; each further delay is twice as long, up to 30 s.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// Returns the next delay, and doubles the delay after that.
    pub fn delay(&mut self) -> Duration {
        let pause = Duration::from_millis(100 << self.0.min(9)).min(Duration::from_secs(30));
        self.0 += 1;
        pause
    }

    /// Starts again with the shortest delay.
    pub const fn reset(&mut self) {
        self.0 = 0;
    }
}

/// The period over which fencings are counted.
const PERIOD: Span = Span::MINUTE.times(10);

/// The times at which the broker fenced this worker. Two workers with the same name would fence each other without
/// end. Therefore the third fencing within ten minutes is an error.
#[derive(Debug, Default)]
pub(crate) struct Fencings(VecDeque<Timestamp>);

impl Fencings {
    /// Records that the worker was fenced. Returns true if this is the third time within ten minutes.
    pub(crate) fn count(&mut self, now: Timestamp) -> bool {
        while self.0.front().is_some_and(|at| now.saturating_since(*at) > PERIOD) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() >= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_doubles_up_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..12).map(|_| backoff.delay().as_millis()).collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[11], 30_000);
    }

    #[test]
    fn third_fencing_within_ten_minutes_reaches_the_limit() {
        let mut fencings = Fencings::default();
        let mut count = |millis| fencings.count(Timestamp::from_millis(millis));
        assert!(!count(0) && !count(400_000) && !count(700_000));
        assert!(count(900_000));
    }
}
