//! The identities of a session's recent beacons, for recognising repetitions.

use crate::sessions::session::{Assertion, Now};

/// The number of identities up to which a scan is faster than a map. With more, the time for a flood from one session
/// would be quadratic.
const FEW: usize = 48;

/// Identities, and the time at which each was last observed.
#[derive(Debug)]
pub(crate) struct Identities {
    /// The greatest observed identity, initially 0. A later beacon has a greater one, which need not be searched.
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

    /// Returns one of the last observed identities, or 0.
    pub(crate) fn last(&self) -> u64 {
        self.few.last().map_or(0, |(identity, _)| *identity)
    }

    /// Records that this identity was observed now. Returns the time at which it was last observed, if any.
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
