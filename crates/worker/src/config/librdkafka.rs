//! Checks the properties of Kafka clients with librdkafka.

use crowdfold_config::{ConfigError, Loaded, Property};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

/// Checks the names of all properties, and those values that are not in separate files. An error does not contain the
/// value, because it may be a secret.
pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let kafka = &loaded.settings.kafka;
    for (section, properties) in [("kafka.properties", &kafka.properties), ("kafka.eraser", &kafka.eraser)] {
        for (name, property) in properties.iter() {
            if let Some(message) = fault(name, property) {
                return Err(loaded.error(&format!("{section}.{name}"), message));
            }
        }
    }
    Ok(())
}

/// Returns the problem of a property, or `None` if librdkafka accepts it.
fn fault(name: &str, property: &Property) -> Option<&'static str> {
    let mut trial = ClientConfig::new();
    trial.set(name, property.text().unwrap_or("x"));
    match trial.create_native_config() {
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Some("is not a property of librdkafka; see its CONFIGURATION.md")
        }
        Err(_) if property.text().is_some() => {
            Some("has a value that this build of librdkafka does not accept; see its CONFIGURATION.md")
        }
        _ => None,
    }
}
