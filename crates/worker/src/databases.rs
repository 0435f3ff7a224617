//! The databases of countries and networks, which are loaded again when their files change.

use std::path::PathBuf;
use std::time::SystemTime;

use crowdfold_airlock::{Settings, Shared};
use crowdfold_model::{Span, Timestamp};

use crate::config::airlock_message;

/// The interval at which the files are checked for changes.
const CHECK_INTERVAL: Span = Span::SECOND.times(10);

/// The paths of the database files, and their state when they were last read.
pub(crate) struct Databases {
    files: Vec<PathBuf>,
    /// The modification time of each file when it was last read. `None` if the file did not exist.
    read: Vec<Option<SystemTime>>,
    /// The time of the last check for changes.
    checked: Timestamp,
}

impl Databases {
    pub(crate) fn of(settings: &Settings) -> Self {
        let files: Vec<_> = settings.country_mmdb.iter().chain(&settings.asn_mmdb).cloned().collect();
        Self { read: modified_times(&files), files, checked: Timestamp::EPOCH }
    }

    /// Loads the databases again if a file changed. If a file cannot be read, for example because copying is still in
    /// progress, the worker keeps the databases that it has.
    pub(crate) fn refresh(&mut self, shared: &Shared, now: Timestamp) {
        if self.files.is_empty() || now.saturating_since(self.checked) < CHECK_INTERVAL {
            return;
        }
        self.checked = now;
        let modified_times = modified_times(&self.files);
        if modified_times == self.read {
            return;
        }
        self.read = modified_times;
        match shared.reload() {
            Ok(()) => tracing::info!("the country and network databases were reloaded"),
            Err(error) => tracing::warn!("{}; the databases in use are kept", airlock_message(&error)),
        }
    }
}

fn modified_times(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| file.metadata().and_then(|file| file.modified()).ok()).collect()
}

#[cfg(test)]
mod tests;
