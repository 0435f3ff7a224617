//! The released row and its JSON.

use std::sync::Arc;

use crowdfold_airlock::{Dimension, ErrorClass};
use crowdfold_rollup::{Label, Sums, Window};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::fold::Row;
use crate::privacy::Noisy;
use crate::spread::Spread;
use crate::{Policy, drilldown_name};

#[cfg(test)]
mod tests;

/// The schema of the rows. A new number for each change that could break a reader.
const SCHEMA: &str = "crowdfold.rollup/1";

/// Most rows are shorter, bytes.
const USUAL_LENGTH: usize = 1024;

/// How many of the source partitions a window was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Partitions that came.
    pub partitions: u32,
    /// Partitions there are.
    pub of: u32,
}

/// What the rows of one table have in common.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) tenant: Box<str>,
    pub(crate) window: Window,
    pub(crate) drilldown: Box<[Dimension]>,
    pub(crate) rows: usize,
    pub(crate) coverage: Option<Coverage>,
    pub(crate) policy: PolicyNote,
    pub(crate) histogram: bool,
}

/// A row that stands for a crowd. Only [`release()`](crate::release()) makes one:
///
/// ```compile_fail,E0451
/// fn forge(row: crowdfold_release::Rollup) -> crowdfold_release::Rollup {
///     crowdfold_release::Rollup { sessions: 1, ..row }
/// }
/// ```
/// ```compile_fail,E0624
/// let forge = crowdfold_release::Rollup::new;
/// ```
///
/// It holds what is published and nothing more: percentiles and ranges, no distribution.
#[derive(Debug)]
pub struct Rollup {
    head: Arc<Head>,
    row: usize,
    label: Label,
    sessions: u64,
    sums: Sums,
    startup: Spread,
    bandwidth: Spread,
    bitrate: Spread,
}

impl Rollup {
    /// Row number `row` (from 1) of the table. The caller has seen to it that the cell is a crowd.
    pub(crate) fn new(head: &Arc<Head>, row: usize, Row { label, cell }: Row) -> Self {
        Self {
            row,
            label,
            sessions: cell.sessions,
            sums: cell.sums,
            startup: Spread::of(&cell.startup, head.histogram),
            bandwidth: Spread::of(&cell.bandwidth, head.histogram),
            // a ladder of few steps: percentiles say it all
            bitrate: Spread::of(&cell.bitrate, false),
            head: Arc::clone(head),
        }
    }

    /// Row number `row` (from 1) of the table, of numbers that are covered with noise.
    pub(crate) fn of_noisy(head: &Arc<Head>, row: usize, label: Label, noisy: Noisy) -> Self {
        let Noisy { sessions, sums, startup, bandwidth, bitrate } = noisy;
        Self { row, label, sessions, sums, startup, bandwidth, bitrate, head: Arc::clone(head) }
    }

    /// The key of its record, `tenant/os.browser/1795308480000`: the same for all rows of a table, so that they lie
    /// together.
    #[must_use]
    pub fn key(&self) -> String {
        let Head { tenant, window, drilldown, .. } = &*self.head;
        format!("{tenant}/{}/{}", drilldown_name(drilldown), window.start)
    }

    /// Its tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.head.tenant
    }

    /// Its window.
    #[must_use]
    pub fn window(&self) -> Window {
        self.head.window
    }

    /// The dimensions of its table.
    #[must_use]
    pub fn drilldown(&self) -> &[Dimension] {
        &self.head.drilldown
    }

    /// Its value for each of them, `*` for the rest of a node.
    pub fn label(&self) -> impl Iterator<Item = &str> {
        self.label.iter().map(|value| &**value)
    }

    /// The distinct sessions it stands for, with noise where the policy wants it.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// The reports of those sessions.
    #[must_use]
    pub const fn beacons(&self) -> u64 {
        self.sums.beacons
    }

    /// The value of its record: one line of JSON, `crowdfold.rollup/1`.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(USUAL_LENGTH);
        // Cannot fail: keys are strings, and a Vec takes everything.
        let written = serde_json::to_writer(&mut json, &Wire::from(self));
        debug_assert!(written.is_ok());
        json
    }
}

/// The published form, in the order of its fields.
#[derive(serde::Serialize)]
struct Wire<'a> {
    schema: &'static str,
    tenant: &'a str,
    window: WireWindow,
    drilldown: Names<'a>,
    dimensions: Values<'a>,
    row: usize,
    rows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    sessions: u64,
    beacons: u64,
    attempts: u64,
    plays: u64,
    startup_failures: u64,
    playback_failures: u64,
    playing_ms: u64,
    stalled_ms: u64,
    stalls: u64,
    dropped_frames: u64,
    switches: u64,
    errors: Errors<'a>,
    startup_ms: &'a Spread,
    bandwidth_kbps: &'a Spread,
    bitrate_kbps: &'a Spread,
    policy: PolicyNote,
}

#[derive(serde::Serialize)]
struct WireWindow {
    start: u64,
    end: u64,
}

/// What each row says of the policy that let it leave.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct PolicyNote {
    name: &'static str,
    k: u64,
    #[serde(flatten)]
    privacy: Option<PrivacyNote>,
}

/// Budget of a session and day, standard deviation of the count's noise, threshold.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct PrivacyNote {
    epsilon: f64,
    delta: f64,
    sigma: f64,
    tau: u64,
}

impl From<&Policy> for PolicyNote {
    fn from(policy: &Policy) -> Self {
        let note = |privacy: &crate::Privacy| PrivacyNote {
            epsilon: privacy.epsilon(),
            delta: privacy.delta(),
            sigma: privacy.sigma().to_f64(),
            tau: privacy.tau(),
        };
        Self { name: policy.name(), k: policy.k(), privacy: policy.privacy().map(note) }
    }
}

impl<'a> From<&'a Rollup> for Wire<'a> {
    fn from(rollup: &'a Rollup) -> Self {
        let Rollup { head, row, label, sessions, sums, startup, bandwidth, bitrate } = rollup;
        Self {
            schema: SCHEMA,
            tenant: &head.tenant,
            window: WireWindow { start: head.window.start, end: head.window.end },
            drilldown: Names(&head.drilldown),
            dimensions: Values(&head.drilldown, label),
            row: *row,
            rows: head.rows,
            coverage: head.coverage.filter(|coverage| coverage.partitions < coverage.of),
            sessions: *sessions,
            beacons: sums.beacons,
            attempts: sums.attempts,
            plays: sums.plays,
            startup_failures: sums.startup_failures,
            playback_failures: sums.playback_failures,
            playing_ms: sums.playing_ms,
            stalled_ms: sums.stalled_ms,
            stalls: sums.stalls,
            dropped_frames: sums.dropped_frames,
            switches: sums.switches,
            errors: Errors(&sums.errors),
            startup_ms: startup,
            bandwidth_kbps: bandwidth,
            bitrate_kbps: bitrate,
            policy: head.policy,
        }
    }
}

struct Names<'a>(&'a [Dimension]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|dimension| dimension.name()))
    }
}

struct Values<'a>(&'a [Dimension], &'a Label);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            self.0.iter().map(|dimension| dimension.name()).zip(self.1.iter().map(|value| &**value)),
        )
    }
}

struct Errors<'a>(&'a [u64; ErrorClass::COUNT]);

impl Serialize for Errors<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (class, sessions) in
            ErrorClass::ALL.into_iter().zip(self.0).filter(|(_, sessions)| **sessions > 0)
        {
            map.serialize_entry(class.name(), sessions)?;
        }
        map.end()
    }
}
