//! `fold`: converts files of beacons to rollups without a broker, with the same combiner and merger as `run`.
//!
//! All records are read and sorted by time before the first record is folded. Therefore the order of the files and of
//! their lines does not matter. A beacon is late only if its own record was sent too long after it.
//!
//! All cores are used. Each thread combines a share of the sessions, as a worker combines a partition. The rows do not
//! depend on the number of shares, unless a limit of a partition is reached.

mod input;
mod lines;
mod progress;
mod reading;
mod records;
mod runs;
mod shares;
mod sort;
mod summary;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result, anyhow};
use crowdfold_airlock::{Durations, Format, Ignored, SentFields, SessionHasher, Shared};
use crowdfold_engine::{Counts, Ledger, Merger, PreparedBatch, Start};
use crowdfold_model::Timestamp;
use crowdfold_worker::config::{airlock_message, mapped_path};
use crowdfold_worker::wiring::OperatorSettings;
use crowdfold_worker::{Config, clock};

use self::progress::Progress;
use self::reading::{Inputs, LastTimes};
use self::shares::{Output, ShareOfSessions, SortedRecords};
use self::sort::Sorter;
use crate::error::CrowdfoldError;
use crate::output::{self, Replacement};
use crate::{cli, ledger_file, memory};

/// The maximum number of outputs of one share that wait for the merger.
const MOST_OUTPUTS: usize = 16;

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
    let files = inputs(args);
    let mut folding = Folding::new(config, out, &directory)?;
    let sorters = folding.read(&files, args.memory, directory)?;
    let shared = Arc::clone(&folding.shared);
    let (ledger, totals) = folding.fold(sorters)?;
    if let Some(path) = &args.ledger {
        let unwritten = || format!("the ledger cannot be written to {}", path.display());
        let mut file = Replacement::create(path).with_context(unwritten)?;
        file.write_all(ledger_file::text(&ledger).as_bytes()).with_context(unwritten)?;
        file.finish().with_context(unwritten)?;
    }
    summary::report_absent(&totals.sent_fields, shared.settings());
    for (path, problem) in totals.durations.warnings() {
        tracing::warn!("{} {problem}", mapped_path(path));
    }
    if let Some(error) = summary::report(&ledger.counts, &totals.ignored) {
        return Err(anyhow!(error).into());
    }
    summary::report_withheld(&ledger.merged, config.policies());
    tracing::info!(balanced = ledger.balanced(), "folded");
    Ok(())
}

/// The findings of all shares about the beacons that were read.
#[derive(Default)]
struct Totals {
    ignored: Ignored,
    sent_fields: SentFields,
    durations: Durations,
}

/// The combiners of all shares of the sessions, and the merger.
struct Folding<W> {
    shared: Arc<Shared>,
    shares: Vec<ShareOfSessions>,
    merger: Merger,
    out: W,
    now: Timestamp,
    merged_offset: i64,
    longest: usize,
    /// True if a JSON value that extends over several lines is one record.
    joins: bool,
    /// The message for an error of the temporary files.
    unsorted: String,
}

impl<W: Write> Folding<W> {
    fn new(config: &Config, out: W, directory: &Path) -> Result<Self, CrowdfoldError> {
        let count = shares::count(config.worker.threads);
        let operators = OperatorSettings::new(config, count, 1, "file".into(), true);
        let settings = config.airlock()?;
        let longest = settings.max_record;
        let joins = settings.format != Format::Cmcd;
        let shared = Shared::new(settings, SessionHasher::random())
            .map_err(|error| CrowdfoldError::Usage(airlock_message(&error)))?;
        let shared = Arc::new(shared);
        let now = clock::now();
        let share = |nth| ShareOfSessions::new(&operators.combine, &shared, nth, now);
        let shares = (0..count).map(share).collect();
        let start = Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
        let merger = Merger::new(operators.merge, &start, 0, now);
        let unsorted = format!(
            "records cannot be sorted in temporary files in {}; free space there, choose another directory with \
             --temp-dir, or allow more memory with --memory",
            directory.display()
        );
        Ok(Self { shared, shares, merger, out, now, merged_offset: 0, longest, joins, unsorted })
    }

