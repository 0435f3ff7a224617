//! The settings of the console, and the facts of the configuration that its page shows.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use crate::{Export, Lifetimes, Token};

/// The settings of the console.
#[derive(Debug)]
pub struct Settings {
    /// The address of the HTTP server.
    pub listen: SocketAddr,
    /// The host names at which the page may be requested if there are no tokens, in addition to loopback names.
    pub hosts: Vec<String>,
    /// The name of `hosts` in the configuration, for the response to a request for another host.
    pub hosts_name: &'static str,
    /// The directory of the store. `None` means that the store is in memory.
    pub data_dir: Option<PathBuf>,
    /// The times after which rows are added up and deleted.
    pub lifetimes: Lifetimes,
    /// The tokens. If there are none, no authentication is required.
    pub tokens: Vec<Token>,
    /// The tables and metrics that are exported to Prometheus.
    pub export: Vec<Export>,
    /// The tenants of the configuration.
    pub tenants: Vec<String>,
    /// The facts of the configuration that the page shows.
    pub facts: Facts,
    /// The path of the report of the last audit, as the command `audit` writes it in JSON.
    pub audit_report: Option<PathBuf>,
}

/// The facts of the configuration that the page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// The time-to-live of rollups, in milliseconds.
    pub ttl_rollups_ms: u64,
    /// The time-to-live of beacons, in milliseconds.
    pub ttl_beacons_ms: u64,
    /// The time-to-live of partials, in milliseconds.
    pub ttl_partials_ms: u64,
    /// The time for which the store keeps rows of windows, in milliseconds.
    pub detail_ms: u64,
    /// The version of the program.
    pub version: &'static str,
}
