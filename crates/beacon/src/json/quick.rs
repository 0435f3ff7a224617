//! Reads JSON beacons faster by remembering the order of their keys.
//!
//! The beacons of one producer have the same keys in a similar order and notation. The bytes between two values
//! (quotes, commas, brackets, the key, white space) are called a step. The reader remembers steps, and for each step
//! the steps that followed it. It compares the next bytes with these followers, and parses a key only if no remembered
//! step matches. This memory affects only the speed. A property test and a fuzz target compare this reader with a
//! reader without memory.
//!
//! The closing quote of a string value and the opening quote of the next string value belong to the step between them.
//! Therefore a string value ends before its closing quote, and every other value ends after its last byte. The steps
//! that follow these two endings are remembered separately ([`Step::next`]).
//!
//! Many keys that never repeat cost no more time than parsing them, because steps are found by hash, and the number of
//! searches in one record is limited.

mod gap;
mod step;
mod whole;

use std::ops::Range;

use gap::{gap, read_plainly};
use step::{FOLLOWERS, NONE, Step, Target, What};
use whole::whole;

use super::envelope::add_nested;
use super::syntax::{self, blank, run};
use super::value;
use crate::beacon::PLAIN_RANGES;
use crate::{Amount, Beacon, Field, Fields};

/// The maximum number of remembered steps, and the maximum length of a step in bytes. The beacons of a typical producer
/// have a few dozen different steps.
const MOST_STEPS: usize = 512;
const LONGEST_STEP: usize = 128;

/// The number of steps that could not be remembered after which all steps are forgotten. The producers have then
/// probably changed.
const MAX_LOST_STEPS: u32 = 4_096;

/// The maximum number of steps in one record that are added, or searched for without success. After this number, the
/// rest of the record is parsed without memory.
const MOST_LEARNT: u32 = 128;

/// The number of slots in the hash table, and the number of slots that are searched for one step.
const INDEX_SLOTS: usize = 2 * MOST_STEPS;
const PROBES: usize = 8;

/// The index of the step before the first key.
const START: usize = 0;

/// The index of the step that is overwritten whenever a step cannot be remembered.
const SPARE: usize = 1;

/// The bytes of a record, and the same bytes as a string if the record is valid UTF-8. Otherwise `text` is empty, and
/// each string is checked separately.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a [u8],
    text: &'a str,
    /// True if the objects that are read are parts of an object that was read before. They are valid JSON.
    is_valid: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, text: std::str::from_utf8(bytes).unwrap_or_default(), is_valid: false }
    }

    /// Returns the same record for reading parts of an object that was read before.
    pub(crate) const fn valid(self) -> Self {
        Self { is_valid: true, ..self }
    }

    /// Returns this part of the record, or `None` if the record is not UTF-8.
    pub(super) fn text(&self, part: Range<usize>) -> Option<&'a str> {
        self.text.get(part)
    }

    /// Returns the position after the value that begins at `at`, or `None` if no valid value begins there.
    fn skip(&self, at: usize) -> Option<usize> {
        if self.is_valid { syntax::skip_valid(self.bytes, at) } else { syntax::skip(self.bytes, at).ok() }
    }
}

/// Reads beacons, and remembers the steps of the beacons before. Steps contain keys but never values. A reader must
/// always be used with the same [`Fields`].
pub(crate) struct Quick {
    steps: Vec<Step>,
    /// The hash table. Each slot contains the index of a step, or [`NONE`].
    index: Box<[u16; INDEX_SLOTS]>,
    lost: u32,
    /// The number of steps in the current record that may still be added, or searched for without success.
    left: u32,
    /// The memory for the positions of nested values, which each record uses again.
    pub(super) nested: Vec<usize>,
}

impl Default for Quick {
    fn default() -> Self {
        let index = Box::new([NONE; INDEX_SLOTS]);
        let mut quick = Self { steps: Vec::new(), index, lost: 0, left: 0, nested: Vec::new() };
        quick.forget();
        quick
    }
}

/// A position at the end of a value, or at the start of an object.
#[derive(Clone, Copy)]
struct Position {
    /// The index of the step before the last value.
    from: usize,
    /// The end of the last value, or the start of an object.
    at: usize,
    /// True if the last value is a string whose closing quote is at the position.
    quoted: bool,
}

impl Quick {
    /// Starts a new record.
    pub(crate) const fn begin(&mut self) {
        self.left = MOST_LEARNT;
    }

