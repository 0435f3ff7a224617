//! `fold`: files in, rollups out, through the very machines that `run` drives. No broker.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use crowdfold_airlock::{Airlock, Record, Shared, TagKey};
use crowdfold_pipeline::{Combiner, Ledger, Machine, Merger, Start};

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Replacement};
use crate::wiring::Machines;
use crate::{cli, clock, ledger_file};

/// Folds.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(args: &cli::Fold, config: &Config, stdout: &mut impl Write) -> Result<(), Failure> {
    let standard_input = [PathBuf::from("-")];
    let inputs = if args.files.is_empty() { &standard_input } else { args.files.as_slice() };
    let mut outputs =
        vec![(args.output.as_ref().map_or("standard output", |_| "--output"), args.output.as_deref())];
    outputs.extend(args.ledger.as_deref().map(|ledger| ("--ledger", Some(ledger))));
    output::refuse_same(inputs, &outputs)?;
    let Some(path) = &args.output else {
        output::refuse_closed()?;
        return fold(args, config, stdout);
    };
    let mut file = Replacement::create(path)?;
    fold(args, config, &mut file)?;
    Ok(file.finish()?)
}

fn fold(args: &cli::Fold, config: &Config, out: impl Write) -> Result<(), Failure> {
    config.warn_of_counts_only();
    let mut folding = Folding::new(config, out)?;
    let standard_input = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &standard_input } else { args.files.as_slice() };
    for file in files {
        folding.read(file)?;
    }
    let ledger = folding.finish()?;
    if let Some(path) = &args.ledger {
        let unwritten = || format!("the ledger cannot be written to {}", path.display());
        let mut file = Replacement::create(path).with_context(unwritten)?;
        file.write_all(ledger_file::text(&ledger).as_bytes()).with_context(unwritten)?;
        file.finish().with_context(unwritten)?;
    }
    tracing::info!(balanced = ledger.balanced(), "folded");
    Ok(())
}

/// One partition of beacons, merged and released as it goes.
struct Folding<W> {
    combiner: Combiner,
    merger: Merger,
    out: W,
    offset: i64,
    merged_offset: i64,
    longest: usize,
}

impl<W: Write> Folding<W> {
    fn new(config: &Config, out: W) -> Result<Self, Failure> {
        let machines = Machines::new(config, 1, 1, "file".into(), true);
        let settings = config.airlock()?;
        let longest = settings.max_record;
        let shared =
            Shared::new(settings, TagKey::random()).map_err(|error| Failure::Usage(error.to_string()))?;
        let shared = Arc::new(shared);
        // nothing is misplaced in a file
        let airlock = Airlock::new(&shared, None);
        let combiner = Combiner::new(machines.combine, airlock, &fresh(), 0, false);
        let merger = Merger::new(machines.merge, &fresh(), 0, clock::now());
        Ok(Self { combiner, merger, out, offset: 0, merged_offset: 0, longest })
    }

    fn read(&mut self, path: &Path) -> Result<()> {
        let lines: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        };
        self.lines(lines).with_context(|| format!("{} cannot be read to its end", path.display()))
    }

    fn lines(&mut self, mut lines: impl BufRead) -> Result<()> {
        let mut line = Vec::new();
        while read_line(&mut lines, &mut line, self.longest + 1)? {
            let record = Record { payload: &line, content_type: None, timestamp: None };
            self.combiner.record(&record, self.offset, clock::now())?;
            self.offset += 1;
            if self.combiner.is_full() {
                self.release()?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Ledger> {
        self.combiner.finish();
        self.release()?;
        self.out.flush().context("rollups cannot be written")?;
        Ok(Ledger { counts: *self.combiner.totals(), merged: *self.merger.merged() })
    }

    /// Moves what is sealed through the merger.
    fn release(&mut self) -> Result<()> {
        let now = clock::now();
        for sealed in self.combiner.sealed() {
            for partial in &sealed.partials {
                self.merger.record(&partial.value, self.merged_offset, now)?;
                self.merged_offset += 1;
            }
        }
        self.combiner.settle();
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
    Start { partition: 0, checkpoint: None, floor: 0, offsets_lost: false }
}

/// Reads one line without its end, at most `most` bytes of it: what is longer is told by its length alone. `false` at
/// the end of the input.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = match lines.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&part[..part.len().min(most - line.len())]);
        let read = end.map_or(chunk.len(), |end| end + 1);
        lines.consume(read);
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(any)
}
