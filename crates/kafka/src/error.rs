//! Why Kafka could not be had.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A client could not be made, or a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A property that exactly-once rests on.
    #[error("[kafka.properties] may not set {key}: the program sets it itself")]
    Reserved {
        /// Its name.
        key: String,
    },
    /// A property that librdkafka does not take. Its value is not repeated: it may be a secret.
    #[error("[kafka.properties] {key} is not a property of librdkafka, or its value is not one it takes")]
    Property {
        /// Its name.
        key: String,
    },
    /// The client was not made; librdkafka says why.
    #[error("cannot make a Kafka client: {reason}")]
    Client {
        /// In librdkafka's words.
        reason: String,
    },
    /// No broker answers.
    #[error("no broker at {brokers} answers ({reason}): check [kafka] brokers and the network")]
    Unreachable {
        /// As configured.
        brokers: String,
        /// The last thing librdkafka heard.
        reason: String,
    },
    /// A topic that is not there, or that this principal may not see.
    #[error("topic {topic} does not exist: create it, `crowdfold topics apply` does")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// A right is missing.
    #[error("no right to {what}: grant it to this principal")]
    Forbidden {
        /// What was tried.
        what: String,
    },
    /// Anything else that a broker or librdkafka reports.
    #[error("{what}: {code}")]
    Kafka {
        /// What was tried.
        what: String,
        /// What came of it.
        code: RDKafkaErrorCode,
    },
}

impl Error {
    /// A failed request, by its code.
    pub(crate) fn of(what: impl Into<String>, error: &KafkaError) -> Self {
        Self::coded(what, code(error))
    }

    pub(crate) fn coded(what: impl Into<String>, code: RDKafkaErrorCode) -> Self {
        let what = what.into();
        if is_forbidden(code) { Self::Forbidden { what } } else { Self::Kafka { what, code } }
    }
}

/// A client that could not be made. Values stay out of it.
impl From<KafkaError> for Error {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, _, key, _) => Self::Property { key },
            KafkaError::ClientCreation(reason) => Self::Client { reason },
            other => Self::Kafka { what: "cannot make a Kafka client".into(), code: code(&other) },
        }
    }
}

/// The code of an error that has one.
pub(crate) fn code(error: &KafkaError) -> RDKafkaErrorCode {
    match error {
        KafkaError::AdminOp(code) => *code,
        other => other.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
    }
}

/// Codes that say a right is missing.
pub(crate) fn is_forbidden(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(
        code,
        C::TopicAuthorizationFailed
            | C::GroupAuthorizationFailed
            | C::ClusterAuthorizationFailed
            | C::TransactionalIdAuthorizationFailed
    )
}
