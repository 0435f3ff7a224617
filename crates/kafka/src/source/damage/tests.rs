#![expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]

use super::*;

/// Searches a log for its first readable offset. The offsets in `unreadable` cannot be read. Returns the found offset,
/// and the number of offsets that the search had to test.
fn search_result(unreadable: &[std::ops::Range<i64>], first: i64, end: i64) -> (i64, u32) {
    let mut search = Search::new(first);
    for tested in 0..200 {
        match search.next(end) {
            Err(offset) => return (offset, tested),
            Ok(offset) => {
                assert!((first..=end).contains(&offset), "{offset}");
                search.record_test(offset, !unreadable.iter().any(|range| range.contains(&offset)));
            }
        }
    }
    panic!("no end: {search:?}");
}

#[test]
fn search_finds_the_first_offset_after_an_unreadable_batch() {
    for length in (1..70).chain([1_000, 4_095, 4_096, 1_000_000]) {
        let (to, tested) = search_result(&[100..100 + length], 100, 10_000_000);
        assert_eq!(to, 100 + length);
        assert!(
            tested <= u32::from(TRIES) + SINGLE_STEPS + 2 * (length as u64).ilog2() + 3,
            "{length}: {tested}"
        );
        // the first offset that was read may be in the middle of the batch
        assert_eq!(search_result(&[50..100 + length], 100, 10_000_000).0, 100 + length);
    }
}

#[test]
fn readable_record_after_a_short_unreadable_batch_is_not_skipped() {
    for length in 1..=i64::from(SINGLE_STEPS) {
        let first = 100..100 + length;
        let second = first.end + 1..first.end + 1_000;
        assert_eq!(search_result(&[first.clone(), second], 100, 10_000).0, first.end);
    }
}

#[test]
fn search_stops_at_the_end_of_the_log() {
    for length in 1..70 {
        assert_eq!(search_result(&[100..100 + length], 100, 100 + length).0, 100 + length);
    }
    // all records were deleted in the meantime
    assert_eq!(search_result(&[100..200], 100, 100), (100, 0));
}

#[test]
fn search_skips_nothing_if_the_offset_becomes_readable_on_retry() {
    assert_eq!(search_result(&[], 100, 1_000), (100, 1));
    let mut search = Search::new(100);
    search.record_test(100, false);
    assert_eq!(search.next(1_000), Ok(100), "it is tried again");
    search.record_test(100, true);
    assert_eq!(search.next(1_000), Err(100));
}

#[test]
fn found_offset_is_readable_and_the_offset_before_it_is_not() {
    // eight batches of ten offsets; a batch is unreadable if its bit of the pattern is set
    for pattern in 1..256_u32 {
        let batches = (0..8).filter(|batch| pattern >> batch & 1 == 1);
        let unreadable: Vec<_> = batches.map(|batch| batch * 10..batch * 10 + 10).collect();
        let first = unreadable[0].start;
        let (to, _) = search_result(&unreadable, first, 90);
        let is_unreadable = |offset: i64| unreadable.iter().any(|range| range.contains(&offset));
        assert!(is_unreadable(to - 1) && !is_unreadable(to), "{pattern:b}: {to}");
    }
}
