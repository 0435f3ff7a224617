//! Sorts more records than fit into memory. Sorted runs are written to temporary files, and then merged.
//!
//! The files contain personal data. They have no name in the directory, so the system deletes them when the process
//! ends for any reason. Only the owner may read them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use crowdfold_model::Timestamp;

use super::sort::Key;

/// The number of runs of one level, in the sorters of all threads, at which these runs are merged. Each run keeps a file
/// open.
const MOST_RUNS: usize = 64;

/// The minimum and the maximum size of a file's buffer, in bytes.
const BUFFERS: std::ops::RangeInclusive<usize> = 1 << 12..=1 << 20;

/// Sorted runs. When a level has the maximum number of runs, these runs are merged into one run of the next level. Therefore the number of open files grows only with the
/// logarithm of the size of the input. The same applies to the number of times that a record is written.
pub(super) struct Runs {
    memory: usize,
    directory: PathBuf,
    shares: u32,
    runs: Vec<Run>,
}

/// A file of sorted records. Each record consists of its time, its place, its length and its bytes.
struct Run {
    file: Arc<File>,
    /// The records of each share.
    sections: Vec<Section>,
    level: u32,
}

/// The records of one share in a run.
#[derive(Clone, Copy, Default)]
struct Section {
    start: u64,
    records: u64,
}

impl Runs {
    pub(super) const fn new(memory: usize, directory: PathBuf, shares: u32) -> Self {
        Self { memory, directory, shares, runs: Vec::new() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Writes sorted records as a new run.
    pub(super) fn add<'a>(&mut self, records: impl Iterator<Item = (Key, &'a [u8])>) -> io::Result<()> {
        let mut writer = self.writer(0)?;
        for (key, record) in records {
            writer.write(key, record)?;
        }
        let run = writer.finish()?;
        self.runs.push(run);
        self.merge_level()
    }

    /// Merges the runs of the last level while it has the maximum number of runs.
    fn merge_level(&mut self) -> io::Result<()> {
        let most = (self.memory / BUFFERS.start()).clamp(2, (MOST_RUNS / self.shares as usize).max(4));
        while let Some(level) = self.runs.last().map(|run| run.level) {
            let first = self.runs.iter().rposition(|run| run.level != level).map_or(0, |before| before + 1);
            if self.runs.len() - first < most {
                break;
            }
            let runs: Vec<_> = self.runs.drain(first..).collect();
            let mut writer = self.writer(level + 1)?;
            for share in 0..self.shares {
                let mut merge = Merge::of(&runs, share, self.memory)?;
                while let Some((key, record)) = merge.next()? {
                    writer.write(key, record)?;
                }
            }
            self.runs.push(writer.finish()?);
        }
        Ok(())
    }

    /// Merges the records of a share in all runs, without writing the result to a file.
    pub(super) fn merge(&self, share: u32) -> io::Result<Merge> {
        Merge::of(&self.runs, share, self.memory / self.shares as usize)
    }

    fn writer(&self, level: u32) -> io::Result<Writer> {
        let file = tempfile::tempfile_in(&self.directory)?;
        // The permissions are set before any record is written.
        file.set_permissions(Permissions::from_mode(0o600))?;
        let file = BufWriter::with_capacity(buffer(self.memory, MOST_RUNS), file);
        let sections = vec![Section::default(); self.shares as usize];
        Ok(Writer { file, sections, position: 0, level })
    }
}

/// Returns the size in bytes of each buffer if `buffers` files share the memory.
fn buffer(memory: usize, buffers: usize) -> usize {
    (memory / (buffers + 1)).clamp(*BUFFERS.start(), *BUFFERS.end())
}

/// The size of the time, the place and the length of a record in a run, in bytes.
const HEADER: u64 = 8 + 8 + 4;

struct Writer {
    file: BufWriter<File>,
    sections: Vec<Section>,
    position: u64,
    level: u32,
}

impl Writer {
    fn write(&mut self, key: Key, record: &[u8]) -> io::Result<()> {
        let length = u32::try_from(record.len()).map_err(|_| ErrorKind::InvalidInput)?;
        self.file.write_all(&key.time.as_millis().to_le_bytes())?;
        self.file.write_all(&key.place.to_le_bytes())?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(record)?;
        let section = &mut self.sections[key.share as usize];
        if section.records == 0 {
            section.start = self.position;
        }
        section.records += 1;
        self.position += HEADER + u64::from(length);
        Ok(())
    }

    fn finish(self) -> io::Result<Run> {
        let file = Arc::new(self.file.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(Run { file, sections: self.sections, level: self.level })
    }
}

/// Reads the records of one share in several runs as one sorted sequence.
pub(super) struct Merge {
    readers: Vec<Reader>,
    /// The key of the next record of each run, and the index of the run. The run with the first key is at the top. Runs
    /// without a next record are absent.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    /// The index of the run from which the last record was returned. The next record of this run is not in `heads` yet.
    lent: Option<usize>,
    record: Vec<u8>,
}

struct Reader {
    file: BufReader<Part>,
    share: u32,
    left: u64,
}

/// A file that is read from a position on. Several threads may read the same file.
struct Part {
    file: Arc<File>,
    position: u64,
}

impl Read for Part {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Reader {
    /// Reads the key of the next record. Returns `None` at the end of the run.
    fn key(&mut self) -> io::Result<Option<Key>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let (mut time, mut place) = ([0; 8], [0; 8]);
        self.file.read_exact(&mut time)?;
        self.file.read_exact(&mut place)?;
        let time = Timestamp::from_millis(u64::from_le_bytes(time));
        Ok(Some(Key { share: self.share, time, place: u64::from_le_bytes(place) }))
    }

    /// Reads the bytes of a record after its key was read.
    fn rest(&mut self, record: &mut Vec<u8>) -> io::Result<()> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.file.read_exact(record)
    }
}

impl Merge {
    fn of(runs: &[Run], share: u32, memory: usize) -> io::Result<Self> {
        let size = buffer(memory, runs.len());
        let reader = |run: &Run| {
            let Section { start, records } = run.sections[share as usize];
            let part = Part { file: Arc::clone(&run.file), position: start };
            Reader { file: BufReader::with_capacity(size, part), share, left: records }
        };
        let readers: Vec<_> = runs.iter().map(reader).collect();
        let heads = BinaryHeap::with_capacity(readers.len());
        let mut merge = Self { readers, heads, lent: None, record: Vec::new() };
        for run in 0..merge.readers.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(key) = self.readers[run].key()? {
            self.heads.push(Reverse((key, run)));
        }
        Ok(())
    }

    /// Returns the key of the next record. Returns `None` after the last record.
    pub(super) fn key(&mut self) -> io::Result<Option<Key>> {
        if let Some(run) = self.lent.take() {
            self.advance(run)?;
        }
        Ok(self.heads.peek().map(|Reverse((key, _))| *key))
    }

    /// Returns the key and the bytes of the next record. Returns `None` after the last record.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, &[u8])>> {
        if let Some(run) = self.lent.take() {
            self.advance(run)?;
        }
        let Some(Reverse((key, run))) = self.heads.pop() else { return Ok(None) };
        self.readers[run].rest(&mut self.record)?;
        self.lent = Some(run);
        Ok(Some((key, &self.record)))
    }
}