    /// Reads all files, with one thread for each share. Returns the sorters that contain the records.
    fn read(&mut self, files: &[PathBuf], memory: usize, directory: PathBuf) -> Result<Vec<Sorter>> {
        let progress = Progress::reading(files);
        let inputs = Inputs::new(files, &progress, self.joins, self.longest);
        let (times, unsorted) = (LastTimes::default(), self.unsorted.as_str());
        let count = self.shares.len() as u32;
        let sorters = shares::sorters(memory, &directory, count);
        thread::scope(|scope| {
            let threads = self.shares.iter_mut().zip(sorters).map(|(share, sorter)| {
                let (inputs, times) = (&inputs, &times);
                scope.spawn(move || {
                    let read = catch_unwind(AssertUnwindSafe(|| share.read(inputs, times, sorter, unsorted)));
                    times.ended(!matches!(read, Ok(Ok(_))));
                    read.unwrap_or_else(|panic| resume_unwind(panic))
                })
            });
            // All threads must be started before the first one is joined.
            threads.collect::<Vec<_>>().into_iter().map(joined).collect()
        })
    }

    /// Folds the sorted records, with one thread for each share. Returns the ledger and the findings about the
    /// beacons.
    fn fold(mut self, sorters: Vec<Sorter>) -> Result<(Ledger, Totals)> {
        let progress = Progress::folding(sorters.iter().map(Sorter::records).sum());
        let mut shares = std::mem::take(&mut self.shares);
        let records = SortedRecords::of_all(sorters, shares.len() as u32);
        let records = records.with_context(|| self.unsorted.clone())?;
        let unsorted = self.unsorted.clone();
        thread::scope(|scope| {
            let threads = shares.iter_mut().zip(records).map(|(share, records)| {
                let ((output, outputs), (end, ends)) = (mpsc::sync_channel(MOST_OUTPUTS), mpsc::channel());
                let (counter, unsorted) = (progress.counter(), unsorted.as_str());
                let thread = scope.spawn(move || share.combine(records, &output, &ends, counter, unsorted));
                (thread, (outputs, end))
            });
            let (threads, channels): (Vec<_>, Vec<_>) = threads.unzip();
            let merged = self.merge(channels);
            threads.into_iter().try_for_each(joined)?;
            merged
        })?;
        drop(progress);
        self.out.flush().context("rollups cannot be written")?;
        let (mut counts, mut totals) = (Counts::default(), Totals::default());
        for share in &shares {
            counts.add(share.totals());
            totals.ignored.add(share.ignored());
            totals.sent_fields.add(share.sent_fields());
            totals.durations.add(share.durations().clone());
        }
        Ok((Ledger { counts, merged: *self.merger.merged() }, totals))
    }

    /// Merges the output of all shares, and writes the rollups of all windows that are complete. The next output is
    /// always that of the share that is behind the others, so the merger needs little memory.
    fn merge(&mut self, channels: Vec<(Receiver<Output>, Sender<Timestamp>)>) -> Result<()> {
        let mut reached = vec![Timestamp::EPOCH; channels.len()];
        let mut running: Vec<_> = (0..channels.len()).collect();
        let mut last_end = Timestamp::EPOCH;
        while let Some(behind) = running.iter().copied().min_by_key(|nth| reached[*nth]) {
            match channels[behind].0.recv() {
                Ok(Output::Batches(batches)) => {
                    reached[behind] =
                        batches.last().map_or(Timestamp::MAX, |last| last.checkpoint.closed_until);
                    self.add(&batches)?;
                }
                Ok(Output::End(end)) => {
                    last_end = last_end.max(end);
                    running.retain(|nth| *nth != behind);
                }
                // The thread has ended with an error, which is reported when the thread is joined.
                Err(_) => return Ok(()),
            }
        }
        for (outputs, end) in &channels {
            if end.send(last_end).is_ok()
                && let Ok(Output::Batches(batches)) = outputs.recv()
            {
                self.add(&batches)?;
            }
        }
        Ok(())
    }

    /// Passes batches to the merger, and writes the rollups of all windows that are complete.
    fn add(&mut self, batches: &[PreparedBatch]) -> Result<()> {
        let now = self.now;
        for partial in batches.iter().flat_map(|batch| &batch.partials) {
            self.merger.record(&partial.value, self.merged_offset, now)?;
            self.merged_offset += 1;
        }
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

/// Waits for the end of a thread. If the thread has panicked, panics too.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
