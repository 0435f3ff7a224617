use RDKafkaErrorCode as C;

use super::*;

#[test]
fn fatal_librdkafka_error_means_fenced_unless_a_permission_is_missing() {
    for code in [C::Fenced, C::InvalidProducerEpoch, C::InvalidProducerIdMapping] {
        assert_eq!(classify(code, true, false), TransactError::Fenced(code));
    }
    assert!(matches!(classify(C::TransactionalIdAuthorizationFailed, true, false), TransactError::Fatal(_)));
}

#[test]
fn member_of_an_old_generation_is_fenced_although_librdkafka_calls_the_error_abortable() {
    for code in [C::IllegalGeneration, C::UnknownMemberId, C::FencedInstanceId] {
        let outcome = classify(code, false, true);
        assert_eq!(outcome, TransactError::Fenced(code));
        assert!(outcome.wants_abort());
    }
}

#[test]
fn outcome_is_unknown_if_the_error_is_neither_fatal_nor_abortable() {
    let outcome = classify(C::OperationTimedOut, false, false);
    assert!(matches!(outcome, TransactError::Unknown(_)) && !outcome.wants_abort());
    assert!(matches!(
        TransactError::from(RdkafkaError::Flush(C::OperationTimedOut)),
        TransactError::Unknown(_)
    ));
}

#[test]
fn outcome_is_unknown_after_a_failed_abort_unless_an_error_is_final() {
    let aborted = TransactError::Aborted(C::RequestTimedOut);
    assert_eq!(after_abort(aborted.clone(), Ok(())), aborted);
    let unknown = TransactError::Unknown("no answer".into());
    assert!(matches!(after_abort(aborted.clone(), Err(unknown.clone())), TransactError::Unknown(_)));
    assert_eq!(after_abort(aborted, Err(TransactError::Fenced(C::Fenced))), TransactError::Fenced(C::Fenced));
    let fatal = TransactError::Fatal("too large".into());
    assert_eq!(after_abort(fatal.clone(), Err(unknown)), fatal);
}
