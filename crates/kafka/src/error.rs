//! Why Kafka could not be had.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::client::Principal;

/// A client could not be made, or a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A property that exactly-once rests on.
    #[error("[kafka.properties] must not set {key}, because crowdfold sets it; remove the key")]
    Reserved {
        /// Its name.
        key: String,
    },
    /// A property that librdkafka does not take. Its value is not repeated: it may be a secret.
    #[error(
        "[kafka.properties] {key} is not a property of librdkafka, or its value is invalid; see librdkafka's \
             CONFIGURATION.md"
    )]
    Property {
        /// Its name.
        key: String,
    },
    /// The client was not made; librdkafka says why.
    #[error("cannot create a Kafka client: {reason}")]
    Client {
        /// In librdkafka's words.
        reason: String,
    },
    /// No broker answers.
    #[error("no broker at {brokers} responds ({reason}); check [kafka] brokers and the network")]
    Unreachable {
        /// As configured.
        brokers: String,
        /// The last thing librdkafka heard.
        reason: String,
    },
    /// The brokers are there and do not let us in, or we do not trust them: TLS or SASL. Trying again mends nothing.
    #[error("cannot connect to {brokers} by {protocol} ({reason}); check [kafka.properties]{hint}")]
    Refused {
        /// As configured.
        brokers: String,
        /// `security.protocol`, and SASL's mechanism.
        protocol: String,
        /// In librdkafka's words.
        reason: String,
        /// What to look at, where the reason does not say it.
        hint: &'static str,
    },
    /// A topic that is not there, or that this principal may not see.
    #[error("topic {topic} does not exist; create it with `crowdfold topics apply`")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// A right is missing.
    #[error("{principal} may not {right}; grant the permission as printed by `crowdfold topics acl`")]
    Forbidden {
        /// Who we are to the brokers.
        principal: Principal,
        /// The right that is missing.
        right: Right,
    },
    /// The brokers were asked to change a topic's settings, and they have not changed.
    #[error(
        "topic {topic} did not apply its new settings; check that {principal} may AlterConfigs topic {topic} \
         (`crowdfold topics acl` prints how to grant it), and check the brokers' logs"
    )]
    NotTaken {
        /// Its name.
        topic: String,
        /// Who we are to the brokers.
        principal: Principal,
    },
    /// Anything else that a broker or librdkafka reports.
    #[error("cannot {what}: {code}")]
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
        Self::Kafka { what: what.into(), code }
    }

    /// The same, where it says that a right is missing: this one.
    pub(crate) fn forbids(self, principal: &Principal, right: impl FnOnce() -> Right) -> Self {
        match self {
            Self::Kafka { code, .. } if is_forbidden(code) => {
                Self::Forbidden { principal: principal.clone(), right: right() }
            }
            other => other,
        }
    }

    /// The same for whoever needs another right than to describe, and could describe if he had it: that one is missing.
    #[must_use]
    pub fn needing(self, operation: Operation) -> Self {
        match self {
            Self::Forbidden { principal, right } if right.operation == Operation::Describe => {
                Self::Forbidden { principal, right: Right { operation, ..right } }
            }
            other => other,
        }
    }

    /// The same for a role: where a right is missing that follows from one of these, or lies in it, that one is.
    #[must_use]
    pub fn among(self, rights: &[Right]) -> Self {
        match self {
            Self::Forbidden { principal, right } => {
                let right = rights.iter().find(|granted| granted.grants(&right)).cloned().unwrap_or(right);
                Self::Forbidden { principal, right }
            }
            other => other,
        }
    }

    /// Whether it may pass by itself: a cluster that does not answer, or not yet.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Kafka { code, .. } => !is_forbidden(*code),
            other => matches!(other, Self::Unreachable { .. }),
        }
    }
}

/// A client that could not be made. Values stay out of it.
impl From<KafkaError> for Error {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, _, key, _) => Self::Property { key },
            KafkaError::ClientCreation(reason) => Self::Client { reason },
            other => Self::Kafka { what: "create a Kafka client".into(), code: code(&other) },
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
pub(crate) const fn is_forbidden(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(
        code,
        C::TopicAuthorizationFailed
            | C::GroupAuthorizationFailed
            | C::ClusterAuthorizationFailed
            | C::TransactionalIdAuthorizationFailed
    )
}
