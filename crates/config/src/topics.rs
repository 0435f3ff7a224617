//! The names of topics.

use crate::settings::Settings;

/// The names of a deployment's topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNames {
    /// Beacons.
    pub beacons: String,
    /// Partials.
    pub partials: String,
    /// Rejections.
    pub rejections: String,
    /// Rollups: one topic, or one for each tenant in the catalogue's order.
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

    /// Returns the topic of a tenant's rollups. The tenant is an index into the catalogue.
    ///
    /// # Panics
    /// When each tenant has a topic and the catalogue has no such tenant.
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
