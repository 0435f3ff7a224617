//! How many in a second.

use std::collections::VecDeque;

use crowdfold_airlock::Millis;

/// Over how long a rate is taken, ms.
const SPAN: Millis = 3_000;

/// A count that grows, and how fast it does.
#[derive(Default)]
pub(super) struct Meter(VecDeque<(Millis, u64)>);

impl Meter {
    /// The count at a moment.
    pub(super) fn record(&mut self, now: Millis, count: u64) {
        self.0.push_back((now, count));
        while self.0.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= SPAN) {
            self.0.pop_front();
        }
    }

    /// Growth per second over the last seconds.
    pub(super) fn per_second(&self) -> u64 {
        let (Some((since, before)), Some((now, count))) = (self.0.front(), self.0.back()) else { return 0 };
        ((count - before) * 1_000).checked_div(now - since).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let mut meter = Meter::default();
        assert_eq!(meter.per_second(), 0);
        for second in 0..20 {
            meter.record(second * 1_000, second.min(10) * 500);
            let expect = match second {
                0 => 0,
                1..=10 => 500,
                11 => 333,
                12 => 166,
                _ => 0,
            };
            assert_eq!(meter.per_second(), expect, "{second}");
        }
        assert!(meter.0.len() <= 5);
    }
}
