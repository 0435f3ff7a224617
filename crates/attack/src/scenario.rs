//! Builds one window of one tenant: its sessions, their activity, and the row of each session in each table. The
//! published rows are built from it. Attacks read only these rows, and their results are compared with the scenario.

use std::collections::BTreeMap;

use crowdfold_testkit::oracle::{self, BOUNDED, BUDGET, Cell, Cells, contribution};

use crate::random::Random;
use crate::traffic::{Activity, CellKey, Profile, TABLES};

/// The length of the windows in ms.
pub(crate) const WINDOW: u64 = 60_000;

/// The number of fields with noise.
pub(crate) const FIELDS: usize = BOUNDED.len();

/// A number for each field, in the order of [`BOUNDED`].
pub(crate) type Fields = [i64; FIELDS];

/// The rules for building rows. Unlike in the program, each rule can be disabled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) k: u64,
    pub(crate) margin: u64,
    /// The standard deviation of the noise in clamps. 0 disables the noise.
    pub(crate) noise: u64,
    /// True if the contribution of each session is limited by the budget.
    pub(crate) budget: bool,
    /// The index of the detail table.
    pub(crate) detail: usize,
}

impl Default for Rules {
    /// Returns the program's defaults.
    fn default() -> Self {
        Self { k: 50, margin: 10, noise: 8, budget: true, detail: TABLES.len() - 1 }
    }
}

impl Rules {
    /// Returns the contribution of a session to the tables other than the detail table.
    pub(crate) fn adds(&self, activity: &Activity) -> Fields {
        let Activity { sums, startup_ms, bitrate_kbps, bandwidth_kbps } = activity;
        let budget = self.budget.then_some(BUDGET);
        let adds = contribution(sums, *startup_ms, *bitrate_kbps, *bandwidth_kbps, WINDOW, budget);
        BOUNDED.map(|(field, ..)| adds[field] as i64)
    }
}

/// Returns the contribution of a session to the detail table.
pub(crate) fn raw(activity: &Activity) -> Fields {
    let Activity { sums, startup_ms, bitrate_kbps, bandwidth_kbps } = activity;
    BOUNDED.map(|(field, ..)| {
        let value = match field {
            "attempts" => sums.attempts,
            "plays" => sums.plays,
            "startup_failures" => sums.startup_failures,
            "playback_failures" => sums.playback_failures,
            "stalls" => sums.stalls,
            "stalled_ms" => sums.stalled_ms,
            "dropped_frames" => sums.dropped_frames,
            "switches" => sums.switches,
            "playing_ms" => sums.playing_ms,
            "startup_ms" => startup_ms.unwrap_or(0),
            "bitrate_kbps" => bitrate_kbps.unwrap_or(0),
            "bandwidth_kbps" => bandwidth_kbps.unwrap_or(0),
            error => sums.errors.get(&error["errors.".len()..]).copied().unwrap_or(0),
        };
        value as i64
    })
}

#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) profile: Profile,
    pub(crate) activity: Activity,
    /// The index of the bit of its network.
    pub(crate) network: u32,
}

impl Session {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let profile = Profile::draw(random);
        let activity = profile.minute(random);
        Self { profile, activity, network: random.below(64) as u32 }
    }
}

/// A group of sessions before noise.
#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) cell_key: CellKey,
    pub(crate) sessions: u64,
    /// The bits of the networks of its sessions, as [`Cell`] has them.
    pub(crate) networks: u64,
    pub(crate) adds: Fields,
    pub(crate) raw: Fields,
}

impl Group {
    fn new(cell_key: CellKey, sessions: u64) -> Self {
        Self { cell_key, sessions, networks: 0, adds: [0; FIELDS], raw: [0; FIELDS] }
    }
}

/// One table of a scenario.
pub(crate) struct Folded {
    /// The cells before folding, in the order of cell keys.
    pub(crate) leaves: Vec<Group>,
    /// The rows, in the order of cell keys.
    pub(crate) rows: Vec<Group>,
    /// For each row, the number of rows that were merged with its small rest, and the number of sessions of that rest.
    pub(crate) taken: Vec<(u64, u64)>,
    /// The index of the row that contains each leaf.
    row_of_leaf: Vec<usize>,
    leaf_of_session: Vec<usize>,
}

