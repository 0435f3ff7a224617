//! Receives cells, and adds them to the tables of their windows.

use std::mem;

use crowdfold_model::{Table, Timestamp};

use super::Merger;
use crate::source::{ClosedSpan, Pending};
use crate::windows::add_cell;
use crate::wire::CloseMarker;

impl Merger {
    /// Processes a close marker: validates it, and adds the chunks that it completes.
    pub(super) fn close(&mut self, marker: &CloseMarker, offset: i64, now: Timestamp) {
        // The windows of the current publication count as published. Otherwise cells that arrive now could form a
        // second table of the same window.
        let decided = self.publication.as_ref().map_or(self.closed_until, |next| next.until);
        let source = self.sources.entry(marker.partition).or_default();
        let pending = mem::take(&mut source.pending);
        if marker.to <= decided {
            return;
        }
        let before = source.last_to.max(decided);
        if marker.to <= source.last_to {
            self.alarms.duplicates += 1;
            return;
        }
        let rules = &self.settings.rules;
        let mut withhold_before = marker.withhold_before;
        if marker.from > before || !pending.agrees_with(marker) {
            self.alarms.gaps += 1;
            withhold_before = if pending.agrees_with(marker) { marker.from } else { marker.to };
            withhold_before = withhold_before.max(marker.withhold_before);
        }
        let ours = rules.layout_fingerprint(marker.partitions, self.settings.partial_partitions)
            == marker.layout_fingerprint;
        if !ours {
            withhold_before = Timestamp::MAX;
        }
        source.last_to = marker.to;
        source.spans.push_back(ClosedSpan {
            from: before,
            to: marker.to,
            layout_fingerprint: marker.layout_fingerprint,
            partitions: marker.partitions,
            withhold_before,
            first_offset: pending.first_offset.unwrap_or(offset),
        });
        if self.reached.back().is_none_or(|(end, _)| *end < marker.to) {
            self.reached.push_back((marker.to, now));
        }
        self.combined.add(&marker.counts);
        self.add(pending, marker, before, ours);
    }

    /// Adds chunks to the tables of their windows.
    fn add(&mut self, pending: Pending, marker: &CloseMarker, before: Timestamp, ours: bool) {
        for chunk in pending.chunks {
            let end = chunk.window.end;
            if end <= self.committed_before {
                continue;
            }
            // A chunk refers to its breakdown by the index in the list of its tenant.
            let breakdowns = self.settings.rules.breakdowns.of(&chunk.tenant);
            let breakdown = chunk.breakdown as usize;
            // Cells of other breakdowns cannot be added to the tables, so they are withheld.
            let fits = ours
                && breakdowns
                    .get(breakdown)
                    .is_some_and(|levels| chunk.cells.iter().all(|(l, _)| l.len() == levels.len()))
                && chunk.window.length() == self.settings.rules.window;
            // A decision to release a window without a partition applies to all cells that arrive afterwards, even if
            // the commit of the decision is not confirmed yet.
            let pending = self.publication.as_ref().and_then(|next| next.checkpoint.forced.as_ref());
            let given_up = self
                .forced
                .as_ref()
                .or(pending)
                .is_some_and(|forced| end <= forced.end && forced.lacks(marker.partition));
            if !fits || given_up || end <= before || end > marker.to {
                if breakdown == 0 {
                    for (_, cell) in &chunk.cells {
                        self.arrived += cell.sums.beacons;
                        self.merged.beacons.withheld += cell.sums.beacons;
                        self.merged.session_windows.withheld += cell.sessions;
                    }
                }
                continue;
            }
            let tables = self.windows.entry(end).or_default().entry(chunk.tenant).or_default();
            tables.resize_with(breakdowns.len(), Table::new);
            for (cell_key, cell) in chunk.cells {
                if breakdown == 0 {
                    self.arrived += cell.sums.beacons;
                }
                add_cell(&mut tables[breakdown], cell_key, cell);
            }
        }
    }
}
