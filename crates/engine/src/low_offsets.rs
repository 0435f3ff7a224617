//! Finds the lowest offset of the records since a given time.

use std::collections::VecDeque;

use crowdfold_model::{Span, Timestamp};

/// The lowest offset of the records in each second. The caller must record offsets in ascending order.
#[derive(Debug, Default)]
pub(crate) struct LowOffsets {
    /// Pairs of a second since the epoch and the lowest offset in it, sorted by second.
    seconds: VecDeque<(u64, i64)>,
}

impl LowOffsets {
    pub(crate) fn record(&mut self, timestamp: Timestamp, offset: i64) {
        let second = timestamp.since_epoch() / Span::SECOND;
        match self.seconds.back() {
            Some((last, _)) if *last == second => {}
            Some((last, _)) if *last > second => {
                if let Err(at) = self.seconds.binary_search_by_key(&second, |(second, _)| *second) {
                    self.seconds.insert(at, (second, offset));
                }
            }
            _ => self.seconds.push_back((second, offset)),
        }
    }

    /// Returns the lowest offset of the records whose timestamp is not before `from`, rounded down to a second. Returns
    /// `None` if there are no such records. Removes the seconds before `from`.
    pub(crate) fn since(&mut self, from: Timestamp) -> Option<i64> {
        let second = from.since_epoch() / Span::SECOND;
        while self.seconds.front().is_some_and(|(oldest, _)| *oldest < second) {
            self.seconds.pop_front();
        }
        self.seconds.iter().map(|(_, offset)| *offset).min()
    }
}

#[cfg(test)]
mod tests {
    use super::{LowOffsets, Timestamp};

    #[test]
    fn lowest_offset_since_a_time_is_found_if_timestamps_are_unsorted() {
        let mut low = LowOffsets::default();
        for (timestamp, offset) in [(5_000, 10), (9_000, 11), (6_500, 12), (6_900, 13), (9_100, 14)] {
            low.record(Timestamp::from_millis(timestamp), offset);
        }
        assert_eq!(low.since(Timestamp::from_millis(5_500)), Some(10), "rounded down to a second");
        assert_eq!(
            low.since(Timestamp::from_millis(6_000)),
            Some(11),
            "offset 11 comes before 12, whose record is older"
        );
        assert_eq!(low.since(Timestamp::from_millis(10_000)), None);
    }
}
