//! The sections `[windows]`, `[sessions]`, `[merge]` and `[metrics]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crowdfold_model::{Span, show_duration};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields::{self, DAY, HOUR, SECOND};

/// The section `[windows]`: the windows of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// The length of a window. A day must be a whole number of windows.
    #[serde(deserialize_with = "length")]
    pub length: Duration,
    /// The time after the end of a window for which late beacons are still accepted.
    #[serde(deserialize_with = "fields::duration::<0, HOUR, _>")]
    pub lateness: Duration,
    /// The maximum time by which the event time of a beacon may be ahead of the timestamp of its record.
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

/// The section `[sessions]`: time-out and number of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// The time without beacons after which the worker forgets a session.
    #[serde(deserialize_with = "fields::duration::<SECOND, HOUR, _>")]
    pub idle_timeout: Duration,
    /// The maximum number of live sessions of one partition.
    #[serde(deserialize_with = "fields::whole::<1, 100_000_000, _, _>")]
    pub max_per_partition: usize,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_timeout: Duration::from_secs(90), max_per_partition: 1_000_000 }
    }
}

/// The section `[merge]`: the time-out of the merger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Merge {
    /// The maximum time for which a window waits for a source partition that sends no close marker.
    #[serde(deserialize_with = "fields::duration::<SECOND, DAY, _>")]
    pub timeout: Duration,
}

impl Default for Merge {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15 * 60) }
    }
}

/// The section `[metrics]`: the server of metrics and health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// The address of the server of `/metrics`, `/healthz` and `/readyz`. `None` means that there is no server.
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
