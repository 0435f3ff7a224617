//! Country and network databases, read again when their files change.

use std::path::PathBuf;
use std::time::SystemTime;

use crowdfold_airlock::{Settings, Shared};
use crowdfold_model::Millis;

/// How often the files are looked at, ms.
const AGAIN: Millis = 10_000;

/// The files of the databases, as they were when they were last read.
pub(super) struct Databases {
    files: Vec<PathBuf>,
    read: Vec<Option<SystemTime>>,
    looked: Millis,
}

impl Databases {
    pub(super) fn of(settings: &Settings) -> Self {
        let files: Vec<_> = settings.country_mmdb.iter().chain(&settings.asn_mmdb).cloned().collect();
        Self { read: changed(&files), files, looked: 0 }
    }

    /// Reads them again if a file changed. What cannot be read leaves the ones in use: a deployment half copied is no
    /// reason to stop, nor to lose every country.
    pub(super) fn refresh(&mut self, shared: &Shared, now: Millis) {
        if self.files.is_empty() || now.saturating_sub(self.looked) < AGAIN {
            return;
        }
        self.looked = now;
        let changed = changed(&self.files);
        if changed == self.read {
            return;
        }
        self.read = changed;
        match shared.reload() {
            Ok(()) => tracing::info!("the databases of countries and networks were read again"),
            Err(error) => tracing::warn!("{error}; the databases in use are kept"),
        }
    }
}

fn changed(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| file.metadata().and_then(|file| file.modified()).ok()).collect()
}

#[cfg(test)]
mod tests;
