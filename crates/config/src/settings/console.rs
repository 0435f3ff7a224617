//! The section `[console]`: the console.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::kafka::is_host_and_port;
use crate::fields::{self, DAY, HOUR};

/// The section `[console]`: the console.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// The address and the port of the HTTP server.
    #[serde(deserialize_with = "fields::address")]
    pub listen: SocketAddr,
    /// The host names at which the page may be requested if there are no tokens, in addition to loopback names.
    #[serde(deserialize_with = "fields::words")]
    pub hosts: Vec<String>,
    /// The directory of the store. `None` means that the store is in memory.
    #[serde(deserialize_with = "fields::optional_path")]
    pub data_dir: Option<PathBuf>,
    /// The age at which windows are kept as part of the sums of their hours only.
    #[serde(deserialize_with = "fields::duration::<HOUR, { 3_650 * DAY }, _>")]
    pub detail: Duration,
    /// The breakdowns and metrics that are exported as gauges.
    #[serde(deserialize_with = "fields::words")]
    pub export: Vec<String>,
    /// The addresses of the workers whose metrics the page shows, as `host:port`.
    #[serde(deserialize_with = "workers")]
    pub workers: Vec<String>,
    /// The path of the JSON report of the last audit.
    #[serde(deserialize_with = "fields::optional_path")]
    pub audit_report: Option<PathBuf>,
    /// The sections `[console.tokens.NAME]`: the access tokens, by name.
    pub tokens: BTreeMap<String, ConsoleToken>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            hosts: Vec::new(),
            data_dir: None,
            detail: Duration::from_secs(48 * 3_600),
            export: Vec::new(),
            workers: Vec::new(),
            audit_report: None,
            tokens: BTreeMap::new(),
        }
    }
}

/// The section `[console.tokens.NAME]`: one access token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleToken {
    /// The path of the file with the token.
    #[serde(deserialize_with = "fields::optional_path")]
    pub file: Option<PathBuf>,
    /// The tenants whose rows may be read with the token. An empty list means all tenants.
    #[serde(deserialize_with = "fields::words")]
    pub tenants: Vec<String>,
}

fn workers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let workers = fields::words(deserializer)?;
    // a URL such as http://worker:9464 also has a port
    match workers.iter().find(|worker| worker.contains('/') || !is_host_and_port(worker)) {
        None => Ok(workers),
        Some(worker) => {
            let message =
                format!("contains \"{}\"; write host:port, such as 127.0.0.1:9464", worker.escape_debug());
            Err(D::Error::custom(message))
        }
    }
}
