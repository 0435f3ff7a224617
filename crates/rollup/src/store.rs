//! The sessions of one partition and their sittings in the windows that are open.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crowdfold_airlock::{Dictionary, Dimension, Millis, Observation, Reason, Symbol};

use crate::session::{Asserted, Now, Said, Session};
use crate::sitting::Sitting;
use crate::tabulate::{ClosedWindow, tabulate};
use crate::{Counts, Rules, Window};

/// What became of a beacon, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No room for another session ([`Reason::Overload`]).
    Overload,
    /// Its tenant, content or device is never counted.
    Excluded,
    /// Its session asked not to be counted; so many beacons of its open sittings went with it.
    OptedOut(u64),
    /// Its window is closed.
    Late,
    /// It repeats an earlier one.
    Duplicate,
    /// It is in its session's sitting.
    Placed,
}

/// The sessions of one partition and their sittings in the windows that are open.
#[derive(Debug)]
pub struct Sittings {
    rules: Arc<Rules>,
    slots: Vec<Dimension>,
    index: hashbrown::HashMap<u64, u32, BuildHasherDefault<TagHasher>>,
    sessions: Vec<Session>,
    /// What was last asserted, `slots.len()` for each session.
    asserted: Vec<Asserted>,
    windows: VecDeque<Open>,
    closed_until: Millis,
    open: usize,
    open_beacons: u64,
}

/// An open window: its sittings in the order in which they began, and their dimensions, `slots.len()` each.
#[derive(Debug)]
struct Open {
    start: Millis,
    sittings: Vec<Sitting>,
    dimensions: Vec<Symbol>,
}

impl Sittings {
    /// None yet. Windows that end at or before `closed_until` are closed.
    #[must_use]
    pub fn new(rules: Arc<Rules>, closed_until: Millis) -> Self {
        Self {
            slots: rules.slots(),
            rules,
            index: hashbrown::HashMap::default(),
            sessions: Vec::new(),
            asserted: Vec::new(),
            windows: VecDeque::new(),
            closed_until,
            open: 0,
            open_beacons: 0,
        }
    }

    /// The end of the last closed window.
    #[must_use]
    pub const fn closed_until(&self) -> Millis {
        self.closed_until
    }

    /// The end of the newest open window, ms.
    #[must_use]
    pub fn last_end(&self) -> Option<Millis> {
        self.windows.back().map(|open| open.start + self.rules.window)
    }

    /// Sittings in open windows.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Beacons of the sittings in open windows.
    #[must_use]
    pub const fn open_beacons(&self) -> u64 {
        self.open_beacons
    }

    /// Sessions that are remembered.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Judges a beacon and puts it where it belongs. `record` is the timestamp of its record.
    pub fn place(&mut self, beacon: &Observation, record: Millis) -> Verdict {
        if beacon.excluded() {
            return Verdict::Excluded;
        }
        let Some(at) = self.session(beacon) else { return Verdict::Overload };
        let now =
            Now { record, idle: self.rules.idle, horizon: self.closed_until.saturating_sub(self.rules.idle) };
        let heard = self.sessions[at].hear(beacon, &now);
        let window = Window::of(beacon.event_time(), self.rules.window);
        let verdict = if heard.opted_out {
            Verdict::OptedOut(if beacon.opt_out() { self.take_out(at) } else { 0 })
        } else if window.end <= self.closed_until {
            Verdict::Late
        } else if heard.duplicate {
            Verdict::Duplicate
        } else {
            let (window, sitting) = self.sitting(at, window.start, beacon.tenant().0);
            let asserted = &self.asserted[at * self.slots.len()..][..self.slots.len()];
            let open = &mut self.windows[window];
            let dimensions = &mut open.dimensions[sitting * self.slots.len()..][..self.slots.len()];
            let sitting = &mut open.sittings[sitting];
            for (slot, dimension) in self.slots.iter().enumerate() {
                let reported = beacon.dimension(*dimension);
                if reported.is_some() {
                    if sitting.reported & 1 << slot == 0 {
                        sitting.reported |= 1 << slot;
                        dimensions[slot] = reported;
                    }
                } else if !dimensions[slot].is_some() && asserted[slot].said.holds(&now) {
                    dimensions[slot] = asserted[slot].value;
                }
            }
            sitting.add(beacon.measures(), &heard, beacon.network_bit());
            self.open_beacons += 1;
            Verdict::Placed
        };
        self.assert_dimensions(at, beacon, record);
        verdict
    }