impl Folded {
    fn new(sessions: &[Session], adds: &[Fields], table: usize, rules: &Rules) -> Self {
        let mut by_cell_key = BTreeMap::<CellKey, Vec<usize>>::new();
        for (at, session) in sessions.iter().enumerate() {
            by_cell_key.entry(session.profile.cell_keys[table].clone()).or_default().push(at);
        }
        let mut leaf_of_session = vec![0; sessions.len()];
        let mut leaves = Vec::with_capacity(by_cell_key.len());
        let mut cells = Cells::new();
        for (leaf, (cell_key, members)) in by_cell_key.into_iter().enumerate() {
            let mut group = Group::new(cell_key, members.len() as u64);
            for at in members {
                group.networks |= 1 << sessions[at].network;
                leaf_of_session[at] = leaf;
                let raw = raw(&sessions[at].activity);
                for field in 0..FIELDS {
                    group.adds[field] += adds[at][field];
                    group.raw[field] += raw[field];
                }
            }
            // The oracle needs session ids. The index of the leaf serves as an id.
            let session_ids = [leaf.to_string()].into();
            cells.insert(
                group.cell_key.to_vec(),
                Cell { sessions: group.sessions, session_ids, ..Cell::default() },
            );
            leaves.push(group);
        }
        let mut row_of_leaf = vec![usize::MAX; leaves.len()];
        let folded = oracle::fold(&cells, rules.k, rules.margin);
        let mut rows = Vec::with_capacity(folded.len());
        let taken = folded.iter().map(|row| (row.taken, row.rest)).collect();
        for row in folded {
            let mut group = Group::new(row.cell_key.into(), row.cell.sessions);
            for leaf in row.cell.session_ids.iter().filter_map(|name| name.parse::<usize>().ok()) {
                row_of_leaf[leaf] = rows.len();
                for field in 0..FIELDS {
                    group.adds[field] += leaves[leaf].adds[field];
                    group.raw[field] += leaves[leaf].raw[field];
                }
            }
            rows.push(group);
        }
        Self { leaves, rows, taken, row_of_leaf, leaf_of_session }
    }

    /// Returns the index of the row that contains a session.
    pub(crate) fn row_of(&self, session: usize) -> usize {
        self.row_of_leaf[self.leaf_of_session[session]]
    }

    /// Returns the index of the leaf that contains a session.
    pub(crate) fn leaf_of(&self, session: usize) -> usize {
        self.leaf_of_session[session]
    }
}

/// One window.
pub(crate) struct Scenario {
    pub(crate) rules: Rules,
    pub(crate) sessions: Vec<Session>,
    /// The contribution of each session to the tables other than the detail table.
    pub(crate) adds: Vec<Fields>,
    pub(crate) tables: Vec<Folded>,
    /// The start of the window.
    pub(crate) start: u64,
}

impl Scenario {
    pub(crate) fn new(sessions: Vec<Session>, rules: Rules) -> Self {
        let adds: Vec<_> = sessions.iter().map(|session| rules.adds(&session.activity)).collect();
        let tables = (0..TABLES.len()).map(|table| Folded::new(&sessions, &adds, table, &rules)).collect();
        Self { rules, sessions, adds, tables, start: 1_795_308_480_000 }
    }

    /// Returns a window of ordinary traffic.
    pub(crate) fn ordinary(live: usize, rules: Rules, random: &mut Random) -> Self {
        Self::new((0..live).map(|_| Session::draw(random)).collect(), rules)
    }

    /// Replaces the activity of one session.
    pub(crate) fn replace(&mut self, session: usize, activity: Activity) {
        let adds = self.rules.adds(&activity);
        let (raw_before, raw_now) = (raw(&self.sessions[session].activity), raw(&activity));
        for table in &mut self.tables {
            let (leaf, row) = (table.leaf_of(session), table.row_of(session));
            let groups = [table.leaves.get_mut(leaf), table.rows.get_mut(row)];
            for group in groups.into_iter().flatten() {
                for field in 0..FIELDS {
                    group.adds[field] += adds[field] - self.adds[session][field];
                    group.raw[field] += raw_now[field] - raw_before[field];
                }
            }
        }
        self.adds[session] = adds;
        self.sessions[session].activity = activity;
    }
}
