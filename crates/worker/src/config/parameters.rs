//! The parameters of the airlock, the combiner and the merger.

use std::time::Duration;

use crowdfold_config::{AddressPolicy, ConfigError, ContentPolicy, Format, Partitioner};
use crowdfold_engine::Rules;
use crowdfold_model::{Qualities, Quality};
use crowdfold_scan::PublicIds;

use super::Config;

impl Config {
    /// Returns the parameters of the airlock. Reads `release.privacy.secret_file` if rows must have a minimum number of
    /// networks, because counting networks requires a key.
    ///
    /// # Errors
    /// Returns an error if that file cannot be read or does not contain 64 hexadecimal digits.
    pub fn airlock(&self) -> Result<crowdfold_airlock::Settings, ConfigError> {
        let guard_key = match self.policy().min_networks() {
            Some(_) => Some(self.loaded.read_secret()?),
            None => None,
        };
        let child_directed = &self.consent.child_directed;
        Ok(crowdfold_airlock::Settings {
            format: match self.source.format {
                Format::Json => crowdfold_airlock::Format::Json,
                Format::Cmcd => crowdfold_airlock::Format::Cmcd,
                Format::Capture => crowdfold_airlock::Format::Capture,
            },
            fields: self.source.fields.clone(),
            log: self.source.log.clone(),
            custom_sources: self.custom.sources.clone(),
            custom: self.custom.dimensions.clone(),
            tenants: self.tenants.names.clone(),
            default_tenant: self.tenants.default_index(),
            partitioner: partitioner(self.source.partitioner),
            max_skew: self.windows.max_skew.into(),
            address: match self.address.policy {
                AddressPolicy::Strip => crowdfold_airlock::AddressPolicy::Strip,
                AddressPolicy::Truncate => crowdfold_airlock::AddressPolicy::Truncate,
            },
            country_mmdb: self.address.country_mmdb.clone(),
            asn_mmdb: self.address.asn_mmdb.clone(),
            gpc: self.consent.gpc,
            dnt: self.consent.dnt,
            child_directed_tenants: child_directed.tenants.clone(),
            child_directed_content: child_directed.content.clone(),
            drop_bots: self.consent.drop_bots,
            keep_content: self.content.policy == ContentPolicy::Keep,
            public_content: self.public_ids(),
            known: self.audit.known.clone(),
            guard_key,
            max_beacons: self.source.max_beacons,
            ..crowdfold_airlock::Settings::default()
        })
    }

    /// Returns the rules that combiners and mergers share.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            window: self.windows.length.into(),
            lateness: self.windows.lateness.into(),
            idle: self.sessions.idle_timeout.into(),
            breakdowns: self.policies().breakdowns(),
            qualities: self.qualities(),
            max_sessions: self.sessions.max_per_partition,
        }
    }

    /// Returns the limits that a good session must meet, for all tenants.
    fn qualities(&self) -> Qualities {
        let common = &self.quality;
        let quality = |startup: Duration, rebuffering: f64, bitrate_kbps| Quality {
            startup_ms: u32::try_from(startup.as_millis()).unwrap_or(u32::MAX),
            rebuffering_millionths: (rebuffering * 1e6).round() as u32,
            bitrate_kbps,
        };
        let own = common.tenants.iter().map(|(tenant, own)| {
            let own = quality(
                own.startup.unwrap_or(common.startup),
                own.rebuffering.unwrap_or(common.rebuffering),
                own.bitrate.unwrap_or(common.bitrate),
            );
            (tenant.clone(), own)
        });
        Qualities::new(quality(common.startup, common.rebuffering, common.bitrate), own)
    }

    /// Returns the pattern of public content ids, or `None` if `content.pattern` is not set.
    #[must_use]
    pub fn public_ids(&self) -> Option<PublicIds> {
        PublicIds::new(self.content.pattern.as_deref()?).ok()
    }
}

/// Converts the partitioner of the settings.
#[must_use]
pub const fn partitioner(partitioner: Partitioner) -> crowdfold_model::Partitioner {
    match partitioner {
        Partitioner::Murmur2 => crowdfold_model::Partitioner::Murmur2,
        Partitioner::Crc32 => crowdfold_model::Partitioner::Crc32,
        Partitioner::Fnv1a => crowdfold_model::Partitioner::Fnv1a,
    }
}
