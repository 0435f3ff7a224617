#![expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]

use super::*;

/// Searches a log in which these offsets cannot be read; returns the result and the number of tested offsets.
fn found(unreadable: &[std::ops::Range<i64>], first: i64, end: i64) -> (i64, u32) {
    let mut search = Search::new(first);
    for asked in 0..200 {
        match search.next(end) {
            Err(found) => return (found, asked),
            Ok(offset) => {
                assert!((first..=end).contains(&offset), "{offset}");
                search.answer(offset, !unreadable.iter().any(|range| range.contains(&offset)));
            }
        }
    }
    panic!("no end: {search:?}");
}

#[test]
fn search_ends_at_the_first_offset_after_an_unreadable_batch() {
    for length in (1..70).chain([1_000, 4_095, 4_096, 1_000_000]) {
        let (to, asked) = found(&[100..100 + length], 100, 10_000_000);
        assert_eq!(to, 100 + length);
        assert!(
            asked <= u32::from(TRIES) + SINGLE_STEPS + 2 * (length as u64).ilog2() + 3,
            "{length}: {asked}"
        );
        // reading may begin within the batch
        assert_eq!(found(&[50..100 + length], 100, 10_000_000).0, 100 + length);
    }
}

#[test]
fn good_record_between_two_unreadable_ones_is_found() {
    for length in 1..=i64::from(SINGLE_STEPS) {
        let first = 100..100 + length;
        let second = first.end + 1..first.end + 1_000;
        assert_eq!(found(&[first.clone(), second], 100, 10_000).0, first.end);
    }
}

#[test]
fn search_stops_at_the_end_of_the_log() {
    for length in 1..70 {
        assert_eq!(found(&[100..100 + length], 100, 100 + length).0, 100 + length);
    }
    // everything was deleted meanwhile
    assert_eq!(found(&[100..200], 100, 100), (100, 0));
}

#[test]
fn readable_offsets_are_not_skipped_after_recovery() {
    assert_eq!(found(&[], 100, 1_000), (100, 1));
    let mut search = Search::new(100);
    search.answer(100, false);
    assert_eq!(search.next(1_000), Ok(100), "it is tried again");
    search.answer(100, true);
    assert_eq!(search.next(1_000), Err(100));
}

#[test]
fn result_follows_directly_on_an_unreadable_offset() {
    // batches of 10, unreadable in all patterns of eight
    for pattern in 1..256_u32 {
        let batches = (0..8).filter(|batch| pattern >> batch & 1 == 1);
        let unreadable: Vec<_> = batches.map(|batch| batch * 10..batch * 10 + 10).collect();
        let first = unreadable[0].start;
        let (to, _) = found(&unreadable, first, 90);
        let is_unreadable = |offset: i64| unreadable.iter().any(|range| range.contains(&offset));
        assert!(is_unreadable(to - 1) && !is_unreadable(to), "{pattern:b}: {to}");
    }
}
