//! The oracle: a naive second reading of the design, to test the worker against.
//!
//! It takes the beacons of every partition in log order and says what must come out: the cells before folding, the
//! tables after it, and the ledger. It shares no code with the worker (neither `airlock` nor `engine` or
//! `release`), keeps everything it ever read, compares text with text, and is written to be checked by reading it
//! beside the rules:
//!
//! 1. *Outcome* of a beacon, the first that applies: rejected, excluded, opted out, late, duplicate, otherwise
//!    inserted.
//!    What is rejected or excluded states nothing, but where it opts its session out: that holds whatever else is wrong,
//!    if session and tenant can be read.
//! 2. *Time*: event time is the earlier of the beacon's `ts` and its record's timestamp. A `ts` that is more than ten years
//!    from its record's timestamp is absent, and the record's counts; without one, and so far from the machine's clock,
//!    it is no time. The watermark of a partition
//!    is its highest record timestamp less the lateness, moved once all beacons of the record are inserted. A window is
//!    closed when the watermark reaches its end; all are at the end of the input.
//! 3. *State* of a session is what its beacons asserted, each field for itself, the last in log order. An assertion of
//!    a record at time a holds at a record of time t when t ≤ a + H, and when it is no older than H before the end of
//!    the last closed window (a replay starts there and must find the same; only a record far behind the watermark
//!    can tell the difference).
//!    What CMCD states is no exception: of the states that hold, the latest by their clock is the one before a new one,
//!    and the time between is its own ([`playback`]).
//! 4. *Session summary*: the sum of the inserted beacons of one session in one window, clamped.
//! 5. *Folding*, with a margin: see [`fold`].
//! 6. *The detail table* shows everything; other tables show session counts, and where there is a secret what sessions
//!    add after clamps and the budget of each ([`bounded`]). The worker adds noise to those sums; here they stand as
//!    they are.
//!
//! It stays outside what is not fixed by those rules: addresses, user agents, catalogues and redaction of text
//! (dimension values are taken as they stand), numbers that are not whole or out of range, dates, texts that are not
//! UTF-8, overload, misplaced sessions, the cap on cells, histograms, draws of noise.

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

/// Milliseconds: a length of time, or a moment since the Unix epoch.
pub type Millis = u64;

/// One record of a partition, or one line of a file.
#[derive(Clone)]
pub struct Record {
    /// The record's timestamp. `None` for a line of a file: then each beacon's own `ts` stands for it.
    pub timestamp: Option<Millis>,
    /// One JSON object, an array of them, or NDJSON; or CMCD, a query where it begins with `CMCD=`, event-mode lines
    /// where it begins with `e=`.
    pub payload: Vec<u8>,
}

/// What the configuration of the worker under test says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The catalogue of tenants.
    pub tenants: Vec<String>,
    /// The tenant of beacons that name none.
    pub default_tenant: String,
    /// Length of a window (w), ms.
    pub window: Millis,
    /// Lateness (L), ms.
    pub lateness: Millis,
    /// How long what a session said holds (H), ms.
    pub idle: Millis,
    /// How far a beacon's time may be ahead, ms.
    pub max_skew: Millis,
    /// The machine's clock, where record timestamps are checked against it (files, `trust_timestamps`).
    pub now: Option<Millis>,
    /// The log has all records that were ever written to it, as a file has. Otherwise attempts that are only implied do
    /// not count in windows that begin within `idle` of the first record.
    pub whole_history: bool,
    /// Tenants that are dropped whole.
    pub child_directed_tenants: Vec<String>,
    /// Contents that are dropped whole.
    pub child_directed_content: Vec<String>,
    /// The least number of sessions a row stands for.
    pub k: u64,
    /// Names of dimensions, breakdown by breakdown.
    pub breakdowns: Vec<Vec<String>>,
    /// Which breakdown is the detail table.
    pub detail: Detail,
    /// The least number of sizes that a star row leaves for its rest; by default the smaller of 10 and k/2.
    pub margin: Option<u64>,
    /// Standard deviations of noise, in clamps.
    pub noise: u64,
    /// What (value ÷ clamp)² may add up to for one session; `None` only to see that a comparison notices.
    pub budget: Option<u64>,
    /// There is a secret to draw noise with.
    pub secret: bool,
    /// Tenants that have rules of their own.
    pub own: BTreeMap<String, Own>,
}

/// The breakdown whose table shows everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The last one.
    #[default]
    Last,
    /// No breakdown.
    None,
    /// The one of that index.
    Index(usize),
}

/// The rules that a tenant may have in place of the common ones.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its k.
    pub k: u64,
    /// Its breakdowns.
    pub breakdowns: Vec<Vec<String>>,
    /// Its detail table.
    pub detail: Detail,
    /// Its margin.
    pub margin: Option<u64>,
}

impl Default for Settings {
    /// The defaults of the configuration, with one tenant.
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
        }
    }
}

impl Settings {
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

    /// Whether a moment is further ahead of the machine's clock than may be.
    fn is_ahead(&self, moment: Millis) -> bool {
        self.now.is_some_and(|now| moment > now + self.max_skew)
    }
}

/// Which table: compares by window, then tenant, then breakdown as configured, the order in which `fold` prints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableKey {
    /// First millisecond of the window.
    pub start: Millis,
    /// The tenant.
    pub tenant: String,
    /// Index into [`Settings::breakdowns_of`] that tenant.
    pub breakdown: usize,
}

/// The cells of a table: one value for each dimension of the breakdown, mapped to the sum of its session summaries.
pub type Cells = BTreeMap<Vec<String>, Cell>;

/// What must come out.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Before folding, of every tenant and window with a session.
    pub cells: BTreeMap<TableKey, Cells>,
    /// After folding, in the order of cell keys; no entry where nothing is published.
    pub tables: BTreeMap<TableKey, Vec<Row>>,
    /// The counts of beacons, session-windows and windows by outcome.
    pub ledger: Ledger,
}

/// Judges a whole log: the records of each partition in order. A session must lie in one partition.
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
                    .add(&summary.cell(&session, settings));
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
