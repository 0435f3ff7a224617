//! Event time that runs faster than real time until it has caught up.

use crowdfold_model::Millis;

/// The speed of event time in relation to real time.
pub(super) const SPEED: u64 = 12;

/// The event time of the synthetic players.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventClock {
    began: Millis,
    start: Millis,
}

impl EventClock {
    /// Creates a clock that begins in the middle of a window of `window` ms, so that the first one closes soon, at most
    /// `back` ms ago.
    pub(super) const fn new(now: Millis, back: Millis, window: Millis) -> Self {
        let earliest = now.saturating_sub(back);
        let start = earliest.next_multiple_of(window) + window / 2;
        Self { began: now, start: if start < now { start } else { now } }
    }

    /// Returns the start of event time.
    pub(super) const fn start(&self) -> Millis {
        self.start
    }

    /// Returns the event time at a real time, which it never exceeds.
    pub(super) fn at(&self, now: Millis) -> Millis {
        let passed = now.saturating_sub(self.began);
        self.start.saturating_add(passed.saturating_mul(SPEED)).min(now)
    }

    /// Returns true if event time has caught up.
    pub(super) fn has_caught_up(&self, now: Millis) -> bool {
        self.at(now) == now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn time_runs_faster_and_never_ahead_of_the_clock() {
        let now = 1_000 * MINUTE + 12_345;
        let event_clock = EventClock::new(now, 25 * MINUTE, MINUTE);
        assert_eq!(event_clock.start(), 976 * MINUTE + 30_000);
        assert_eq!(event_clock.at(now + 5_000), event_clock.start() + 60_000);
        let mut before = 0;
        for passed in (0..10 * MINUTE).step_by(777) {
            let at = event_clock.at(now + passed);
            assert!(at > before && at <= now + passed, "{passed}");
            before = at;
        }
        assert!(!event_clock.has_caught_up(now + 2 * MINUTE) && event_clock.has_caught_up(now + 3 * MINUTE));
    }
}
