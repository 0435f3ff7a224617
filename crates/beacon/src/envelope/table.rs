//! The texts that a record already contains. A text that occurs again is written as its number.

use std::hash::{BuildHasher as _, Hasher as _};

use ahash::RandomState;

use super::{CLIENT, MOST_LISTED, UNLISTED, varint};

/// The number of slots. It must be a power of two.
const SLOTS: usize = 1_024;

/// The maximum length of a listed text in bytes. Longer texts seldom occur again.
const LONGEST: usize = 1_024;

/// The texts of the record under construction. The hash of a text selects its slot, and a slot contains the last text
/// that selected it. Therefore a text may be listed several times, and a collision only makes a record longer.
#[derive(Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// The keys of the hash.
    keys: RandomState,
    listed: Listed,
}

/// The number of listed texts and of listed clients. Both are numbered from 0.
#[derive(Clone, Copy, Default)]
pub(super) struct Listed {
    texts: u16,
    clients: u16,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// The position of the text in the record. The position of an unused slot is 0, at which no text can be.
    start: u32,
    length: u16,
    code: u8,
    number: u16,
}

impl Table {
    pub(super) fn with_fixed_keys() -> Self {
        Self { keys: RandomState::with_seeds(1, 2, 3, 4), ..Self::default() }
    }

    /// Writes a text: as a number if it is listed, and otherwise with its bytes. Texts with different codes are
    /// different.
    pub(super) fn write(&mut self, code: u8, text: &[u8], into: &mut Vec<u8>) {
        let listed = if code == CLIENT { &mut self.listed.clients } else { &mut self.listed.texts };
        if text.len() > LONGEST || *listed >= MOST_LISTED {
            varint::write(UNLISTED, into);
            return varint::write_text(text, into);
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot::default());
        }
        let slot = &mut self.slots[slot_of(&self.keys, code, text)];
        let start = slot.start as usize;
        if start > 0
            && slot.code == code
            && into.get(start..start + usize::from(slot.length)).is_some_and(|known| known == text)
        {
            return varint::write(u64::from(slot.number) + 2, into);
        }
        varint::write(UNLISTED + 1, into);
        varint::write_text(text, into);
        let start = into.len() - text.len();
        *slot = Slot { start: start as u32, length: text.len() as u16, code, number: *listed };
        *listed += 1;
    }

    pub(super) const fn listed(&self) -> Listed {
        self.listed
    }

    /// Removes the texts from a position of the record on. `listed` are the numbers of texts before this position.
    pub(super) fn truncate(&mut self, position: usize, listed: Listed) {
        let after = |slot: &&mut Slot| slot.start as usize >= position;
        self.slots.iter_mut().filter(after).for_each(|slot| *slot = Slot::default());
        self.listed = listed;
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(Slot::default());
        self.listed = Listed::default();
    }
}

/// Returns the slot of a text.
fn slot_of(keys: &RandomState, code: u8, text: &[u8]) -> usize {
    let mut hasher = keys.build_hasher();
    hasher.write_u8(code);
    hasher.write(text);
    hasher.finish() as usize % SLOTS
}
