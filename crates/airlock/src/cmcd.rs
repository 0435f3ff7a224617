//! Interprets CMCD values: states, events and error codes.

use crowdfold_beacon::{Beacon, Mode, Number, Text, is_nothing, trimmed};
use crowdfold_model::{ErrorClass, SumMetric, ValueMetric};

use crate::measures::narrow;
use crate::{MoreCodes, Playback, State, Total};

/// Returns crowdfold's name for a kind of stream (the CMCD key `st`). Unknown tokens are returned unchanged.
pub(crate) fn stream(token: &str) -> &str {
    match token {
        "v" => "vod",
        "l" => "live",
        "ll" => "low-latency",
        other => other,
    }
}

/// Returns crowdfold's name for a streaming format (the CMCD key `sf`). Unknown tokens are returned unchanged.
pub(crate) fn format(token: &str) -> &str {
    match token {
        "h" => "hls",
        "d" => "dash",
        "s" => "smooth",
        "e" => "hesp",
        other => other,
    }
}

/// Returns the player state of a record, or `None` if it contains no known state.
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

/// Returns the playback values of a CMCD record, or `None` for a JSON beacon. The key `bs` (buffer starvation) is
/// ignored, because hls.js and dash.js set it after every seek.
pub(crate) fn playback(beacon: &Beacon<'_>, endpoint: u32) -> Option<Playback> {
    if beacon.mode == Mode::Json {
        return None;
    }
    let total =
        |field| beacon.number(field).map_or(Total::NONE, |amount| Total::of(narrow(amount.rounded())));
    let is = |event: &str| beacon.text(Text::Event).is_some_and(|name| name.eq_ignore_ascii_case(event));
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
        totals: SumMetric::TOTALS.map(|metric| total(Number::Sum(metric))),
    })
}

/// Returns the class of the error in a record. This is the class of its error code, or `Other` for the event `e`
/// without a code. Players repeat a code after the error is over. Therefore the earlier records of the session
/// determine whether the code counts ([`Playback::code`]). The state `f` alone is not an error, because hls.js sends it
/// immediately before the event with the code.
pub(crate) fn error(beacon: &Beacon<'_>, event: &str) -> Option<ErrorClass> {
    let class = code(beacon).map(class);
    class.or_else(|| event.eq_ignore_ascii_case("e").then_some(ErrorClass::Other))
}

/// Returns the error code of a record, or `None` if it has none.
pub(crate) fn code<'a>(beacon: &'a Beacon<'_>) -> Option<&'a str> {
    beacon.text(Text::Error).map(trimmed).filter(|code| !is_nothing(code))
}

/// Returns the hash and the class of each error code after the first one. If there are no such codes, returns `None`
/// without allocation.
fn more_codes(beacon: &Beacon<'_>) -> Option<Box<MoreCodes>> {
    let coded = |code: std::borrow::Cow<'_, str>| {
        let code = code.trim();
        (!code.is_empty()).then(|| (crc32fast::hash(code.as_bytes()), class(code)))
    };
    let codes: Vec<_> = beacon.more_errors().filter_map(coded).collect();
    (!codes.is_empty()).then(|| Box::new(MoreCodes(codes)))
}

/// Returns the class of an error code, which is a number or a name.
fn class(code: &str) -> ErrorClass {
    match code.parse() {
        Ok(number) => numbered(number),
        Err(_) => named(code),
    }
}

/// Returns the class of a numeric error code. The code may be from Shaka Player (`util/error.js`, one category per
/// thousand), from dash.js (`errors/Errors.js`, `ProtectionErrors.js`), or an HTTP status.
fn numbered(code: u32) -> ErrorClass {
    match code {
        // 1003 is Shaka Player's TIMEOUT. 408 and 504 are HTTP status codes for time-outs.
        1003 | 408 | 504 => ErrorClass::Timeout,
        1000..=1999 | 400..=599 => ErrorClass::Network,
        2000..=3999 => ErrorClass::Media,
        4000..=4999 => ErrorClass::Manifest,
        6000..=6999 => ErrorClass::Drm,
        // These codes of dash.js are for manifests (parsing and loading), XLink, missing streams and multiplexed
        // streams.
        10..=12 | 25 | 29 | 31 | 32 | 34 => ErrorClass::Manifest,
        // These codes of dash.js are for the segment base, time synchronisation, fragments and downloads.
        15..=19 | 26..=28 => ErrorClass::Network,
        // These codes of dash.js are for append, remove, MediaSource and captions.
        20 | 21 | 23 | 33 | 35 => ErrorClass::Media,
        // These codes of dash.js are for media keys, unsupported key ids and protection.
        24 | 36 | 100..=120 => ErrorClass::Drm,
        _ => ErrorClass::Other,
    }
}

/// Returns the class of an error name, such as the names of hls.js (`ErrorDetails`) and of media elements. The class is
/// that of the first word in the table that the name contains.
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
