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
    /// The directory of the store; absent for a store in memory.
    pub data_dir: Option<PathBuf>,
    /// The lifetimes of rows.
    pub lifetimes: Lifetimes,
    /// The tokens; without any, no authentication is required.
    pub tokens: Vec<Token>,
    /// The gauges.
    pub export: Vec<Export>,
    /// The facts that the page shows.
    pub facts: Facts,
    /// The JSON report of the last audit, as `audit --format json` writes it.
    pub audit_report: Option<PathBuf>,
}

/// The facts of the configuration that the page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// `ttl.rollups`, ms.
    pub ttl_rollups_ms: u64,
    /// `ttl.beacons`, ms.
    pub ttl_beacons_ms: u64,
    /// `ttl.partials`, ms.
    pub ttl_partials_ms: u64,
    /// `console.detail`, ms.
    pub detail_ms: u64,
    /// The version of the program.
    pub version: &'static str,
}
