//! The sessions of one partition, and their session summaries in open windows.

use std::collections::VecDeque;
use std::sync::Arc;

use crowdfold_airlock::{Dictionary, Observation, SessionHash, Symbol};
use crowdfold_model::{Timestamp, Window};

use crate::Rules;
use crate::sessions::attempts::{InWindow, WindowContext};
use crate::sessions::outcome::Outcome;
use crate::sessions::session::{Assertion, Now, Session};
use crate::sessions::session_summary::SessionSummary;
use crate::windows::{ClosedWindow, Plan, tabulate};

/// The sessions of one partition, and their session summaries in open windows.
#[derive(Debug)]
pub struct SessionStore {
    rules: Arc<Rules>,
    plan: Plan,
    /// A hash table of indexes into `sessions`, by session hash.
    index: hashbrown::HashTable<u32>,
    sessions: Vec<Session>,
    /// The last reported value of each dimension slot. The number of consecutive entries of each session is the number
    /// of slots.
    asserted: Vec<Symbol>,
    windows: VecDeque<Open>,
    /// A scratch buffer for [`Self::warm`], kept between calls to avoid allocation.
    near: Vec<u32>,
    closed_until: Timestamp,
    /// Attempts without a reported start do not count in windows that start before this time, because the records
    /// before such a window may be unknown.
    history_from: Timestamp,
    open: usize,
    open_beacons: u64,
}

/// An open window. Its session summaries are in the order of their creation. In `dimensions`, the number of consecutive
/// entries of each summary is the number of slots.
#[derive(Debug)]
struct Open {
    start: Timestamp,
    summaries: Vec<SessionSummary>,
    dimensions: Vec<Symbol>,
}

impl SessionStore {
    /// Creates an empty store. `tenants` contains the names of tenants, and beacons refer to them by index. Windows
    /// that end at or before `closed_until` are closed.
    #[must_use]
    pub fn new(rules: Arc<Rules>, tenants: &[String], closed_until: Timestamp) -> Self {
        Self {
            plan: Plan::new(&rules, tenants),
            rules,
            index: hashbrown::HashTable::new(),
            sessions: Vec::new(),
            asserted: Vec::new(),
            windows: VecDeque::new(),
            near: Vec::new(),
            closed_until,
            history_from: Timestamp::EPOCH,
            open: 0,
            open_beacons: 0,
        }
    }

    /// Returns the end of the last closed window.
    #[must_use]
    pub const fn closed_until(&self) -> Timestamp {
        self.closed_until
    }

    /// Returns the end of the newest open window, or `None` if no window is open.
    #[must_use]
    pub fn last_end(&self) -> Option<Timestamp> {
        self.windows.back().map(|open| open.start + self.rules.window)
    }

    /// Sets the time before which history is unknown. Attempts without a reported start do not count in windows that
    /// start before `from`.
    pub const fn set_history(&mut self, from: Timestamp) {
        self.history_from = from;
    }

    /// Returns the number of open session-windows.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Returns the number of beacons in the session summaries of open windows.
    #[must_use]
    pub const fn open_beacons(&self) -> u64 {
        self.open_beacons
    }

