//! Checks the properties of Kafka clients with librdkafka.

use crowdfold_config::{ConfigError, Loaded, Property, did_you_mean};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

#[cfg(test)]
mod tests;

/// The names of librdkafka's properties, one per line, from the tables of its CONFIGURATION.md. They are used only for
/// suggestions, because librdkafka itself decides which properties it accepts.
const PROPERTIES: &str = include_str!("librdkafka/properties.txt");

/// The remedy for a property that librdkafka does not accept.
const SEE: &str = "see CONFIGURATION.md at https://github.com/confluentinc/librdkafka";

/// Checks the names of all properties, and those values that are not in separate files. An error does not contain the
/// value, because it may be a secret.
pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let kafka = &loaded.settings.kafka;
    for (section, properties) in [("kafka.properties", &kafka.properties), ("kafka.eraser", &kafka.eraser)] {
        for (name, property) in properties.iter() {
            if let Some(message) = problem(name, property) {
                return Err(loaded.error(&format!("{section}.{name}"), message));
            }
        }
    }
    Ok(())
}

/// Returns the problem of a property, or `None` if librdkafka accepts it.
fn problem(name: &str, property: &Property) -> Option<String> {
    let mut trial = ClientConfig::new();
    trial.set(name, property.text().unwrap_or("x"));
    match trial.create_native_config() {
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            let hint = match did_you_mean(name, PROPERTIES.lines()) {
                none if none.is_empty() => format!("; {SEE}"),
                hint => hint,
            };
            Some(format!("is not a property of librdkafka{hint}"))
        }
        Err(_) if property.text().is_some() => {
            Some(format!("has a value that this build of librdkafka does not accept; {SEE}"))
        }
        _ => None,
    }
}
