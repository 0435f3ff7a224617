//! What tells a beacon from its repetitions.

use crowdfold_beacon::{Beacon, Mode, Number, Text};

use crate::{Identity, Millis};

/// Events of JSON beacons and of CMCD (CTA-5004-B), in the order of their codes.
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

/// How many of them are JSON beacons'.
const OF_JSON: usize = 5;

/// Whether the event of a beacon is one that is known, or none.
pub(crate) fn is_known(beacon: &Beacon<'_>) -> bool {
    let Some(event) = beacon.text(Text::Event) else { return true };
    let known = if beacon.mode == Mode::Json { &EVENTS[..OF_JSON] } else { &EVENTS[OF_JSON..] };
    known.iter().any(|known| known.eq_ignore_ascii_case(event))
}

/// The identity of a beacon within its session, packed so that different ones differ, and that a later one is greater:
/// whoever remembers the greatest need not look for it among the others. The top two bits say which:
///
/// | top | 30 bits | 32 bits |
/// |---|---|---|
/// | 0 request mode, 1 event mode | hash of the endpoint | `sn` |
///
/// | top | 53 bits | 9 bits |
/// |---|---|---|
/// | 2 JSON, 3 CMCD without `sn` | own time, if it counts | event, by code or, for one that is not known, by hash |
pub(crate) fn identity(beacon: &Beacon<'_>, own_time: Option<Millis>, endpoint: u32) -> Option<Identity> {
    let kind = match beacon.mode {
        Mode::Request => 0,
        Mode::Event => 1,
        Mode::Json => 2,
    };
    if let Some(sequence) = beacon.number(Number::Sequence) {
        let endpoint = u64::from(endpoint & 0x3fff_ffff);
        return Some(Identity(kind << 62 | endpoint << 32 | sequence.rounded()));
    }
    let ts = own_time?;
    let kind = if beacon.mode == Mode::Json { 2 } else { 3 };
    Some(Identity(kind << 62 | ts << 9 | event(beacon.text(Text::Event).unwrap_or_default())))
}

/// 0 for no event, 1 to 255 for the known, above for the others.
fn event(name: &str) -> u64 {
    if name.is_empty() {
        return 0;
    }
    let known = EVENTS.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|code| code as u64 + 1);
    known.unwrap_or_else(|| 256 + u64::from(crc32fast::hash(name.as_bytes()) & 0xff))
}

#[cfg(test)]
mod tests;
