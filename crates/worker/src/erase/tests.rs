use std::sync::mpsc::{Receiver, channel};

use crowdfold_kafka::RDKafkaErrorCode;
use crowdfold_kafka::acl::{Operation, Resource, Right};

use super::*;

type Passes = Receiver<BTreeMap<u32, i64>>;

/// Creates an eraser whose passes are recorded. The passes return `outcomes` one after the other; all further passes
/// succeed.
fn recorded(outcomes: Vec<Result<(), KafkaError>>) -> (Eraser, Passes, Arc<Status>) {
    repeated(outcomes, REPEAT_INTERVAL)
}

/// Creates an eraser as `recorded` does. The eraser repeats its pass at the interval `again`.
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

/// Waits for the next pass, and returns its offsets.
fn pass(passes: &Passes) -> Vec<(u32, i64)> {
    passes.recv_timeout(Duration::from_secs(300)).expect("a pass").into_iter().collect()
}

/// Asserts that no pass begins within 0.3 s.
fn assert_no_pass(passes: &Passes) {
    assert!(passes.recv_timeout(Duration::from_millis(300)).is_err());
}

/// Waits until the status contains exactly these reasons for not being ready.
fn wait_for_reasons(status: &Status, wanted: &[&str]) {
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
    let (eraser, passes, status) = recorded(vec![]);
    assert_no_pass(&passes);
    eraser.counted(3, 100);
    assert_eq!(pass(&passes), [(3, 100)]);
    eraser.counted(1, 7);
    assert_eq!(pass(&passes), [(1, 7), (3, 100)]);
    // periodic commits can commit the same offset again
    eraser.counted(1, 7);
    assert_no_pass(&passes);
    wait_for_reasons(&status, &[]);
}

#[test]
fn deletion_is_repeated_at_an_interval_without_new_commits() {
    let (eraser, passes, _) = repeated(vec![], Duration::from_millis(50));
    eraser.counted(3, 100);
    assert_eq!([pass(&passes), pass(&passes), pass(&passes)], [[(3, 100)], [(3, 100)], [(3, 100)]]);
}

#[test]
fn revoked_partitions_are_no_longer_erased() {
    let (eraser, passes, _) = recorded(vec![]);
    eraser.counted(3, 100);
    assert_eq!(pass(&passes), [(3, 100)]);
    eraser.revoked();
    eraser.counted(2, 5);
    assert_eq!(pass(&passes), [(2, 5)]);
}

#[test]
fn missing_permission_is_reported_but_commits_do_not_trigger_retries() {
    let right = Right { resource: Resource::Topic("t".into()), operation: Operation::Delete };
    let forbidden = KafkaError::Forbidden { principal: ClientSettings::default().principal(), right };
    let (eraser, passes, status) = recorded(vec![Err(forbidden)]);
    eraser.counted(0, 1);
    pass(&passes);
    let reason = "erase: counted beacons cannot be deleted: this principal may not Delete topic t; grant the \
                  permission as printed by `crowdfold topics acl`";
    wait_for_reasons(&status, &[reason]);
    for offset in 2..50 {
        eraser.counted(0, offset);
    }
    assert_no_pass(&passes);
    wait_for_reasons(&status, &[reason]);
}

#[test]
fn transient_error_is_retried_soon() {
    let unreachable =
        || Err(KafkaError::Kafka { what: "delete".into(), code: RDKafkaErrorCode::BrokerTransportFailure });
    let (eraser, passes, status) = recorded(vec![unreachable(), unreachable()]);
    eraser.counted(0, 1);
    assert_eq!([pass(&passes), pass(&passes), pass(&passes)], [[(0, 1)], [(0, 1)], [(0, 1)]]);
    wait_for_reasons(&status, &[]);
}

#[test]
fn eraser_erases_the_beacons_of_the_last_commit_before_it_ends() {
    let (eraser, passes, _) = recorded(vec![]);
    eraser.counted(0, 1);
    drop(eraser);
    // this is the pass after the commit; if the eraser was dropped before that pass began, it is the last pass
    assert_eq!(pass(&passes), [(0, 1)]);
    assert_no_pass(&passes);
}
