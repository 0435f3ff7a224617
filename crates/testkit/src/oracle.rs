//! The oracle: a second, simple implementation of the design. Tests compare the output of the worker with it.
//!
//! Its input is the records of every partition, in the order of the log. Its output is the cells before folding, the
//! tables after folding, and the ledger. It shares no code with the worker (`airlock`, `engine`, `release`). For
//! simplicity, it keeps every beacon in memory. It implements these rules:
//!
//! 1. *Outcome* of a beacon: the first that applies of rejected, excluded, opted out, late and duplicate. If none
//!    applies, the beacon is inserted. A rejected or excluded beacon is ignored, except that its opt-out takes effect.
//!    An opt-out takes effect regardless of other errors, if the session and the tenant are readable.
//! 2. *Time*: the event time is the earlier of the beacon's `ts` and the record's timestamp. A `ts` that differs from
//!    the record's timestamp by more than ten years is not used. A beacon without a record timestamp has no time if its
//!    `ts` differs from the machine's clock by more than ten years. The watermark of a partition is its highest record
//!    timestamp minus the lateness. It moves after all beacons of a record are inserted. A window closes when the
//!    watermark reaches its end. At the end of the input all windows close.
//! 3. *State* of a session: the values that its beacons assert, such as a dimension value or an opt-out. The last value
//!    of a field in log order is its value. An assertion expires. H is the idle timeout. An assertion in a record with
//!    timestamp a affects a record with timestamp t only under two conditions: t ≤ a + H, and a is at most H before the
//!    end of the last closed window. (After a restart, the worker reads again from that point, and the result must be
//!    the same. The second condition matters only for records far behind the watermark.) An assertion that has not
//!    expired is called *live*. CMCD states expire in the same way. The time between two CMCD states is attributed to
//!    the earlier one, by the player's clock (`playback.rs`).
//! 4. *Session summary*: the sums over the inserted beacons of one session in one window. Each sum is clamped.
//! 5. *Folding* with a margin: see [`fold`].
//! 6. *The detail table* contains all numbers. Other tables contain session counts. If there is a secret, they also
//!    contain sums of the sessions' amounts, which are limited by clamps and by the noise budget of each session
//!    (`bounded.rs`). The worker adds noise to these sums, and the oracle does not.
//!
//! The oracle does not implement addresses, user agents, catalogues, the redaction of dimension values (they are used
//! unchanged), numbers that are not whole or out of range, dates, strings that are not UTF-8, overload, sessions in
//! the wrong partition, the maximum number of cells, histograms, and noise.

mod attempts;
mod beacon;
mod bounded;
mod cell;
mod cmcd;
mod custom;
mod fold;
mod ledger;
mod numbers;
mod partition;
mod playback;
mod rollup;
mod session_summary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use bounded::{BOUNDED, BUDGET, clamp_of, contribution};
pub use cell::{Cell, Sums};
pub use custom::Custom;
pub use fold::{Row, fold, possible_rests};
pub use ledger::{Beacons, Ledger, Released};
pub use numbers::{percentile, two_digits};

use partition::Partition;

/// A duration, or a timestamp since the Unix epoch, in milliseconds.
pub type Millis = u64;

/// One record of a partition, or one line of a file.
#[derive(Clone)]
pub struct Record {
    /// The timestamp of the record. For a line of a file, it is `None`, and the `ts` of each beacon is used instead.
    pub timestamp: Option<Millis>,
    /// One JSON object, an array of objects, or lines of JSON. A payload that begins with `CMCD=` is a CMCD query, and
    /// a payload that begins with `e=` consists of lines of CMCD event mode.
    pub payload: Vec<u8>,
}