    /// Reads the object that begins at `at` into an empty beacon. Returns the position after the object, or `None` if
    /// there is no JSON object at `at`.
    pub(crate) fn read<'a>(
        &mut self,
        source: &Source<'a>,
        at: usize,
        fields: &Fields,
        beacon: &mut Beacon<'a>,
    ) -> Option<usize> {
        let bytes = source.bytes;
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        let mut position = Position { from: START, at, quoted: false };
        let mut expected = self.steps[START].next[0][0];
        loop {
            let found = self.steps.get(usize::from(expected));
            let (step, at) = match found.and_then(|step| Some((step, step.fits(bytes, position.at)?))) {
                Some((step, end)) => {
                    position.from = expected.into();
                    (step, end)
                }
                None if self.left == 0 => {
                    let gap = self.gap_at(position, bytes, fields);
                    return read_plainly(source, gap, fields, beacon);
                }
                None => {
                    let (from, end) = self.follow_another(position, bytes, fields)?;
                    position.from = from;
                    (&self.steps[from], end)
                }
            };
            let field = step.target.field;
            position.quoted = false;
            position.at = match step.target.what {
                What::Text(index) => {
                    let end = read_text(index, field, source, at, beacon)?;
                    position.quoted = true;
                    end
                }
                What::BareText(index) if bytes.get(at) == Some(&b'"') => {
                    read_text(index, field, source, at + 1, beacon)? + 1
                }
                What::BareText(_) => read_slowly(field, source, at, beacon)?,
                What::Number(index) => match read_number(index.into(), bytes, at, beacon) {
                    Some(end) => end,
                    None => read_slowly(field, source, at, beacon)?,
                },
                What::Flag => read_flag(field?, source, at, beacon)?,
                What::Skip => skip(source, at, step.target.node == fields.root(), beacon)?,
                What::Inside(inner) => {
                    beacon.remove_all(fields.node(inner).fields);
                    let at = blank(bytes, at);
                    if bytes.get(at) == Some(&b'{') { at } else { skip_outer(source, at)? }
                }
                What::End => return Some(at),
            };
            expected = step.next[usize::from(position.quoted)][0];
        }
    }

    /// Finds the step at a position where the expected step does not match. Returns the index of the step, and the
    /// position after the step.
    #[inline(never)]
    fn follow_another(
        &mut self,
        position: Position,
        bytes: &[u8],
        fields: &Fields,
    ) -> Option<(usize, usize)> {
        let next = self.steps[position.from].next[usize::from(position.quoted)];
        for (nth, step) in next.into_iter().enumerate().skip(1) {
            let found = self.steps.get(usize::from(step));
            if let Some(end) = found.and_then(|step| step.fits(bytes, position.at)) {
                self.steps[position.from].next[usize::from(position.quoted)].swap(0, nth);
                return Some((step.into(), end));
            }
        }
        self.learn(position, bytes, fields)
    }

    /// Parses the step at a position, and remembers the step. Returns the index of the step, and the position after the
    /// step.
    #[cold]
    fn learn(&mut self, position: Position, bytes: &[u8], fields: &Fields) -> Option<(usize, usize)> {
        let Position { from, at: start, quoted } = position;
        let (after, begins, node) = self.gap_at(position, bytes, fields);
        let (end, mut target) = gap(bytes, after, begins, node, fields)?;
        let end = match target.what {
            What::BareText(index) if bytes.get(end) == Some(&b'"') => {
                target.what = What::Text(index);
                end + 1
            }
            _ => end,
        };
        let step = self.remembered(&bytes[start..end], target).unwrap_or_else(|| {
            self.steps[SPARE].target = target;
            SPARE
        });
        if from != SPARE && step != SPARE {
            let next = &mut self.steps[from].next[usize::from(quoted)];
            next.copy_within(..FOLLOWERS - 1, 1);
            next[0] = step as u16;
        }
        Some((step, end))
    }

    /// Returns the arguments of [`gap`] for a position.
    fn gap_at(&self, position: Position, bytes: &[u8], fields: &Fields) -> (usize, bool, usize) {
        let Position { from, at, quoted } = position;
        let opens = bytes.get(at) == Some(&b'{');
        let (begins, node) = match self.steps[from].target {
            _ if from == START => (true, fields.root()),
            Target { what: What::Inside(inner), .. } if opens => (true, inner),
            Target { node, .. } => (false, node),
        };
        (at + usize::from(quoted), begins, node)
    }

    /// Finds a step by hash, or adds it. Returns `None` if the step can be neither found nor added.
    fn remembered(&mut self, lead: &[u8], target: Target) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        let first_slot = hash(lead, target.node);
        for probe in 0..PROBES {
            let slot = &mut self.index[(first_slot + probe) % INDEX_SLOTS];
            if *slot == NONE {
                if self.steps.len() == MOST_STEPS || lead.len() > LONGEST_STEP {
                    break;
                }
                self.left -= 1;
                *slot = self.steps.len() as u16;
                self.steps.push(Step::new(lead, target));
                return Some(usize::from(*slot));
            }
            if self.steps[usize::from(*slot)].equals(lead, target) {
                return Some(usize::from(*slot));
            }
        }
        self.left -= 1;
        self.lost += 1;
        if self.lost > MAX_LOST_STEPS {
            self.forget();
        }
        None
    }

    fn forget(&mut self) {
        self.steps = [START, SPARE].map(|_| Step::new(&[], Target::new(0, What::Skip))).into();
        self.index.fill(NONE);
        self.lost = 0;
    }
}

