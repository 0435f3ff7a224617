//! Reads beacons that are inside another object, which is called an envelope.
//!
//! An object with a session is a beacon. An envelope contains an array of beacons under any key, or one beacon under
//! any key. In requests to the REST interface of Kafka, the beacon is the `value` of a record:
//! `{"records":[{"key":…,"value":{…}}]}`, or in version 3 of the interface `{"value":{"type":"JSON","data":{…}}}`.

use super::quick::{Quick, Source};
use super::{syntax, value};
use crate::fields::Target;
use crate::split::{Frame, elements, next_line};
use crate::{Beacon, Field, Fields, Mode, ReadError, Text};

/// The keys, with their quotes, that lead to the beacon in a record of Kafka's REST interface. `data` occurs only in
/// version 3.
const VALUE: &[u8] = b"\"value\"";
const DATA: &[u8] = b"\"data\"";

/// The maximum number of objects and arrays in an object that are searched for beacons. The limit bounds the time for an
/// object with many inner objects. In an object with an error of syntax, it is also the maximum number of objects in its
/// arrays that are searched.
const MOST_NESTED: usize = 64;

/// Records that an object or an array in a beacon begins at this position. It may contain beacons.
pub(super) fn add_nested(beacon: &mut Beacon<'_>, at: usize) {
    if beacon.nested.len() < MOST_NESTED {
        beacon.nested.push(at);
    }
}

/// The state of reading an object that may contain beacons.
pub(super) struct Envelope<'r, 'a> {
    /// The record. The object was read before, so it is valid JSON.
    pub(super) source: &'r Source<'a>,
    pub(super) fields: &'r Fields,
    pub(super) quick: &'r mut Quick,
    /// The beacon that is passed to the caller. Each object that is read overwrites it.
    pub(super) beacon: &'r mut Beacon<'a>,
    /// True if the object under `value` that was read last contains another object under `value`.
    pub(super) wraps: bool,
}

