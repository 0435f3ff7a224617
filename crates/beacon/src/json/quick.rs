//! The reader of JSON beacons, which remembers the order of their keys.
//!
//! Producers repeat themselves: after one key comes the next of a few, written the same. So what stood between a value
//! and the value after it (commas, brackets, the key, white space) is remembered as a step, and compared in place; the
//! key is looked at only where no step that was seen fits. Nothing depends on what is remembered but the time it takes: a
//! property test and a fuzz target compare a reader that remembers with one that does not.
//!
//! A flood of keys that nobody sends again costs no more than looking at them: steps are found by hash, and the number of
//! searches for one record is bounded.

mod step;

use step::{NONE, NumberSlot, Step, What};

use super::syntax::{self, blank, plain, string_end};
use super::value;
use crate::fields::Target;
use crate::{Amount, Beacon, Field, Fields, Text};

/// Most steps that are remembered, and the longest that is, bytes. A producer has a few dozen.
const MOST_STEPS: usize = 512;
const LONGEST_STEP: usize = 128;

/// How often a key may find no room before all steps are learnt anew.
const PATIENCE: u32 = 4_096;

/// The most steps that one record may have looked for by hash, and learnt.
const MOST_LEARNT: u32 = 256;

/// Slots of the index, and the number of them in which one step is looked for.
const INDEX_SLOTS: usize = 2 * MOST_STEPS;
const PROBES: usize = 8;

/// The step before the first key.
const START: usize = 0;

/// A step that is not remembered.
const SPARE: usize = 1;

/// A record, and the same as text where all of it is UTF-8 (otherwise an empty text: then each string is looked at).
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

/// Reads beacons by what it remembers of earlier ones: their keys, never a value. For one set of [`Fields`] alone.
pub(crate) struct Quick {
    steps: Vec<Step>,
    /// Steps by the hash of what they are.
    index: Box<[u16; INDEX_SLOTS]>,
    lost: u32,
    /// The number of steps that the record being read may still search for.
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

    /// Reads the beacon that begins at `at` into an empty one. Returns where it ends; `None` where it is no JSON object.
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
                What::Text(field, index) => read_text(field, index, source, at, beacon)?,
                What::Number(slot) => read_number(slot, bytes, at, beacon)?,
                What::Flag(field) => read_flag(field, bytes, at, beacon)?,
                What::Skip => skip(bytes, blank(bytes, at), node == fields.root(), beacon)?,
                What::Inside(inner) => {
                    beacon.remove_all(fields.node(inner).fields);
                    let at = blank(bytes, at);
                    if bytes.get(at) == Some(&b'{') { at } else { skip_outer(bytes, at)? }
                }
                What::End => return Some(at),
            }
        }
    }

    /// Returns the step that leads from `at`, where a value ended or an object begins, to the next value, and where that
    /// begins.
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

    /// Looks at the key, and remembers what stands here.
    #[cold]
    fn learn(&mut self, from: usize, bytes: &[u8], start: usize, fields: &Fields) -> Option<(usize, usize)> {
        let opens = bytes.get(start) == Some(&b'{');
        let (begins, node) = match self.steps[from] {
            _ if from == START => (true, fields.root()),
            Step { what: What::Inside(inner), .. } if opens => (true, inner),
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

    /// Finds a step by hash, and remembers it if there is room.
    fn remembered(&mut self, lead: &[u8], node: usize, what: What) -> Option<usize> {
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
        if self.lost > PATIENCE {
            self.forget();
        }
        None
    }

    fn forget(&mut self) {
        self.steps = [START, SPARE].map(|_| Step::new(&[], 0, What::Skip)).into();
        self.index.fill(NONE);
        self.lost = 0;
    }
}

/// A hash that need not be good: what collides is looked for in a few slots, and not remembered otherwise.
fn hash(lead: &[u8], node: usize) -> usize {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = lead.as_chunks::<8>();
    let hash = words.iter().fold(node as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    (rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte))) >> 32) as usize
}

/// Reads the beacon that begins at `at` without a memory.
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
        if let What::Inside(within) = what {
            beacon.remove_all(fields.node(within).fields);
        }
        at = match what {
            What::Text(field, index) => read_text(field, index, source, end, beacon)?,
            What::Number(slot) => read_number(slot, bytes, end, beacon)?,
            What::Flag(field) => read_flag(field, bytes, end, beacon)?,
            What::Skip => skip(bytes, blank(bytes, end), node == fields.root(), beacon)?,
            What::Inside(within) if bytes.get(blank(bytes, end)) == Some(&b'{') => {
                (node, begins) = (within, true);
                blank(bytes, end)
            }
            What::Inside(_) => syntax::skip(bytes, blank(bytes, end)).ok()?,
            What::End => return Some(end),
        };
    }
}

/// What stands between values from `at` on: brackets, commas and the key up to its colon. `begins` tells that an object
/// begins there, otherwise a value in `node` has ended. Where the value begins, the node of its key, what it is.
fn gap(
    bytes: &[u8],
    at: usize,
    begins: bool,
    mut node: usize,
    fields: &Fields,
) -> Option<(usize, usize, What)> {
    let mut at = at + usize::from(begins);
    let mut first = begins;
    loop {
        at = blank(bytes, at);
        match bytes.get(at)? {
            b'}' if node == fields.root() => return Some((at + 1, node, What::End)),
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
        Some(Target::Inside(inner)) => What::Inside(inner),
        None => What::Skip,
    };
    let colon = blank(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then(|| (blank(bytes, colon + 1), node, what))
}

/// Reads a text. Returns where it ends.
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

/// Reads a number. Returns where it ends.
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

/// Reads a truth value. Returns where it ends.
fn read_flag<'a>(field: Field, bytes: &'a [u8], at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let at = blank(bytes, at);
    if bytes[at..].starts_with(b"false") {
        // an opt-out is never withdrawn
        beacon.fatal &= field != Field::Fatal;
        return Some(at + 5);
    }
    value::read(field, bytes, at, beacon)
}

/// Past a value that we do not care for. One in the beacon itself may hold beacons, where the beacon is none.
fn skip(bytes: &[u8], at: usize, is_outermost: bool, beacon: &mut Beacon<'_>) -> Option<usize> {
    beacon.nested |= is_outermost && matches!(bytes.get(at), Some(b'{' | b'['));
    syntax::skip(bytes, at).ok()
}

/// Past a value where an object with fields of ours was looked for.
fn skip_outer(bytes: &[u8], at: usize) -> Option<usize> {
    let end = syntax::skip(bytes, at).ok()?;
    // What begins an object would be taken for the one inside.
    (bytes.get(end) != Some(&b'{')).then_some(end)
}

/// Reads a whole number of at most 15 digits. Returns it and where it ends; `None` for every other way to write one.
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