    /// Closes every window that ends at or before `until`, and forgets the sessions that nothing can ask for any more.
    pub fn close(&mut self, until: Millis, dictionary: &Dictionary) -> Vec<ClosedWindow> {
        let mut closed = Vec::new();
        while self.windows.front().is_some_and(|open| open.start + self.rules.window <= until) {
            let Some(open) = self.windows.pop_front() else { break };
            self.open -= open.sittings.iter().filter(|sitting| !sitting.gone).count();
            self.open_beacons -= open.sittings.iter().filter(|s| !s.gone).map(|s| s.beacons).sum::<u64>();
            let window = Window { start: open.start, end: open.start + self.rules.window };
            closed.push(tabulate(
                window,
                &open.sittings,
                &open.dimensions,
                &self.slots,
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

    /// Every symbol that a session or a sitting holds.
    pub fn held(&self) -> impl Iterator<Item = Symbol> + '_ {
        let inherited = self.asserted.iter().map(|asserted| asserted.value);
        inherited.chain(self.windows.iter().flat_map(|open| open.dimensions.iter().copied()))
    }

    /// The place of a beacon's session, a new one if there is room.
    fn session(&mut self, beacon: &Observation) -> Option<usize> {
        let tag = beacon.tag().hash();
        if let Some(at) = self.index.get(&tag) {
            return Some(*at as usize);
        }
        if self.sessions.len() >= self.rules.max_sessions {
            return None;
        }
        let at = self.sessions.len();
        self.index.insert(tag, u32::try_from(at).ok()?);
        self.sessions.push(Session::new(tag));
        self.asserted.resize(self.asserted.len() + self.slots.len(), Asserted::NOTHING);
        Some(at)
    }

    /// The place of a session's sitting: (index of the window, index in it).
    fn sitting(&mut self, session: usize, start: Millis, tenant: u16) -> (usize, usize) {
        let window = self.window(start);
        let open = &mut self.windows[window];
        let session = &mut self.sessions[session];
        if let Some((_, sitting)) = session.open.iter().find(|(window, _)| *window == start) {
            return (window, *sitting as usize);
        }
        let sitting = open.sittings.len();
        open.sittings.push(Sitting::new(tenant));
        open.dimensions.resize(open.dimensions.len() + self.slots.len(), Symbol::NONE);
        // windows that were closed since are of no more use here
        session.open.retain(|(start, _)| start + self.rules.window > self.closed_until);
        session.open.push((start, sitting as u32));
        self.open += 1;
        (window, sitting)
    }

    /// The index of an open window; windows are few and the newest is asked for most.
    fn window(&mut self, start: Millis) -> usize {
        let after = self.windows.iter().rposition(|open| open.start <= start);
        match after {
            Some(at) if self.windows[at].start == start => at,
            after => {
                let at = after.map_or(0, |at| at + 1);
                self.windows.insert(at, Open { start, sittings: Vec::new(), dimensions: Vec::new() });
                at
            }
        }
    }

    /// Takes a session's open sittings out; the number of their beacons.
    fn take_out(&mut self, session: usize) -> u64 {
        let mut beacons = 0;
        for (start, sitting) in std::mem::take(&mut self.sessions[session].open) {
            let Some(open) = self.windows.iter_mut().find(|open| open.start == start) else { continue };
            let sitting = &mut open.sittings[sitting as usize];
            sitting.gone = true;
            beacons += sitting.beacons;
            self.open -= 1;
        }
        self.open_beacons -= beacons;
        beacons
    }

    fn assert_dimensions(&mut self, session: usize, beacon: &Observation, record: Millis) {
        let asserted = &mut self.asserted[session * self.slots.len()..][..self.slots.len()];
        for (asserted, dimension) in asserted.iter_mut().zip(&self.slots) {
            let value = beacon.dimension(*dimension);
            if value.is_some() {
                *asserted = Asserted { value, said: Said::at(record) };
            }
        }
    }

    /// Forgets sessions of which nothing holds any more, by moving the last ones into their places.
    fn forget(&mut self) {
        let horizon = self.closed_until.saturating_sub(self.rules.idle);
        let slots = self.slots.len();
        let mut at = 0;
        while at < self.sessions.len() {
            if self.sessions[at].seen >= horizon {
                at += 1;
                continue;
            }
            let gone = self.sessions.swap_remove(at);
            self.index.remove(&gone.tag);
            let last = self.sessions.len();
            if let Some(moved) = self.sessions.get(at) {
                self.index.insert(moved.tag, at as u32);
                self.asserted.copy_within(last * slots..(last + 1) * slots, at * slots);
            }
            self.asserted.truncate(last * slots);
        }
    }
}

impl Verdict {
    /// Counts one beacon of this verdict.
    pub const fn count(self, counts: &mut Counts) {
        counts.read += 1;
        match self {
            Self::Overload => counts.rejected[Reason::Overload as usize] += 1,
            Self::Excluded => counts.excluded += 1,
            Self::OptedOut(with_it) => counts.opted_out += 1 + with_it,
            Self::Late => counts.late += 1,
            Self::Duplicate => counts.duplicate += 1,
            Self::Placed => {}
        }
    }
}

/// Tags are hashes already.
#[derive(Debug, Default)]
struct TagHasher(u64);

impl Hasher for TagHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("tags are u64")
    }
    fn write_u64(&mut self, tag: u64) {
        self.0 = tag;
    }
}

#[cfg(test)]
mod tests;
