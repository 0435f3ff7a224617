//! Reads records of JSON beacons in one pass.

mod envelope;
mod quick;
pub(crate) mod syntax;
pub(crate) mod value;

use self::envelope::{Effort, Envelope};
pub(crate) use self::quick::{Quick, Source};
use crate::split::{Frame, frames};
use crate::{Beacon, Fields, Mode, ReadError, Text};

/// The maximum number of objects in one record that are searched for nested beacons in vain. The limit bounds the time
/// for one record.
const MOST_IN_VAIN: u32 = 16;

/// Reads a record of JSON beacons: one object, an array, lines, or objects without separators ([`frames`]). Passes
/// every beacon to `each`, in order, and an error for each beacon that cannot be read. An empty record
/// counts as one error. `left` is the number of beacons that may still be read.
pub(crate) fn read_json(
    record: &[u8],
    fields: &Fields,
    quick: &mut Quick,
    left: &mut usize,
    each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
) {
    let source = Source::new(record);
    quick.begin();
    let mut beacon = Beacon::new(Mode::Json);
    std::mem::swap(&mut beacon.nested, &mut quick.nested);
    // Beacons inside other objects have the same limit, but are counted separately.
    let mut inside = *left;
    let mut in_vain = 0;
    // The limits for objects with errors of syntax are separate, so such objects do not hide beacons in other objects.
    let mut effort = Effort { bytes: record.len(), in_vain: MOST_IN_VAIN };
    frames(record, left, &mut |frame| match frame {
        Frame::Object(at) => {
            inside = inside.saturating_sub(1);
            beacon.clear();
            let Some(end) = quick.read(&source, at, fields, &mut beacon) else {
                let (source, quick, beacon) = (&source, &mut *quick, &mut beacon);
                let mut envelope = Envelope { source, fields, quick, beacon, wraps: false };
                return envelope.read_broken(at, &mut effort, &mut inside, each);
            };
            if !beacon.nested.is_empty() && beacon.text(Text::Session).is_none() && in_vain < MOST_IN_VAIN {
                let source = &source.valid();
                let mut envelope =
                    Envelope { source, fields, quick: &mut *quick, beacon: &mut beacon, wraps: false };
                if envelope.read(&mut inside, each) {
                    return Some(end);
                }
                in_vain += 1;
            }
            each(Ok(&beacon));
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
    std::mem::swap(&mut beacon.nested, &mut quick.nested);
}

#[cfg(test)]
mod tests;
