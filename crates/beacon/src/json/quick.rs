//! A reader of JSON beacons that remembers the order of their keys.
//!
//! The beacons of one producer have the same keys in a similar order and notation. The bytes between two values
//! (commas, brackets, the key, white space) are remembered as a step, and compared in place. The key is read only if no
//! remembered step matches. The memory affects only the speed: a property test and a fuzz target compare this reader
//! with one without memory.
//!
//! A flood of keys that never repeat costs no more than reading them, because steps are found by hash, and the number
//! of searches for one record is limited.

mod step;

use step::{NONE, NumberSlot, Step, StepTarget};

use super::syntax::{self, blank, plain, string_end};
use super::value;
use crate::fields::Target;
use crate::{Amount, Beacon, Field, Fields, Text};

/// The maximum number of remembered steps, and the maximum length of a step in bytes. A producer has a few dozen steps.
const MOST_STEPS: usize = 512;
const LONGEST_STEP: usize = 128;

/// The number of steps that are not remembered before all steps are forgotten.
const MAX_LOST_STEPS: u32 = 4_096;

/// The maximum number of searches by hash for one record.
const MOST_LEARNT: u32 = 256;

/// The number of slots of the index, and the number of slots that are searched for one step.
const INDEX_SLOTS: usize = 2 * MOST_STEPS;
const PROBES: usize = 8;

/// The step before the first key.
const START: usize = 0;

/// The step that is not remembered.
const SPARE: usize = 1;

/// A record as bytes, and as text if all of it is UTF-8. Otherwise the text is empty, and each string is checked.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a [u8],
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, text: std::str::from_utf8(bytes).unwrap_or_default() }
    }
}

/// Reads beacons with the steps of earlier ones, which contain keys but never values. A reader is valid for one set of
/// [`Fields`].
pub(crate) struct Quick {
    steps: Vec<Step>,
    /// The indexes of steps by the hash of their content.
    index: Box<[u16; INDEX_SLOTS]>,
    lost: u32,
    /// The number of remaining searches for the current record.
    left: u32,
}

impl Default for Quick {
    fn default() -> Self {
        let mut quick = Self { steps: Vec::new(), index: Box::new([NONE; INDEX_SLOTS]), lost: 0, left: 0 };
        quick.forget();
        quick
    }
}

impl Quick {
    /// Begins another record.
    pub(crate) const fn begin(&mut self) {
        self.left = MOST_LEARNT;
    }

