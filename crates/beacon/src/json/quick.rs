//! Beacons whose keys come in an order that was seen before: the way most are read.
//!
//! Producers repeat themselves: after one key comes the next of a few, written the same. So what stood between a value
//! and the value after it (commas, brackets, the key, white space) is remembered as a step, and compared in place; the
//! key is looked at only where no step that was seen fits. What is not as expected in any way (a key with an escape,
//! a field stated twice, damage) is left to the general reader, from the beacon's start. So whatever is read here is
//! read as the general reader does: a property test and a fuzz target hold one against the other.

use std::borrow::Cow;

use serde::de::DeserializeSeed;

use super::{Skip, Value};
use crate::fields::{Field, Target};
use crate::split::{blank, value_end};
use crate::{Amount, Beacon, Fields};

/// Most steps that are remembered, and the longest that is, bytes. A producer has a few dozen.
const MOST_STEPS: usize = 512;
const LONGEST_STEP: usize = 128;

/// How often a key may find no room before all steps are learnt anew.
const PATIENCE: u32 = 4_096;

/// The step before the first key.
const START: usize = 0;

/// A step that is not remembered.
const SPARE: usize = 1;

/// No step.
const NONE: u16 = u16::MAX;

/// What a step leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// A value of ours.
    Field(Field),
    /// A value, or an object with fields of ours: the place of its node.
    Inside(usize),
    /// A value that we do not care for.
    Skip,
    /// The end of the beacon.
    End,
}

/// From the end of one value to the next.
struct Step {
    /// The bytes between them, up to the colon.
    lead: Box<[u8]>,
    /// The same once more where they are few, to be compared without a loop.
    head: Head,
    /// The node that the key lies in.
    node: usize,
    what: What,
    /// What came after it last, and before that.
    next: [u16; 2],
}

