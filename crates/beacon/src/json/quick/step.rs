//! The steps that the reader remembers.

use crate::{Field, Number, Text};

/// The absence of a step.
pub(super) const NONE: u16 = u16::MAX;

/// The target of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StepTarget {
    /// A text field, and its index.
    Text(Text, u8),
    /// A number field.
    Number(NumberSlot),
    /// A boolean field.
    Flag(Field),
    /// The index of a child node. The value may be an object with used fields.
    Inside(usize),
    /// An unused value.
    Skip,
    /// The end of the beacon.
    End,
}

/// A number field with its index, and the range of whole numbers with a certain unit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberSlot {
    pub(super) field: Number,
    pub(super) index: u8,
    /// The smallest and the largest of these numbers.
    pub(super) range: (u64, u64),
}

impl From<Field> for StepTarget {
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

/// A step from the end of one value to the start of the next.
pub(super) struct Step {
    /// The bytes between the values, up to the colon.
    pub(super) lead: Box<[u8]>,
    /// The same bytes in a form that is compared without a loop, if they are few.
    head: Head,
    /// The node of the key.
    pub(super) node: usize,
    pub(super) what: StepTarget,
    /// The last two steps that followed it, the latest one first.
    pub(super) next: [u16; 2],
}

impl Step {
    pub(super) fn new(lead: &[u8], node: usize, what: StepTarget) -> Self {
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

/// The maximum number of bytes of a step that are compared without a loop.
const HEAD: usize = 24;

/// At most [`HEAD`] bytes as words, with a mask of the bits to compare.
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
