//! The error type of this crate.

use crowdfold_model::Span;
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::client::Principal;

/// A client that could not be created, or a request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// The configuration sets a property on which exactly-once depends.
    #[error("[kafka.properties] must not set {key}, because crowdfold sets it; remove the key")]
    Reserved {
        /// The property.
        key: String,
    },
    /// A property that librdkafka rejects. Its value is omitted, because it may be a secret.
    #[error(
        "[kafka.properties] {key} is not a property of librdkafka, or its value is invalid; see librdkafka's \
             CONFIGURATION.md"
    )]
    Property {
        /// The property.
        key: String,
    },
    /// librdkafka could not create the client.
    #[error("cannot create a Kafka client: {reason}")]
    Client {
        /// librdkafka's message.
        reason: String,
    },
    /// No broker responds.
    #[error("no broker at {brokers} responds ({reason}); check [kafka] brokers and the network")]
    Unreachable {
        /// The configured brokers.
        brokers: String,
        /// The last error that librdkafka reported.
        reason: String,
    },
    /// The brokers refuse the client, or the client does not trust them (TLS or SASL). Retrying does not help.
    #[error("cannot connect to {brokers} by {protocol} ({reason}); check [kafka.properties]{hint}")]
    Refused {
        /// The configured brokers.
        brokers: String,
        /// `security.protocol` and the SASL mechanism.
        protocol: String,
        /// librdkafka's message.
        reason: String,
        /// A hint, if the reason does not name the cause.
        hint: &'static str,
    },
    /// A topic that does not exist, or that this principal may not describe.
    #[error("topic {topic} does not exist; create it with `crowdfold topics apply`")]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// A missing permission.
    #[error("{principal} may not {right}; grant the permission as printed by `crowdfold topics acl`")]
    Forbidden {
        /// Our principal.
        principal: Principal,
        /// The missing permission.
        right: Right,
    },
    /// The brokers accepted a change of a topic's settings but did not apply it.
    #[error(
        "topic {topic} did not apply its new settings; check that {principal} may AlterConfigs topic {topic} \
         (`crowdfold topics acl` prints how to grant it), and check the brokers' logs"
    )]
    NotTaken {
        /// The topic.
        topic: String,
        /// Our principal.
        principal: Principal,
    },
    /// The committed offsets of a group are not known in time, because the coordinator does not respond or a transaction on
    /// them is open.
    #[error(
        "cannot read the offsets of group {group} in time; if a transaction on these offsets is still open after a \
         minute, end it as docs/operations.md describes"
    )]
    OffsetsPending {
        /// The group.
        group: String,
    },
    /// The brokers check for old records too rarely to meet a time-to-live.
    #[error(
        "topic {topic} cannot be bounded to {ttl} because brokers check for old records only every {check}{}; raise \
         its [ttl] or lower log.retention.check.interval.ms", .ahead.map(|ahead| format!(" and timestamps may be {ahead} ahead")).unwrap_or_default()
    )]
    TtlTooShort {
        /// The topic.
        topic: String,
        /// The time-to-live.
        ttl: Span,
        /// The brokers' check interval.
        check: Span,
        /// The time by which producers' timestamps may be ahead, if they are used.
        ahead: Option<Span>,
    },
    /// The retention that meets a time-to-live is too short to survive an outage.
    #[error(
        "topic {topic} bounded to {ttl} keeps records for only {retention}, but windows and the longest outage to \
         survive need {least}; raise its [ttl] or lower ttl.max_outage"
    )]
    OutageTooLong {
        /// The topic.
        topic: String,
        /// The time-to-live.
        ttl: Span,
        /// The resulting retention.
        retention: Span,
        /// The required retention.
        least: Span,
    },
    /// Any other error that a broker or librdkafka reports.
    #[error("cannot {what}: {code}")]
    Kafka {
        /// The failed action, as a verb phrase.
        what: String,
        /// The error code.
        code: RDKafkaErrorCode,
    },
}

impl KafkaError {
    /// Creates an error for a failed action from librdkafka's error.
    pub(crate) fn of(what: impl Into<String>, error: &RdkafkaError) -> Self {
        Self::coded(what, code(error))
    }

    pub(crate) fn coded(what: impl Into<String>, code: RDKafkaErrorCode) -> Self {
        Self::Kafka { what: what.into(), code }
    }

    /// Replaces an authorization error by [`Self::Forbidden`] with the missing permission.
    pub(crate) fn forbids(self, principal: &Principal, right: impl FnOnce() -> Right) -> Self {
        match self {
            Self::Kafka { code, .. } if is_forbidden(code) => {
                Self::Forbidden { principal: principal.clone(), right: right() }
            }
            other => other,
        }
    }

    /// Replaces a missing Describe permission by the permission that the caller needs, which implies Describe.
    #[must_use]
    pub fn needing(self, operation: Operation) -> Self {
        match self {
            Self::Forbidden { principal, right } if right.operation == Operation::Describe => {
                Self::Forbidden { principal, right: Right { operation, ..right } }
            }
            other => other,
        }
    }

    /// Replaces a missing permission by the first of `rights` that implies it.
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

    /// Returns true if no settings can meet the specification of a topic, so the configuration must change.
    #[must_use]
    pub const fn is_impossible_plan(&self) -> bool {
        matches!(self, Self::TtlTooShort { .. } | Self::OutageTooLong { .. })
    }

    /// Returns true if the error may disappear by itself, such as an unreachable cluster.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Kafka { code, .. } => !is_forbidden(*code),
            Self::OffsetsPending { .. } => true,
            other => matches!(other, Self::Unreachable { .. }),
        }
    }
}

/// Converts the error of a client that could not be created. Omits property values.
impl From<RdkafkaError> for KafkaError {
    fn from(error: RdkafkaError) -> Self {
        match error {
            RdkafkaError::ClientConfig(_, _, key, _) => Self::Property { key },
            RdkafkaError::ClientCreation(reason) => Self::Client { reason },
            other => Self::Kafka { what: "create a Kafka client".into(), code: code(&other) },
        }
    }
}

/// Returns the code of an error.
pub(crate) fn code(error: &RdkafkaError) -> RDKafkaErrorCode {
    match error {
        RdkafkaError::AdminOp(code) => *code,
        other => other.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
    }
}

/// Returns true for error codes that report a missing permission.
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
