//! The steps that the reader in [`super`] remembers.

use wide::u8x16;

use crate::Field;

/// The index that represents no step.
pub(super) const NONE: u16 = u16::MAX;

/// The maximum number of remembered steps that follow a step.
pub(super) const FOLLOWERS: usize = 4;

/// The action for the value after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Read a string field with this index. The step contains the opening quote of the value.
    Text(u8),
    /// Read a string field with this index. The step does not contain an opening quote.
    BareText(u8),
    /// Read a number field with this index.
    Number(u8),
    /// Read a boolean field.
    Flag,
    /// Read the object with this node. If the value is not an object, skip it.
    Inside(usize),
    /// Skip the value of an unknown key.
    Skip,
    /// Stop, because the beacon ends.
    End,
}

/// The value after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) what: What,
    /// The node of the object that contains the key.
    pub(super) node: usize,
    /// The field of the key, if it has one.
    pub(super) field: Option<Field>,
}

impl Target {
    pub(super) const fn new(node: usize, what: What) -> Self {
        Self { what, node, field: None }
    }

    pub(super) fn of_field(node: usize, field: Field) -> Self {
        let what = match field {
            Field::Text(text) => What::BareText(text.index() as u8),
            Field::Number(number) => What::Number(number.index() as u8),
            Field::Fatal | Field::OptOut => What::Flag,
        };
        Self { field: Some(field), ..Self::new(node, what) }
    }
}

/// The bytes from the end of one value to the start of the next value, and the target and the followers of these bytes.
pub(super) struct Step {
    /// The first bytes of the step, in blocks that are compared without a loop.
    head: [[u8; BLOCK]; BLOCKS],
    /// The bytes of each block that belong to the step, as one bit for each byte.
    masks: [u32; BLOCKS],
    pub(super) target: Target,
    /// The indexes of the last steps that followed this one. The latest step is first. The first list is for a value
    /// that ends after its last byte. The second list is for a string value, which ends before its closing quote.
    pub(super) next: [[u16; FOLLOWERS]; 2],
    /// All bytes of the step.
    lead: Box<[u8]>,
}

/// The number of bytes in a block, which are compared together, and the number of such blocks at the start of a step.
const BLOCK: usize = 16;
const BLOCKS: usize = 2;

impl Step {
    pub(super) fn new(lead: &[u8], target: Target) -> Self {
        let (mut head, mut masks) = ([[0; BLOCK]; BLOCKS], [0; BLOCKS]);
        for (at, byte) in lead.iter().take(BLOCK * BLOCKS).enumerate() {
            head[at / BLOCK][at % BLOCK] = *byte;
            masks[at / BLOCK] |= 1 << (at % BLOCK);
        }
        Self { head, masks, target, next: [[NONE; FOLLOWERS]; 2], lead: lead.into() }
    }

    /// Returns true if the step has these bytes and this target.
    pub(super) fn equals(&self, lead: &[u8], target: Target) -> bool {
        self.target == target && *self.lead == *lead
    }

    /// Returns the position after the step, or `None` if the step does not begin at `at`.
    #[inline(always)]
    pub(super) fn fits(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        let length = self.lead.len();
        let fits = match rest.first_chunk() {
            Some(block) if length <= BLOCK => self.block_fits(0, block),
            Some(block) => self.block_fits(0, block) && self.rest_fits(&rest[BLOCK..]),
            None => rest.starts_with(&self.lead),
        };
        fits.then_some(at + length)
    }

    /// Compares the bytes after the first block.
    #[inline(always)]
    fn rest_fits(&self, rest: &[u8]) -> bool {
        match rest.first_chunk() {
            Some(block) if self.lead.len() <= BLOCK * BLOCKS => self.block_fits(1, block),
            _ => rest.starts_with(&self.lead[BLOCK..]),
        }
    }

    #[inline(always)]
    fn block_fits(&self, nth: usize, found: &[u8; BLOCK]) -> bool {
        let equal = u8x16::new(*found).simd_eq(u8x16::new(self.head[nth])).to_bitmask();
        !equal & self.masks[nth] == 0
    }
}
