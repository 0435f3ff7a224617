//! The encoding of partials: a version byte, followed by data in bincode. Partials contain cells of single sessions,
//! so they are personal data.

use std::sync::Arc;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

use crate::Counts;
use crowdfold_model::{Cell, CellKey, Table, Timestamp, Window};

/// The first byte of every partial, which identifies the version of the encoding.
pub const VERSION: u8 = 1;

/// The length in bytes at which a table is split into several chunks. It is well below the default limit for the length
/// of a record.
pub const CHUNK_BYTES: usize = 512 * 1024;

const LARGEST: usize = 4 * 1024 * 1024;

const fn config() -> Configuration<LittleEndian, Varint, Limit<LARGEST>> {
    bincode::config::standard().with_limit::<LARGEST>()
}

/// The error for bytes that are not a partial. It contains no part of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The partial has another version, so another release of the program wrote it.
    #[error(
        "a partial has wire version {0}, but this binary reads version {VERSION}; finish the roll-out of the newer release"
    )]
    Version(u8),
    /// The bytes are not a partial of any version.
    #[error(
        "a record of the topic of partials cannot be decoded; check which other program writes to this topic"
    )]
    Corrupt,
}

/// The cells of one partition, window, tenant and breakdown. A large table is split into several chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The partition of the topic of beacons from which the cells come.
    pub partition: u32,
    /// The start and the end of the window.
    pub window: Window,
    /// The name of the tenant.
    pub tenant: String,
    /// The index of the breakdown in the tenant's list of breakdowns.
    pub breakdown: u16,
    /// The cells, each with its dimension values.
    pub cells: Vec<(CellKey, Cell)>,
}

/// A record with which a combiner reports that all windows of its partition that end after `from`, and at or before
/// `to`, are complete.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CloseMarker {
    /// The partition of the topic of beacons.
    pub partition: u32,
    /// The number of partitions of the topic of beacons.
    pub partitions: u32,
    /// The layout fingerprint of the combiner ([`crate::Rules::layout_fingerprint`]). The cells of the combiner are
    /// added only if the merger has the same layout fingerprint.
    pub layout_fingerprint: u64,
    /// The value of `to` in the previous close marker.
    pub from: Timestamp,
    /// The end of the last window that this close marker closes.
    pub to: Timestamp,
    /// Windows that start before this time must be withheld.
    pub withhold_before: Timestamp,
    /// The number of chunks since the previous close marker in the same partition of the topic of partials.
    pub chunks: u32,
    /// The CRC-32 checksum of these chunks, in order.
    pub checksum: u32,
    /// The number of beacons by outcome since the previous close marker. Only close markers in partition 0 of the topic
    /// of partials have values here.
    pub counts: Counts,
}

/// A decoded record of the topic of partials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Cells of one table.
    Chunk(Chunk),
    /// The end of the cells of some windows.
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

/// Encodes a table as one or more chunks. A chunk is at most slightly longer than [`CHUNK_BYTES`], unless a single cell
/// is longer.
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

/// Decodes a record of the topic of partials.
///
/// # Errors
/// Returns [`WireError`] if the bytes are not a partial of this version. The partition must then stop, because a
/// partial must not be skipped.
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

/// Decodes one value, and removes its bytes from `bytes`. Returns `None` if they are invalid.
fn take<T: Decode<()>>(bytes: &mut &[u8]) -> Option<T> {
    let (value, read) = bincode::decode_from_slice(bytes, config()).ok()?;
    *bytes = bytes.get(read..)?;
    Some(value)
}

/// Encodes a value and appends the bytes to `to`. Encoding cannot fail, because every value of this module can be
/// encoded and a `Vec` can grow.
fn encode(value: impl Encode, to: &mut Vec<u8>) {
    struct Append<'a>(&'a mut Vec<u8>);
    impl bincode::enc::write::Writer for Append<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    let written = bincode::encode_into_writer(value, Append(to), config());
    debug_assert!(written.is_ok(), "encoding to memory cannot fail");
}

#[cfg(test)]
mod tests;
