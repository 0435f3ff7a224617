//! What became of a transaction.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{code, is_forbidden};

#[cfg(test)]
mod tests;

/// A transaction that is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// Nothing of it will ever be read as committed: send the same bytes again.
    #[error("the transaction was aborted: {0}")]
    Aborted(RDKafkaErrorCode),
    /// It may be committed or not: [`super::Sink::reopen`], then the committed offsets decide.
    #[error("the outcome of the transaction is unknown: {0}")]
    Unknown(String),
    /// Another member has our instance name or our transactional id, or the broker assumes so: nothing was committed.
    /// Drop all state, join again with a new producer.
    #[error("another process uses this worker's name: {0}")]
    Fenced(RDKafkaErrorCode),
    /// It would fail again.
    #[error("cannot write: {0}")]
    Fatal(String),
}

impl TransactError {
    /// Whether the transaction is still open.
    pub(super) const fn wants_abort(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// A call of the transactional API that failed.
impl From<KafkaError> for TransactError {
    fn from(error: KafkaError) -> Self {
        let code = code(&error);
        let KafkaError::Transaction(failure) = error else { return Self::Unknown(code.to_string()) };
        classify(code, failure.is_fatal(), failure.txn_requires_abort())
    }
}

fn classify(code: RDKafkaErrorCode, fatal: bool, abortable: bool) -> TransactError {
    use RDKafkaErrorCode as C;
    match code {
        _ if is_forbidden(code) => TransactError::Fatal(format!(
            "{code}; grant this principal the permission as printed by `crowdfold topics acl`"
        )),
        C::UnsupportedVersion | C::UnsupportedFeature | C::OffsetMetadataTooLarge => {
            TransactError::Fatal(code.to_string())
        }
        // the group went on without us: the same bytes would be refused again
        C::IllegalGeneration | C::UnknownMemberId | C::FencedInstanceId => TransactError::Fenced(code),
        // by a successor, or past the transaction's time-out: to us it is the same
        _ if fatal => TransactError::Fenced(code),
        _ if abortable => TransactError::Aborted(code),
        _ => TransactError::Unknown(code.to_string()),
    }
}

/// A record that was not taken for sending.
pub(super) fn of_enqueue(error: &KafkaError, topic: &str) -> TransactError {
    use RDKafkaErrorCode as C;
    match code(error) {
        C::QueueFull => TransactError::Aborted(C::QueueFull),
        // the producer is in its fatal or abortable state already
        code @ (C::Fatal | C::Fenced) => TransactError::Fenced(code),
        code @ (C::State | C::PurgeQueue) => TransactError::Aborted(code),
        code => TransactError::Fatal(format!("topic {topic}: {code}")),
    }
}

/// Records that the broker will not take the next time either.
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

/// What is to be said of `error` once its transaction was aborted, or was not.
pub(super) fn after_abort(error: TransactError, aborted: Result<(), TransactError>) -> TransactError {
    match (error, aborted) {
        // for good either way: the broker aborts it when its time is out
        (error @ (TransactError::Fatal(_) | TransactError::Fenced(_)), _) => error,
        (error, Ok(())) => error,
        (_, Err(fenced @ TransactError::Fenced(_))) => fenced,
        // not committed, but this producer is of no use: the way of an unknown outcome is right for it too
        (error, Err(why)) => TransactError::Unknown(format!("{error}; the abort failed as well: {why}")),
    }
}