/// The configuration of the worker under test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The names of the tenants.
    pub tenants: Vec<String>,
    /// The tenant of beacons without the field `tenant`.
    pub default_tenant: String,
    /// The length of a window, in milliseconds.
    pub window: Millis,
    /// The lateness, in milliseconds: the time for which a window stays open after its end.
    pub lateness: Millis,
    /// The idle timeout (H), in milliseconds: the time after which an assertion of a session expires.
    pub idle: Millis,
    /// The maximum time by which a beacon may be ahead of its record, in milliseconds.
    pub max_skew: Millis,
    /// The current time by the machine's clock. It is `None` if record timestamps are not compared with it. They are
    /// compared for files and with `source.trust_timestamps`.
    pub now: Option<Millis>,
    /// True if the log contains all records that were ever written to it, as a file does. If false, a play or failure
    /// without a reported attempt does not imply an attempt in windows that begin within `idle` of the first record.
    pub whole_history: bool,
    /// The tenants whose beacons are excluded.
    pub child_directed_tenants: Vec<String>,
    /// The content ids whose beacons are excluded.
    pub child_directed_content: Vec<String>,
    /// The minimum number of sessions of a row.
    pub k: u64,
    /// The names of the dimensions of each breakdown.
    pub breakdowns: Vec<Vec<String>>,
    /// The breakdown whose table is the detail table.
    pub detail: Detail,
    /// The minimum number of possible sizes of the small group in a row with `*`. `None` means the smaller of 10 and
    /// k/2.
    pub margin: Option<u64>,
    /// The standard deviation of the noise, as a multiple of the clamp of each field.
    pub noise: u64,
    /// The noise budget: the maximum of the sum of (value ÷ clamp)² over the fields of one session. `None` means no
    /// limit. Only one test uses `None`. This test verifies that the comparison with the worker detects a missing
    /// limit.
    pub budget: Option<u64>,
    /// True if there is a secret for the noise. If false, tables other than the detail table contain session counts
    /// only.
    pub secret: bool,
    /// The rules of each tenant that has its own rules.
    pub own: BTreeMap<String, TenantRules>,
    /// The custom dimensions.
    pub custom: Vec<Custom>,
    /// The thresholds for a good session.
    pub quality: Quality,
    /// The thresholds for a good session of each tenant that has its own thresholds.
    pub own_quality: BTreeMap<String, Quality>,
}

/// The thresholds that a session must satisfy to count as good.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// The longest startup time, in milliseconds.
    pub startup_ms: u64,
    /// The highest rebuffering ratio, in millionths.
    pub rebuffering: u64,
    /// The lowest mean bitrate, in kbit/s.
    pub bitrate_kbps: u64,
}

impl Default for Quality {
    fn default() -> Self {
        Self { startup_ms: 2_000, rebuffering: 10_000, bitrate_kbps: 0 }
    }
}

/// The choice of the detail table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The table of the last breakdown.
    #[default]
    Last,
    /// There is no detail table.
    None,
    /// The table of the breakdown with this index.
    Index(usize),
}

/// The rules of a tenant that replace those of [`Settings`].
#[derive(Clone, Debug)]
pub struct TenantRules {
    /// The minimum number of sessions of a row.
    pub k: u64,
    /// The names of the dimensions of each breakdown.
    pub breakdowns: Vec<Vec<String>>,
    /// The breakdown whose table is the detail table.
    pub detail: Detail,
    /// The minimum number of possible sizes of the small group in a row with `*`.
    pub margin: Option<u64>,
}