    /// Reads the beacon that begins at `at` into an empty one. Returns its end, or `None` if it is not a JSON object.
    pub(crate) fn read<'a>(
        &mut self,
        source: &Source<'a>,
        mut at: usize,
        fields: &Fields,
        beacon: &mut Beacon<'a>,
    ) -> Option<usize> {
        let bytes = source.bytes;
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        if self.left == 0 {
            return read_plainly(source, at, fields, beacon);
        }
        let mut step = START;
        loop {
            (step, at) = self.follow(step, bytes, at, fields)?;
            let Step { node, what, .. } = self.steps[step];
            at = match what {
                StepTarget::Text(field, index) => read_text(field, index, source, at, beacon)?,
                StepTarget::Number(slot) => read_number(slot, bytes, at, beacon)?,
                StepTarget::Flag(field) => read_flag(field, bytes, at, beacon)?,
                StepTarget::Skip => skip(bytes, blank(bytes, at), node == fields.root(), beacon)?,
                StepTarget::Inside(inner) => {
                    beacon.remove_all(fields.node(inner).fields);
                    let at = blank(bytes, at);
                    if bytes.get(at) == Some(&b'{') { at } else { skip_outer(bytes, at)? }
                }
                StepTarget::End => return Some(at),
            }
        }
    }

    /// Returns the step from `at` to the next value, and the start of that value. At `at`, a value has ended or an
    /// object begins.
    #[inline(always)]
    fn follow(&mut self, from: usize, bytes: &[u8], at: usize, fields: &Fields) -> Option<(usize, usize)> {
        let rest = bytes.get(at..)?;
        let [last, before] = self.steps[from].next;
        if let Some(length) = self.fits(last, rest) {
            return Some((usize::from(last), at + length));
        }
        if let Some(length) = self.fits(before, rest) {
            self.steps[from].next = [before, last];
            return Some((usize::from(before), at + length));
        }
        self.learn(from, bytes, at, fields)
    }

    #[inline(always)]
    fn fits(&self, step: u16, rest: &[u8]) -> Option<usize> {
        self.steps.get(usize::from(step))?.fits(rest)
    }

    /// Reads the key, and remembers the step.
    #[cold]
    fn learn(&mut self, from: usize, bytes: &[u8], start: usize, fields: &Fields) -> Option<(usize, usize)> {
        let opens = bytes.get(start) == Some(&b'{');
        let (begins, node) = match self.steps[from] {
            _ if from == START => (true, fields.root()),
            Step { what: StepTarget::Inside(inner), .. } if opens => (true, inner),
            Step { node, .. } => (false, node),
        };
        let (end, node, what) = gap(bytes, start, begins, node, fields)?;
        let step = self.remembered(&bytes[start..end], node, what).unwrap_or_else(|| {
            (self.steps[SPARE].node, self.steps[SPARE].what) = (node, what);
            SPARE
        });
        if from != SPARE && step != SPARE {
            let next = &mut self.steps[from].next;
            *next = [step as u16, next[0]];
        }
        Some((step, end))
    }

    /// Finds a step by hash, and remembers it if there is space.
    fn remembered(&mut self, lead: &[u8], node: usize, what: StepTarget) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        let first_slot = hash(lead, node);
        for probe in 0..PROBES {
            let slot = &mut self.index[(first_slot + probe) % INDEX_SLOTS];
            if *slot == NONE {
                if self.steps.len() == MOST_STEPS || lead.len() > LONGEST_STEP {
                    break;
                }
                self.left -= 1;
                *slot = self.steps.len() as u16;
                self.steps.push(Step::new(lead, node, what));
                return Some(usize::from(*slot));
            }
            let step = &self.steps[usize::from(*slot)];
            if step.node == node && step.what == what && *step.lead == *lead {
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
        self.steps = [START, SPARE].map(|_| Step::new(&[], 0, StepTarget::Skip)).into();
        self.index.fill(NONE);
        self.lost = 0;
    }
}

/// Returns a hash of moderate quality. After a collision a few slots are searched, and otherwise the step is not
/// remembered.
fn hash(lead: &[u8], node: usize) -> usize {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = lead.as_chunks::<8>();
    let hash = words.iter().fold(node as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    (rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte))) >> 32) as usize
}

/// Reads the beacon that begins at `at` without memory.
fn read_plainly<'a>(
    source: &Source<'a>,
    mut at: usize,
    fields: &Fields,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    let (mut node, mut begins) = (fields.root(), true);
    loop {
        let (end, inner, what) = gap(bytes, at, begins, node, fields)?;
        (node, begins) = (inner, false);
        if let StepTarget::Inside(within) = what {
            beacon.remove_all(fields.node(within).fields);
        }
        at = match what {
            StepTarget::Text(field, index) => read_text(field, index, source, end, beacon)?,
            StepTarget::Number(slot) => read_number(slot, bytes, end, beacon)?,
            StepTarget::Flag(field) => read_flag(field, bytes, end, beacon)?,
            StepTarget::Skip => skip(bytes, blank(bytes, end), node == fields.root(), beacon)?,
            StepTarget::Inside(within) if bytes.get(blank(bytes, end)) == Some(&b'{') => {
                (node, begins) = (within, true);
                blank(bytes, end)
            }
            StepTarget::Inside(_) => syntax::skip(bytes, blank(bytes, end)).ok()?,
            StepTarget::End => return Some(end),
        };
    }
}

