//! The error type of this crate.

use std::io;
use std::net::SocketAddr;

use crowdfold_config::ConfigError;
use crowdfold_engine::EngineError;
use crowdfold_kafka::acl::Right;
use crowdfold_kafka::{KafkaError, SourceError};
use metrics_exporter_prometheus::BuildError;

use crate::config::{engine_message, kafka_message, source_message};

/// An error that ends a worker or prevents its start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A Kafka client could not be created, or a request failed.
    #[error("{}", kafka_message(.0))]
    Kafka(#[from] KafkaError),
    /// The consumer of a stage cannot continue.
    #[error("{}", source_message(.0))]
    Source(#[from] SourceError),
    /// The producer of a stage cannot continue.
    #[error("{0}")]
    Fatal(String),
    /// The operator of a partition cannot continue.
    #[error("{}", engine_message(.0))]
    Engine(#[from] EngineError),
    /// Another worker uses the same instance name.
    #[error("{0}")]
    Namesake(String),
    /// The thread of a stage panicked.
    #[error("the thread of a stage panicked")]
    Panicked,
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration contradicts the state of the deployment, or this state requires a command-line flag.
    #[error("{0}")]
    Refused(String),
    /// A topic keeps records without a limit, for longer than configured, or for too short a time.
    #[error("{0}")]
    Breach(String),
    /// The server of metrics and health checks cannot use the configured address.
    #[error("metrics.listen {address} cannot be bound: {error}; choose another address")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: io::Error,
    },
    /// The async runtime of the server of metrics and health checks cannot start.
    #[error("the async runtime cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// The metrics recorder cannot be installed, because the process already has a metrics recorder.
    #[error("the metrics recorder cannot be installed: {0}")]
    Metrics(#[from] BuildError),
}

impl WorkerError {
    /// Returns true if the error may disappear by itself, such as an unreachable cluster.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Kafka(error) if error.is_transient())
    }

    /// Returns true if the error may disappear by itself. This function is for errors of a worker that has started
    /// successfully. Unlike [`Self::may_pass`], this function returns true for failed authentication, because
    /// authentication has succeeded before.
    #[must_use]
    pub const fn may_pass_again(&self) -> bool {
        matches!(self, Self::Kafka(KafkaError::Refused { .. })) || self.may_pass()
    }

    /// Replaces a missing permission in the error by the first permission in `rights` that includes it, so that the
    /// message names the permission to grant.
    #[must_use]
    pub fn among(self, rights: &[Right]) -> Self {
        match self {
            Self::Kafka(error) => Self::Kafka(error.among(rights)),
            other => other,
        }
    }
}
