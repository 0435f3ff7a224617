//! The records in which a session recently reported that it plays.

use crowdfold_model::Timestamp;

use crate::sessions::session::{Assertion, Now};

/// The latest records with a first frame, at most one for each quarter of the idle time-out, the latest first.
///
/// They show if playback began some time ago. A start or a first frame does not show this, because it expires. The
/// quarters begin at multiples of their length since the epoch, so that a replay stores the same records.
#[derive(Debug)]
pub(crate) struct RecentFrames {
    latest: [Assertion; Self::MOST],
    /// The end of the quarter with the latest record.
    end: Timestamp,
}

impl RecentFrames {
    /// Four quarters are sufficient, because the first and the last of them are at least half of the time-out apart.
    const MOST: usize = 4;

    pub(crate) const NONE: Self = Self { latest: [Assertion::NEVER; Self::MOST], end: Timestamp::EPOCH };

    /// Adds a record with a first frame.
    #[inline]
    pub(crate) fn add(&mut self, now: &Now) {
        let new = Assertion::at(now.record);
        // Most records are in the same quarter as the latest one, and not before it.
        if new >= self.latest[0] && now.record < self.end {
            self.latest[0] = new;
        } else {
            self.insert(new, now);
        }
    }

    #[cold]
    fn insert(&mut self, new: Assertion, now: &Now) {
        let length = (now.idle.as_millis() / 4).max(1);
        let start = now.record.as_millis() / length * length;
        self.end = self.end.max(Timestamp::from_millis(start + length));
        for place in 0..Self::MOST {
            match self.latest[place].record().map(Timestamp::as_millis) {
                Some(record) if record >= start + length => {}
                Some(record) if record >= start => {
                    self.latest[place] = self.latest[place].or_later(new);
                    return;
                }
                _ => {
                    self.latest[place..].rotate_right(1);
                    self.latest[place] = new;
                    return;
                }
            }
        }
    }

    /// Returns true if an unexpired record with a first frame is older than half of the idle time-out. Then
    /// playback did not begin just now.
    pub(crate) fn began_earlier(&self, now: &Now) -> bool {
        let half = now.idle.as_millis() / 4 * 2;
        let is_old = |record: Timestamp| now.record.saturating_since(record).as_millis() >= half.max(1);
        self.latest.iter().any(|frame| frame.is_valid(now) && frame.record().is_some_and(is_old))
    }
}

#[cfg(test)]
mod tests {
    use crowdfold_model::{Span, Timestamp};

    use super::RecentFrames;
    use crate::sessions::session::Now;

    fn now(seconds: u64) -> Now {
        let record = Timestamp::from_millis(1_000_000 + 1_000 * seconds);
        Now { record, idle: Span::SECOND.times(80), horizon: Timestamp::EPOCH }
    }

    fn frames(seconds: impl IntoIterator<Item = u64>) -> RecentFrames {
        let mut frames = RecentFrames::NONE;
        for second in seconds {
            frames.add(&now(second));
        }
        frames
    }

    #[test]
    fn playback_began_earlier_if_a_record_is_older_than_half_of_the_time_out() {
        assert!(!frames([]).began_earlier(&now(0)));
        assert!(!frames([0]).began_earlier(&now(39)));
        assert!(frames([0]).began_earlier(&now(40)));
        assert!(frames([0]).began_earlier(&now(80)));
        assert!(!frames([0]).began_earlier(&now(81)), "the record has expired");
        for step in [1, 7, 10, 20, 30, 39] {
            let end = 600 / step * step;
            assert!(frames((0..=end).step_by(step as usize)).began_earlier(&now(end)), "{step}");
        }
    }

    #[test]
    fn order_of_the_records_does_not_matter() {
        let seconds = [0, 5, 25, 26, 41, 45, 47, 59, 60, 79, 81, 100, 119];
        let expected = frames(seconds);
        for start in 0..seconds.len() {
            let mut other = seconds;
            other.rotate_left(start);
            assert_eq!(frames(other).latest, expected.latest);
            other.reverse();
            assert_eq!(frames(other).latest, expected.latest);
        }
        assert_eq!(
            expected.latest.map(|frame| frame.record()),
            [119, 81, 79, 59].map(|second| Some(now(second).record))
        );
    }
}
