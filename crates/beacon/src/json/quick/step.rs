//! The steps that a reader remembers.

use crate::{Field, Number, Text};

/// No step.
pub(super) const NONE: u16 = u16::MAX;

/// The target of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A text of ours, and its index.
    Text(Text, u8),
    /// A number of ours.
    Number(NumberSlot),
    /// A truth value of ours.
    Flag(Field),
    /// A value, or an object with fields of ours: the index of its node.
    Inside(usize),
    /// A value that we do not care for.
    Skip,
    /// The end of the beacon.
    End,
}

/// A number of a beacon, with its index and the whole numbers whose unit is certain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberSlot {
    pub(super) field: Number,
    pub(super) index: u8,
    /// The smallest and the largest of these numbers.
    pub(super) range: (u64, u64),
}

impl From<Field> for What {
    fn from(field: Field) -> Self {
        match field {
            Field::Text(text) => Self::Text(text, text.index() as u8),
            Field::Number(number) => Self::Number(NumberSlot {
                field: number,
                index: number.index() as u8,
                range: number.plain_range(),
            }),
            Field::Fatal | Field::OptOut => Self::Flag(field),
        }
    }
}

/// From the end of one value to the next.
pub(super) struct Step {
    /// The bytes between them, up to the colon.
    pub(super) lead: Box<[u8]>,
    /// The same once more where they are few, to be compared without a loop.
    head: Head,
    /// The node that the key lies in.
    pub(super) node: usize,
    pub(super) what: What,
    /// The two steps that followed it last, the latest one first.
    pub(super) next: [u16; 2],
}

impl Step {
    pub(super) fn new(lead: &[u8], node: usize, what: What) -> Self {
        Self { lead: lead.into(), head: Head::new(lead), node, what, next: [NONE; 2] }
    }

    /// Returns its length if the bytes begin with it.
    #[inline(always)]
    pub(super) fn fits(&self, bytes: &[u8]) -> Option<usize> {
        let fits = match bytes.first_chunk() {
            Some(bytes) if self.lead.len() <= HEAD => self.head.fits(bytes),
            _ => bytes.starts_with(&self.lead),
        };
        fits.then_some(self.lead.len())
    }
}

/// Most bytes of a step that are compared without a loop.
const HEAD: usize = 24;

/// At most [`HEAD`] bytes, as words, and which of their bits count.
struct Head {
    words: [u64; HEAD / 8],
    mask: [u64; HEAD / 8],
}

impl Head {
    fn new(lead: &[u8]) -> Self {
        let (mut bytes, mut mask) = ([0; HEAD], [0; HEAD]);
        for (at, byte) in lead.iter().take(HEAD).enumerate() {
            (bytes[at], mask[at]) = (*byte, u8::MAX);
        }
        Self { words: words(&bytes), mask: words(&mask) }
    }

    fn fits(&self, bytes: &[u8; HEAD]) -> bool {
        let read = words(bytes);
        (0..HEAD / 8).fold(0, |differs, at| differs | (read[at] ^ self.words[at]) & self.mask[at]) == 0
    }
}

fn words(bytes: &[u8; HEAD]) -> [u64; HEAD / 8] {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(chunks[at]))
}
