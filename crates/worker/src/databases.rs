//! Country and network databases, reloaded when their files change.

use std::path::PathBuf;
use std::time::SystemTime;

use crowdfold_airlock::{Settings, Shared};
use crowdfold_model::{Span, Timestamp};

/// The interval of checks of the files.
const AGAIN: Span = Span::SECOND.times(10);

/// The state of the database files when they were last read.
pub(crate) struct Databases {
    files: Vec<PathBuf>,
    read: Vec<Option<SystemTime>>,
    looked: Timestamp,
}

impl Databases {
    pub(crate) fn of(settings: &Settings) -> Self {
        let files: Vec<_> = settings.country_mmdb.iter().chain(&settings.asn_mmdb).cloned().collect();
        Self { read: changed(&files), files, looked: Timestamp::EPOCH }
    }

    /// Reloads the databases if a file changed. If a file cannot be read, the databases in use are kept, because an
    /// incompletely copied file is no reason to stop or to lose all countries.
    pub(crate) fn refresh(&mut self, shared: &Shared, now: Timestamp) {
        if self.files.is_empty() || now.saturating_since(self.looked) < AGAIN {
            return;
        }
        self.looked = now;
        let changed = changed(&self.files);
        if changed == self.read {
            return;
        }
        self.read = changed;
        match shared.reload() {
            Ok(()) => tracing::info!("the country and network databases were reloaded"),
            Err(error) => tracing::warn!("{error}; the databases in use are kept"),
        }
    }
}

fn changed(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| file.metadata().and_then(|file| file.modified()).ok()).collect()
}

#[cfg(test)]
mod tests;
