//! Sorts records by time. If the records do not fit into memory, they are sorted in temporary files.
//!
//! Records with equal times keep their order in the input. The result does not depend on the available memory.

use std::io;
use std::path::{Path, PathBuf};

use crowdfold_model::Timestamp;

use super::runs::{Merge, Runs};

/// The maximum size of a block of records, in bytes. With little memory, blocks are smaller.
const BLOCK: usize = 4 << 20;

/// The minimum memory of a sorter, in bytes.
const LEAST: usize = 1 << 16;

/// Collects the records of the input, and sorts them.
pub(super) struct Sorter {
    memory: usize,
    batch: Batch,
    runs: Runs,
    records: u64,
}

/// The sorted records. A record is valid until the next record is read.
pub(super) enum Sorted {
    InMemory { batch: Batch, next: usize },
    Merged(Merge),
}

impl Sorter {
    /// Creates a sorter that uses at most `memory` bytes, or 64 KiB if `memory` is less. A single record may need more
    /// memory. Temporary files are created in `directory`.
    pub(super) fn new(memory: usize, directory: PathBuf) -> Self {
        Self::within(memory.max(LEAST), directory)
    }

    fn within(memory: usize, directory: PathBuf) -> Self {
        let block = BLOCK.min(memory / 16);
        Self { memory, batch: Batch::new(block), runs: Runs::new(memory, directory), records: 0 }
    }

    /// Returns the directory in which temporary files are created.
    pub(super) fn directory(&self) -> &Path {
        self.runs.directory()
    }

    /// Returns the number of records added so far.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Adds the next record of the input, with its time.
    pub(super) fn push(&mut self, time: Timestamp, record: &[u8]) -> io::Result<()> {
        if !self.batch.is_empty() && self.batch.size_with(record.len()) > self.memory {
            self.spill()?;
        }
        self.batch.push(time, record);
        self.records += 1;
        Ok(())
    }

    /// Ends the input, and returns the sorted records.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            self.batch.sort();
            return Ok(Sorted::InMemory { batch: self.batch, next: 0 });
        }
        // The memory of the batch is freed, because the buffers of the runs need it now.
        self.spill()?;
        drop(self.batch);
        Ok(Sorted::Merged(self.runs.merge()?))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.batch.sort();
        self.runs.add(self.batch.iter())?;
        self.batch.clear();
        Ok(())
    }
}

impl Sorted {
    /// Returns the time and the bytes of the next record. Returns `None` after the last record.
    pub(super) fn next(&mut self) -> io::Result<Option<(Timestamp, &[u8])>> {
        match self {
            Self::InMemory { batch, next } => {
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

/// The time and the location of a record. `block` and `start` together increase in the order of the input.
#[derive(Clone, Copy)]
struct Entry {
    time: Timestamp,
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

    fn push(&mut self, time: Timestamp, record: &[u8]) {
        if !self.has_room(record.len()) {
            let block = Vec::with_capacity(self.block.max(record.len()));
            self.size += block.capacity();
            self.blocks.push(block);
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let (start, length) = (block.len() as u32, record.len() as u32);
        block.extend_from_slice(record);
        self.entries.push(Entry { time, block: number as u32, start, length });
    }

    fn sort(&mut self) {
        // An empty record has the same start as the record after it. The empty record must be first, so lengths are
        // compared too.
        self.entries.sort_unstable_by_key(|entry| (entry.time, entry.block, entry.start, entry.length));
    }

    fn get(&self, at: usize) -> Option<(Timestamp, &[u8])> {
        let entry = self.entries.get(at)?;
        let start = entry.start as usize;
        Some((entry.time, &self.blocks[entry.block as usize][start..start + entry.length as usize]))
    }

    fn iter(&self) -> impl Iterator<Item = (Timestamp, &[u8])> {
        (0..self.entries.len()).filter_map(|at| self.get(at))
    }

    /// Removes all records, and frees their memory.
    fn clear(&mut self) {
        *self = Self::new(self.block);
    }
}

#[cfg(test)]
mod tests;
