//! Tests of close markers that are repeated, late, mixed, damaged or missing.

use std::sync::Arc;

use crate::wire::{self, CloseMarker, WireError};
use crate::{Counts, Rules};
use crowdfold_model::{Cell, Dimension, Qualities, Sums, Table, Window};
use crowdfold_release::{Policy, PolicySettings, PrivacySettings, Secret};

use super::*;

mod decisions;
mod tenants;

const W: Span = Span::MINUTE;
const TIMEOUT: Span = Span::MINUTE.times(15);
const MILLISECOND: Span = Span::from_millis(1);

/// Returns the end of a window. Windows are numbered from 1.
fn end(window: u64) -> Timestamp {
    Timestamp::EPOCH + W * window
}

fn settings(k: u64) -> Arc<MergerSettings> {
    let breakdowns = vec![vec![Dimension::Cdn]];
    let policy = PolicySettings {
        k,
        allow_small_k: true,
        breakdowns: breakdowns.clone(),
        ..PolicySettings::default()
    };
    Arc::new(MergerSettings {
        rules: Arc::new(Rules {
            window: W,
            lateness: Span::SECOND.times(30),
            idle: Span::SECOND.times(90),
            breakdowns: breakdowns.into(),
            qualities: Qualities::default(),
            max_sessions: 100,
        }),
        partial_partitions: 1,
        policies: Policy::threshold(policy).unwrap().into(),
        timeout: TIMEOUT,
    })
}

fn fresh() -> Start<MergerCheckpoint> {
    Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false }
}

/// A merger, and the log that it reads.
struct Rig {
    merger: Merger,
    log: Vec<Vec<u8>>,
    now: Timestamp,
    rows: Vec<String>,
}

impl Rig {
    fn new() -> Self {
        Self {
            merger: Merger::new(settings(2), &fresh(), 0, Timestamp::EPOCH),
            log: Vec::new(),
            now: Timestamp::EPOCH,
            rows: Vec::new(),
        }
    }

    fn push(&mut self, bytes: Vec<u8>) {
        self.merger.record(&bytes, self.log.len() as i64, self.now).unwrap();
        self.log.push(bytes);
        assert!(self.merger.balanced());
    }

    /// Passes a close marker of partition `p` to the merger. The topic of beacons has `n` partitions. The marker closes
    /// the windows in `(from, to]`, and the last of them has `sessions` sessions.
    fn close(&mut self, p: u32, n: u32, from: u64, to: u64, sessions: u64) {
        let layout_fingerprint = self.merger.settings.rules.layout_fingerprint(n, 1);
        self.close_with(CloseMarker { layout_fingerprint, ..close_marker(p, n, from, to) }, sessions);
    }

    fn close_with(&mut self, mut marker: CloseMarker, sessions: u64) {
        let mut checksum = crc32fast::Hasher::new();
        if sessions > 0 {
            let (p, window) = (marker.partition, Window::at(marker.to - W, W));
            for chunk in wire::chunks(p, window, "default", 0, &table(sessions)) {
                checksum.update(&chunk);
                marker.chunks += 1;
                self.push(chunk);
            }
        }
        marker.checksum ^= checksum.finalize();
        self.push(wire::close_marker(&marker));
    }

    /// Publishes all windows that are ready. Returns the window and the number of sessions of each row.
    fn publish(&mut self) -> Vec<(u64, u64)> {
        self.merger.at_end();
        let mut published = Vec::new();
        while let Some(publication) = self.merger.publish(self.now) {
            let rows = publication.rollups.iter();
            published.extend(rows.map(|rollup| (rollup.window().end.since_epoch() / W, rollup.sessions())));
            self.rows.extend(publication.rollups.iter().map(|r| String::from_utf8(r.json()).unwrap()));
            self.merger.committed();
            assert!(self.merger.balanced());
        }
        published
    }

    /// Restarts the merger from the committed state.
    fn restart(&mut self, settings: Arc<MergerSettings>) {
        let (offset, checkpoint) = self.merger.idle_commit();
        let checkpoint = MergerCheckpoint::parse(&checkpoint.to_string()).unwrap();
        let start = Start {
            partition: 0,
            floor: checkpoint.floor,
            checkpoint: Some(checkpoint),
            offsets_lost: false,
        };
        self.merger = Merger::new(settings, &start, offset, self.now);
        for (offset, bytes) in self.log.iter().enumerate().skip(offset as usize) {
            self.merger.record(bytes, offset as i64, self.now).unwrap();
        }
    }
}

