//! Reads beacons that are inside another object, which is called an envelope.
//!
//! An object with a session is a beacon. An envelope contains an array of beacons under any key, or one beacon under
//! any key. In requests to the REST interface of Kafka, the beacon is the `value` of a record:
//! `{"records":[{"key":…,"value":{…}}]}`, or in version 3 of the interface `{"value":{"type":"JSON","data":{…}}}`.

use super::quick::{Quick, Source};
use super::syntax::{self, members};
use crate::split::{Frame, elements};
use crate::{Beacon, Fields, Mode, ReadError, Text};

/// The keys that lead to the beacon in a record of Kafka's REST interface. `data` occurs only in version 3.
const WRAPPERS: [&[u8]; 2] = [b"value", b"data"];

/// The maximum number of objects and arrays in an envelope that are searched for beacons. The limit bounds the time for
/// an object with many inner objects.
const MOST_CANDIDATES: u32 = 64;

/// The state of reading an object that may contain beacons.
pub(super) struct Envelope<'r, 'a> {
    pub(super) source: &'r Source<'a>,
    pub(super) fields: &'r Fields,
    pub(super) quick: &'r mut Quick,
    /// The beacon that is passed to the caller. Each object that is read overwrites it.
    pub(super) beacon: &'r mut Beacon<'a>,
}

impl<'a> Envelope<'_, 'a> {
    /// Reads the beacons in the object at `at`. An opt-out in the object applies to all of its beacons. Returns true if
    /// the object contains beacons. Otherwise, `beacon` contains the values of the object itself.
    #[cold]
    pub(super) fn read(
        &mut self,
        at: usize,
        left: &mut usize,
        each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
    ) -> bool {
        let bytes = self.source.bytes;
        let opt_out = self.beacon.opt_out;
        // The values of the object itself. They count if it contains no beacons.
        let own = std::mem::replace(self.beacon, Beacon::new(Mode::Json));
        let mut found = None;
        // A record of Kafka's REST interface is recognised before other envelopes, because its `key` may also be an
        // object with a session.
        let object = &bytes[at..];
        if memchr::memmem::find(object, WRAPPERS[0]).is_some() && self.wrapped(at, opt_out).is_some() {
            each(Ok(self.beacon));
            return true;
        }
        let mut candidates = 0;
        members(bytes, at, &mut |_, value| {
            let may_have = found.is_none() && matches!(bytes.get(value), Some(b'{' | b'['));
            candidates += u32::from(may_have);
            if may_have && candidates <= MOST_CANDIDATES && self.has_beacons(value) {
                found = Some(value);
            }
            // The object is known to be valid, so the search may end here.
            if found.is_some() || candidates == MOST_CANDIDATES {
                None
            } else {
                syntax::skip(bytes, value).ok()
            }
        });
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
        match found {
            Some(array) if bytes[array] == b'[' => elements(bytes, array, left, &mut offer),
            Some(object) => drop(offer(Frame::Object(object))),
            None => *self.beacon = own,
        }
        found.is_some()
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
        if !self.has_session() && self.beacon.nested && self.wrapped(at, opt_out).is_none() {
            self.beacon_at(at, opt_out)?;
        }
        each(Ok(self.beacon));
        Some(end)
    }

    /// Returns true if a value is a beacon, contains a beacon, or is an array with at least one element that is or
    /// contains a beacon.
    fn has_beacons(&mut self, value: usize) -> bool {
        let bytes = self.source.bytes;
        if bytes.get(value) != Some(&b'[') {
            return self.has_beacon(value);
        }
        let mut at = syntax::blank(bytes, value + 1);
        loop {
            if self.has_beacon(at) {
                return true;
            }
            let Ok(end) = syntax::skip(bytes, at) else { return false };
            at = syntax::blank(bytes, end);
            if bytes.get(at) != Some(&b',') {
                return false;
            }
            at = syntax::blank(bytes, at + 1);
        }
    }

    fn has_beacon(&mut self, at: usize) -> bool {
        self.source.bytes.get(at) == Some(&b'{')
            && self.beacon_at(at, false).is_some()
            && (self.has_session() || self.wrapped(at, false).is_some())
    }

    fn has_session(&self) -> bool {
        self.beacon.text(Text::Session).is_some()
    }

    /// Reads the beacon in a record of Kafka's REST interface. Returns `None` if there is none.
    fn wrapped(&mut self, at: usize, opt_out: bool) -> Option<()> {
        let mut at = at;
        for key in WRAPPERS {
            at = object_under(self.source.bytes, at, key)?;
            self.beacon_at(at, opt_out)?;
            if self.has_session() {
                return Some(());
            }
        }
        None
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

/// Returns the position of the value of a key, or `None` if the value is not an object. If the key occurs several
/// times, its last value counts.
fn object_under(bytes: &[u8], at: usize, wanted: &[u8]) -> Option<usize> {
    let mut found = None;
    members(bytes, at, &mut |key, value| {
        if key == wanted {
            found = Some(value);
        }
        syntax::skip(bytes, value).ok()
    });
    found.filter(|value| bytes.get(*value) == Some(&b'{'))
}
