//! JSON beacons, read in one pass.

mod quick;
pub(crate) mod syntax;
pub(crate) mod value;

pub(crate) use self::quick::{Quick, Source};
use self::syntax::members;
use crate::split::{Frame, elements, frames};
use crate::{Beacon, Fields, Mode, ReadError, Text};

/// The largest number of objects in one record that are searched for beacons without finding one.
const MOST_IN_VAIN: u32 = 16;

/// Reads a record of JSON beacons: objects, in whatever way they are put one after another ([`frames`]). `each` gets
/// every beacon in order with the bytes it was read from, and an error for each that cannot be read; an empty record
/// counts as one. Of `left` beacons each takes one.
pub(crate) fn read_json<'a>(
    record: &'a [u8],
    fields: &Fields,
    quick: &mut Quick,
    left: &mut usize,
    each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), ReadError>),
) {
    let source = Source::new(record);
    quick.begin();
    let mut beacon = Beacon::new(Mode::Json);
    // An envelope takes of the same number, which is counted outside.
    let mut inside = *left;
    let mut in_vain = 0;
    frames(record, left, &mut |frame| match frame {
        Frame::Object(at) => {
            inside = inside.saturating_sub(1);
            beacon.clear();
            let end = quick.read(&source, at, fields, &mut beacon)?;
            if beacon.nested && beacon.text(Text::Session).is_none() && in_vain < MOST_IN_VAIN {
                let mut reading =
                    Reading { source: &source, fields, quick: &mut *quick, beacon: &mut beacon };
                if reading.envelope(at, &mut inside, each) {
                    return Some(end);
                }
                in_vain += 1;
            }
            each(Ok((&beacon, &record[at..end])));
            Some(end)
        }
        Frame::Bad => {
            each(Err(ReadError::Malformed));
            None
        }
        Frame::Beyond => {
            each(Err(ReadError::TooMany));
            None
        }
    });
}

/// A record that is being read.
struct Reading<'r, 'a> {
    source: &'r Source<'a>,
    fields: &'r Fields,
    quick: &'r mut Quick,
    beacon: &'r mut Beacon<'a>,
}

impl<'a> Reading<'_, 'a> {
    fn read(&mut self, at: usize, opt_out: bool) -> Option<usize> {
        self.beacon.clear();
        let end = self.quick.read(self.source, at, self.fields, self.beacon)?;
        self.beacon.opt_out |= opt_out;
        Some(end)
    }

    /// Reads the beacons in an object that is none itself: `{"batch":[…]}`, whatever the key is named, or one beacon
    /// under a key. They are found by their session. What the object says of consent holds for all of them. Returns
    /// whether there are any; if not, the beacon is again what the object itself holds.
    #[cold]
    fn envelope(
        &mut self,
        at: usize,
        left: &mut usize,
        each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), ReadError>),
    ) -> bool {
        let bytes = self.source.bytes;
        let opt_out = self.beacon.opt_out;
        let mut found = None;
        members(bytes, at, &mut |_, value| {
            let first = match bytes.get(value)? {
                b'[' => syntax::blank(bytes, value + 1),
                _ => value,
            };
            let is_object = found.is_none() && bytes.get(first) == Some(&b'{');
            if is_object && self.read(first, opt_out).is_some() && self.beacon.text(Text::Session).is_some() {
                found = Some(value);
            }
            syntax::skip(bytes, value).ok()
        });
        let mut offer = |frame| match frame {
            Frame::Object(at) => {
                let end = self.read(at, opt_out)?;
                each(Ok((self.beacon, &bytes[at..end])));
                Some(end)
            }
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
            None => drop(self.read(at, false)),
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests;