/// Returns the hash of a step. The quality of the hash is moderate. If two steps have the same slot, the next few slots
/// are searched.
fn hash(lead: &[u8], node: usize) -> usize {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = lead.as_chunks::<8>();
    let hash = words.iter().fold(node as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    (rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte))) >> 32) as usize
}

/// Reads the value of the string field with this index. The content of the string begins at `at`. Returns the position
/// of the closing quote.
#[inline(always)]
fn read_text<'a>(
    index: u8,
    field: Option<Field>,
    source: &Source<'a>,
    at: usize,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let first = run(source.bytes, at)?;
    if source.bytes[first] == b'"'
        && let Some(text) = source.text.get(at..first)
    {
        beacon.set_borrowed(index.into(), text);
        return Some(first);
    }
    value::read_string(field?, source, at, first, beacon)
}

/// Reads a whole number with a certain unit. Returns the position after the number, or `None` for any other value.
#[inline(always)]
fn read_number(index: usize, bytes: &[u8], at: usize, beacon: &mut Beacon<'_>) -> Option<usize> {
    let (value, end) = whole(bytes, at)?;
    beacon.set_amount(index, Amount::within(*PLAIN_RANGES.get(index)?, value)?);
    Some(end)
}

/// Reads the value of a boolean field. Returns the position after it.
#[inline(never)]
fn read_flag<'a>(field: Field, source: &Source<'a>, at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let at = blank(source.bytes, at);
    if source.bytes[at..].starts_with(b"true") {
        beacon.fatal |= field == Field::Fatal;
        beacon.opt_out |= field == Field::OptOut;
        beacon.mark_present(field);
        return Some(at + 4);
    }
    if source.bytes[at..].starts_with(b"false") {
        // An opt-out remains set, even if the key occurs again with the value `false`.
        beacon.fatal &= field != Field::Fatal;
        beacon.mark_present(field);
        return Some(at + 5);
    }
    read_slowly(Some(field), source, at, beacon)
}

/// Reads the value of a field in an unusual notation. White space may precede the value. Returns the position after it.
#[cold]
#[inline(never)]
fn read_slowly<'a>(
    field: Option<Field>,
    source: &Source<'a>,
    at: usize,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    value::read(field?, source, blank(source.bytes, at), beacon)
}

/// Skips the value of an unknown key. White space may precede the value. If the key is in the outermost object and the
/// value is an object or an array, records this, because the value may contain beacons.
#[inline(never)]
fn skip(source: &Source<'_>, at: usize, is_outermost: bool, beacon: &mut Beacon<'_>) -> Option<usize> {
    let at = blank(source.bytes, at);
    if is_outermost && matches!(source.bytes.get(at), Some(b'{' | b'[')) {
        add_nested(beacon, at);
    }
    source.skip(at)
}

/// Skips a value that is not an object, although the path of a field continues inside it.
fn skip_outer(source: &Source<'_>, at: usize) -> Option<usize> {
    let end = source.skip(at)?;
    // An object after the value would be invalid JSON. `learn` would read it as the expected object, so it is refused
    // here.
    (source.bytes.get(end) != Some(&b'{')).then_some(end)
}

#[cfg(test)]
mod tests;
