//! Measures the rate at which a count grows.

use std::collections::VecDeque;

use crowdfold_model::{Span, Timestamp};

/// The period over which a rate is measured.
const SPAN: Span = Span::SECOND.times(3);

/// The recent values of a count, and the times at which they were recorded.
#[derive(Default)]
pub(super) struct RateMeter(VecDeque<(Timestamp, u64)>);

impl RateMeter {
    /// Records that the count has this value at the time `now`.
    pub(super) fn record(&mut self, now: Timestamp, count: u64) {
        self.0.push_back((now, count));
        while self.0.get(1).is_some_and(|(at, _)| now.saturating_since(*at) >= SPAN) {
            self.0.pop_front();
        }
    }

    /// Returns the growth per second over the last three seconds.
    pub(super) fn per_second(&self) -> u64 {
        let (Some((since, before)), Some((now, count))) = (self.0.front(), self.0.back()) else { return 0 };
        ((count - before) * 1_000).checked_div((*now - *since).as_millis()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_measured_over_the_last_three_seconds() {
        let mut rate_meter = RateMeter::default();
        assert_eq!(rate_meter.per_second(), 0);
        for second in 0..20 {
            rate_meter.record(Timestamp::EPOCH + Span::SECOND * second, second.min(10) * 500);
            let expect = match second {
                0 => 0,
                1..=10 => 500,
                11 => 333,
                12 => 166,
                _ => 0,
            };
            assert_eq!(rate_meter.per_second(), expect, "{second}");
        }
        assert!(rate_meter.0.len() <= 5);
    }
}
