//! The beacons of a session that were heard of late, to know repetitions by.

use crate::session::{Now, Said};

/// Up to here a scan is quicker than a map; beyond it a session that floods must not cost the square of its beacons.
const FEW: usize = 48;

/// Identities and when each was last heard.
#[derive(Debug)]
pub(crate) struct Identities {
    /// The greatest that was ever heard, at first 0. Later beacons have greater ones, and need not be looked for.
    greatest: u64,
    few: Vec<(u64, Said)>,
    many: Option<Box<Many>>,
}

#[derive(Debug)]
struct Many {
    heard: hashbrown::HashMap<u64, Said, ahash::RandomState>,
    sweep_at: usize,
}

impl Identities {
    pub(crate) const fn new() -> Self {
        Self { greatest: 0, few: Vec::new(), many: None }
    }

    /// One of those heard last, or 0.
    pub(crate) fn last(&self) -> u64 {
        self.few.last().map_or(0, |(identity, _)| *identity)
    }

    /// When this identity was last heard; from now on, now.
    pub(crate) fn heard(&mut self, identity: u64, said: Said, now: &Now) -> Option<Said> {
        if let Some(many) = &mut self.many {
            return many.heard(identity, said, now);
        }
        if identity > self.greatest {
            self.greatest = identity;
        } else if let Some((_, before)) = self.few.iter_mut().rev().find(|(known, _)| *known == identity) {
            return Some(std::mem::replace(before, said));
        }
        if self.few.len() == self.few.capacity() {
            self.few.retain(|(_, said)| !said.is_past(now));
        }
        if self.few.len() == FEW {
            let heard = self.few.drain(..).collect();
            let many = self.many.insert(Box::new(Many { heard, sweep_at: 4 * FEW }));
            return many.heard(identity, said, now);
        }
        self.few.push((identity, said));
        None
    }
}

impl Many {
    fn heard(&mut self, identity: u64, said: Said, now: &Now) -> Option<Said> {
        let before = self.heard.insert(identity, said);
        if self.heard.len() >= self.sweep_at {
            self.heard.retain(|_, said| !said.is_past(now));
            self.sweep_at = (2 * self.heard.len()).max(4 * FEW);
        }
        before
    }
}