fn close_marker(partition: u32, partitions: u32, from: u64, to: u64) -> CloseMarker {
    CloseMarker {
        partition,
        partitions,
        layout_fingerprint: 0,
        from: end(from),
        to: end(to),
        withhold_before: Timestamp::EPOCH,
        chunks: 0,
        checksum: 0,
        counts: Counts::default(),
    }
}

fn table(sessions: u64) -> Table {
    let sums = Sums { beacons: 3 * sessions, ..Sums::default() };
    [(vec![Arc::from("cdn-a")].into(), Cell { sessions, sums, ..Cell::default() })].into_iter().collect()
}

#[test]
fn window_waits_for_every_partition() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    assert_eq!(rig.publish(), []);
    rig.close(1, 2, 0, 2, 4);
    assert_eq!(rig.publish(), [(1, 3)], "the second window of partition 1 waits for partition 0");
    rig.close(0, 2, 1, 2, 5);
    assert_eq!(rig.publish(), [(2, 9)]);
}

#[test]
fn window_is_published_if_all_partitions_together_have_k_sessions() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 1);
    rig.close(1, 2, 0, 1, 1);
    assert_eq!(rig.publish(), [(1, 2)]);
    rig.close(0, 2, 1, 2, 1);
    rig.close(1, 2, 1, 2, 0);
    assert_eq!(rig.publish(), []);
    assert_eq!(rig.merger.merged().session_windows, crate::Released { released: 2, withheld: 1 });
}

#[test]
fn repeated_close_marker_counts_once() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.close(0, 2, 0, 1, 3);
    rig.close(1, 2, 0, 1, 4);
    assert_eq!(rig.publish(), [(1, 7)]);
    assert_eq!(rig.merger.alarms().duplicates, 1);
}

#[test]
fn windows_in_a_gap_between_close_markers_are_withheld() {
    let mut rig = Rig::new();
    rig.close(0, 1, 0, 1, 3);
    rig.close(0, 1, 2, 3, 4);
    rig.close(0, 1, 3, 4, 5);
    assert_eq!(rig.publish(), [(1, 3), (3, 4), (4, 5)]);
    assert_eq!(rig.merger.alarms().gaps, 1);
}

#[test]
fn chunks_that_do_not_match_their_close_marker_are_withheld() {
    let mut rig = Rig::new();
    let layout_fingerprint = rig.merger.settings.rules.layout_fingerprint(1, 1);
    rig.close_with(CloseMarker { layout_fingerprint, checksum: 1, ..close_marker(0, 1, 0, 1) }, 3);
    rig.close_with(CloseMarker { layout_fingerprint, chunks: 1, ..close_marker(0, 1, 1, 2) }, 3);
    rig.close(0, 1, 2, 3, 4);
    assert_eq!(rig.publish(), [(3, 4)]);
    assert_eq!(rig.merger.alarms().gaps, 2);
}

#[test]
fn windows_of_mixed_partition_counts_or_layouts_are_withheld() {
    let mut rig = Rig::new();
    // The number of partitions grows from 1 to 2 while the second window is open.
    rig.close(0, 1, 0, 1, 3);
    assert_eq!(rig.publish(), [(1, 3)]);
    rig.close(0, 1, 1, 2, 3);
    rig.close(1, 2, 0, 3, 4);
    rig.close(0, 2, 2, 3, 5);
    assert_eq!(rig.publish(), [(3, 9)], "the second window may contain a session twice, so it is withheld");
    rig.close_with(CloseMarker { layout_fingerprint: 7, ..close_marker(0, 2, 3, 4) }, 3);
    rig.close(1, 2, 3, 4, 4);
    assert_eq!(rig.publish(), [], "cells that were built with other rules are withheld");
    assert_eq!(rig.merger.alarms().mixed, 2);
}

#[test]
fn window_is_not_published_if_a_combiner_withholds_it() {
    let mut rig = Rig::new();
    let layout_fingerprint = rig.merger.settings.rules.layout_fingerprint(1, 1);
    rig.close_with(
        CloseMarker {
            layout_fingerprint,
            withhold_before: Timestamp::EPOCH + MILLISECOND,
            ..close_marker(0, 1, 0, 1)
        },
        3,
    );
    rig.close_with(
        CloseMarker {
            layout_fingerprint,
            withhold_before: Timestamp::EPOCH + MILLISECOND,
            ..close_marker(0, 1, 1, 2)
        },
        3,
    );
    assert_eq!(rig.publish(), [(2, 3)]);
}