impl Default for Settings {
    /// Returns the defaults of the configuration, with one tenant.
    fn default() -> Self {
        let breakdowns: [&[&str]; 5] = [
            &["country", "asn"],
            &["device", "os", "browser"],
            &["player", "player_version"],
            &["stream", "format", "content"],
            &["cdn", "connection"],
        ];
        Self {
            tenants: vec!["default".into()],
            default_tenant: "default".into(),
            window: 60_000,
            lateness: 30_000,
            idle: 90_000,
            max_skew: 60_000,
            now: None,
            whole_history: true,
            child_directed_tenants: Vec::new(),
            child_directed_content: Vec::new(),
            k: 50,
            breakdowns: breakdowns
                .iter()
                .map(|names| names.iter().map(|name| (*name).into()).collect())
                .collect(),
            detail: Detail::Last,
            margin: None,
            noise: 8,
            budget: Some(BUDGET),
            secret: false,
            own: BTreeMap::new(),
            custom: Vec::new(),
            quality: Quality::default(),
            own_quality: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Returns the thresholds for a good session of this tenant.
    #[must_use]
    pub fn quality_of(&self, tenant: &str) -> Quality {
        self.own_quality.get(tenant).copied().unwrap_or(self.quality)
    }

    /// Returns the minimum number of sessions per row of this tenant.
    #[must_use]
    pub fn k_of(&self, tenant: &str) -> u64 {
        self.own.get(tenant).map_or(self.k, |own| own.k)
    }

    /// Returns the breakdowns of this tenant.
    #[must_use]
    pub fn breakdowns_of(&self, tenant: &str) -> &[Vec<String>] {
        self.own.get(tenant).map_or(&self.breakdowns, |own| &own.breakdowns)
    }

    /// Returns the index of the breakdown whose table is the detail table of this tenant. Returns `None` if it has no
    /// detail table.
    #[must_use]
    pub fn detail_of(&self, tenant: &str) -> Option<usize> {
        match self.own.get(tenant).map_or(self.detail, |own| own.detail) {
            Detail::Last => self.breakdowns_of(tenant).len().checked_sub(1),
            Detail::None => None,
            Detail::Index(index) => Some(index),
        }
    }

    /// Returns the margin of this tenant.
    #[must_use]
    pub fn margin_of(&self, tenant: &str) -> u64 {
        let margin = self.own.get(tenant).map_or(self.margin, |own| own.margin);
        margin.unwrap_or_else(|| (self.k_of(tenant) / 2).min(10))
    }

    /// Returns true if a timestamp is ahead of the machine's clock by more than the permitted skew.
    fn is_ahead(&self, timestamp: Millis) -> bool {
        self.now.is_some_and(|now| timestamp > now + self.max_skew)
    }
}

/// Identifies a table. Keys are ordered by window, tenant and breakdown, which is the order in which `crowdfold fold`
/// prints tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableKey {
    /// The start of the window.
    pub start: Millis,
    /// The name of the tenant.
    pub tenant: String,
    /// The index of the breakdown in the list that [`Settings::breakdowns_of`] returns for this tenant.
    pub breakdown: usize,
}

/// The cells of a table, by the values of the dimensions of the breakdown.
pub type Cells = BTreeMap<Vec<String>, Cell>;

/// The output that is expected from the worker.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The cells of every table before folding.
    pub cells: BTreeMap<TableKey, Cells>,
    /// The rows of every table after folding, ordered by their dimension values. A table without rows has no entry.
    pub tables: BTreeMap<TableKey, Vec<Row>>,
    /// The numbers of beacons, session-windows and windows by outcome.
    pub ledger: Ledger,
}

/// Computes the expected output for a topic. `log` contains the records of each partition, in order. All beacons of a
/// session must be in the same partition.
#[must_use]
pub fn evaluate(log: &[Vec<Record>], settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let mut windows = BTreeSet::new();
    let mut beacons_of = BTreeMap::<(Millis, String), u64>::new();
    let mut session_windows_of = BTreeMap::<(Millis, String), u64>::new();

    for records in log {
        let mut partition = Partition::new(settings);
        for record in records {
            partition.read(record);
        }
        let (counts, summaries) = partition.finish();
        outcome.ledger.beacons.add(&counts);
        for (key, summary) in summaries {
            let (window, session) = ((key.start, key.tenant), key.session);
            *beacons_of.entry(window.clone()).or_default() += summary.beacons();
            *session_windows_of.entry(window.clone()).or_default() += 1;
            for (breakdown, dimensions) in settings.breakdowns_of(&window.1).iter().enumerate() {
                let key = TableKey { start: window.0, tenant: window.1.clone(), breakdown };
                let cell_key = dimensions.iter().map(|dimension| summary.dimension(dimension)).collect();
                outcome
                    .cells
                    .entry(key)
                    .or_default()
                    .entry(cell_key)
                    .or_default()
                    .add(&summary.cell(&session, &window.1, settings));
            }
            windows.insert(window);
        }
    }

    for window in windows {
        let (session_windows, beacons) = (session_windows_of[&window], beacons_of[&window]);
        let ledger = &mut outcome.ledger;
        if session_windows >= settings.k_of(&window.1) {
            ledger.windows.released += 1;
            ledger.session_windows.released += session_windows;
            ledger.beacons.released += beacons;
        } else {
            ledger.windows.withheld += 1;
            ledger.session_windows.withheld += session_windows;
            ledger.beacons.withheld += beacons;
        }
    }
    for (key, cells) in &outcome.cells {
        let rows = fold(cells, settings.k_of(&key.tenant), settings.margin_of(&key.tenant));
        if !rows.is_empty() {
            outcome.tables.insert(key.clone(), rows);
        }
    }
    outcome
}
