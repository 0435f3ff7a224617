//! The identities of a session's recent beacons. They are used to recognise repeated beacons.

use crate::sessions::session::{Assertion, Now};

/// The maximum number of identities for which a linear search is used, because it is faster than a map. With more
/// identities, linear searches would make the time for many beacons of one session quadratic.
const FEW: usize = 48;

/// The identities of recent beacons, each with the last record that contained it.
#[derive(Debug)]
pub(crate) struct Identities {
    /// The greatest identity so far, or 0. A greater identity is new, so it is not searched for. Most beacons have a
    /// greater identity than the beacons before them.
    greatest: u64,
    few: Vec<(u64, Assertion)>,
    many: Option<Box<Many>>,
}

#[derive(Debug)]
struct Many {
    observed: hashbrown::HashMap<u64, Assertion, ahash::RandomState>,
    sweep_at: usize,
}

impl Identities {
    pub(crate) const fn new() -> Self {
        Self { greatest: 0, few: Vec::new(), many: None }
    }

    /// Returns one of the last identities, or 0 if there is no identity.
    pub(crate) fn last(&self) -> u64 {
        self.few.last().map_or(0, |(identity, _)| *identity)
    }

    /// Records that a beacon with this identity was observed. Returns the previous record with the same identity, or
    /// `None` if there was none.
    pub(crate) fn observed(&mut self, identity: u64, assertion: Assertion, now: &Now) -> Option<Assertion> {
        if let Some(many) = &mut self.many {
            return many.observed(identity, assertion, now);
        }
        if identity > self.greatest {
            self.greatest = identity;
        } else if let Some((_, before)) = self.few.iter_mut().rev().find(|(known, _)| *known == identity) {
            return Some(std::mem::replace(before, assertion));
        }
        if self.few.len() == self.few.capacity() {
            self.few.retain(|(_, assertion)| !assertion.is_past(now));
        }
        if self.few.len() == FEW {
            let observed = self.few.drain(..).collect();
            let many = self.many.insert(Box::new(Many { observed, sweep_at: 4 * FEW }));
            return many.observed(identity, assertion, now);
        }
        self.few.push((identity, assertion));
        None
    }
}

impl Many {
    fn observed(&mut self, identity: u64, assertion: Assertion, now: &Now) -> Option<Assertion> {
        let before = self.observed.insert(identity, assertion);
        if self.observed.len() >= self.sweep_at {
            self.observed.retain(|_, assertion| !assertion.is_past(now));
            self.sweep_at = (2 * self.observed.len()).max(4 * FEW);
        }
        before
    }
}
