//! The names of topics.

use crate::settings::Settings;

/// The names of a deployment's topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNames {
    /// The topic of beacons.
    pub beacons: String,
    /// The topic of partials.
    pub partials: String,
    /// The topic of notes on rejected beacons.
    pub rejections: String,
    /// The topics of rollups: one topic for all tenants, or one for each tenant in the order of `tenants.names`.
    rollups: Vec<String>,
}

impl TopicNames {
    pub(crate) fn of(settings: &Settings) -> Self {
        let prefix = &settings.kafka.prefix;
        let rollups = format!("{prefix}.rollups");
        Self {
            beacons: settings.source.topic.clone().unwrap_or_else(|| format!("{prefix}.beacons")),
            partials: format!("{prefix}.partials"),
            rejections: format!("{prefix}.rejections"),
            rollups: if settings.tenants.per_tenant_topics {
                settings.tenants.names.iter().map(|tenant| format!("{rollups}.{tenant}")).collect()
            } else {
                vec![rollups]
            },
        }
    }

    /// Returns the topic of the rollups of a tenant. `tenant` is the index of the tenant in `tenants.names`.
    ///
    /// # Panics
    /// Panics if each tenant has its own topic and no tenant has this index.
    #[must_use]
    pub fn rollups_of(&self, tenant: usize) -> &str {
        if self.rollups.len() == 1 { &self.rollups[0] } else { &self.rollups[tenant] }
    }

    /// Returns all topics of rollups.
    #[must_use]
    pub fn rollups(&self) -> &[String] {
        &self.rollups
    }
}
