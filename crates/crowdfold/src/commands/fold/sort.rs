//! Sorts records by time. If the records do not fit into memory, they are sorted in temporary files.
//!
//! Records with equal times are sorted by their place in the input. The result does not depend on the available memory.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crowdfold_model::Timestamp;

use super::runs::{Merge, Runs};

/// The maximum size of a block of records, in bytes. With little memory, blocks are smaller.
const BLOCK: usize = 4 << 20;

/// The minimum memory of a sorter, in bytes.
const LEAST: usize = 1 << 16;

/// The key by which a record is sorted: its share, its time, then its place in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The share of the sessions to which the record belongs. A record of several shares is added once for each share.
    pub(super) share: u32,
    pub(super) time: Timestamp,
    /// The number of the file, and the number of the record in this file. Each record has another place.
    pub(super) place: u64,
}

/// Collects records, and sorts them.
pub(super) struct Sorter {
    memory: usize,
    shares: u32,
    batch: Batch,
    runs: Runs,
    records: u64,
}

/// The sorted records of one share. A record is valid until the next record is read.
pub(super) enum Sorted {
    InMemory { batch: Arc<Batch>, next: usize, end: usize },
    Merged(Merge),
}

impl Sorter {
    /// Creates a sorter that uses at most `memory` bytes, or 64 KiB if `memory` is less. A single record may need more
    /// memory. Temporary files are created in `directory`. `shares` is the number of shares.
    pub(super) fn new(memory: usize, directory: PathBuf, shares: u32) -> Self {
        Self::within(memory.max(LEAST), directory, shares)
    }

    fn within(memory: usize, directory: PathBuf, shares: u32) -> Self {
        let block = BLOCK.min(memory / 16);
        let runs = Runs::new(memory, directory, shares);
        Self { memory, shares, batch: Batch::new(block), runs, records: 0 }
    }

    /// Returns the number of records added so far.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Adds a record with its key.
    pub(super) fn push(&mut self, key: Key, record: &[u8]) -> io::Result<()> {
        if !self.batch.is_empty() && self.batch.size_with(record.len()) > self.memory {
            self.spill()?;
        }
        self.batch.push(key, record);
        self.records += 1;
        Ok(())
    }

    /// Ends the input, and returns the sorted records of each share.
    pub(super) fn sorted(mut self) -> io::Result<Vec<Sorted>> {
        if self.runs.is_empty() {
            self.batch.sort();
            let batch = Arc::new(self.batch);
            let before = |share| batch.entries.partition_point(|entry| entry.key.share < share);
            let of = |share| Sorted::InMemory {
                batch: Arc::clone(&batch),
                next: before(share),
                end: before(share + 1),
            };
            return Ok((0..self.shares).map(of).collect());
        }
        // The memory of the batch is freed, because the buffers of the runs need it now.
        self.spill()?;
        drop(self.batch);
        (0..self.shares).map(|share| Ok(Sorted::Merged(self.runs.merge(share)?))).collect()
    }

    fn spill(&mut self) -> io::Result<()> {
        self.batch.sort();
        self.runs.add(self.batch.iter())?;
        self.batch.clear();
        Ok(())
    }
}

impl Sorted {
    /// Returns the key of the next record. Returns `None` after the last record.
    pub(super) fn key(&mut self) -> io::Result<Option<Key>> {
        match self {
            Self::InMemory { batch, next, end } => {
                Ok(batch.entries[*next..*end].first().map(|entry| entry.key))
            }
            Self::Merged(merge) => merge.key(),
        }
    }

    /// Returns the key and the bytes of the next record. Returns `None` after the last record.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, &[u8])>> {
        match self {
            Self::InMemory { next, end, .. } if next == end => Ok(None),
            Self::InMemory { batch, next, .. } => {
                *next += 1;
                Ok(batch.get(*next - 1))
            }
            Self::Merged(merge) => merge.next(),
        }
    }
}

/// Records in memory. Their bytes are in blocks, and no record is divided between two blocks.
pub(super) struct Batch {
    block: usize,
    blocks: Vec<Vec<u8>>,
    /// The total capacity of all blocks, in bytes.
    size: usize,
    entries: Vec<Entry>,
}

/// The key and the location of a record.
#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    block: u32,
    start: u32,
    length: u32,
}

impl Batch {
    const fn new(block: usize) -> Self {
        Self { block, blocks: Vec::new(), size: 0, entries: Vec::new() }
    }

    const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn has_room(&self, length: usize) -> bool {
        self.blocks.last().is_some_and(|block| block.capacity() - block.len() >= length)
    }

    /// Returns the maximum memory in bytes that is used while a record of `length` bytes is added.
    fn size_with(&self, length: usize) -> usize {
        let block = if self.has_room(length) { 0 } else { self.block.max(length) };
        let capacity = self.entries.capacity();
        // When a full vector of entries grows, it is copied to an allocation of twice its size. Both allocations exist
        // at the same time.
        let entries = if self.entries.len() == capacity { capacity.max(4) * 3 } else { capacity };
        self.size + block + entries * size_of::<Entry>()
    }

    fn push(&mut self, key: Key, record: &[u8]) {
        if !self.has_room(record.len()) {
            let block = Vec::with_capacity(self.block.max(record.len()));
            self.size += block.capacity();
            self.blocks.push(block);
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let (start, length) = (block.len() as u32, record.len() as u32);
        block.extend_from_slice(record);
        self.entries.push(Entry { key, block: number as u32, start, length });
    }

    fn sort(&mut self) {
        self.entries.sort_unstable_by_key(|entry| entry.key);
    }

    fn get(&self, at: usize) -> Option<(Key, &[u8])> {
        let entry = self.entries.get(at)?;
        let start = entry.start as usize;
        Some((entry.key, &self.blocks[entry.block as usize][start..start + entry.length as usize]))
    }

    fn iter(&self) -> impl Iterator<Item = (Key, &[u8])> {
        (0..self.entries.len()).filter_map(|at| self.get(at))
    }

    /// Removes all records, and frees their memory.
    fn clear(&mut self) {
        *self = Self::new(self.block);
    }
}

#[cfg(test)]
mod tests;
