use super::*;

#[test]
fn unread_records_are_counted_from_the_committed_offset() {
    let lacks = |committed| lacking(&BTreeMap::from([(0, (10, 110))]), &[committed]);
    assert_eq!(lacks(Some(60)), 50);
    assert_eq!(lacks(Some(5)), 100);
    assert_eq!(lacks(Some(110)), 0);
    assert_eq!(lacks(Some(500)), 0);
    // a group without an offset does not read the partition
    assert_eq!(lacks(None), 0);
    let ranges = BTreeMap::from([(0, (0, 5)), (2, (0, 7)), (3, (3, 3))]);
    assert_eq!(lacking(&ranges, &[Some(0), Some(0), Some(4)]), 8);
}

#[test]
fn only_partitions_that_are_dated_ahead_are_purged() {
    let dated = Timestamp::EPOCH;
    let found = Finding::Ahead { partition: 3, dated, expires: dated, by: Span::ZERO };
    assert_eq!(ahead(&[Finding::Missing, found, Finding::TooOld { partitions: vec![1] }]), [3]);
}
