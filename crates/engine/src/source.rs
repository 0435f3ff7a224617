//! The state that a merger keeps for one partition of the topic of beacons.

use std::collections::VecDeque;

use crate::wire::{Chunk, CloseMarker};
use crowdfold_model::Timestamp;

/// The closed spans of one partition of the topic of beacons, and the chunks whose close marker has not arrived.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The end of the last window that a close marker has closed.
    pub(crate) last_to: Timestamp,
    /// The closed spans that are not yet published, in order of time.
    pub(crate) spans: VecDeque<ClosedSpan>,
    pub(crate) pending: Pending,
}

/// Chunks that have arrived before their close marker.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) checksum: crc32fast::Hasher,
    pub(crate) first_offset: Option<i64>,
}

/// The range of event time that one close marker closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedSpan {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) layout_fingerprint: u64,
    pub(crate) partitions: u32,
    /// Windows that start before this time must be withheld.
    pub(crate) withhold_before: Timestamp,
    /// The offset of the first chunk of the span, or of its close marker if there are no chunks.
    pub(crate) first_offset: i64,
}

impl Pending {
    pub(crate) fn push(&mut self, chunk: Chunk, bytes: &[u8], offset: i64) {
        self.checksum.update(bytes);
        self.first_offset.get_or_insert(offset);
        self.chunks.push(chunk);
    }

    /// Returns true if the number and the checksum of the chunks match the close marker.
    pub(crate) fn agrees_with(&self, marker: &CloseMarker) -> bool {
        self.chunks.len() == marker.chunks as usize && self.checksum.clone().finalize() == marker.checksum
    }
}

impl Source {
    /// Returns the span that contains the window with this end, or `None` if no span contains it because the window is
    /// not closed.
    pub(crate) fn covering(&self, end: Timestamp) -> Option<&ClosedSpan> {
        self.spans.iter().find(|span| span.from < end && end <= span.to)
    }

    /// Removes the spans that end at or before `until`.
    pub(crate) fn forget(&mut self, until: Timestamp) {
        while self.spans.front().is_some_and(|span| span.to <= until) {
            self.spans.pop_front();
        }
    }

    /// Returns the offset of the first record that is needed for windows after `closed_until`, or `None` if no record
    /// is needed.
    pub(crate) fn needed(&self, closed_until: Timestamp) -> Option<i64> {
        let spans = self.spans.iter().filter(|span| span.to > closed_until).map(|span| span.first_offset);
        spans.chain(self.pending.first_offset).min()
    }
}
