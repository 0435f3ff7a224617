//! The section `[quality]`: the thresholds of a good session.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::Deserializer;

use crate::fields::{self, MINUTE};

/// The section `[quality]`: the thresholds that a good session meets.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quality {
    /// The maximum startup time.
    #[serde(deserialize_with = "fields::duration::<0, MINUTE, _>")]
    pub startup: Duration,
    /// The maximum share of stalled time in the sum of playing and stalled time.
    #[serde(deserialize_with = "fields::share")]
    pub rebuffering: f64,
    /// The minimum mean bitrate in kbit/s. 0 means no minimum.
    #[serde(deserialize_with = "fields::whole::<0, 1_000_000, _, _>")]
    pub bitrate: u32,
    /// The section `[quality.tenants]`: the thresholds of single tenants, by tenant.
    pub tenants: BTreeMap<String, TenantQuality>,
}

impl Default for Quality {
    fn default() -> Self {
        Self { startup: Duration::from_secs(2), rebuffering: 0.01, bitrate: 0, tenants: BTreeMap::new() }
    }
}

/// The section `[quality.tenants.NAME]`: the thresholds of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantQuality {
    /// The value that replaces `quality.startup`. `None` if the tenant has the common value.
    #[serde(deserialize_with = "own_startup")]
    pub startup: Option<Duration>,
    /// The value that replaces `quality.rebuffering`. `None` if the tenant has the common value.
    #[serde(deserialize_with = "own_rebuffering")]
    pub rebuffering: Option<f64>,
    /// The value that replaces `quality.bitrate`. `None` if the tenant has the common value.
    #[serde(deserialize_with = "own_bitrate")]
    pub bitrate: Option<u32>,
}

fn own_startup<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    fields::duration::<0, MINUTE, _>(deserializer).map(Some)
}

fn own_rebuffering<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    fields::share(deserializer).map(Some)
}

fn own_bitrate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    fields::whole::<0, 1_000_000, _, _>(deserializer).map(Some)
}
