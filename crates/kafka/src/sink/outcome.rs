//! The outcomes of a transaction that did not commit.

use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::error::{code, is_forbidden};

#[cfg(test)]
mod tests;

/// The error of a transaction that is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// Nothing of the transaction will be read as committed. Send the same bytes again.
    #[error("the transaction was aborted: {0}")]
    Aborted(RDKafkaErrorCode),
    /// The transaction may be committed or not. Call [`super::Sink::reopen`]; the committed offsets then show the
    /// outcome.
    #[error("the outcome of the transaction is unknown: {0}")]
    Unknown(String),
    /// Another member uses our instance name or transactional id, or the broker assumes so. Nothing was committed. Drop
    /// all state and rejoin with a new producer.
    #[error("another process uses this worker's name: {0}")]
    Fenced(RDKafkaErrorCode),
    /// A retry would fail again.
    #[error("cannot write: {0}")]
    Fatal(String),
}

impl TransactError {
    /// Returns true if the transaction is still open.
    pub(super) const fn wants_abort(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// Converts the error of a transactional call.
impl From<RdkafkaError> for TransactError {
    fn from(error: RdkafkaError) -> Self {
        let code = code(&error);
        let RdkafkaError::Transaction(failure) = error else { return Self::Unknown(code.to_string()) };
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
        // the group has a new generation without us, so the same bytes would be refused again
        C::IllegalGeneration | C::UnknownMemberId | C::FencedInstanceId => TransactError::Fenced(code),
        // fenced by a successor, or past the transaction time-out; the consequence is the same
        _ if fatal => TransactError::Fenced(code),
        _ if abortable => TransactError::Aborted(code),
        _ => TransactError::Unknown(code.to_string()),
    }
}

/// Returns the error for a record that could not be queued.
pub(super) fn of_enqueue(error: &RdkafkaError, topic: &str) -> TransactError {
    use RDKafkaErrorCode as C;
    match code(error) {
        C::QueueFull => TransactError::Aborted(C::QueueFull),
        // the producer is already in its fatal or abortable state
        code @ (C::Fatal | C::Fenced) => TransactError::Fenced(code),
        code @ (C::State | C::PurgeQueue) => TransactError::Aborted(code),
        code => TransactError::Fatal(format!("topic {topic}: {code}")),
    }
}

/// Returns true for error codes with which the broker would refuse the record again.
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

/// Returns the error to report for `error` after an attempt to abort its transaction.
pub(super) fn after_abort(error: TransactError, aborted: Result<(), TransactError>) -> TransactError {
    match (error, aborted) {
        // final either way: the broker aborts the transaction after its time-out
        (error @ (TransactError::Fatal(_) | TransactError::Fenced(_)), _) => error,
        (error, Ok(())) => error,
        (_, Err(fenced @ TransactError::Fenced(_))) => fenced,
        // not committed, but this producer cannot be used anymore, so it is handled like an unknown outcome
        (error, Err(why)) => TransactError::Unknown(format!("{error}; the abort failed as well: {why}")),
    }
}