    /// Returns the number of sessions in memory.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Prefetches the memory for inserting these beacons, so that cache misses overlap. Does not change the state.
    pub fn warm<'a>(&mut self, beacons: impl Iterator<Item = &'a Observation>) {
        let mut near = std::mem::take(&mut self.near);
        near.clear();
        let find = |beacon: &Observation| {
            let hash = beacon.session_hash().get();
            self.index.find(hash, |at| self.sessions[*at as usize].hash == hash)
        };
        near.extend(beacons.filter_map(find).copied());
        let newest = self.windows.back();
        let mut seen = 0;
        for at in near.iter().map(|at| *at as usize) {
            let session = &self.sessions[at];
            let some = |values: &[Symbol], row: usize| {
                values.get(row * self.plan.slots.len()).is_some_and(|value| value.is_some())
            };
            seen ^= session.last_identity() ^ u64::from(some(&self.asserted, at));
            if let Some(open) = newest
                && let Some(summary) = session.open_summaries.find(open.start)
            {
                let summary = summary as usize;
                seen ^= open.summaries[summary].beacons ^ u64::from(some(&open.dimensions, summary));
            }
        }
        std::hint::black_box(seen);
        self.near = near;
    }

    /// Adds a beacon to its session and window. Returns the outcome. `record` is the timestamp of the beacon's
    /// record.
    pub fn insert(&mut self, beacon: &Observation, record: Timestamp) -> Outcome {
        if beacon.excluded() {
            let withdrawn = if beacon.opt_out() { self.withdraw(beacon.session_hash(), record) } else { 0 };
            return Outcome::Excluded(withdrawn);
        }
        let Some(at) = self.session(beacon.session_hash()) else { return Outcome::Overload };
        let now =
            Now { record, idle: self.rules.idle, horizon: self.closed_until.saturating_sub(self.rules.idle) };
        let mut reported = self.assert_values(at, beacon);
        let window = Window::of(beacon.event_time(), self.rules.window);
        let is_late = window.end <= self.closed_until;
        let existing = if is_late { None } else { self.existing_summary(at, window.start) };
        let in_window = existing.map_or_else(InWindow::default, |(window, summary)| {
            self.windows[window].summaries[summary].in_window
        });
        let context = WindowContext { window: window.start, implied: window.start >= self.history_from };
        let observed = self.sessions[at].observe(beacon, context, in_window, &now);
        // Players repeat a code after the error is over. A repeated code is not an error in this window, so it is not
        // used as a dimension value.
        if !observed.has_new_code {
            reported &= !self.plan.error_bit;
        }
        let outcome = if observed.opted_out {
            Outcome::OptedOut(if beacon.opt_out() { self.remove_open_summaries(at) } else { 0 })
        } else if is_late {
            Outcome::Late
        } else if observed.duplicate {
            Outcome::Duplicate
        } else {
            let (window, summary) =
                existing.unwrap_or_else(|| self.summary(at, window.start, beacon.tenant().0));
            let summary = self.fill(at, window, summary, reported, &now);
            summary.add(beacon.measures(), &observed, beacon.network_bit());
            self.open_beacons += 1;
            Outcome::Inserted
        };
        #[cfg(feature = "seeded-bugs")]
        if outcome == Outcome::Duplicate
            && crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::DuplicateStatesNothing)
        {
            return outcome;
        }
        // Other windows must not inherit an error code.
        reported &= !self.plan.error_bit;
        self.sessions[at].reported_slots.report(reported, Assertion::at(record));
        outcome
    }

    /// Records that a session opted out in a rejected beacon. `record` is the time of the beacon's record. Returns
    /// the number of the session's beacons that were removed from open windows.
    pub fn withdraw(&mut self, session: SessionHash, record: Timestamp) -> u64 {
        let Some(at) = self.session(session) else { return 0 };
        self.sessions[at].opt_out(record);
        self.remove_open_summaries(at)
    }

    /// Closes every window that ends at or before `until`, and removes sessions whose assertions have all expired.
    /// Returns the cells of the closed windows.
    pub fn close(&mut self, until: Timestamp, dictionary: &Dictionary) -> Vec<ClosedWindow> {
        let mut closed = Vec::new();
        while self.windows.front().is_some_and(|open| open.start + self.rules.window <= until) {
            let Some(open) = self.windows.pop_front() else { break };
            self.open -= open.summaries.iter().filter(|summary| !summary.gone).count();
            self.open_beacons -= open.summaries.iter().filter(|s| !s.gone).map(|s| s.beacons).sum::<u64>();
            let window = Window::at(open.start, self.rules.window);
            closed.push(tabulate(
                window,
                &open.summaries,
                &open.dimensions,
                &self.plan,
                &self.rules,
                dictionary,
            ));
        }
        if until > self.closed_until {
            self.closed_until = until;
            self.forget();
        }
        closed
    }

    /// Returns every symbol that a session or an open session summary uses.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        let inherited = self.asserted.iter().copied();
        inherited.chain(self.windows.iter().flat_map(|open| open.dimensions.iter().copied()))
    }

    /// Returns the index of a session. If the session is new, it is added. Returns `None` if the session is new and the
    /// maximum number of sessions is reached.
    fn session(&mut self, session: SessionHash) -> Option<usize> {
        let hash = session.get();
        if let Some(at) = self.index.find(hash, |at| self.sessions[*at as usize].hash == hash) {
            return Some(*at as usize);
        }
        if self.sessions.len() >= self.rules.max_sessions {
            return None;
        }
        let at = self.sessions.len();
        let index = u32::try_from(at).ok()?;
        self.index.insert_unique(hash, index, |at| self.sessions[*at as usize].hash);
        self.sessions.push(Session::new(hash));
        self.asserted.resize(self.asserted.len() + self.plan.slots.len(), Symbol::NONE);
        Some(at)
    }

    /// Returns the location of a session's summary in the window that starts at `start`. The location consists of the
    /// index of the window and the index of the summary in it. Returns `None` if the session has no summary in this
    /// window.
    fn existing_summary(&self, session: usize, start: Timestamp) -> Option<(usize, usize)> {
        let summary = self.sessions[session].open_summaries.find(start)?;
        let window = self.windows.iter().rposition(|open| open.start == start)?;
        Some((window, summary as usize))
    }

    /// Adds a session summary. Returns its location, which consists of the index of the window and the index of the
    /// summary in it.
    fn summary(&mut self, session: usize, start: Timestamp, tenant: u16) -> (usize, usize) {
        let window = self.window(start);
        let open = &mut self.windows[window];
        let session = &mut self.sessions[session];
        let summary = open.summaries.len();
        open.summaries.push(SessionSummary::new(tenant));
        open.dimensions.resize(open.dimensions.len() + self.plan.slots.len(), Symbol::NONE);
        session
            .open_summaries
            .add((start, summary as u32), |start| start + self.rules.window > self.closed_until);
        self.open += 1;
        (window, summary)
    }

    /// Stores the dimension values of a beacon as the last values of its session. Returns the slots that have a value
    /// in the beacon. Each slot has one bit.
    fn assert_values(&mut self, session: usize, beacon: &Observation) -> u32 {
        let slots = &self.plan.slots;
        let asserted = &mut self.asserted[session * slots.len()..][..slots.len()];
        let mut reported = 0;
        for (slot, (asserted, dimension)) in asserted.iter_mut().zip(slots).enumerate() {
            let value = beacon.dimension_at(*dimension);
            if value.is_some() {
                *asserted = value;
                reported |= 1 << slot;
            }
        }
        reported
    }

    /// Sets those dimension values of a session summary that are not set yet, from the last values of the session. If
    /// the window has a reported value, it replaces an inherited value. If the window has several reported values, the
    /// first one counts. `reported` contains the slots that the current beacon reports. Returns the session summary.
    fn fill(
        &mut self,
        session: usize,
        window: usize,
        summary: usize,
        reported: u32,
        now: &Now,
    ) -> &mut SessionSummary {
        let slots = self.plan.slots.len();
        let open = &mut self.windows[window];
        let seated = &mut open.summaries[summary];
        let first = reported & !seated.reported;
        let missing = ((1 << slots) - 1) & !self.plan.error_bit & !seated.filled & !reported;
        let inherited =
            if missing == 0 { 0 } else { self.sessions[session].reported_slots.valid(missing, now) };
        let new = first | inherited;
        if new != 0 {
            seated.reported |= first;
            seated.filled |= new;
            let asserted = &self.asserted[session * slots..][..slots];
            let dimensions = &mut open.dimensions[summary * slots..][..slots];
            for (slot, (value, asserted)) in dimensions.iter_mut().zip(asserted).enumerate() {
                if new & 1 << slot != 0 {
                    *value = *asserted;
                }
            }
        }
        seated
    }

    /// Returns the index of the open window that starts at `start`. If there is no such window, creates it. The search
    /// begins with the newest window, because most beacons belong to it.
    fn window(&mut self, start: Timestamp) -> usize {
        let after = self.windows.iter().rposition(|open| open.start <= start);
        match after {
            Some(at) if self.windows[at].start == start => at,
            after => {
                let at = after.map_or(0, |at| at + 1);
                // The new window will probably have as many session summaries as the newest one.
                let room = self.windows.back().map_or(0, |open| open.summaries.len());
                let dimensions = Vec::with_capacity(room * self.plan.slots.len());
                let summaries = Vec::with_capacity(room);
                self.windows.insert(at, Open { start, summaries, dimensions });
                at
            }
        }
    }

    /// Removes the session summaries of a session from all open windows. Returns the number of their beacons.
    fn remove_open_summaries(&mut self, session: usize) -> u64 {
        let mut beacons = 0;
        for (start, summary) in self.sessions[session].open_summaries.take() {
            let Some(open) = self.windows.iter_mut().find(|open| open.start == start) else { continue };
            let summary = &mut open.summaries[summary as usize];
            summary.gone = true;
            beacons += summary.beacons;
            self.open -= 1;
        }
        self.open_beacons -= beacons;
        beacons
    }

    /// Removes the sessions whose assertions have all expired. The last session then gets the index of the removed
    /// session.
    fn forget(&mut self) {
        let horizon = self.closed_until.saturating_sub(self.rules.idle);
        let slots = self.plan.slots.len();
        let mut at = 0;
        while at < self.sessions.len() {
            if self.sessions[at].seen >= horizon {
                at += 1;
                continue;
            }
            let last = self.sessions.len() - 1;
            self.reindex(at, None);
            if at != last {
                self.reindex(last, Some(at));
            }
            self.sessions.swap_remove(at);
            if at != last {
                self.asserted.copy_within(last * slots..(last + 1) * slots, at * slots);
            }
            self.asserted.truncate(last * slots);
        }
    }

    /// Changes the index of a session in the hash table. If `to` is `None`, removes the session from the hash table.
    fn reindex(&mut self, from: usize, to: Option<usize>) {
        let found = self.index.find_entry(self.sessions[from].hash, |at| *at as usize == from);
        match (found, to) {
            (Ok(mut entry), Some(to)) => *entry.get_mut() = to as u32,
            (Ok(entry), None) => drop(entry.remove()),
            (Err(_), _) => unreachable!("every session is in the index"),
        }
    }
}

#[cfg(test)]
mod tests;
