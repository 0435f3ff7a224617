//! The error of a transaction, and its derivation from the errors of librdkafka.

use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::error::{code, is_forbidden};

#[cfg(test)]
mod tests;

/// The error of a transaction that failed or has an unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// The transaction was aborted. No consumer with `read_committed` reads its records, so send the same records
    /// again.
    #[error("the transaction was aborted: {0}")]
    Aborted(RDKafkaErrorCode),
    /// The transaction may or may not be committed. Call [`super::Sink::reopen`], and then read the committed
    /// offsets, which show the outcome.
    #[error("the outcome of the transaction is unknown: {0}")]
    Unknown(String),
    /// The broker fenced this worker: another process uses its instance name or its transactional id, or the broker no
    /// longer accepts the producer or the group member. Nothing was committed. Discard all state, create a new
    /// producer, and join the group again.
    #[error("another process uses this worker's name: {0}")]
    Fenced(RDKafkaErrorCode),
    /// The transaction failed for a reason that a retry does not remove, such as a missing permission.
    #[error("cannot write: {0}")]
    Fatal(String),
}

impl TransactError {
    /// Returns true if the caller must abort the transaction. If the outcome is unknown, [`super::Sink::reopen`] ends
    /// it.
    pub(super) const fn wants_abort(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// Converts an error that a transactional call of librdkafka returned.
impl From<RdkafkaError> for TransactError {
    fn from(error: RdkafkaError) -> Self {
        let code = code(&error);
        let RdkafkaError::Transaction(failure) = error else { return Self::Unknown(code.to_string()) };
        classify(code, failure.is_fatal(), failure.txn_requires_abort())
    }
}

/// Classifies an error by its code and by librdkafka's flags: `fatal` if the producer cannot be used anymore,
/// `abortable` if the transaction must be aborted.
fn classify(code: RDKafkaErrorCode, fatal: bool, abortable: bool) -> TransactError {
    use RDKafkaErrorCode as C;
    match code {
        _ if is_forbidden(code) => TransactError::Fatal(format!(
            "{code}; grant this principal the permission as printed by `crowdfold topics acl`"
        )),
        C::UnsupportedVersion | C::UnsupportedFeature | C::OffsetMetadataTooLarge => {
            TransactError::Fatal(code.to_string())
        }
        // this member does not belong to the current generation of the group, so a retry would fail again
        C::IllegalGeneration | C::UnknownMemberId | C::FencedInstanceId => TransactError::Fenced(code),
        // another producer fenced this one, or the transaction timed out; both require a new producer
        _ if fatal => TransactError::Fenced(code),
        _ if abortable => TransactError::Aborted(code),
        _ => TransactError::Unknown(code.to_string()),
    }
}

/// Returns the error for a record that could not be put into the producer's queue.
pub(super) fn of_enqueue(error: &RdkafkaError, topic: &str) -> TransactError {
    use RDKafkaErrorCode as C;
    match code(error) {
        C::QueueFull => TransactError::Aborted(C::QueueFull),
        // with the codes Fatal and Fenced, librdkafka reports that the producer had a fatal error before; with State
        // and PurgeQueue, that it had an abortable error before
        code @ (C::Fatal | C::Fenced) => TransactError::Fenced(code),
        code @ (C::State | C::PurgeQueue) => TransactError::Aborted(code),
        code => TransactError::Fatal(format!("topic {topic}: {code}")),
    }
}

/// Returns true for error codes after which the broker would also refuse the record in a retry.
pub(super) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    is_forbidden(code)
        || matches!(
            code,
            C::MessageSizeTooLarge
                | C::MessageBatchTooLarge
                | C::InvalidTimestamp
                | C::UnsupportedCompressionType
                | C::PolicyViolation
                | C::UnknownTopic
                | C::UnknownPartition
        )
}

/// Combines the error of a transaction with the result of the attempt to abort it.
pub(super) fn after_abort(error: TransactError, aborted: Result<(), TransactError>) -> TransactError {
    match (error, aborted) {
        // a failed abort does not matter here, because the broker aborts the transaction when it times out
        (error @ (TransactError::Fatal(_) | TransactError::Fenced(_)), _) => error,
        (error, Ok(())) => error,
        (_, Err(fenced @ TransactError::Fenced(_))) => fenced,
        // the transaction is not committed, but this producer cannot be used anymore, as after an unknown outcome
        (error, Err(why)) => TransactError::Unknown(format!("{error}; the abort failed as well: {why}")),
    }
}