impl<'a> Envelope<'_, 'a> {
    /// Reads the beacons in the object that was read into `beacon`. An opt-out in the object applies to all of its
    /// beacons. Returns true if the object contains beacons. Otherwise, `beacon` contains the values of the object
    /// itself.
    #[cold]
    pub(super) fn read(
        &mut self,
        left: &mut usize,
        each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
    ) -> bool {
        let bytes = self.source.bytes;
        let opt_out = self.beacon.opt_out;
        // The values of the object itself. They count if it contains no beacons.
        let own = std::mem::replace(self.beacon, Beacon::new(Mode::Json));
        // A record of Kafka's REST interface is recognised before other envelopes, because its `key` may also be an
        // object with a session.
        let wrapper = object_under(&own, bytes, VALUE);
        if wrapper.is_some_and(|value| self.wrapped(value, opt_out)) {
            each(Ok(self.beacon));
            return true;
        }
        let in_vain = wrapper.filter(|_| !self.wraps);
        let mut values = own.nested.iter().copied().filter(|value| Some(*value) != in_vain);
        // Objects beyond this number are not read, even if they contain beacons.
        let mut most = *left;
        match values.find(|value| self.has_beacons(*value, &mut most)) {
            Some(value) => {
                self.offer_all(value, opt_out, left, each);
                true
            }
            None => {
                *self.beacon = own;
                false
            }
        }
    }

    /// Reads the beacons in the object that begins at `at` and has an error of syntax. `beacon` contains the values
    /// before the error. Returns the position at which to continue, or `None` if no beacon in the object is readable.
    /// Nothing is searched after `effort` is used up.
    #[cold]
    #[inline(never)]
    pub(super) fn read_broken(
        &mut self,
        at: usize,
        effort: &mut Effort,
        left: &mut usize,
        each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
    ) -> Option<usize> {
        let bytes = self.source.bytes;
        if effort.bytes == 0 || effort.in_vain == 0 || self.has_session() {
            return None;
        }
        let broken = Broken::new(self.source, at, self.fields, self.beacon);
        effort.bytes = effort.bytes.saturating_sub(broken.end.unwrap_or(bytes.len()) - at);
        if broken.has_session {
            return None;
        }
        let opt_out = self.beacon.opt_out;
        let mut most = MOST_NESTED.min(*left);
        let found = broken.nested.into_iter().find(|value| self.has_beacons(*value, &mut most));
        let Some(found) = found else {
            effort.in_vain -= 1;
            return None;
        };
        let mut has_error = false;
        let next = self.offer_all(found, opt_out, left, &mut |read| {
            has_error |= read.is_err();
            each(read);
        });
        if !has_error {
            each(Err(ReadError::Malformed));
        }
        Some(match (broken.end, next) {
            (Some(end), _) | (None, Some(Err(end))) => end,
            (None, Some(Ok(end))) => next_line(bytes, end),
            (None, None) => bytes.len(),
        })
    }

    /// Passes the beacon that a value contains, or the beacons in an array, to `each`. Returns the position after the
    /// value like [`elements`].
    fn offer_all(
        &mut self,
        value: usize,
        opt_out: bool,
        left: &mut usize,
        each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
    ) -> Option<Result<usize, usize>> {
        let bytes = self.source.bytes;
        let mut offer = |frame| match frame {
            Frame::Object(at) => self.offer(at, opt_out, each),
            Frame::Bad => {
                each(Err(ReadError::Malformed));
                None
            }
            Frame::Beyond => {
                each(Err(ReadError::TooMany));
                None
            }
        };
        if bytes[value] == b'[' {
            return elements(bytes, value, left, &mut offer);
        }
        offer(Frame::Object(value)).map(Ok)
    }

    /// Passes the beacon that an object is or contains to `each`. Returns the position after the object.
    fn offer(
        &mut self,
        at: usize,
        opt_out: bool,
        each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
    ) -> Option<usize> {
        let end = self.beacon_at(at, opt_out)?;
        let opt_out = self.beacon.opt_out;
        if !self.has_session()
            && let Some(value) = self.value()
            && !self.wrapped(value, opt_out)
        {
            self.beacon_at(at, opt_out)?;
        }
        each(Ok(self.beacon));
        Some(end)
    }

    /// Returns true if a value is a beacon, contains a beacon, or is an array with at least one element that is or
    /// contains a beacon. `left` is the number of objects that may still be searched.
    fn has_beacons(&mut self, value: usize, left: &mut usize) -> bool {
        let bytes = self.source.bytes;
        if bytes.get(value) != Some(&b'[') {
            return self.has_beacon(value).is_some_and(|(_, has_beacon)| has_beacon);
        }
        let mut at = syntax::blank(bytes, value + 1);
        loop {
            let end = match bytes.get(at) {
                Some(b'{') if *left == 0 => return false,
                Some(b'{') => match self.has_beacon(at) {
                    Some((_, true)) => return true,
                    read => {
                        *left -= 1;
                        read.map(|(end, _)| end).or_else(|| syntax::skip_valid(bytes, at))
                    }
                },
                // An element is missing.
                Some(b',') => Some(at),
                _ => syntax::skip_valid(bytes, at),
            };
            let Some(end) = end else { return false };
            at = syntax::blank(bytes, end);
            match bytes.get(at) {
                Some(b',') => at = syntax::blank(bytes, at + 1),
                // Commas between the objects in an array may be missing.
                Some(b'{') => {}
                _ => return false,
            }
        }
    }

    /// Returns the position after the object at `at`, and true if the object is or contains a beacon.
    fn has_beacon(&mut self, at: usize) -> Option<(usize, bool)> {
        let end = self.beacon_at(at, false)?;
        let has_beacon = self.has_session() || self.value().is_some_and(|value| self.wrapped(value, false));
        Some((end, has_beacon))
    }

    fn has_session(&self) -> bool {
        self.beacon.text(Text::Session).is_some()
    }

    /// Returns the position of the object under `value` in the object that was read last.
    fn value(&self) -> Option<usize> {
        if self.beacon.nested.is_empty() {
            return None;
        }
        object_under(self.beacon, self.source.bytes, VALUE)
    }

    /// Reads the beacon in a record of Kafka's REST interface, whose object under `value` begins at this position.
    /// Returns true if there is a beacon.
    fn wrapped(&mut self, value: usize, opt_out: bool) -> bool {
        if self.beacon_at(value, opt_out).is_none() || self.has_session() {
            return self.has_session();
        }
        self.wraps = self.value().is_some();
        let data = object_under(self.beacon, self.source.bytes, DATA);
        data.is_some_and(|data| self.beacon_at(data, opt_out).is_some()) && self.has_session()
    }

    /// Reads the object that begins at `at` as a beacon. Returns the position after the object, or `None` if the object
    /// is not valid JSON.
    fn beacon_at(&mut self, at: usize, opt_out: bool) -> Option<usize> {
        self.beacon.clear();
        let end = self.quick.read(self.source, at, self.fields, self.beacon)?;
        self.beacon.opt_out |= opt_out;
        Some(end)
    }
}

