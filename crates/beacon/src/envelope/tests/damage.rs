//! Tests records that no packer writes.

use super::*;

proptest! {
    #[test]
    fn beacons_before_the_end_of_a_truncated_record_are_read(all in prop::collection::vec(request(), 1..4)) {
        let (record, _, ends) = packed(&all);
        let complete = unpacked(&record);
        for length in 0..record.len() {
            let read = unpacked(&record[..length]);
            if ends.contains(&length) && length > ends[0] {
                prop_assert_eq!(&read[..], &complete[..read.len()], "cut to {}", length);
                continue;
            }
            let (last, before) = read.split_last().unwrap();
            prop_assert_eq!(before, &complete[..before.len()], "cut to {}", length);
            if !ends.contains(&length) {
                prop_assert_eq!(last, &Err(ReadError::Malformed), "cut to {}", length);
            }
        }
    }

    #[test]
    fn unpacking_any_bytes_gives_at_least_one_outcome(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!unpacked(&bytes).is_empty());
        prop_assert!(!unpacked(&[&[VERSION, 0], &bytes[..]].concat()).is_empty());
    }

    #[test]
    fn record_with_a_changed_byte_is_read_without_a_panic(
        all in prop::collection::vec(request(), 1..4),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let (mut record, _, _) = packed(&all);
        let at = at.index(record.len());
        record[at] = byte;
        prop_assert!(!unpacked(&record).is_empty());
    }
}

/// Returns a record with one request without a context, with these bytes in place of its beacons.
fn record(count: u8, beacons: &[u8]) -> Vec<u8> {
    [&[VERSION, 0, 0, count], beacons].concat()
}

#[test]
fn unknown_versions_and_empty_records_are_malformed() {
    let beacon = [0, 0, 0];
    assert_eq!(unpacked(&record(1, &beacon)).len(), 1);
    assert!(unpacked(&record(1, &beacon))[0].is_ok());
    let mut unknown = record(1, &beacon);
    for version in [1, 3] {
        unknown[0] = version;
        assert_eq!(unpacked(&unknown), [Err(ReadError::Malformed)]);
    }
    for record in [&[][..], &[VERSION], &[VERSION, 0]] {
        assert_eq!(unpacked(record), [Err(ReadError::Malformed)]);
    }
}

#[test]
fn values_that_no_packer_writes_are_malformed() {
    let profile = 1 << Text::Session.index() | 1 << Text::Tenant.index();
    for (beacons, reason) in [
        (&[REPEATS, 0][..], "the first beacon repeats another"),
        (&[MORE, 253, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0], "ignored values of an unknown field"),
        (&[0, 253, 0, 0, 0, 0, 0, 0, 0, 0xff, 0], "an unknown number"),
        (&[0, 1, 2, 0], "a listed text that does not exist"),
        (&[0, 1, 0, 1, 0xff, 0], "a text that is not UTF-8"),
        (&[0, 0, 1 << 3], "an event text in the profile"),
        (&[0, 3, 1, 1, b'a', 2, 0], "a text that is listed for another field"),
        (&[0, 254], "an unknown length of a number"),
        (&[0, 0, profile, 253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "a text of 2^64 bytes"),
    ] {
        assert_eq!(unpacked(&record(1, beacons)), [Err(ReadError::Malformed)], "{reason}");
    }
    assert_eq!(unpacked(&record(0, &[])), [Err(ReadError::Malformed)], "no beacon");
    assert_eq!(unpacked(&[VERSION, 0, UNUSED, 1, 0, 0, 0]), [Err(ReadError::Malformed)], "an unknown flag");
    assert_eq!(unpacked(&[VERSION, 7]), [Err(ReadError::Malformed)], "too many custom dimensions");
    let late = [&[VERSION, 0, HAS_TIME, 253][..], &(1_u64 << 53).to_le_bytes(), &[1, 0, 0, 0]].concat();
    assert_eq!(unpacked(&late), [Err(ReadError::Malformed)], "an impossible time of receipt");
}

/// The number of beacons in this record is four billion, and the length of its text is four billion bytes. The reader
/// must not allocate this much memory.
#[test]
fn counts_beyond_the_record_are_malformed_and_do_not_allocate() {
    let mut many = vec![VERSION, 0, 0, 252];
    many.extend(u32::MAX.to_le_bytes());
    many.extend([0, 0, 0]);
    assert_eq!(unpacked(&many)[1..], [Err(ReadError::Malformed)]);
    let mut long = vec![VERSION, 0, HAS_ADDRESS, 252];
    long.extend(u32::MAX.to_le_bytes());
    assert_eq!(unpacked(&long), [Err(ReadError::Malformed)]);
}

#[test]
fn record_that_lists_too_many_texts_is_malformed() {
    let listed = |count: usize| {
        let mut record = vec![VERSION, 0, 0, 252];
        record.extend((count as u32).to_le_bytes());
        (0..count).for_each(|_| record.extend([0, 1, 1, 1, b'a', 0]));
        unpacked(&record)
    };
    assert!(listed(MOST_LISTED.into()).iter().all(Result::is_ok));
    assert_eq!(listed(usize::from(MOST_LISTED) + 1).last(), Some(&Err(ReadError::Malformed)));
}

#[test]
fn number_beyond_the_limit_of_its_field_is_ignored() {
    let height = 1 << (EVENT_TEXTS.len() + crate::Number::Height.index());
    let read = |halves: u16| {
        let [low, high] = halves.to_le_bytes();
        unpacked(&record(1, &[0, height, 251, low, high, 0])).remove(0).unwrap()
    };
    assert!(read(2 * 16_384).contains("Height="));
    let beyond = read(2 * 16_384 + 1);
    assert!(!beyond.contains("Height=") && beyond.contains("[\"height\"]"), "{beyond}");
}
