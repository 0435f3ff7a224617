//! Sorts more records than fit into memory. Sorted runs are written to temporary files, and then merged.
//!
//! The files contain personal data. They have no name in the directory, so the system deletes them when the process
//! ends for any reason. Only the owner may read them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crowdfold_model::Timestamp;

/// The number of runs of one level at which these runs are merged. Each run keeps a file open.
const MOST_RUNS: usize = 64;

/// The minimum and the maximum size of a file's buffer, in bytes.
const BUFFERS: std::ops::RangeInclusive<usize> = 1 << 12..=1 << 20;

/// Sorted runs, in the order in which their records occur in the input. When a level has the maximum number of runs,
/// these runs are merged into one run of the next level. Therefore the number of open files grows only with the
/// logarithm of the size of the input. The same applies to the number of times that a record is written.
pub(super) struct Runs {
    memory: usize,
    directory: PathBuf,
    runs: Vec<Run>,
}

/// A file of records that are sorted by time. Each record consists of its time, its length and its bytes.
struct Run {
    file: File,
    records: u64,
    level: u32,
}

impl Runs {
    pub(super) const fn new(memory: usize, directory: PathBuf) -> Self {
        Self { memory, directory, runs: Vec::new() }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Writes sorted records as a new run. In the input, these records must follow the records of all earlier runs.
    pub(super) fn add<'a>(&mut self, records: impl Iterator<Item = (Timestamp, &'a [u8])>) -> io::Result<()> {
        let mut writer = self.writer(0)?;
        for (time, record) in records {
            writer.write(time, record)?;
        }
        let run = writer.finish()?;
        self.runs.push(run);
        self.merge_level()
    }

    /// Merges the runs of the last level while it has the maximum number of runs.
    fn merge_level(&mut self) -> io::Result<()> {
        let most = (self.memory / BUFFERS.start()).clamp(2, MOST_RUNS);
        while let Some(level) = self.runs.last().map(|run| run.level) {
            let first = self.runs.iter().rposition(|run| run.level != level).map_or(0, |before| before + 1);
            if self.runs.len() - first < most {
                break;
            }
            let mut merge = Merge::of(self.runs.drain(first..).collect(), self.memory)?;
            let mut writer = self.writer(level + 1)?;
            while let Some((time, record)) = merge.next()? {
                writer.write(time, record)?;
            }
            self.runs.push(writer.finish()?);
        }
        Ok(())
    }

    /// Merges all runs, without writing the result to a file.
    pub(super) fn merge(self) -> io::Result<Merge> {
        Merge::of(self.runs, self.memory)
    }

    fn writer(&self, level: u32) -> io::Result<Writer> {
        let file = tempfile::tempfile_in(&self.directory)?;
        // The permissions are set before any record is written.
        file.set_permissions(Permissions::from_mode(0o600))?;
        let file = BufWriter::with_capacity(buffer(self.memory, MOST_RUNS), file);
        Ok(Writer { file, records: 0, level })
    }
}

/// Returns the size in bytes of each buffer if `buffers` files share the memory.
fn buffer(memory: usize, buffers: usize) -> usize {
    (memory / (buffers + 1)).clamp(*BUFFERS.start(), *BUFFERS.end())
}

struct Writer {
    file: BufWriter<File>,
    records: u64,
    level: u32,
}

impl Writer {
    fn write(&mut self, time: Timestamp, record: &[u8]) -> io::Result<()> {
        let length = u32::try_from(record.len()).map_err(|_| ErrorKind::InvalidInput)?;
        self.file.write_all(&time.as_millis().to_le_bytes())?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(record)?;
        self.records += 1;
        Ok(())
    }

    fn finish(self) -> io::Result<Run> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Run { file, records: self.records, level: self.level })
    }
}

/// Reads several runs as one sorted sequence. If records have equal times, the records of earlier runs are read first.
pub(super) struct Merge {
    readers: Vec<Reader>,
    /// The time of the next record of each run, and the index of the run. The run with the earliest time is at the top.
    /// Runs without a next record are absent.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The index of the run from which the last record was returned. The next record of this run is not in `heads` yet.
    lent: Option<usize>,
    record: Vec<u8>,
}

struct Reader {
    file: BufReader<File>,
    left: u64,
}

impl Reader {
    /// Reads the time of the next record. Returns `None` at the end of the run.
    fn time(&mut self) -> io::Result<Option<Timestamp>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let mut time = [0; 8];
        self.file.read_exact(&mut time)?;
        Ok(Some(Timestamp::from_millis(u64::from_le_bytes(time))))
    }

    /// Reads the bytes of a record after its time was read.
    fn rest(&mut self, record: &mut Vec<u8>) -> io::Result<()> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.file.read_exact(record)
    }
}

impl Merge {
    fn of(runs: Vec<Run>, memory: usize) -> io::Result<Self> {
        let size = buffer(memory, runs.len());
        let reader = |run: Run| Reader { file: BufReader::with_capacity(size, run.file), left: run.records };
        let readers: Vec<_> = runs.into_iter().map(reader).collect();
        let heads = BinaryHeap::with_capacity(readers.len());
        let mut merge = Self { readers, heads, lent: None, record: Vec::new() };
        for run in 0..merge.readers.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(time) = self.readers[run].time()? {
            self.heads.push(Reverse((time, run)));
        }
        Ok(())
    }

    /// Returns the time and the bytes of the next record. Returns `None` after the last record.
    pub(super) fn next(&mut self) -> io::Result<Option<(Timestamp, &[u8])>> {
        if let Some(run) = self.lent.take() {
            self.advance(run)?;
        }
        let Some(Reverse((time, run))) = self.heads.pop() else { return Ok(None) };
        self.readers[run].rest(&mut self.record)?;
        self.lent = Some(run);
        Ok(Some((time, &self.record)))
    }
}