#[test]
fn cells_that_arrive_during_a_publication_do_not_form_a_second_table() {
    let mut rig = Rig::new();
    rig.close(0, 1, 0, 1, 3);
    rig.merger.publish(rig.now).unwrap();
    // The partition count in this close marker shows that partitions were added.
    rig.close(1, 2, 0, 1, 4);
    rig.merger.committed();
    rig.close(0, 2, 1, 2, 5);
    rig.close(1, 2, 1, 2, 6);
    assert_eq!(rig.publish(), [(2, 11)]);
}

#[test]
fn restart_reads_needed_partials_again_and_publishes_no_window_twice() {
    let mut rig = Rig::new();
    rig.close(0, 2, 0, 1, 3);
    rig.close(1, 2, 0, 2, 4);
    assert_eq!(rig.publish(), [(1, 3)]);
    assert_eq!(rig.merger.idle_commit().0, 2, "partition 1 is needed for the second window");
    let same = rig.merger.settings.clone();
    rig.restart(same);
    assert_eq!(rig.publish(), []);
    rig.close(0, 2, 1, 2, 5);
    assert_eq!(rig.publish(), [(2, 9)]);
    assert_eq!(*rig.merger.alarms(), Alarms::default());
}

#[test]
fn changed_policy_applies_only_to_windows_that_begin_after_the_restart() {
    let mut rig = Rig::new();
    rig.close(0, 1, 0, 1, 3);
    assert_eq!(rig.publish(), [(1, 3)]);
    rig.now = end(2) - MILLISECOND;
    rig.restart(settings(3));
    rig.close(0, 1, 1, 2, 9);
    rig.close(0, 1, 2, 3, 9);
    assert_eq!(rig.publish(), [(3, 9)]);
}

#[test]
fn windows_below_the_floor_are_never_published() {
    let start = Start { floor: end(2), ..fresh() };
    let mut rig = Rig { merger: Merger::new(settings(2), &start, 0, Timestamp::EPOCH), ..Rig::new() };
    rig.close(0, 1, 0, 2, 3);
    rig.close(0, 1, 2, 3, 4);
    assert_eq!(rig.publish(), [(3, 4)]);
}

#[test]
fn unreadable_partial_stops_the_partition() {
    let mut merger = Merger::new(settings(2), &fresh(), 0, Timestamp::EPOCH);
    let failed = |error| Err(EngineError::Wire { partition: 0, offset: 5, error });
    assert_eq!(merger.record(b"", 5, Timestamp::EPOCH), failed(WireError::Corrupt));
    assert_eq!(merger.record(&[wire::VERSION, 9, 9], 5, Timestamp::EPOCH), failed(WireError::Corrupt));
    assert_eq!(merger.record(&[200, 0, 0], 5, Timestamp::EPOCH), failed(WireError::Version(200)));
}

#[test]
fn another_process_publishes_the_same_bytes_with_noise() {
    let plain = settings(10);
    let noisy = || {
        let shape = PolicySettings {
            k: 10,
            breakdowns: plain.rules.breakdowns.common().to_vec(),
            ..PolicySettings::default()
        };
        let budget = PrivacySettings { epsilon: 10.0, delta: 1e-8, window: W, idle: plain.rules.idle };
        let policy = Policy::differential_privacy(shape, &budget).unwrap().keyed(Secret::new([5; 32]));
        Arc::new(MergerSettings { policies: policy.into(), ..(*plain).clone() })
    };
    let mut rig = Rig { merger: Merger::new(noisy(), &fresh(), 0, Timestamp::EPOCH), ..Rig::new() };
    rig.close(0, 2, 0, 1, 2_000);
    rig.close(1, 2, 0, 1, 1_000);
    let rows = |merger: &mut Merger| {
        let rollups = merger.publish(Timestamp::EPOCH).unwrap().rollups.iter();
        rollups.map(|row| (row.sessions(), row.json())).collect::<Vec<_>>()
    };
    let abandoned = rows(&mut rig.merger);
    assert!(
        abandoned.len() == 1
            && abandoned[0].0.abs_diff(3_000).clamp(1, 300) == abandoned[0].0.abs_diff(3_000)
    );
    let mut next = Merger::new(noisy(), &fresh(), 0, Timestamp::EPOCH);
    for (offset, bytes) in rig.log.iter().enumerate() {
        next.record(bytes, offset as i64, Timestamp::EPOCH).unwrap();
    }
    assert_eq!(rows(&mut next), abandoned);
    assert_ne!(
        next.idle_commit().1.policy,
        Merger::new(plain.clone(), &fresh(), 0, Timestamp::EPOCH).idle_commit().1.policy
    );
}
