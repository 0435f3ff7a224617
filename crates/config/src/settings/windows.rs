//! `[windows]`, `[sessions]`, `[merge]` and `[metrics]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crowdfold_model::{Span, show_duration};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields::{self, DAY, HOUR, SECOND};

/// `[windows]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// Length of a base window (w). A day is a whole number of them.
    #[serde(deserialize_with = "length")]
    pub length: Duration,
    /// Time a window waits for late beacons (L).
    #[serde(deserialize_with = "fields::duration::<0, HOUR, _>")]
    pub lateness: Duration,
    /// The most that a beacon's time may be ahead of its record's.
    #[serde(deserialize_with = "fields::duration::<0, HOUR, _>")]
    pub max_skew: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(60),
            lateness: Duration::from_secs(30),
            max_skew: Duration::from_secs(60),
        }
    }
}

/// `[sessions]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Time for which the last report of a session holds (H).
    #[serde(deserialize_with = "fields::duration::<SECOND, HOUR, _>")]
    pub idle_timeout: Duration,
    /// Most live sessions of one partition.
    #[serde(deserialize_with = "fields::whole::<1, 100_000_000, _, _>")]
    pub max_per_partition: usize,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_timeout: Duration::from_secs(90), max_per_partition: 1_000_000 }
    }
}

/// `[merge]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Merge {
    /// Time a window waits for a partition that does not report.
    #[serde(deserialize_with = "fields::duration::<SECOND, DAY, _>")]
    pub timeout: Duration,
}

impl Default for Merge {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15 * 60) }
    }
}

/// `[metrics]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address of `/metrics`, `/healthz` and `/readyz`, if they are served.
    #[serde(deserialize_with = "fields::optional_address")]
    pub listen: Option<SocketAddr>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))) }
    }
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let length = fields::duration::<SECOND, DAY, _>(deserializer)?;
    if DAY.is_multiple_of(Span::from(length).as_millis()) {
        return Ok(length);
    }
    let shown = show_duration(length);
    Err(D::Error::custom(format!(
        "is {shown}, which does not divide a day; set it to 1m, 5m or 1h, for example"
    )))
}
