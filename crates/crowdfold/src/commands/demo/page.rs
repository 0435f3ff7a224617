//! The page of the demo: the console in the same process, with a store in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crowdfold_console::{Batch, Console, ConsoleError, Server};
use crowdfold_model::Timestamp;
use crowdfold_query::Row;
use crowdfold_worker::{Config, clock};

use super::gauges::Gauges;
use crate::commands::console;
use crate::error::CrowdfoldError;

/// The console, and its server.
pub(super) struct Page {
    console: Arc<Console>,
    server: Server,
}

impl Page {
    /// Starts the server at the configured port of the loopback address. If that port is in use, starts it at another
    /// port.
    pub(super) fn start(config: &Config) -> Result<Self, CrowdfoldError> {
        let start = |port: u16| {
            let mut settings = console::settings(config)?;
            settings.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            settings.data_dir = None;
            settings.tokens.clear();
            let console = Console::open(settings, clock::now)?;
            match Server::start(Arc::clone(&console)) {
                Ok(server) => Ok(Some(Self { console, server })),
                Err(ConsoleError::Listen { .. }) if port != 0 => Ok(None),
                Err(error) => Err(CrowdfoldError::from(error)),
            }
        };
        let started = match start(config.console.listen.port())? {
            None => start(0)?,
            started => started,
        };
        started.ok_or_else(|| anyhow::anyhow!("the page cannot be served at any port of 127.0.0.1").into())
    }

    /// Returns the address of the page.
    pub(super) fn address(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Adds rows to the store. The page shows the state at `event_time`, because the demo simulates time.
    pub(super) fn add(
        &self,
        rows: Vec<Row>,
        now: Timestamp,
        event_time: Timestamp,
        gauges: &Gauges,
    ) -> Result<(), CrowdfoldError> {
        let behind = now.saturating_since(event_time);
        self.console.set_behind(behind);
        self.console.set_pipeline(gauges.pipeline(behind));
        console::add(&self.console, &Batch { rows, ..Batch::default() }, now)?;
        Ok(())
    }
}
