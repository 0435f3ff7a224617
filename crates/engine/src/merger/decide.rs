//! Selects the windows to publish. These are the complete windows, in order of time. If a window has waited for too
//! long, the merger decides to release it without the missing partitions.

use crowdfold_model::{Timestamp, Window};
use crowdfold_release::{Coverage, release};

use super::{Merger, total};
use crate::source::ClosedSpan;
use crate::{Alarms, Forced, MergeCounts, MergerCheckpoint, Publication};

/// The number of rows in one transaction above which the remaining windows wait for the next transaction. The rows of
/// one window are never split.
const MOST_ROWS: usize = 50_000;

impl Merger {
    /// Returns the next publication, or `None` if there is nothing to publish.
    pub(super) fn next_publication(&mut self, now: Timestamp) -> Option<Publication> {
        // `next_under` changes `self`, so the decision is moved out of `self` during the call.
        let forced = self.forced.take();
        let next = self.next_under(forced.as_ref(), now);
        self.forced = forced;
        next
    }

    /// Returns the next publication, given the current decision.
    fn next_under(&mut self, forced: Option<&Forced>, now: Timestamp) -> Option<Publication> {
        let mut partitions = self.partitions()?;
        if let Some(forced) = forced {
            // Partitions that were added after the decision are not needed.
            partitions = forced.partitions;
        }
        let came = |p: &u32| !forced.is_some_and(|forced| forced.lacks(*p));
        let reached = |p: u32| self.sources.get(&p).map_or(Timestamp::EPOCH, |source| source.last_to);
        let mut frontier = (0..partitions).filter(came).map(reached).min()?;
        if let Some(forced) = forced {
            // The window of the decision is published before any other window. It is published when all other
            // partitions have reached its end.
            frontier = if frontier >= forced.end { forced.end } else { self.closed_until };
        }
        if frontier > self.closed_until {
            Some(self.publication_until(frontier, forced))
        } else if forced.is_none() {
            self.decision(partitions, now)
        } else {
            None
        }
    }

    /// Returns the number of partitions of the topic of beacons in the latest close markers, or `None` if there was no
    /// close marker yet.
    fn partitions(&self) -> Option<u32> {
        self.sources.values().filter_map(|source| source.spans.back()).map(|span| span.partitions).max()
    }

    /// Returns the decision to release the next window without the missing partitions. Returns `None` if the window has
    /// not waited for the time-out yet.
    fn decision(&self, partitions: u32, now: Timestamp) -> Option<Publication> {
        let timed_out = self.at_end && self.waiting(now) >= self.settings.timeout;
        if !timed_out || partitions > MergerCheckpoint::MOST_FORCED {
            return None;
        }
        // The decision applies to the first window with data. If no window has data, the decision applies to the latest
        // end that a close marker has reached, because empty windows contain nothing that could be lost.
        let (reached, _) = self.reached.front()?;
        let end = self.windows.keys().next().copied().filter(|end| end <= reached).unwrap_or(*reached);
        let mut missing = vec![0; partitions.div_ceil(8) as usize];
        for partition in 0..partitions {
            if self.sources.get(&partition).is_none_or(|source| source.last_to < end) {
                missing[partition as usize / 8] |= 1 << (partition % 8);
            }
        }
        Some(Publication {
            rollups: Vec::new(),
            offset: self.needed(self.closed_until),
            checkpoint: self.checkpoint(self.closed_until, Some(Forced { end, partitions, missing })),
            counts: MergeCounts::default(),
            alarms: Alarms { forced: 1, ..Alarms::default() },
            until: self.closed_until,
        })
    }

    /// Publishes all windows up to `frontier`, or only the first of them if not all fit into one transaction. The
    /// windows are moved to the publication, which is kept until it is committed.
    fn publication_until(&mut self, frontier: Timestamp, forced: Option<&Forced>) -> Publication {
        let coverage = forced.map(|forced| Coverage {
            partitions: forced.partitions.saturating_sub(forced.count()),
            of: forced.partitions,
        });
        let mut made = Publication {
            rollups: Vec::new(),
            offset: 0,
            checkpoint: self.checkpoint(frontier, None),
            counts: MergeCounts::default(),
            alarms: Alarms::default(),
            until: frontier,
        };
        while let Some(next) = self.windows.first_entry().filter(|next| *next.key() <= frontier) {
            if made.rollups.len() >= MOST_ROWS {
                break;
            }
            let (end, tenants) = next.remove_entry();
            let window = Window { start: end - self.settings.rules.window, end };
            let mixed = self.is_mixed(window, forced);
            made.alarms.mixed += u64::from(mixed);
            for (tenant, tables) in tenants {
                if mixed || end <= self.floor {
                    let (session_windows, beacons) = total(&tables);
                    made.counts.add(&MergeCounts::withheld(session_windows, beacons));
                } else {
                    let released =
                        release(&tenant, window, tables, self.settings.policies.of(&tenant), coverage);
                    made.alarms.faults += u64::from(released.fault.is_some());
                    made.counts.add(&MergeCounts::of(&released));
                    made.rollups.extend(released.rollups);
                }
            }
            made.until = end;
        }
        // The empty windows up to `frontier` are committed together with the last window.
        if self.windows.first_key_value().is_none_or(|(end, _)| *end > frontier) {
            made.until = frontier;
        }
        made.offset = self.needed(made.until);
        made.checkpoint.closed_until = made.until;
        made
    }

    /// Returns true if a complete window must be withheld. The reason is that its partials have different partition
    /// counts or layouts, or that a combiner requested it.
    fn is_mixed(&self, window: Window, forced: Option<&Forced>) -> bool {
        let mut first: Option<&ClosedSpan> = None;
        for (partition, source) in &self.sources {
            if forced.is_some_and(|forced| forced.lacks(*partition)) {
                continue;
            }
            let Some(span) = source.covering(window.end) else { continue };
            let like_first = first.is_none_or(|f| {
                f.layout_fingerprint == span.layout_fingerprint && f.partitions == span.partitions
            });
            if span.withhold_before > window.start || !like_first || *partition >= span.partitions {
                return true;
            }
            first = Some(span);
        }
        false
    }
}