/// Reads the bytes between two values from `at` on: brackets, commas, and the key with its colon. If `begins` is true,
/// an object begins there. Otherwise a value in `node` has ended. Returns the start of the next value, the node of its
/// key, and its target.
fn gap(
    bytes: &[u8],
    at: usize,
    begins: bool,
    mut node: usize,
    fields: &Fields,
) -> Option<(usize, usize, StepTarget)> {
    let mut at = at + usize::from(begins);
    let mut first = begins;
    loop {
        at = blank(bytes, at);
        match bytes.get(at)? {
            b'}' if node == fields.root() => return Some((at + 1, node, StepTarget::End)),
            b'}' => node = fields.node(node).outer,
            b',' if !first => {
                at = blank(bytes, at + 1);
                break;
            }
            b'"' if first => break,
            _ => return None,
        }
        first = false;
        at += 1;
    }
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let (end, target) = match plain(bytes, at + 1) {
        Some(end) => (end, fields.node(node).target(&bytes[at + 1..end])),
        None => {
            let end = string_end(bytes, at + 1).ok()?;
            (end, fields.node(node).target(syntax::text(&bytes[at + 1..end]).0.as_bytes()))
        }
    };
    let what = match target {
        Some(Target::Field(field)) => field.into(),
        Some(Target::Inside(inner)) => StepTarget::Inside(inner),
        None => StepTarget::Skip,
    };
    let colon = blank(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then(|| (blank(bytes, colon + 1), node, what))
}

/// Reads a text. Returns its end.
#[inline(always)]
fn read_text<'a>(
    field: Text,
    index: u8,
    source: &Source<'a>,
    at: usize,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    if bytes.get(at) == Some(&b'"')
        && let Some(end) = plain(bytes, at + 1)
        && let Some(text) = source.text.get(at + 1..end)
    {
        beacon.set_borrowed(index.into(), text);
        return Some(end + 1);
    }
    value::read(Field::Text(field), bytes, blank(bytes, at), beacon)
}

/// Reads a number. Returns its end.
#[inline(always)]
fn read_number<'a>(slot: NumberSlot, bytes: &'a [u8], at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    if let Some((value, end)) = whole(bytes, at)
        && let Some(amount) = Amount::within(slot.range, value)
    {
        beacon.set_amount(slot.index.into(), amount);
        return Some(end);
    }
    value::read(Field::Number(slot.field), bytes, blank(bytes, at), beacon)
}

/// Reads a boolean. Returns its end.
fn read_flag<'a>(field: Field, bytes: &'a [u8], at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let at = blank(bytes, at);
    if bytes[at..].starts_with(b"false") {
        // An opt-out is never withdrawn.
        beacon.fatal &= field != Field::Fatal;
        return Some(at + 5);
    }
    value::read(field, bytes, at, beacon)
}

/// Skips an unused value. If the beacon has no session, an unused value of the beacon itself may contain beacons.
fn skip(bytes: &[u8], at: usize, is_outermost: bool, beacon: &mut Beacon<'_>) -> Option<usize> {
    beacon.nested |= is_outermost && matches!(bytes.get(at), Some(b'{' | b'['));
    syntax::skip(bytes, at).ok()
}

/// Skips a value that is expected to be an object with used fields.
fn skip_outer(bytes: &[u8], at: usize) -> Option<usize> {
    let end = syntax::skip(bytes, at).ok()?;
    // A following object would be mistaken for the expected one.
    (bytes.get(end) != Some(&b'{')).then_some(end)
}

/// Reads a whole number of at most 15 digits. Returns it and its end, or `None` for every other notation.
#[inline]
fn whole(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = bytes.get(at).filter(|byte| byte.is_ascii_digit())?;
    let mut value = u64::from(first - b'0');
    let mut end = at + 1;
    let byte = loop {
        match bytes.get(end)? {
            digit @ b'0'..=b'9' if end - at < 15 => value = value * 10 + u64::from(digit - b'0'),
            byte => break byte,
        }
        end += 1;
    };
    let is_whole = matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
    let is_padded = *first == b'0' && end - at > 1;
    (is_whole && !is_padded).then_some((value, end))
}

#[cfg(test)]
mod tests;