impl Step {
    fn new(lead: &[u8], node: usize, what: What) -> Self {
        Self { lead: lead.into(), head: Head::new(lead), node, what, next: [NONE; 2] }
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

/// Reads beacons by what it remembers of earlier ones: their keys, never a value. For one set of [`Fields`] alone.
pub(crate) struct Quick {
    steps: Vec<Step>,
    lost: u32,
}

impl Default for Quick {
    fn default() -> Self {
        let mut quick = Self { steps: Vec::new(), lost: 0 };
        quick.forget();
        quick
    }
}

impl Quick {
    /// Reads a beacon with nothing before or after it into a fresh one; `None` where the general reader must.
    pub(crate) fn read<'a>(&mut self, text: &'a str, fields: &Fields, beacon: &mut Beacon<'a>) -> Option<()> {
        let mut seen = 0;
        let end = self.walk(text.as_bytes(), 0, fields, |what, node, at| {
            let What::Field(field) = what else { return skip(text, at, fields.node(node).depth) };
            let again = seen & field.bit() != 0;
            seen |= field.bit();
            if again { None } else { read_field(field, text, at, beacon) }
        })?;
        (end == text.len()).then_some(())
    }

    /// Where the beacon that begins at `at` ends, without a look at its values; `None` where that has to be searched.
    pub(crate) fn end(&mut self, bytes: &[u8], at: usize, fields: &Fields) -> Option<usize> {
        self.walk(bytes, at, fields, |_, _, at| pass(bytes, at))
    }

    /// Goes through the beacon that begins at `at`. `value` is told what it comes to, the node of its key, and where
    /// it begins, and tells where it ends. Where the beacon ends.
    fn walk(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        fields: &Fields,
        mut value: impl FnMut(What, usize, usize) -> Option<usize>,
    ) -> Option<usize> {
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        let mut step = START;
        loop {
            step = self.follow(step, bytes, &mut at, fields)?;
            let Step { node, what, .. } = self.steps[step];
            if what == What::End {
                return Some(at);
            }
            at = blank(bytes, at);
            let is_object = matches!(what, What::Inside(_)) && bytes.get(at) == Some(&b'{');
            if !is_object {
                at = value(what, node, at)?;
                // what begins an object would be taken for the one inside
                if matches!(what, What::Inside(_)) && bytes.get(at) == Some(&b'{') {
                    return None;
                }
            }
        }
    }

    /// The step that leads from `at`, where a value ended or an object begins, to the next value.
    // Two callers, and the compiler would call it: a quarter of what reading costs.
    #[inline(always)]
    fn follow(&mut self, from: usize, bytes: &[u8], at: &mut usize, fields: &Fields) -> Option<usize> {
        let rest = bytes.get(*at..)?;
        let [last, before] = self.steps[from].next;
        if let Some(length) = self.fits(last, rest) {
            *at += length;
            return Some(usize::from(last));
        }
        if let Some(length) = self.fits(before, rest) {
            self.steps[from].next = [before, last];
            *at += length;
            return Some(usize::from(before));
        }
        self.learn(from, bytes, at, fields)
    }

    fn fits(&self, step: u16, rest: &[u8]) -> Option<usize> {
        let Step { lead, head, .. } = self.steps.get(usize::from(step))?;
        let fits = match rest.first_chunk() {
            Some(bytes) if lead.len() <= HEAD => head.fits(bytes),
            _ => rest.starts_with(lead),
        };
        fits.then_some(lead.len())
    }

    /// Looks at the key, and remembers what stands here.
    #[cold]
    fn learn(&mut self, from: usize, bytes: &[u8], at: &mut usize, fields: &Fields) -> Option<usize> {
        let start = *at;
        let opens = bytes.get(start) == Some(&b'{');
        let (begins, node) = match self.steps[from] {
            _ if from == START => (true, fields.root()),
            Step { what: What::Inside(inner), .. } if opens => (true, inner),
            Step { node, .. } => (false, node),
        };
        let (end, node, what) = gap(bytes, start, begins, node, fields)?;
        *at = end;
        let lead = &bytes[start..end];
        let known = |step: &Step| step.node == node && step.what == what && *step.lead == *lead;
        let step = match self.steps.iter().skip(SPARE + 1).position(known) {
            Some(known) => known + SPARE + 1,
            None if self.steps.len() < MOST_STEPS && lead.len() <= LONGEST_STEP => {
                self.steps.push(Step::new(lead, node, what));
                self.steps.len() - 1
            }
            None => {
                self.lost += 1;
                if self.lost > PATIENCE {
                    self.forget();
                }
                self.steps[SPARE] = Step::new(&[], node, what);
                return Some(SPARE);
            }
        };
        if from != SPARE {
            let next = &mut self.steps[from].next;
            *next = [step as u16, next[0]];
        }
        Some(step)
    }

    fn forget(&mut self) {
        self.steps = [START, SPARE].map(|_| Step::new(&[], 0, What::Skip)).into();
        self.lost = 0;
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
    let end = plain(bytes, at + 1)?;
    let key = std::str::from_utf8(&bytes[at + 1..end]).ok()?;
    let what = match fields.node(node).target(key) {
        Some(Target::Field(field)) => What::Field(field),
        Some(Target::Inside(inner)) => What::Inside(inner),
        None => What::Skip,
    };
    let colon = blank(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then_some((colon + 1, node, what))
}

/// Reads a value of ours; where it ends.
fn read_field<'a>(field: Field, text: &'a str, at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let bytes = text.as_bytes();
    match (field, bytes.get(at)?) {
        (Field::Text(field), b'"') => {
            if let Some(end) = plain(bytes, at + 1) {
                beacon.set_text(field, Cow::Borrowed(&text[at + 1..end]));
                return Some(end + 1);
            }
        }
        (Field::Number(field), b'0'..=b'9') => {
            if let Some((value, end)) = whole(bytes, at) {
                beacon.set_number(field, Amount::whole(field, value)?);
                return Some(end);
            }
        }
        _ => {}
    }
    general(text, at, Value { field, beacon })
}

/// Past a value that we do not care for, in an object so deep.
fn skip(text: &str, at: usize, depth: u8) -> Option<usize> {
    past_plain(text.as_bytes(), at).or_else(|| general(text, at, Skip { depth }))
}

/// Past any value, which may be none but has its brackets closed.
fn pass(bytes: &[u8], at: usize) -> Option<usize> {
    past_plain(bytes, at).or_else(|| value_end(bytes, at))
}

/// Past a string that can be taken as it stands.
fn past_plain(bytes: &[u8], at: usize) -> Option<usize> {
    let begins = bytes.get(at) == Some(&b'"');
    begins.then(|| plain(bytes, at + 1)).flatten().map(|end| end + 1)
}

/// Reads one value as the general reader does; where it ends.
fn general<'a>(text: &'a str, at: usize, seed: impl DeserializeSeed<'a, Value = ()>) -> Option<usize> {
    let end = value_end(text.as_bytes(), at)?;
    let mut reader = serde_json::Deserializer::from_str(text.get(at..end)?);
    seed.deserialize(&mut reader).and_then(|()| reader.end()).ok()?;
    Some(end)
}

/// The end of a string that began before `at`: the place of its quote. `None` where an escape or a control character
/// comes first. Eight bytes at a time; in a word the lowest byte that is found is a true one, carries go upwards.
fn plain(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*word);
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let escape = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | escape | control) & (ONES << 7);
        if found != 0 {
            at += found.trailing_zeros() as usize / 8;
            return (bytes[at] == b'"').then_some(at);
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' | ..0x20 => return None,
            _ => at += 1,
        }
    }
    None
}

/// A whole number of at most 15 digits, and where it ends. `None` for every other way to write one.
fn whole(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    let mut end = at;
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        value = value * 10 + u64::from(digit - b'0');
        end += 1;
        if end - at > 15 {
            return None;
        }
    }
    let is_whole = matches!(bytes.get(end), Some(b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
    let is_padded = bytes[at] == b'0' && end - at > 1;
    (is_whole && !is_padded).then_some((value, end))
}

#[cfg(test)]
mod tests;
