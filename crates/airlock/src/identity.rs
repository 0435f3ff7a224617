//! Computes the identity of a beacon. A repetition of a beacon has the same identity, and the other beacons of the
//! session have other identities.

use crowdfold_beacon::{Amount, Beacon, Mode, Number, Text};

use crate::{Identity, measures};
use crowdfold_model::Timestamp;

/// The number of low bits of an identity that contain a hash. The high bits contain a time.
const HASH_BITS: u32 = 22;

/// The events of JSON beacons, followed by the events of CMCD (CTA-5004-B).
const EVENTS: [&str; 24] = [
    "attempt",
    "play",
    "heartbeat",
    "error",
    "end",
    "abs",
    "abe",
    "ae",
    "as",
    "b",
    "bc",
    "c",
    "ce",
    "e",
    "h",
    "m",
    "pc",
    "pe",
    "pr",
    "ps",
    "rr",
    "sk",
    "t",
    "um",
];

/// The number of entries in [`EVENTS`] that belong to JSON beacons.
const OF_JSON: usize = 5;

/// Returns true if the event of a beacon is known, or if the beacon has no event.
pub(crate) fn is_known(beacon: &Beacon<'_>) -> bool {
    let Some(event) = beacon.text(Text::Event) else { return true };
    // Most beacons have one of these events in lower case, so these events are checked before the others.
    if matches!(event, "heartbeat" | "play") && beacon.mode == Mode::Json
        || matches!(event, "rr" | "t" | "ps" | "bc") && beacon.mode != Mode::Json
    {
        return true;
    }
    let known = if beacon.mode == Mode::Json { &EVENTS[..OF_JSON] } else { &EVENTS[OF_JSON..] };
    known.iter().any(|known| known.eq_ignore_ascii_case(event))
}

/// Returns the identity of a beacon within its session, in 64 bits:
///
/// | kind | 42 bits: the time in ms | 22 bits: a hash of |
/// |---|---|---|
/// | JSON | `ts` | event, error class, fatal |
/// | CMCD event | `ts` | endpoint, `sn`, event |
/// | CMCD request with `sn` | time of receipt | endpoint, `sn` |
///
/// The time is in the upper bits, so a later beacon has a greater identity. Therefore a set of identities need not be
/// searched for an identity that is greater than all identities in it. The milliseconds in 42 bits repeat after 139
/// years. Two different beacons of one session in the same millisecond have the same identity with a probability of
/// one in four million. A beacon without a usable time has no identity.
#[inline]
pub(crate) fn identity(
    beacon: &Beacon<'_>,
    own_time: Option<Timestamp>,
    endpoint: u32,
    received_at: Option<Timestamp>,
) -> Option<Identity> {
    let event = beacon.text(Text::Event).unwrap_or_default();
    let sequence = beacon.number(Number::Sequence).map(Amount::rounded);
    let hash = Hash::of(beacon.mode as u64);
    let (time, hash) = match beacon.mode {
        Mode::Json => {
            let class = measures::json_error(beacon, event).map_or(0, |class| class as u64 + 1);
            // An unknown event counts as absent, so it does not distinguish two beacons. Most beacons are heartbeats,
            // so this event is checked here.
            let event = if event == "heartbeat" || is_known(beacon) { event } else { "" };
            (own_time?, hash.text(event).number(class << 1 | u64::from(beacon.fatal)))
        }
        Mode::Event | Mode::Unsupported => {
            let numbered = hash.text(event).number(sequence.map_or(0, |sequence| sequence + 1));
            (own_time?, numbered.number(endpoint.into()))
        }
        Mode::Request => (received_at?, hash.number(sequence? + 1).number(endpoint.into())),
    };
    Some(Identity(time.as_millis() << HASH_BITS | hash.0 >> (u64::BITS - HASH_BITS)))
}

/// An FNV-1a hash over words of 64 bits. The hash has no key, because a session that produces a collision loses only
/// one of its own beacons.
struct Hash(u64);

impl Hash {
    const fn of(number: u64) -> Self {
        Self(0xcbf2_9ce4_8422_2325).number(number)
    }

    const fn number(self, number: u64) -> Self {
        Self((self.0 ^ number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Adds a string. Case is ignored.
    fn text(self, text: &str) -> Self {
        let (words, rest) = text.as_bytes().as_chunks();
        let mut hash = self.number(text.len() as u64);
        for word in words {
            hash = hash.number(lower_case(u64::from_le_bytes(*word)));
        }
        if rest.is_empty() {
            return hash;
        }
        let rest = rest.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        hash.number(lower_case(rest))
    }
}

/// Converts the ASCII letters among eight bytes to lower case.
const fn lower_case(text: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_bits = text & (0x7f * EACH);
    let from_a = low_bits + (0x80 - b'A' as u64) * EACH;
    let after_z = low_bits + (0x7f - b'Z' as u64) * EACH;
    let is_upper = from_a & !after_z & !text & (0x80 * EACH);
    text | is_upper >> 2
}

#[cfg(test)]
mod tests;
