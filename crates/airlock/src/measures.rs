//! The numbers of a beacon, quantised on entry.

use crowdfold_beacon::{Amount, Beacon, Mode, Number, Text};

use crate::{ErrorClass, Measures};

/// Times to 100 ms, rates and startup to two significant digits, the rest to whole numbers, all half up
/// (privacy.md, "Numbers inside a row").
pub(crate) fn measures(beacon: &Beacon<'_>) -> Measures {
    let number = |field| beacon.number(field);
    let count = |field| number(field).map_or(0, |amount| narrow(amount.rounded()));
    let time = |field| number(field).map_or(0, |amount| narrow(amount.to_multiple_of(100)));
    let digits = |field| number(field).map(|amount| narrow(amount.to_two_digits()));
    let startup_ms = digits(Number::Startup);
    let event = beacon.text(Text::Event).unwrap_or_default();
    let json = beacon.mode == Mode::Json;
    let error = if json { json_error(beacon, event) } else { crate::cmcd::error(beacon, event) };
    Measures {
        attempt: json && event == "attempt",
        play: json && event == "play" || startup_ms.is_some(),
        startup_ms,
        playing_ms: time(Number::Playing),
        stalled_ms: time(Number::Stalled),
        stalls: count(Number::Stalls),
        dropped_frames: count(Number::DroppedFrames),
        dropped_frames_total: number(Number::DroppedFramesTotal).map(|amount| narrow(amount.rounded())),
        switches: count(Number::Switches),
        bandwidth_kbps: digits(Number::Bandwidth),
        bitrate_kbps: digits(Number::Bitrate),
        error,
        fatal: beacon.fatal && error.is_some(),
    }
}

/// Every field's limit is far below.
fn narrow(amount: u64) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}

/// An error is stated by its class, or by the event alone.
fn json_error(beacon: &Beacon<'_>, event: &str) -> Option<ErrorClass> {
    let class = beacon.text(Text::Error).unwrap_or_default().trim();
    if class.is_empty() {
        return (event == "error").then_some(ErrorClass::Other);
    }
    let named = ErrorClass::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(class));
    Some(named.unwrap_or(ErrorClass::Other))
}

/// The bitrate a quality may be told from, unquantised.
pub(crate) fn bitrate(beacon: &Beacon<'_>) -> Option<u64> {
    beacon.number(Number::Bitrate).map(Amount::rounded)
}

#[cfg(test)]
mod tests;
