//! `fold`: converts files of beacons to rollups without a broker, with the same combiner and merger as `run`.
//!
//! All records are read and sorted by time before the first record is folded. Therefore the order of the files and of
//! their lines does not matter. A beacon is late only if its own record was sent too long after it.

mod input;
mod lines;
mod progress;
mod records;
mod runs;
mod sort;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use crowdfold_airlock::{Airlock, Format, Ignored, LineTime, Record, SessionHasher, Shared};
use crowdfold_engine::{Combiner, Ledger, Merger, Operator, Start};
use crowdfold_model::Timestamp;
use crowdfold_worker::wiring::OperatorSettings;
use crowdfold_worker::{Config, clock};

use self::progress::Progress;
use self::records::Records;
use self::sort::Sorter;
use crate::error::CrowdfoldError;
use crate::output::{self, Replacement};
use crate::{cli, ledger_file, memory};

/// Folds files of beacons, and writes the rollups and the ledger.
///
/// # Errors
/// Returns an error if a file cannot be read or written, or if every beacon was rejected.
pub fn run(args: &cli::Fold, config: &Config, stdout: &mut impl Write) -> Result<(), CrowdfoldError> {
    let inputs = inputs(args);
    let mut outputs =
        vec![(args.output.as_ref().map_or("standard output", |_| "--output"), args.output.as_deref())];
    outputs.extend(args.ledger.as_deref().map(|ledger| ("--ledger", Some(ledger))));
    output::refuse_same(&inputs, &outputs)?;
    if let Some(directory) = args.temp_dir.as_ref().filter(|directory| !directory.is_dir()) {
        return Err(CrowdfoldError::Usage(format!(
            "--temp-dir: {} is not a directory; create it, or choose another one",
            directory.display()
        )));
    }
    let Some(path) = &args.output else {
        output::refuse_closed()?;
        return fold(args, config, stdout);
    };
    let mut file = Replacement::create(path)?;
    fold(args, config, &mut file)?;
    Ok(file.finish()?)
}

/// Returns the paths of the files to read. The path `-` is standard input. It is the default.
fn inputs(args: &cli::Fold) -> Vec<PathBuf> {
    if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files.clone() }
}

fn fold(args: &cli::Fold, config: &Config, out: impl Write) -> Result<(), CrowdfoldError> {
    config.warn_of_counts_only();
    memory::warn_of_sorting(args.memory);
    let directory = args.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let mut folding = Folding::new(config, out)?;
    let mut sorter = Sorter::new(args.memory, directory);
    let files = inputs(args);
    let progress = Progress::reading(&files);
    for file in &files {
        folding.read(file, &progress, &mut sorter)?;
    }
    drop(progress);
    let (ledger, ignored) = folding.fold(sorter)?;
    if let Some(path) = &args.ledger {
        let unwritten = || format!("the ledger cannot be written to {}", path.display());
        let mut file = Replacement::create(path).with_context(unwritten)?;
        file.write_all(ledger_file::text(&ledger).as_bytes()).with_context(unwritten)?;
        file.finish().with_context(unwritten)?;
    }
    if let Some(error) = summary::report(&ledger.counts, &ignored) {
        return Err(anyhow!(error).into());
    }
    tracing::info!(balanced = ledger.balanced(), "folded");
    Ok(())
}

/// The combiner and the merger of one partition, which contains the records of all files.
struct Folding<W> {
    combiner: Combiner,
    merger: Merger,
    out: W,
    /// The start of the command. It serves as the current time for all records, so the result does not depend on the
    /// duration of the command.
    now: Timestamp,
    offset: i64,
    merged_offset: i64,
    longest: usize,
    /// True if a JSON value that extends over several lines is one record.
    joins: bool,
}

