//! Creates the settings of operators and Kafka clients from the configuration.

use std::sync::Arc;

use crowdfold_engine::{CombinerSettings, MergerSettings};

use crowdfold_config::ConfigError;
use crowdfold_kafka::ClientSettings;

use crate::config::Config;

/// The settings of the operators of both stages.
#[derive(Clone, Debug)]
pub struct OperatorSettings {
    /// The settings of combiners.
    pub combine: Arc<CombinerSettings>,
    /// The settings of mergers.
    pub merge: Arc<MergerSettings>,
}

impl OperatorSettings {
    /// Creates the settings. `partitions` is the number of partitions of the topic of beacons. `partial_partitions` is
    /// the number of partitions of the topic of partials. `topic` is the name of the topic of beacons, which the notes
    /// on rejected beacons contain.
    #[must_use]
    pub fn new(
        config: &Config,
        partitions: u32,
        partial_partitions: u32,
        topic: Arc<str>,
        trust_timestamps: bool,
    ) -> Self {
        let rules = Arc::new(config.rules());
        let combine = CombinerSettings {
            rules: Arc::clone(&rules),
            partitions,
            partial_partitions,
            tenants: config.tenants.names.clone(),
            topic,
            trust_timestamps,
            max_skew: config.windows.max_skew.into(),
            idle_timeout: config.source.idle_timeout.into(),
        };
        let merge = MergerSettings {
            rules,
            partial_partitions,
            policies: config.policies().clone(),
            timeout: config.merge.timeout.into(),
        };
        Self { combine: Arc::new(combine), merge: Arc::new(merge) }
    }
}

/// Returns the settings of Kafka clients. Reads secrets from the files that the configuration names.
///
/// # Errors
/// Returns an error if a file of a secret cannot be read.
pub fn client(config: &Config) -> Result<ClientSettings, ConfigError> {
    Ok(ClientSettings {
        brokers: config.kafka.brokers.join(","),
        client_id: format!("{}-{}", config.kafka.prefix, config.kafka.instance),
        properties: config.kafka.properties.resolve("kafka.properties")?.into_iter().collect(),
    })
}

/// Returns the settings of the client that deletes counted beacons. These are the settings of the other clients, with
/// the changes in `[kafka.eraser]`. Returns `None` if `ttl.erase_counted` is false.
///
/// # Errors
/// Returns an error if a file of a secret cannot be read.
pub fn eraser(config: &Config) -> Result<Option<ClientSettings>, ConfigError> {
    if !config.ttl.erase_counted {
        return Ok(None);
    }
    let mut settings = client(config)?;
    settings.client_id.push_str("-eraser");
    settings.properties.extend(config.kafka.eraser.resolve("kafka.eraser")?);
    Ok(Some(settings))
}
