//! Partials on the wire: a version, then bincode. They hold cells of single sessions: personal data by class.

use std::sync::Arc;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

use crate::Counts;
use crowdfold_model::{Cell, CellKey, Table, Timestamp, Window};

/// The first byte of every partial.
pub const VERSION: u8 = 1;

/// Largest chunk, bytes; well below what a topic takes by default.
pub const CHUNK_BYTES: usize = 512 * 1024;

const LARGEST: usize = 4 * 1024 * 1024;

const fn config() -> Configuration<LittleEndian, Varint, Limit<LARGEST>> {
    bincode::config::standard().with_limit::<LARGEST>()
}

/// Why bytes are no partial. Says nothing of what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Written by another release.
    #[error(
        "a partial has wire version {0}, this binary knows {VERSION}: finish the roll-out of the newer release"
    )]
    Version(u8),
    /// Not written by any.
    #[error("a partial cannot be decoded: something else writes to the partials' topic")]
    Corrupt,
}

/// Cells of one partition, window, tenant and breakdown, or a part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Partition of the beacons that it was made from.
    pub partition: u32,
    /// When.
    pub window: Window,
    /// Whose.
    pub tenant: String,
    /// Index of the breakdown.
    pub breakdown: u16,
    /// Cell keys with their cells.
    pub cells: Vec<(CellKey, Cell)>,
}

/// A combiner's statement that every window that ends in `(from, to]` is complete for its partition.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CloseMarker {
    /// Partition of the beacons.
    pub partition: u32,
    /// How many partitions there were.
    pub partitions: u32,
    /// The fingerprint that had to agree for the cells to be added ([`crate::Rules::layout_fingerprint`]).
    pub layout_fingerprint: u64,
    /// Where the close marker before it ended.
    pub from: Timestamp,
    /// End of the last window that it closes.
    pub to: Timestamp,
    /// Windows that start before this moment must not be released.
    pub withhold_before: Timestamp,
    /// Chunks that went to the same merge partition since the close marker before it.
    pub chunks: u32,
    /// CRC-32 of these chunks, one after the other.
    pub checksum: u32,
    /// Beacons since the close marker before it, by outcome. Only the close marker for merge partition 0 carries them.
    pub counts: Counts,
}

/// What is on the partials' topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Cells.
    Chunk(Chunk),
    /// A close marker.
    CloseMarker(CloseMarker),
}

#[derive(Encode, Decode)]
struct ChunkHead {
    partition: u32,
    start: Timestamp,
    end: Timestamp,
    tenant: String,
    breakdown: u16,
    levels: u8,
    cells: u32,
}

const CHUNK: u8 = 0;
const CLOSE_MARKER: u8 = 1;

/// The chunks of one table, each at most about [`CHUNK_BYTES`] long.
#[must_use]
pub fn chunks(partition: u32, window: Window, tenant: &str, breakdown: u16, table: &Table) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let mut body = Vec::new();
    let mut cells = 0;
    let mut flush = |body: &mut Vec<u8>, cells: &mut u32| {
        let head = ChunkHead {
            partition,
            start: window.start,
            end: window.end,
            tenant: tenant.into(),
            breakdown,
            levels: table.keys().next().map_or(0, |cell_key| cell_key.len() as u8),
            cells: std::mem::take(cells),
        };
        let mut chunk = vec![VERSION, CHUNK];
        encode(&head, &mut chunk);
        chunk.append(body);
        chunks.push(chunk);
    };
    for (cell_key, cell) in table {
        let before = body.len();
        for word in cell_key {
            encode(&**word, &mut body);
        }
        encode(cell, &mut body);
        cells += 1;
        if body.len() > CHUNK_BYTES && before > 0 {
            let last = body.split_off(before);
            cells -= 1;
            flush(&mut body, &mut cells);
            (body, cells) = (last, 1);
        }
    }
    if cells > 0 {
        flush(&mut body, &mut cells);
    }
    chunks
}

/// Encodes a close marker.
#[must_use]
pub fn close_marker(marker: &CloseMarker) -> Vec<u8> {
    let mut bytes = vec![VERSION, CLOSE_MARKER];
    encode(marker, &mut bytes);
    bytes
}

/// What the bytes of a record are.
///
/// # Errors
/// [`WireError`]: the partition stops, a partial is never skipped.
pub fn read(bytes: &[u8]) -> Result<Partial, WireError> {
    match bytes {
        [VERSION, CHUNK, body @ ..] => read_chunk(body).map(Partial::Chunk).ok_or(WireError::Corrupt),
        [VERSION, CLOSE_MARKER, body @ ..] => {
            take(&mut { body }).map(Partial::CloseMarker).ok_or(WireError::Corrupt)
        }
        [VERSION, ..] | [] => Err(WireError::Corrupt),
        [version, ..] => Err(WireError::Version(*version)),
    }
}

fn read_chunk(mut body: &[u8]) -> Option<Chunk> {
    let head: ChunkHead = take(&mut body)?;
    let mut cells = Vec::new();
    for _ in 0..head.cells {
        let cell_key =
            (0..head.levels).map(|_| take::<String>(&mut body).map(Arc::from)).collect::<Option<_>>()?;
        let cell: Cell = take(&mut body)?;
        let sorted = |values: &[(u32, u64)]| values.is_sorted_by(|a, b| a.0 < b.0);
        if !cell.values.0.iter().all(|distribution| sorted(distribution.values())) {
            return None;
        }
        cells.push((cell_key, cell));
    }
    (body.is_empty() && head.start < head.end).then_some(Chunk {
        partition: head.partition,
        window: Window { start: head.start, end: head.end },
        tenant: head.tenant,
        breakdown: head.breakdown,
        cells,
    })
}

/// Reads one value off the front.
fn take<T: Decode<()>>(bytes: &mut &[u8]) -> Option<T> {
    let (value, read) = bincode::decode_from_slice(bytes, config()).ok()?;
    *bytes = bytes.get(read..)?;
    Some(value)
}

/// Writing to memory cannot fail: no type of ours refuses, and a `Vec` grows.
fn encode(value: impl Encode, to: &mut Vec<u8>) {
    struct Append<'a>(&'a mut Vec<u8>);
    impl bincode::enc::write::Writer for Append<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    let written = bincode::encode_into_writer(value, Append(to), config());
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
}

#[cfg(test)]
mod tests;
