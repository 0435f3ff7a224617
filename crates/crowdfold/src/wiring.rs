//! Creates the operators' settings from the configuration.

use std::sync::Arc;

use crowdfold_pipeline::{CombinerSettings, MergerSettings};

use crowdfold_config::ConfigError;
use crowdfold_kafka::ClientSettings;

use crate::config::{Config, millis};

/// The settings of the operators of both stages.
#[derive(Clone, Debug)]
pub(crate) struct OperatorSettings {
    /// Combiners.
    pub(crate) combine: Arc<CombinerSettings>,
    /// Mergers.
    pub(crate) merge: Arc<MergerSettings>,
}

impl OperatorSettings {
    /// For so many partitions of beacons and of partials. `topic` names the beacons' topic in rejections.
    #[must_use]
    pub(crate) fn new(
        config: &Config,
        partitions: u32,
        merge_partitions: u32,
        topic: Arc<str>,
        trust_timestamps: bool,
    ) -> Self {
        let rules = Arc::new(config.rules());
        let combine = CombinerSettings {
            rules: Arc::clone(&rules),
            partitions,
            merge_partitions,
            tenants: config.tenants.names.clone(),
            topic,
            trust_timestamps,
            max_skew: millis(config.windows.max_skew),
            quiet: millis(config.source.idle_timeout),
        };
        let merge = MergerSettings {
            rules,
            merge_partitions,
            policies: config.policies().clone(),
            patience: millis(config.merge.timeout),
        };
        Self { combine: Arc::new(combine), merge: Arc::new(merge) }
    }
}

/// How clients reach the cluster. Reads secrets that are in files.
///
/// # Errors
/// When such a file cannot be read.
pub(crate) fn client(config: &Config) -> Result<ClientSettings, ConfigError> {
    Ok(ClientSettings {
        brokers: config.kafka.brokers.join(","),
        client_id: format!("{}-{}", config.kafka.prefix, config.kafka.instance),
        properties: config.kafka.properties.resolve("kafka.properties")?.into_iter().collect(),
    })
}

/// How the client that erases reaches the cluster: as any other, but for what `[kafka.eraser]` says. `None` where
/// nothing is erased.
///
/// # Errors
/// When a file with a secret cannot be read.
pub(crate) fn eraser(config: &Config) -> Result<Option<ClientSettings>, ConfigError> {
    if !config.ttl.erase_counted {
        return Ok(None);
    }
    let mut settings = client(config)?;
    settings.client_id.push_str("-eraser");
    settings.properties.extend(config.kafka.eraser.resolve("kafka.eraser")?);
    Ok(Some(settings))
}
