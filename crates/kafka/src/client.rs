//! Connection settings that all clients share, and the call-backs that forward librdkafka's log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::KafkaError;

mod broker_error;
#[cfg(test)]
mod tests;

pub(crate) use broker_error::BrokerError;

/// The connection settings.
#[derive(Clone, Default)]
pub struct ClientSettings {
    /// The addresses of brokers, as `host:port`, separated by commas.
    pub brokers: String,
    /// The client id, which brokers use in their logs and for quotas.
    pub client_id: String,
    /// Properties of librdkafka. They include credentials, so the implementation of [`fmt::Debug`] does not show
    /// values.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked: BTreeMap<_, _> = self.properties.keys().map(|key| (key, "…")).collect();
        f.debug_struct("ClientSettings")
            .field("brokers", &self.brokers)
            .field("client_id", &self.client_id)
            .field("properties", &masked)
            .finish()
    }
}

/// The principal (Kafka user) of this process. `None` if the settings do not contain its name, for example because the
/// client authenticates with a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal(Option<String>);

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "principal User:{name}"),
            None => f.write_str("this principal"),
        }
    }
}

/// Properties of librdkafka that the configuration must not set, because exactly-once processing, the watermark and
/// the permissions depend on the values that crowdfold sets.
const RESERVED: [&str; 17] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "transactional.id",
];

impl ClientSettings {
    /// Returns the value of the first property in `names` that is configured.
    fn property(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.properties.get(*name)).map(String::as_str)
    }

    /// Returns the principal of this process. Its name is unknown if the settings do not contain it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        let named = matches!(self.mechanism(), Some("PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"));
        Principal(self.property(&["sasl.username"]).filter(|_| named).map(str::to_owned))
    }

    /// Returns true if the connection uses TLS or SASL.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.property(&["security.protocol"])
            .is_some_and(|protocol| !protocol.eq_ignore_ascii_case("plaintext"))
    }

    /// Returns the SASL mechanism, or `None` if SASL is not used.
    fn mechanism(&self) -> Option<&str> {
        let sasl = self.property(&["security.protocol"])?.to_ascii_lowercase().starts_with("sasl");
        self.property(&["sasl.mechanism", "sasl.mechanisms"]).filter(|_| sasl)
    }

    /// Returns the security protocol and the SASL mechanism, such as `sasl_ssl with SCRAM-SHA-512`.
    pub(crate) fn protocol(&self) -> String {
        let protocol = self.property(&["security.protocol"]).unwrap_or("plaintext");
        match self.mechanism() {
            Some(mechanism) => format!("{protocol} with {mechanism}"),
            None => protocol.to_owned(),
        }
    }

    /// Builds a client's configuration. The operator's properties override `defaults`, and `fixed` overrides both.
    pub(crate) fn config(
        &self,
        defaults: &[(&str, &str)],
        fixed: &[(&str, &str)],
    ) -> Result<ClientConfig, KafkaError> {
        let mut config = ClientConfig::new();
        // set the log level now, because librdkafka does not accept a higher level after the client was created
        config.set_log_level(if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Info
        });
        // lower than librdkafka's default of ten seconds, so that a client reconnects sooner to a restarted broker
        config.set("reconnect.backoff.max.ms", "2000");
        for (key, value) in defaults {
            config.set(*key, *value);
        }
        for (key, value) in &self.properties {
            if RESERVED.contains(&key.as_str()) {
                return Err(KafkaError::Reserved { key: key.clone() });
            }
            config.set(key, value);
        }
        for (key, value) in fixed {
            config.set(*key, *value);
        }
        config.set("bootstrap.servers", &self.brokers).set("client.id", &self.client_id);
        Ok(config)
    }
}

/// The context of one client, whose methods librdkafka calls. It forwards librdkafka's log to `tracing`, and keeps the
/// last broker error for error messages. Neither the log nor the error contains data of records. `R` is the additional
/// state of a consumer or a producer.
#[derive(Default)]
pub(crate) struct Context<R> {
    pub(crate) role: R,
    served: AtomicU64,
    last_error: Mutex<Option<BrokerError>>,
}

impl<R> Context<R> {
    /// Creates a context with the additional state `role`.
    pub(crate) fn of(role: R) -> Self {
        Self { role, served: AtomicU64::default(), last_error: Mutex::default() }
    }

    /// Returns the number of librdkafka's call-backs so far. If a poll does not increase the number, the polled queue
    /// is empty.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the last error that librdkafka reported, or `None` if it reported none.
    pub(crate) fn last_error(&self) -> Option<BrokerError> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<R: Send + Sync + 'static> ClientContext for Context<R> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel as L;
        self.count();
        match level {
            // consumers and producers both receive all properties, and each ignores the properties of the
            // other
            _ if facility == "CONFWARN" && message.contains("will be ignored by this") => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
            // librdkafka also passes these errors to `error` below, which logs them
            _ if facility == "FAIL" => tracing::debug!(target: "librdkafka", facility, "{message}"),
            L::Emerg | L::Alert | L::Critical | L::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            L::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            L::Notice | L::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
            L::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn stats_raw(&self, _: &[u8]) {
        // crowdfold has its own metrics, so it does not forward librdkafka's statistics
        self.count();
    }

    fn error(&self, error: RdkafkaError, reason: &str) {
        self.count();
        let code = crate::error::code(&error);
        match code {
            // the end of a partition is not an error; readers find it as an item in the queue of the partition
            RDKafkaErrorCode::PartitionEOF => return,
            // librdkafka reports this error after another error, which contains the reason
            RDKafkaErrorCode::AllBrokersDown => tracing::debug!(target: "librdkafka", %error, "{reason}"),
            _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
        }
        let mut last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if last_error.is_none() || code != RDKafkaErrorCode::AllBrokersDown {
            *last_error = Some(BrokerError { code, reason: reason.to_owned() });
        }
    }
}
