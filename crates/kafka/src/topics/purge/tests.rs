use super::*;

#[test]
fn count_of_unread_records_starts_at_the_later_of_committed_offset_and_log_start() {
    let unread = |committed| unread_records(&BTreeMap::from([(0, (10, 110))]), &[committed]);
    assert_eq!(unread(Some(60)), 50);
    assert_eq!(unread(Some(5)), 100);
    assert_eq!(unread(Some(110)), 0);
    assert_eq!(unread(Some(500)), 0);
    // a group without a committed offset for the partition does not read it
    assert_eq!(unread(None), 0);
    let ranges = BTreeMap::from([(0, (0, 5)), (2, (0, 7)), (3, (3, 3))]);
    assert_eq!(unread_records(&ranges, &[Some(0), Some(0), Some(4)]), 8);
}

#[test]
fn only_partitions_with_a_timestamp_in_the_future_are_purged() {
    let dated = Timestamp::EPOCH;
    let found = Finding::Ahead { partition: 3, dated, expires: dated, by: Span::ZERO };
    assert_eq!(ahead(&[Finding::Missing, found, Finding::TooOld { partitions: vec![1] }]), [3]);
}
