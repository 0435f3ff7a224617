//! Delays between retries, and the limit on fencing.

use std::collections::VecDeque;
use std::time::Duration;

use crowdfold_model::{Span, Timestamp};

/// Delays that grow from a tenth of a second to half a minute.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// Returns the next delay.
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

/// The length of time within which fencing is counted.
const WITHIN: Span = Span::MINUTE.times(10);

/// The times at which the worker was fenced. Two workers with the same name would fence each other forever, so the
/// third time within ten minutes is an error.
#[derive(Debug, Default)]
pub(crate) struct Fences(VecDeque<Timestamp>);

impl Fences {
    /// Records that the worker was fenced. Returns true at the limit.
    pub(crate) fn count(&mut self, now: Timestamp) -> bool {
        while self.0.front().is_some_and(|at| now.saturating_since(*at) > WITHIN) {
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
    fn pauses_grow_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..12).map(|_| backoff.delay().as_millis()).collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[11], 30_000);
    }

    #[test]
    fn third_fence_within_ten_minutes_is_the_last() {
        let mut fences = Fences::default();
        let mut count = |millis| fences.count(Timestamp::from_millis(millis));
        assert!(!count(0) && !count(400_000) && !count(700_000));
        assert!(count(900_000));
    }
}
