//! The oracle is a second, simple implementation of the design, which the worker is tested against.
//!
//! It takes the beacons of every partition in log order, and returns the expected output: the cells before folding, the
//! tables after it, and the ledger. It shares no code with the worker (not with `airlock`, `engine` or `release`). It
//! keeps every beacon in memory, and compares text with text. A reader can check it against these rules:
//!
//! 1. *Outcome* of a beacon: the first that applies of rejected, excluded, opted out, late, duplicate, and otherwise
//!    inserted. A rejected or excluded beacon is ignored, except that its opt-out takes effect. An opt-out takes effect
//!    regardless of other errors, if the session and the tenant are readable.
//! 2. *Time*: the event time is the earlier of the beacon's `ts` and its record's timestamp. A `ts` that differs from
//!    its record's timestamp by more than ten years is absent, and the record's timestamp is used. A beacon without a
//!    record timestamp has no time if its `ts` differs from the machine's clock by more than ten years. The watermark
//!    of a partition is its highest record timestamp minus the lateness. It moves after all beacons of the record are
//!    inserted. A window closes when the watermark reaches its end. At the end of the input all windows close.
//! 3. *State* of a session: the values that its beacons asserted. Each field has its own value, which is the last one
//!    in log order. An assertion in a record at time a is in effect at a record of time t if t ≤ a + H, and if it is at
//!    most H before the end of the last closed window. (A replay starts there and must have the same result. This makes
//!    a difference only for a record far behind the watermark.) The same applies to the states in CMCD. The state
//!    before a new one is the state in effect with the latest time by its clock, and the time between the two is
//!    attributed to it (`playback.rs`).
//! 4. *Session summary*: the sum of the inserted beacons of one session in one window, clamped.
//! 5. *Folding* with a margin: see [`fold`].
//! 6. *The detail table* contains everything. Other tables contain session counts, and with a secret also the
//!    contributions of sessions after clamps and the budget of each session (`bounded.rs`). The worker adds noise to
//!    those sums, and the oracle does not.
//!
//! The oracle does not cover behaviour that these rules leave open: addresses, user agents, catalogues and redaction of
//! text (dimension values are used unchanged), numbers that are not whole or are out of range, dates, text that is not
//! UTF-8, overload, misplaced sessions, the cap on cells, histograms, and draws of noise.

mod attempts;
mod beacon;
mod bounded;
mod cell;
mod cmcd;
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
pub use fold::{Row, fold, possible_rests};
pub use ledger::{Beacons, Ledger, Released};
pub use numbers::{percentile, two_digits};

use partition::Partition;

/// A duration, or a timestamp since the Unix epoch, in milliseconds.
pub type Millis = u64;

/// One record of a partition, or one line of a file.
#[derive(Clone)]
pub struct Record {
    /// The record's timestamp. Lines of a file have none, and use the `ts` of each beacon instead.
    pub timestamp: Option<Millis>,
    /// One JSON object, an array of them, or NDJSON. CMCD is a query if it begins with `CMCD=`, and lines of event mode
    /// if it begins with `e=`.
    pub payload: Vec<u8>,
}

/// The configuration of the worker under test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The catalogue of tenants.
    pub tenants: Vec<String>,
    /// The tenant of beacons that do not name one.
    pub default_tenant: String,
    /// The length of a window (w), in ms.
    pub window: Millis,
    /// The lateness (L), in ms.
    pub lateness: Millis,
    /// The time for which an assertion of a session is in effect (H), in ms.
    pub idle: Millis,
    /// The maximum time by which a beacon may be ahead of its record, in ms.
    pub max_skew: Millis,
    /// The machine's clock, if record timestamps are checked against it (files, `trust_timestamps`).
    pub now: Option<Millis>,
    /// True if the log contains all records that were ever written to it, as a file does. Otherwise implied attempts do
    /// not count in windows that begin within `idle` of the first record.
    pub whole_history: bool,
    /// Tenants whose beacons are all excluded.
    pub child_directed_tenants: Vec<String>,
    /// Contents whose beacons are all excluded.
    pub child_directed_content: Vec<String>,
    /// The minimum number of sessions of a row.
    pub k: u64,
    /// The names of the dimensions of each breakdown.
    pub breakdowns: Vec<Vec<String>>,
    /// The breakdown of the detail table.
    pub detail: Detail,
    /// The minimum number of possible sizes of the rest in a star row. The default is the smaller of 10 and k/2.
    pub margin: Option<u64>,
    /// The standard deviation of the noise, in clamps.
    pub noise: u64,
    /// The maximum sum of (value ÷ clamp)² for one session. `None` is only for tests of a comparison.
    pub budget: Option<u64>,
    /// True if there is a secret for the noise.
    pub secret: bool,
    /// The rules of tenants that have their own.
    pub own: BTreeMap<String, TenantRules>,
    /// The thresholds of a good session.
    pub quality: Quality,
    /// The thresholds of tenants that have their own.
    pub own_quality: BTreeMap<String, Quality>,
}

