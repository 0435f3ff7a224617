//! What CMCD's tokens mean.

use crowdfold_beacon::{Beacon, Mode, Number, Text, is_nothing};
use crowdfold_model::{ErrorClass, SumMetric, ValueMetric};

use crate::measures::narrow;
use crate::{MoreCodes, Playback, State, Total, Totals};

/// Our name for a kind of stream, `st`.
pub(crate) fn stream(token: &str) -> &str {
    match token {
        "v" => "vod",
        "l" => "live",
        "ll" => "low-latency",
        other => other,
    }
}

/// Our name for a packaging, `sf`.
pub(crate) fn format(token: &str) -> &str {
    match token {
        "h" => "hls",
        "d" => "dash",
        "s" => "smooth",
        "e" => "hesp",
        other => other,
    }
}

/// The state a record states.
pub(crate) fn state(beacon: &Beacon<'_>) -> Option<State> {
    Some(match beacon.text(Text::State)? {
        "s" => State::Starting,
        "p" => State::Playing,
        "k" => State::Seeking,
        "r" => State::Rebuffering,
        "a" => State::Paused,
        "w" => State::Waiting,
        "e" => State::Ended,
        "f" => State::Failed,
        "q" => State::Quit,
        "d" => State::Preloading,
        _ => return None,
    })
}

/// What a record says of playback. `bs` is not among it: hls.js and dash.js set it after every seek.
pub(crate) fn playback(beacon: &Beacon<'_>, endpoint: u32) -> Option<Playback> {
    if beacon.mode == Mode::Json {
        return None;
    }
    let total =
        |field| beacon.number(field).map_or(Total::NONE, |amount| Total::of(narrow(amount.rounded())));
    let is = |event: &str| beacon.text(Text::Event).is_some_and(|stated| stated.eq_ignore_ascii_case(event));
    let event = beacon.mode == Mode::Event;
    Some(Playback {
        state: state(beacon),
        event,
        batched: beacon.batched,
        changed: is("ps"),
        bitrate_changed: is("bc"),
        code: code(beacon).map(|code| crc32fast::hash(code.as_bytes())),
        more_codes: more_codes(beacon),
        endpoint,
        bitrate_kbps: if event { total(Number::Value(ValueMetric::BitrateKbps)) } else { Total::NONE },
        totals: Totals {
            dropped_frames: total(Number::Sum(SumMetric::DroppedFrames)),
            stalls: total(Number::Sum(SumMetric::Stalls)),
            stalled_ms: total(Number::Sum(SumMetric::StalledMs)),
        },
    })
}

/// Returns the error that a record states: by its code, or by the event `e` alone. Players repeat the code of an error
/// that is over, so what a code adds depends on what the session stated before ([`Playback::code`]). The state `f` alone
/// is no error: players state it first and send the event with the code right after it (hls.js).
pub(crate) fn error(beacon: &Beacon<'_>, event: &str) -> Option<ErrorClass> {
    let stated = code(beacon).map(class);
    stated.or_else(|| event.eq_ignore_ascii_case("e").then_some(ErrorClass::Other))
}

/// Returns a record's error code, where it has one.
fn code<'a>(beacon: &'a Beacon<'_>) -> Option<&'a str> {
    beacon.text(Text::Error).map(str::trim).filter(|code| !is_nothing(code))
}

/// Returns the hash and the class of each code after the first one. Nothing is allocated where there is none.
fn more_codes(beacon: &Beacon<'_>) -> Option<Box<MoreCodes>> {
    let coded = |code: std::borrow::Cow<'_, str>| {
        let code = code.trim();
        (!code.is_empty()).then(|| (crc32fast::hash(code.as_bytes()), class(code)))
    };
    let codes: Vec<_> = beacon.more_errors().filter_map(coded).collect();
    (!codes.is_empty()).then(|| Box::new(MoreCodes(codes)))
}

/// The class of a player's error code.
fn class(code: &str) -> ErrorClass {
    match code.parse() {
        Ok(number) => numbered(number),
        Err(_) => named(code),
    }
}

/// Numbers of Shaka Player (`util/error.js`: categories by the thousand), dash.js (`errors/Errors.js`,
/// `ProtectionErrors.js`) and HTTP.
fn numbered(code: u32) -> ErrorClass {
    match code {
        // Shaka TIMEOUT; HTTP 408 and 504.
        1003 | 408 | 504 => ErrorClass::Timeout,
        1000..=1999 | 400..=599 => ErrorClass::Network,
        2000..=3999 => ErrorClass::Media,
        4000..=4999 => ErrorClass::Manifest,
        6000..=6999 => ErrorClass::Drm,
        // dash.js: parsing and loading of manifests, XLink, no streams, multiplexed.
        10..=12 | 25 | 29 | 31 | 32 | 34 => ErrorClass::Manifest,
        // dash.js: segment base, time synchronisation, fragments, downloads.
        15..=19 | 26..=28 => ErrorClass::Network,
        // dash.js: append, remove, MediaSource, captions.
        20 | 21 | 23 | 33 | 35 => ErrorClass::Media,
        // dash.js: media keys, no supported key ids, protection.
        24 | 36 | 100..=120 => ErrorClass::Drm,
        _ => ErrorClass::Other,
    }
}

/// Names such as those of hls.js (`ErrorDetails`) and of media elements. The first word that is found counts.
fn named(code: &str) -> ErrorClass {
    const WORDS: [(&str, ErrorClass); 23] = [
        ("timeout", ErrorClass::Timeout),
        ("timed_out", ErrorClass::Timeout),
        ("drm", ErrorClass::Drm),
        ("key", ErrorClass::Drm),
        ("licen", ErrorClass::Drm),
        ("manifest", ErrorClass::Manifest),
        ("level", ErrorClass::Manifest),
        ("playlist", ErrorClass::Manifest),
        ("mpd", ErrorClass::Manifest),
        ("network", ErrorClass::Network),
        ("buffer", ErrorClass::Media),
        ("pars", ErrorClass::Media),
        ("decod", ErrorClass::Media),
        ("codec", ErrorClass::Media),
        ("mux", ErrorClass::Media),
        ("append", ErrorClass::Media),
        ("src_not_supported", ErrorClass::Media),
        ("media", ErrorClass::Media),
        ("frag", ErrorClass::Network),
        ("segment", ErrorClass::Network),
        ("http", ErrorClass::Network),
        ("load", ErrorClass::Network),
        ("offline", ErrorClass::Network),
    ];
    let code = code.to_ascii_lowercase();
    WORDS.iter().find(|(word, _)| code.contains(word)).map_or(ErrorClass::Other, |(_, class)| *class)
}

#[cfg(test)]
mod tests;
