//! Lets several threads read the input. Each thread takes a chunk of records at a time.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use crowdfold_model::Timestamp;

use super::input;
use super::progress::Progress;
use super::records::Records;

/// The size in bytes, and the number of records, at which a chunk is complete.
const ENOUGH: usize = 256 << 10;
const MOST_RECORDS: usize = 4_096;

/// The number of low bits of a place that contain the number of a record in its file.
const RECORD_BITS: u32 = 40;

/// Consecutive records of one file.
#[derive(Default)]
pub(super) struct Chunk {
    /// The number of the file, and the number of the chunk in this file.
    pub(super) number: (usize, u64),
    /// The place of the first record ([`super::sort::Key::place`]).
    first: u64,
    bytes: Vec<u8>,
    /// The end of each record in `bytes`.
    ends: Vec<usize>,
}

impl Chunk {
    /// Returns the place and the bytes of each record.
    pub(super) fn records(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let records = starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]);
        (self.first..).zip(records)
    }
}

/// The input files.
pub(super) struct Inputs<'a> {
    files: &'a [PathBuf],
    progress: &'a Progress,
    joins: bool,
    longest: usize,
    /// The index of the first file that is not open yet.
    next: Mutex<usize>,
    /// The files that are open and have not ended.
    open: Mutex<Vec<Arc<Mutex<OpenFile>>>>,
}

struct OpenFile {
    index: usize,
    records: Records<Box<dyn BufRead + Send>>,
    chunks: u64,
    read: u64,
    is_over: bool,
}

impl<'a> Inputs<'a> {
    /// `joins` is true if a JSON value that extends over several lines is one record. `longest` is the maximum length of
    /// a record.
    pub(super) fn new(files: &'a [PathBuf], progress: &'a Progress, joins: bool, longest: usize) -> Self {
        Self { files, progress, joins, longest, next: Mutex::new(0), open: Mutex::default() }
    }

    /// Reads the next chunk. Returns false at the end of the input. Several threads can read different files at the same
    /// time. A file is opened only if other threads read all open files, or if these have ended.
    pub(super) fn read(&self, chunk: &mut Chunk) -> Result<bool> {
        loop {
            let open = lock(&self.open).clone();
            let idle = open.iter().find_map(|file| Some((file, file.try_lock().ok()?)));
            if let Some((file, mut idle)) = idle {
                if self.fill(&mut idle, chunk)? {
                    return Ok(true);
                }
                self.close(file);
                continue;
            }
            if self.open_next()? {
                continue;
            }
            // All files have been opened, and other threads read those that have not ended.
            let Some(file) = lock(&self.open).first().cloned() else { return Ok(false) };
            let filled = self.fill(&mut lock(&file), chunk)?;
            if filled {
                return Ok(true);
            }
            self.close(&file);
        }
    }

    /// Opens the next file. Returns false if all files have been opened.
    fn open_next(&self) -> Result<bool> {
        let mut next = lock(&self.next);
        let Some(path) = self.files.get(*next) else { return Ok(false) };
        let lines =
            input::open(path, self.progress).with_context(|| format!("{} cannot be read", name(path)))?;
        let records = Records::new(lines, self.joins, self.longest);
        let file = OpenFile { index: *next, records, chunks: 0, read: 0, is_over: false };
        lock(&self.open).push(Arc::new(Mutex::new(file)));
        *next += 1;
        Ok(true)
    }

    fn close(&self, file: &Arc<Mutex<OpenFile>>) {
        lock(&self.open).retain(|open| !Arc::ptr_eq(open, file));
    }

    /// Reads the next chunk of a file. Returns false at the end of the file.
    fn fill(&self, file: &mut OpenFile, chunk: &mut Chunk) -> Result<bool> {
        chunk.bytes.clear();
        chunk.ends.clear();
        chunk.number = (file.index, file.chunks);
        chunk.first = (file.index as u64) << RECORD_BITS | file.read;
        let mut record = Vec::new();
        while !file.is_over && chunk.bytes.len() < ENOUGH && chunk.ends.len() < MOST_RECORDS {
            let unread = || format!("{} cannot be read to its end", name(&self.files[file.index]));
            if file.records.next(&mut record).with_context(unread)? {
                chunk.bytes.extend_from_slice(&record);
                chunk.ends.push(chunk.bytes.len());
            } else {
                file.is_over = true;
            }
        }
        file.chunks += 1;
        file.read += chunk.ends.len() as u64;
        Ok(!chunk.ends.is_empty())
    }
}

fn name(path: &Path) -> std::path::Display<'_> {
    if path == Path::new("-") { Path::new("standard input") } else { path }.display()
}

/// The last time in each chunk. A record without a time has the time of the record before it, which may be in a chunk
/// that another thread reads.
#[derive(Default)]
pub(super) struct LastTimes {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Default)]
struct Known {
    /// The last time up to the end of each chunk, by the number of the chunk.
    times: BTreeMap<(usize, u64), Option<Timestamp>>,
    /// True if a thread has ended with an error, so that some times will never be known.
    failed: bool,
}

impl LastTimes {
    /// Stores the last time up to the end of a chunk. The time is `None` if no record before it has a time.
    pub(super) fn set(&self, chunk: (usize, u64), last: Option<Timestamp>) {
        lock(&self.known).times.insert(chunk, last);
        self.changed.notify_all();
    }

    /// Reports that a thread has ended. If it ended with an error, the other threads no longer wait for its chunks.
    pub(super) fn ended(&self, is_error: bool) {
        lock(&self.known).failed |= is_error;
        self.changed.notify_all();
    }

    /// Waits for the last time before a chunk. The thread that reads the chunk before this one took it earlier, so
    /// threads never wait for each other in a circle.
    pub(super) fn before(&self, (file, chunk): (usize, u64)) -> Option<Timestamp> {
        let before = (file, chunk.checked_sub(1)?);
        let unknown = |known: &mut Known| !known.failed && !known.times.contains_key(&before);
        let known = self.changed.wait_while(lock(&self.known), unknown);
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.times.get(&before).copied().flatten()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