/// The thresholds of a good session.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// The longest startup time, in ms.
    pub startup_ms: u64,
    /// The largest rebuffering ratio, in millionths.
    pub rebuffering: u64,
    /// The smallest bitrate, in kbit/s.
    pub bitrate_kbps: u64,
}

impl Default for Quality {
    fn default() -> Self {
        Self { startup_ms: 2_000, rebuffering: 10_000, bitrate_kbps: 0 }
    }
}

/// The choice of the detail table, which contains everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The last breakdown.
    #[default]
    Last,
    /// No detail table.
    None,
    /// The breakdown with this index.
    Index(usize),
}

/// The rules of a tenant that replace the common ones.
#[derive(Clone, Debug)]
pub struct TenantRules {
    /// The minimum number of sessions of a row.
    pub k: u64,
    /// The breakdowns.
    pub breakdowns: Vec<Vec<String>>,
    /// The detail table.
    pub detail: Detail,
    /// The minimum number of possible sizes of the rest in a star row.
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
            quality: Quality::default(),
            own_quality: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Returns the thresholds of a good session of a tenant.
    #[must_use]
    pub fn quality_of(&self, tenant: &str) -> Quality {
        self.own_quality.get(tenant).copied().unwrap_or(self.quality)
    }

    /// Returns the k of a tenant.
    #[must_use]
    pub fn k_of(&self, tenant: &str) -> u64 {
        self.own.get(tenant).map_or(self.k, |own| own.k)
    }

    /// Returns the breakdowns of a tenant.
    #[must_use]
    pub fn breakdowns_of(&self, tenant: &str) -> &[Vec<String>] {
        self.own.get(tenant).map_or(&self.breakdowns, |own| &own.breakdowns)
    }

    /// Returns the index of a tenant's detail table among its breakdowns.
    #[must_use]
    pub fn detail_of(&self, tenant: &str) -> Option<usize> {
        match self.own.get(tenant).map_or(self.detail, |own| own.detail) {
            Detail::Last => self.breakdowns_of(tenant).len().checked_sub(1),
            Detail::None => None,
            Detail::Index(index) => Some(index),
        }
    }

    /// Returns the margin of a tenant.
    #[must_use]
    pub fn margin_of(&self, tenant: &str) -> u64 {
        let margin = self.own.get(tenant).map_or(self.margin, |own| own.margin);
        margin.unwrap_or_else(|| (self.k_of(tenant) / 2).min(10))
    }

    /// Returns true if a timestamp is too far ahead of the machine's clock.
    fn is_ahead(&self, timestamp: Millis) -> bool {
        self.now.is_some_and(|now| timestamp > now + self.max_skew)
    }
}

/// Identifies a table. Keys are ordered by window, then tenant, then breakdown as configured, as `fold` prints them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableKey {
    /// The first millisecond of the window.
    pub start: Millis,
    /// The tenant.
    pub tenant: String,
    /// The index into [`Settings::breakdowns_of`] the tenant.
    pub breakdown: usize,
}

/// The cells of a table. The key has one value for each dimension of the breakdown. The value is the sum of the session
/// summaries.
pub type Cells = BTreeMap<Vec<String>, Cell>;

/// The expected output.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The cells before folding, of every tenant and window with a session.
    pub cells: BTreeMap<TableKey, Cells>,
    /// The rows after folding, in the order of cell keys. A table without published rows has no entry.
    pub tables: BTreeMap<TableKey, Vec<Row>>,
    /// The counts of beacons, session-windows and windows by outcome.
    pub ledger: Ledger,
}

/// Evaluates a whole log, which consists of the records of each partition in order. All beacons of a session must be in
/// one partition.
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
