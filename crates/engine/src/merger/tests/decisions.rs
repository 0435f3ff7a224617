//! Tests of decisions about windows that wait for longer than the time-out.

use super::*;

#[test]
fn window_is_released_without_a_missing_partition_after_the_timeout() {
    let mut rig = Rig::new();
    rig.close(0, 3, 0, 1, 3);
    rig.close(2, 3, 0, 1, 4);
    rig.now = Timestamp::EPOCH + TIMEOUT - MILLISECOND;
    assert_eq!(rig.publish(), []);
    rig.now = Timestamp::EPOCH + TIMEOUT;
    rig.push(wire::close_marker(&close_marker(0, 3, 0, 1)));
    assert!(rig.merger.publish(rig.now).is_none(), "an unread partial may contain the partition");
    rig.merger.at_end();
    // The decision is committed without rows. A restart and cells that arrive afterwards do not change it.
    let decision = rig.merger.publish(rig.now).unwrap();
    assert!(decision.rollups.is_empty() && decision.checkpoint.forced.as_ref().unwrap().lacks(1));
    rig.merger.committed();
    let again = rig.merger.settings.clone();
    rig.restart(again);
    rig.close(1, 3, 0, 1, 100);
    assert_eq!(rig.publish(), [(1, 7)]);
    assert!(rig.rows[0].contains(r#""coverage":{"partitions":2,"of":3}"#), "{}", rig.rows[0]);
    assert_eq!(rig.merger.merged().session_windows.withheld, 100);
    // A decision applies to one window, so the next window waits for the partition again.
    rig.close(0, 3, 1, 2, 1);
    rig.close(2, 3, 1, 2, 1);
    assert_eq!(rig.publish(), []);
    rig.close(1, 3, 1, 2, 1);
    assert_eq!(rig.publish(), [(2, 3)]);
}

/// In this test, a changed policy raises the floor above the window of the decision.
#[test]
fn decision_about_a_window_before_the_floor_does_not_block() {
    let checkpoint = MergerCheckpoint {
        policy: settings(2).policies.fingerprint(),
        closed_until: Timestamp::EPOCH,
        floor: end(2),
        whole: true,
        forced: Some(Forced { end: end(1), partitions: 2, missing: vec![2] }),
    };
    let mut rig = Rig::new();
    let start = Start { checkpoint: Some(checkpoint), floor: end(2), ..fresh() };
    rig.merger = Merger::new(settings(2), &start, 0, Timestamp::EPOCH);
    rig.close(0, 2, 2, 3, 3);
    rig.close(1, 2, 2, 3, 4);
    assert_eq!(rig.publish(), [(3, 7)]);
}

/// Metadata with a decision in which all partitions are missing is not parsed. If a merger has such a decision
/// nevertheless, it must keep it. Otherwise the merger would make a second decision for the same window.
#[test]
fn decision_in_which_all_partitions_are_missing_is_kept() {
    let forced = Forced { end: end(1), partitions: 1, missing: vec![1] };
    let checkpoint = MergerCheckpoint {
        policy: settings(2).policies.fingerprint(),
        closed_until: Timestamp::EPOCH,
        floor: Timestamp::EPOCH,
        whole: true,
        forced: Some(forced.clone()),
    };
    let mut rig = Rig::new();
    rig.merger =
        Merger::new(settings(2), &Start { checkpoint: Some(checkpoint), ..fresh() }, 0, Timestamp::EPOCH);
    rig.close(0, 1, 0, 1, 3);
    assert_eq!(rig.publish(), []);
    assert_eq!(rig.merger.idle_commit().1.forced, Some(forced));
}

#[test]
fn cells_that_arrive_during_a_decision_are_withheld() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + TIMEOUT;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    rig.close(1, 2, 0, 1, 4);
    rig.merger.committed();
    assert_eq!(rig.publish(), [(1, 3)]);
}

/// A window must not wait for the added partitions. It would wait without end, because a pending decision prevents the
/// next decision.
#[test]
fn decision_does_not_wait_for_partitions_added_after_it() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + TIMEOUT;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    // There are now four partitions. Three of them send no partials.
    rig.close(0, 4, 1, 2, 4);
    rig.merger.committed();
    assert_eq!(rig.publish(), [(1, 3)]);
    assert!(rig.rows[0].contains(r#""coverage":{"partitions":1,"of":2}"#), "{}", rig.rows[0]);
    // An added partition closes the window of the decision, so its cells are withheld. The next window has its own
    // time-out.
    rig.close(3, 4, 0, 1, 5);
    rig.now = Timestamp::EPOCH + TIMEOUT * 2;
    assert_eq!(rig.publish(), [(2, 4)]);
    assert!(rig.rows[1].contains(r#""coverage":{"partitions":1,"of":4}"#), "{}", rig.rows[1]);
}

#[test]
fn checkpoint_records_that_every_partition_had_an_offset() {
    let mut rig = Rig::new();
    assert!(!rig.merger.idle_commit().1.whole);
    rig.merger.know_whole();
    rig.close(0, 1, 0, 1, 3);
    assert!(rig.merger.publish(rig.now).unwrap().checkpoint.whole);
    rig.merger.committed();
    let same = rig.merger.settings.clone();
    rig.restart(same);
    assert!(rig.merger.knows_whole());
}

#[test]
fn after_a_restart_a_decision_waits_until_the_other_partitions_are_read_again() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + TIMEOUT;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    rig.merger.committed();
    let (offset, checkpoint) = rig.merger.idle_commit();
    let start =
        Start { partition: 0, floor: Timestamp::EPOCH, checkpoint: Some(checkpoint), offsets_lost: false };
    let mut again = Merger::new(settings(2), &start, offset, rig.now);
    assert!(again.publish(rig.now).is_none(), "no partial is read yet");
    for (offset, bytes) in rig.log.iter().enumerate() {
        again.record(bytes, offset as i64, rig.now).unwrap();
    }
    let sessions: Vec<_> = again.publish(rig.now).unwrap().rollups.iter().map(|row| row.sessions()).collect();
    assert_eq!(sessions, [3]);
}
