//! Decisions about windows that wait too long.

use super::*;

#[test]
fn past_patience_a_window_goes_without_the_partition_that_does_not_come() {
    let mut rig = Rig::new();
    rig.close(0, 3, 0, 1, 3);
    rig.close(2, 3, 0, 1, 4);
    rig.now = Timestamp::EPOCH + PATIENCE - MILLISECOND;
    assert_eq!(rig.publish(), []);
    rig.now = Timestamp::EPOCH + PATIENCE;
    rig.push(wire::close_marker(&close_marker(0, 3, 0, 1)));
    assert!(rig.merger.publish(rig.now).is_none(), "the partition may stand in what is not read yet");
    rig.merger.at_end();
    // the decision is committed alone, and holds over a restart and over what comes meanwhile
    let decision = rig.merger.publish(rig.now).unwrap();
    assert!(decision.rollups.is_empty() && decision.checkpoint.forced.as_ref().unwrap().lacks(1));
    rig.merger.committed();
    let again = rig.merger.settings.clone();
    rig.restart(again);
    rig.close(1, 3, 0, 1, 100);
    assert_eq!(rig.publish(), [(1, 7)]);
    assert!(rig.rows[0].contains(r#""coverage":{"partitions":2,"of":3}"#), "{}", rig.rows[0]);
    assert_eq!(rig.merger.merged().session_windows.withheld, 100);
    // and the next window waits for it again
    rig.close(0, 3, 1, 2, 1);
    rig.close(2, 3, 1, 2, 1);
    assert_eq!(rig.publish(), []);
    rig.close(1, 3, 1, 2, 1);
    assert_eq!(rig.publish(), [(2, 3)]);
}

/// A policy that changed raises the floor beyond it.
#[test]
fn decision_about_a_window_before_the_floor_holds_up_nothing() {
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

/// Such a decision is not read from metadata. Were there one, it must not be forgotten silently: the window would then
/// be decided again.
#[test]
fn decision_without_any_partition_is_kept() {
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
fn what_comes_while_a_decision_is_on_its_way_is_given_up() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + PATIENCE;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    rig.close(1, 2, 0, 1, 4);
    rig.merger.committed();
    assert_eq!(rig.publish(), [(1, 3)]);
}

/// Were it to wait for them, it would wait for ever: a decision that is pending keeps the next from being made.
#[test]
fn a_decision_does_not_wait_for_partitions_that_were_added_since() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + PATIENCE;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    // the beacons have four partitions now, and nothing comes of three
    rig.close(0, 4, 1, 2, 4);
    rig.merger.committed();
    assert_eq!(rig.publish(), [(1, 3)]);
    assert!(rig.rows[0].contains(r#""coverage":{"partitions":1,"of":2}"#), "{}", rig.rows[0]);
    // what one of them closes in that window is withheld, and the next window has patience of its own
    rig.close(3, 4, 0, 1, 5);
    rig.now = Timestamp::EPOCH + PATIENCE * 2;
    assert_eq!(rig.publish(), [(2, 4)]);
    assert!(rig.rows[1].contains(r#""coverage":{"partitions":1,"of":4}"#), "{}", rig.rows[1]);
}

#[test]
fn that_every_partition_had_an_offset_is_kept_with_each() {
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
fn a_decision_waits_for_those_that_did_come_to_be_read_again() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.now = Timestamp::EPOCH + PATIENCE;
    rig.merger.at_end();
    rig.merger.publish(rig.now).unwrap();
    rig.merger.committed();
    let (offset, checkpoint) = rig.merger.idle_commit();
    let start =
        Start { partition: 0, floor: Timestamp::EPOCH, checkpoint: Some(checkpoint), offsets_lost: false };
    let mut again = Merger::new(settings(2), &start, offset, rig.now);
    assert!(again.publish(rig.now).is_none(), "nothing was read yet");
    for (offset, bytes) in rig.log.iter().enumerate() {
        again.record(bytes, offset as i64, rig.now).unwrap();
    }
    let sessions: Vec<_> = again.publish(rig.now).unwrap().rollups.iter().map(|row| row.sessions()).collect();
    assert_eq!(sessions, [3]);
}
