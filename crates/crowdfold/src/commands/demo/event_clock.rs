//! The event time of the demo. Event time begins in the past, and runs faster than real time until it equals real time.

use crowdfold_model::{Span, Timestamp};

/// The number of seconds by which event time advances in a second of real time, before it equals real time.
pub(super) const SPEED: u64 = 12;

/// A clock that converts real time to the event time of the synthetic players.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventClock {
    began: Timestamp,
    start: Timestamp,
}

impl EventClock {
    /// Creates a clock whose event time begins at most `back` before `now`. Event time begins in the middle of a window
    /// of length `window`, so the first window closes early.
    pub(super) fn new(now: Timestamp, back: Span, window: Span) -> Self {
        let earliest = now.saturating_sub(back);
        let start = earliest.ceil(window) + window / 2;
        Self { began: now, start: start.min(now) }
    }

    /// Returns the event time at which the players begin.
    pub(super) const fn start(&self) -> Timestamp {
        self.start
    }

    /// Returns the event time at the real time `now`. It is never later than `now`.
    pub(super) fn at(&self, now: Timestamp) -> Timestamp {
        let passed = now.saturating_since(self.began);
        self.start.saturating_add(passed * SPEED).min(now)
    }

    /// Returns true if event time equals real time at `now`.
    pub(super) fn has_caught_up(&self, now: Timestamp) -> bool {
        self.at(now) == now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_time_runs_twelve_times_as_fast_and_never_exceeds_real_time() {
        let now = Timestamp::EPOCH + Span::MINUTE * 1_000 + Span::from_millis(12_345);
        let event_clock = EventClock::new(now, Span::MINUTE * 25, Span::MINUTE);
        assert_eq!(event_clock.start(), Timestamp::EPOCH + Span::MINUTE * 976 + Span::SECOND * 30);
        assert_eq!(event_clock.at(now + Span::SECOND * 5), event_clock.start() + Span::MINUTE);
        let mut before = Timestamp::EPOCH;
        for passed in (0..600_000).step_by(777).map(Span::from_millis) {
            let at = event_clock.at(now + passed);
            assert!(at > before && at <= now + passed, "{passed:?}");
            before = at;
        }
        assert!(
            !event_clock.has_caught_up(now + Span::MINUTE * 2)
                && event_clock.has_caught_up(now + Span::MINUTE * 3)
        );
    }
}
