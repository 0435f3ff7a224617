//! `[console]`: the console.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::fields::{self, DAY, HOUR};

/// `[console]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Address of the HTTP server.
    #[serde(deserialize_with = "fields::address")]
    pub listen: SocketAddr,
    /// Directory of the store; absent for a store in memory.
    #[serde(deserialize_with = "fields::optional_path")]
    pub data_dir: Option<PathBuf>,
    /// Time after which windows are added up to hours.
    #[serde(deserialize_with = "fields::duration::<HOUR, { 3_650 * DAY }, _>")]
    pub detail: Duration,
    /// Breakdowns and metrics of the gauges.
    #[serde(deserialize_with = "fields::words")]
    pub export: Vec<String>,
    /// JSON report of the last audit.
    #[serde(deserialize_with = "fields::optional_path")]
    pub audit_report: Option<PathBuf>,
    /// `[console.tokens.NAME]`.
    pub tokens: BTreeMap<String, ConsoleToken>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            data_dir: None,
            detail: Duration::from_secs(48 * 3_600),
            export: Vec::new(),
            audit_report: None,
            tokens: BTreeMap::new(),
        }
    }
}

/// `[console.tokens.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleToken {
    /// File with the token.
    #[serde(deserialize_with = "fields::optional_path")]
    pub file: Option<PathBuf>,
    /// Tenants that the token may see; empty for all.
    #[serde(deserialize_with = "fields::words")]
    pub tenants: Vec<String>,
}
