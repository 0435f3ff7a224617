//! The progress bar of `fold`.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// The number of records between two updates of the bar.
const STEP: u64 = 4096;

/// A progress bar on stderr. The bar is drawn only if stderr is a terminal. It is removed when this value is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
}

/// Counts the records of one thread.
pub(super) struct RecordCounter {
    bar: ProgressBar,
    step: u64,
}

impl RecordCounter {
    /// Advances the bar by one record.
    pub(super) fn record(&mut self) {
        self.step += 1;
        if self.step == STEP {
            self.bar.inc(STEP);
            self.step = 0;
        }
    }
}

impl Progress {
    /// Creates a bar for reading these files. If the size of a file is unknown, the bar shows only the bytes read so
    /// far.
    pub(super) fn reading(files: &[PathBuf]) -> Self {
        let sizes = files.iter().map(|file| size(file)).sum::<Option<u64>>();
        let line = match sizes {
            Some(_) => "reading {bar:40} {bytes} of {total_bytes}, {eta} left",
            None => "reading {spinner} {bytes}",
        };
        Self::new(sizes, line)
    }

    /// Creates a bar for folding this many sorted records.
    pub(super) fn folding(records: u64) -> Self {
        Self::new(Some(records), "folding {bar:40} {human_pos} of {human_len} records, {eta} left")
    }

    fn new(total: Option<u64>, line: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
            .with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template(line) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Returns a reader that advances the bar by the bytes that are read from it.
    pub(super) fn watch<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.bar.wrap_read(reader)
    }

    /// Returns a counter of the records of one thread.
    pub(super) fn counter(&self) -> RecordCounter {
        RecordCounter { bar: self.bar.clone(), step: 0 }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_using_style();
    }
}

/// Returns the size of a file in bytes. Returns `None` for standard input and for files that are not regular.
fn size(path: &Path) -> Option<u64> {
    let path = (path != Path::new("-")).then_some(path)?;
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}