/// The effort that is left for searching objects with errors of syntax in a record.
pub(super) struct Effort {
    /// The number of bytes that may be searched.
    pub(super) bytes: usize,
    /// The number of objects that may be searched in vain.
    pub(super) in_vain: u32,
}

/// The members of an object with an error of syntax.
struct Broken {
    /// True if a member is a session. The object is then a beacon, and is not searched for other beacons.
    has_session: bool,
    /// The positions of the first values that are objects or arrays.
    nested: Vec<usize>,
    /// The position after the object, or `None` if it has no end.
    end: Option<usize>,
}

impl Broken {
    /// Searches for the members of the object that begins at `at`. If `opt_out` is one of them, sets it in `beacon`. Text
    /// that is not a member is skipped.
    fn new<'a>(source: &Source<'a>, at: usize, fields: &Fields, beacon: &mut Beacon<'a>) -> Self {
        let bytes = source.bytes;
        let node = fields.node(fields.root());
        let mut broken = Self { has_session: false, nested: Vec::new(), end: None };
        let mut at = at + 1;
        loop {
            at = syntax::blank(bytes, at);
            match bytes.get(at) {
                None => return broken,
                Some(b'}') => {
                    broken.end = Some(at + 1);
                    return broken;
                }
                Some(b',' | b':' | b']') => {
                    at += 1;
                    continue;
                }
                Some(_) => {}
            }
            if let Some((key, value)) = syntax::member(bytes, at) {
                match syntax::with_key(key, |key| node.target(key)) {
                    Some(Target::Field(SESSION)) => broken.has_session = true,
                    Some(Target::Field(Field::OptOut)) => {
                        value::read(Field::OptOut, source, value, beacon);
                    }
                    _ => {}
                }
                at = value;
                if matches!(bytes.get(at), Some(b'{' | b'[')) && broken.nested.len() < MOST_NESTED {
                    broken.nested.push(at);
                }
            }
            match syntax::skip_valid(bytes, at) {
                // A character that belongs to no value is skipped.
                Some(end) => at = end.max(at + 1),
                None => return broken,
            }
        }
    }
}

const SESSION: Field = Field::Text(Text::Session);

/// Returns the position of the value of a key in the object that was read into `beacon`. `key` has its quotes. If the
/// key occurs several times, its last object or array counts. Returns `None` if it is not an object.
fn object_under(beacon: &Beacon<'_>, bytes: &[u8], key: &[u8]) -> Option<usize> {
    let has_key = |at: &usize| {
        let before = bytes[..*at].trim_ascii_end().strip_suffix(b":").unwrap_or_default();
        let before = before.trim_ascii_end().strip_suffix(key);
        // A quote after a backslash belongs to a longer key.
        before.is_some_and(|before| before.last() != Some(&b'\\'))
    };
    let found = beacon.nested.iter().copied().rev().find(has_key);
    found.filter(|at| bytes.get(*at) == Some(&b'{'))
}