impl<W: Write> Folding<W> {
    fn new(config: &Config, out: W) -> Result<Self, CrowdfoldError> {
        let operators = OperatorSettings::new(config, 1, 1, "file".into(), true);
        let settings = config.airlock()?;
        let longest = settings.max_record;
        let joins = settings.format != Format::Cmcd;
        let shared = Shared::new(settings, SessionHasher::random())
            .map_err(|error| CrowdfoldError::Usage(error.to_string()))?;
        let shared = Arc::new(shared);
        // `None` means no check of partitions, because a record of a file cannot be in the wrong partition.
        let airlock = Airlock::new(&shared, None);
        let now = clock::now();
        let combiner = Combiner::new(operators.combine, airlock, &fresh(), 0, false).of_sorted_records();
        let merger = Merger::new(operators.merge, &fresh(), 0, now);
        Ok(Self { combiner, merger, out, now, offset: 0, merged_offset: 0, longest, joins })
    }

    /// Reads a file, and passes its records to the sorter.
    fn read(&mut self, path: &Path, progress: &Progress, sorter: &mut Sorter) -> Result<()> {
        let name = if path == Path::new("-") { Path::new("standard input") } else { path }.display();
        let lines = input::open(path, progress).with_context(|| format!("{name} cannot be read"))?;
        let mut records = Records::new(lines, self.joins, self.longest);
        let mut record = Vec::new();
        let mut last = None;
        while records.next(&mut record).with_context(|| format!("{name} cannot be read to its end"))? {
            let sort_time = match self.combiner.line_time(&record, self.now) {
                LineTime::At(time) => {
                    last = Some(time);
                    last
                }
                // A record without a time is sorted directly after the record before it, because an opt-out in it may
                // still take effect.
                LineTime::Unknown => last,
                // An unreadable record is rejected, whatever its position is. So it is processed now and not sorted.
                LineTime::Unreadable => None,
            };
            match sort_time {
                Some(time) => sorter.push(time, &record).with_context(|| unsorted(sorter))?,
                None => self.add(&record)?,
            }
        }
        Ok(())
    }

    /// Folds the sorted records. Returns the ledger and the ignored values.
    fn fold(mut self, sorter: Sorter) -> Result<(Ledger, Ignored)> {
        let mut progress = Progress::folding(sorter.records());
        let unsorted = unsorted(&sorter);
        let mut sorted = sorter.sorted().with_context(|| unsorted.clone())?;
        while let Some((time, line)) = sorted.next().with_context(|| unsorted.clone())? {
            self.combiner.reached(time);
            if self.combiner.is_full() {
                self.release()?;
            }
            self.add(line)?;
            progress.record();
        }
        self.combiner.finish();
        self.release()?;
        self.out.flush().context("rollups cannot be written")?;
        let ledger = Ledger { counts: *self.combiner.totals(), merged: *self.merger.merged() };
        Ok((ledger, *self.combiner.ignored()))
    }

    /// Passes a line to the combiner as its next record.
    fn add(&mut self, line: &[u8]) -> Result<()> {
        let record = Record { payload: line, content_type: None, timestamp: None };
        self.combiner.buffer(&record, self.offset, self.now)?;
        self.offset += 1;
        Ok(())
    }

    /// Passes the combiner's batches to the merger, and writes the rollups of all windows that are complete.
    fn release(&mut self) -> Result<()> {
        let now = self.now;
        for batch in self.combiner.prepared() {
            for partial in &batch.partials {
                self.merger.record(&partial.value, self.merged_offset, now)?;
                self.merged_offset += 1;
            }
        }
        self.combiner.mark_committed();
        while let Some(publication) = self.merger.publish(now) {
            for rollup in &publication.rollups {
                let mut line = rollup.json();
                line.push(b'\n');
                self.out.write_all(&line).context("rollups cannot be written")?;
            }
            self.merger.committed();
        }
        Ok(())
    }
}

fn fresh<C>() -> Start<C> {
    Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false }
}

/// Returns the message for an error of the temporary files.
fn unsorted(sorter: &Sorter) -> String {
    format!(
        "records cannot be sorted in temporary files in {}; free space there, choose another directory with --temp-dir, \
         or allow more memory with --memory",
        sorter.directory().display()
    )
}
