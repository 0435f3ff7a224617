//! The error type of this crate. The messages do not name keys or flags of a configuration. A crate that knows them
//! appends them to the messages.

use crowdfold_model::Span;
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::client::Principal;

/// The error of a client that could not be created, or of a request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// The settings of the client contain a property that only crowdfold may set.
    #[error("property {key} must not be set, because crowdfold sets it; remove the property")]
    Reserved {
        /// The name of the property.
        key: String,
    },
    /// librdkafka rejects a property. The message omits the value of the property, because it may be a secret.
    #[error(
        "{key} is not a property of librdkafka, or its value is invalid; see CONFIGURATION.md at \
         https://github.com/confluentinc/librdkafka"
    )]
    Property {
        /// The name of the property.
        key: String,
    },
    /// librdkafka could not create the client.
    #[error("cannot create a Kafka client: {reason}")]
    Client {
        /// librdkafka's message.
        reason: String,
    },
    /// No broker responds, for a reason that may disappear.
    #[error("no broker at {brokers} responds ({reason}); check the network and the addresses of the brokers")]
    Unreachable {
        /// The configured addresses of brokers.
        brokers: String,
        /// The last error that librdkafka reported.
        reason: String,
    },
    /// The brokers refuse the client, or the client does not trust them (TLS or SASL). Retrying does not help.
    #[error("cannot connect to {brokers} by {protocol} ({reason}){hint}; check the properties of the client")]
    Refused {
        /// The configured addresses of brokers.
        brokers: String,
        /// The security protocol, with the SASL mechanism if there is one.
        protocol: String,
        /// librdkafka's message.
        reason: String,
        /// The likely cause, with a leading semicolon; empty if the reason names the cause.
        hint: &'static str,
    },
    /// The topic does not exist.
    #[error("topic {topic} does not exist; create it with `crowdfold topics apply`")]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// The principal lacks a permission.
    #[error("{principal} may not {right}; grant the permission as printed by `crowdfold topics acl`")]
    Forbidden {
        /// The principal of this process.
        principal: Principal,
        /// The missing permission.
        right: Right,
    },
    /// The brokers accepted a change of a topic's settings, but they still report the old settings.
    #[error(
        "topic {topic} did not apply its new settings; check that {principal} may AlterConfigs topic {topic} \
         (`crowdfold topics acl` prints how to grant it), and check the brokers' logs"
    )]
    NotApplied {
        /// The topic.
        topic: String,
        /// The principal of this process.
        principal: Principal,
    },
    /// The committed offsets of a group could not be read in time, because the coordinator does not respond, or because
    /// an open transaction changes the offsets.
    #[error(
        "cannot read the offsets of group {group} in time; if a transaction on these offsets is still open after a \
         minute, end it as docs/operations.md describes"
    )]
    OffsetsPending {
        /// The consumer group.
        group: String,
    },
    /// No setting of a topic can meet its time-to-live, because the brokers check for old records too rarely, or
    /// because they accept timestamps too far in the future.
    #[error(
        "records of topic {topic} cannot be deleted within {ttl}, because brokers check for old records only every \
         {check}{}; lower log.retention.check.interval.ms of the brokers or raise the time-to-live of the topic",
        .ahead.map(|ahead| format!(" and accept timestamps {ahead} in the future")).unwrap_or_default()
    )]
    TtlTooShort {
        /// The topic.
        topic: String,
        /// The configured time-to-live.
        ttl: Span,
        /// The interval at which brokers check for old records.
        check: Span,
        /// The longest time by which a producer's timestamp may be ahead of the broker's clock. `None` if the broker
        /// refuses timestamps in the future, or sets the timestamps itself.
        ahead: Option<Span>,
    },
    /// To meet its time-to-live, a topic needs a retention that is too short for windows and the longest outage.
    #[error(
        "with a time-to-live of {ttl}, topic {topic} keeps records for only {retention}, but windows and the longest \
         outage to survive need {least}"
    )]
    OutageTooLong {
        /// The topic.
        topic: String,
        /// The configured time-to-live.
        ttl: Span,
        /// The retention that results from the time-to-live.
        retention: Span,
        /// The minimum retention for windows and the longest outage.
        least: Span,
    },
    /// A broker or librdkafka reports an error for which this type has no other variant.
    #[error("cannot {what}: {code}")]
    Kafka {
        /// The action that failed, as a phrase with a verb, such as "describe topic t".
        what: String,
        /// The error code.
        code: RDKafkaErrorCode,
    },
}

impl KafkaError {
    /// Creates the error of a failed action from librdkafka's error. `what` is a phrase with a verb.
    pub(crate) fn of(what: impl Into<String>, error: &RdkafkaError) -> Self {
        Self::coded(what, code(error))
    }

    /// Creates the error of a failed action from an error code. `what` is a phrase with a verb.
    pub(crate) fn coded(what: impl Into<String>, code: RDKafkaErrorCode) -> Self {
        Self::Kafka { what: what.into(), code }
    }

    /// Replaces an authorization error by [`Self::Forbidden`], which names the missing permission `right`.
    pub(crate) fn forbids(self, principal: &Principal, right: impl FnOnce() -> Right) -> Self {
        match self {
            Self::Kafka { code, .. } if is_forbidden(code) => {
                Self::Forbidden { principal: principal.clone(), right: right() }
            }
            other => other,
        }
    }

    /// Replaces the permission Describe in [`Self::Forbidden`] by the permission for `operation`, which the caller
    /// needs anyway. In Kafka, that permission includes Describe.
    #[must_use]
    pub fn needing(self, operation: Operation) -> Self {
        match self {
            Self::Forbidden { principal, right } if right.operation == Operation::Describe => {
                Self::Forbidden { principal, right: Right { operation, ..right } }
            }
            other => other,
        }
    }

    /// Replaces the permission in [`Self::Forbidden`] by the first permission in `rights` that includes it, so that the
    /// message names the permission to grant.
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

    /// Returns true if no settings of topic and brokers can meet the specification of a topic. The configuration of
    /// crowdfold must then change.
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

/// Converts the error of a client that could not be created. The message omits the value of a rejected property,
/// because it may be a secret.
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
