use std::sync::mpsc::{Receiver, channel};

use crowdfold_kafka::RDKafkaErrorCode;
use crowdfold_kafka::acl::{Operation, Resource, Right};

use super::*;

type Passes = Receiver<BTreeMap<u32, i64>>;

/// Creates an eraser whose passes are recorded and have these outcomes, then succeed.
fn watched(outcomes: Vec<Result<(), KafkaError>>) -> (Eraser, Passes, Arc<Status>) {
    repeated(outcomes, AGAIN)
}

/// Creates an eraser that repeats its passes at an interval.
fn repeated(outcomes: Vec<Result<(), KafkaError>>, again: Duration) -> (Eraser, Passes, Arc<Status>) {
    let (send, passes) = channel();
    let status = Arc::new(Status::new(&[]));
    let outcomes = Mutex::new(outcomes.into_iter());
    let erase = move |offsets: &BTreeMap<u32, i64>| {
        let _ = send.send(offsets.clone());
        outcomes.lock().unwrap().next().unwrap_or(Ok(()))
    };
    (Eraser(start(erase, again, Arc::clone(&status))), passes, status)
}

fn pass(passes: &Passes) -> Vec<(u32, i64)> {
    passes.recv_timeout(Duration::from_secs(300)).expect("a pass").into_iter().collect()
}

fn none(passes: &Passes) {
    assert!(passes.recv_timeout(Duration::from_millis(300)).is_err());
}

fn reasons_until(status: &Status, wanted: &[&str]) {
    for _ in 0..6_000 {
        if status.not_ready(clock::now()) == wanted {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(status.not_ready(clock::now()), wanted);
}

#[test]
fn each_commit_is_followed_by_a_pass_over_all_assigned_partitions() {
    let (eraser, passes, status) = watched(vec![]);
    none(&passes);
    eraser.counted(3, 100);
    assert_eq!(pass(&passes), [(3, 100)]);
    eraser.counted(1, 7);
    assert_eq!(pass(&passes), [(1, 7), (3, 100)]);
    // the periodic commit of an unchanged offset
    eraser.counted(1, 7);
    none(&passes);
    reasons_until(&status, &[]);
}

#[test]
fn deletion_is_repeated_at_an_interval() {
    let (eraser, passes, _) = repeated(vec![], Duration::from_millis(50));
    eraser.counted(3, 100);
    assert_eq!([pass(&passes), pass(&passes), pass(&passes)], [[(3, 100)], [(3, 100)], [(3, 100)]]);
}

#[test]
fn revoked_partitions_are_no_longer_erased() {
    let (eraser, passes, _) = watched(vec![]);
    eraser.counted(3, 100);
    assert_eq!(pass(&passes), [(3, 100)]);
    eraser.revoked();
    eraser.counted(2, 5);
    assert_eq!(pass(&passes), [(2, 5)]);
}

#[test]
fn missing_permission_is_reported_and_not_tried_with_every_commit() {
    let right = Right { resource: Resource::Topic("t".into()), operation: Operation::Delete };
    let forbidden = KafkaError::Forbidden { principal: ClientSettings::default().principal(), right };
    let (eraser, passes, status) = watched(vec![Err(forbidden)]);
    eraser.counted(0, 1);
    pass(&passes);
    let reason = "erase: counted beacons cannot be deleted: this principal may not Delete topic t; grant the \
                  permission as printed by `crowdfold topics acl`";
    reasons_until(&status, &[reason]);
    for offset in 2..50 {
        eraser.counted(0, offset);
    }
    none(&passes);
    reasons_until(&status, &[reason]);
}

#[test]
fn transient_error_is_retried_soon() {
    let away =
        || Err(KafkaError::Kafka { what: "delete".into(), code: RDKafkaErrorCode::BrokerTransportFailure });
    let (eraser, passes, status) = watched(vec![away(), away()]);
    eraser.counted(0, 1);
    assert_eq!([pass(&passes), pass(&passes), pass(&passes)], [[(0, 1)], [(0, 1)], [(0, 1)]]);
    reasons_until(&status, &[]);
}

#[test]
fn last_commit_is_erased_before_the_end() {
    let (eraser, passes, _) = watched(vec![]);
    eraser.counted(0, 1);
    drop(eraser);
    // one pass or, if the end was faster than the thread, the last one
    assert_eq!(pass(&passes), [(0, 1)]);
    none(&passes);
}
