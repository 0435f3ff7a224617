//! Records sorted by time, stably: in memory as far as they fit, and beyond it in runs.
//!
//! The order is that of (time, position in the input). It does not depend on the memory.

use std::io;
use std::path::{Path, PathBuf};

use crowdfold_model::Millis;

use super::runs::{Merge, Runs};

/// The size of a block of records, bytes; smaller where there is little memory.
const BLOCK: usize = 4 << 20;

/// The least memory that is of use, bytes.
const LEAST: usize = 1 << 16;

/// Takes records in the order of the input.
pub(super) struct Sorter {
    memory: usize,
    batch: Batch,
    runs: Runs,
    records: u64,
}

/// The records in order, each lent until the next one is asked for.
pub(super) enum Sorted {
    InMemory { batch: Batch, next: usize },
    Merged(Merge),
}

impl Sorter {
    /// Sorts in this much memory, bytes, or 64 KiB; temporary files go to `directory`. One record may be in memory in
    /// addition.
    pub(super) fn new(memory: usize, directory: PathBuf) -> Self {
        Self::within(memory.max(LEAST), directory)
    }

    fn within(memory: usize, directory: PathBuf) -> Self {
        let block = BLOCK.min(memory / 16);
        Self { memory, batch: Batch::new(block), runs: Runs::new(memory, directory), records: 0 }
    }

    /// The directory of temporary files.
    pub(super) fn directory(&self) -> &Path {
        self.runs.directory()
    }

    /// The number of records that were taken.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Takes the next record of the input.
    pub(super) fn push(&mut self, time: Millis, record: &[u8]) -> io::Result<()> {
        if !self.batch.is_empty() && self.batch.size_with(record.len()) > self.memory {
            self.spill()?;
        }
        self.batch.push(time, record);
        self.records += 1;
        Ok(())
    }

    /// Ends the input.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            self.batch.sort();
            return Ok(Sorted::InMemory { batch: self.batch, next: 0 });
        }
        // the memory is for the buffers of the runs now
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
    /// Lends the next record, with its time.
    pub(super) fn next(&mut self) -> io::Result<Option<(Millis, &[u8])>> {
        match self {
            Self::InMemory { batch, next } => {
                *next += 1;
                Ok(batch.get(*next - 1))
            }
            Self::Merged(merge) => merge.next(),
        }
    }
}

/// Records in memory. They lie in blocks one after another, and each in one block.
pub(super) struct Batch {
    block: usize,
    blocks: Vec<Vec<u8>>,
    /// The capacities of all blocks.
    size: usize,
    entries: Vec<Entry>,
}

/// Where a record lies. Block and start grow with the position in the input.
#[derive(Clone, Copy)]
struct Entry {
    time: Millis,
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

    /// The most memory that is taken while one more record of that length is, bytes.
    fn size_with(&self, length: usize) -> usize {
        let block = if self.has_room(length) { 0 } else { self.block.max(length) };
        let capacity = self.entries.capacity();
        // entries are copied to a place twice as large
        let entries = if self.entries.len() == capacity { capacity.max(4) * 3 } else { capacity };
        self.size + block + entries * size_of::<Entry>()
    }

    fn push(&mut self, time: Millis, record: &[u8]) {
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
        // a record without content has the start of the one after it
        self.entries.sort_unstable_by_key(|entry| (entry.time, entry.block, entry.start, entry.length));
    }

    fn get(&self, at: usize) -> Option<(Millis, &[u8])> {
        let entry = self.entries.get(at)?;
        let start = entry.start as usize;
        Some((entry.time, &self.blocks[entry.block as usize][start..start + entry.length as usize]))
    }

    fn iter(&self) -> impl Iterator<Item = (Millis, &[u8])> {
        (0..self.entries.len()).filter_map(|at| self.get(at))
    }

    /// Forgets the records and gives the memory back.
    fn clear(&mut self) {
        *self = Self::new(self.block);
    }
}

#[cfg(test)]
mod tests;
