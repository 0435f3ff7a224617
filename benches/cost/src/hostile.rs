//! Creates hostile JSON records. `.ci/instructions` compares their cost per byte with that of an ordinary beacon.

use crowdfold_model::Timestamp;

use crate::{START, Timed};

/// The minimum length of a record in bytes. It equals the default of `collect.max_body_bytes`.
const LONG: usize = 64 << 10;

/// The beacon of docs/reference/beacon.md.
const ORDINARY: &str = r#"{"ts":1795308528421,"tenant":"default","session":"bbb27941-6c1f","ip":"203.0.113.9","event":"heartbeat",
 "os":"Windows","browser":"Chrome","device":"desktop","cdn":"cdn-a","content":"movie-0042",
 "bandwidth_kbps":5400,"bitrate_kbps":3200,"height":1080,"playing_ms":10000,"stalled_ms":0,"stalls":0}"#;

/// The names of the records. All except the first are hostile.
pub(crate) const RECORDS: [&str; 59] = [
    "ordinary",
    "unknown-keys",
    "items-with-one-unknown-key",
    "empty-items",
    "items-that-are-not-objects",
    "envelopes",
    "envelopes-of-objects",
    "nesting",
    "unclosed-brackets",
    "unclosed-strings",
    "truncated-items",
    "unusable-values",
    "repeated-keys",
    "escaped-keys",
    "long-numbers",
    "times",
    "control-characters",
    "escapes",
    "surrogates",
    "not-utf-8",
    "separators",
    "arrays-in-an-array",
    "open-arrays",
    "zero-bytes",
    "short-keys",
    "short-keys-in-items",
    "wrapped-keys",
    "wrappers",
    "repeated-wrappers",
    "items-with-wrappers",
    "enveloped-keys",
    "enveloped-items",
    "items-with-envelopes",
    "escaped-values",
    "escaped-values-in-items",
    "escaped-flags",
    "escaped-numbers",
    "escaped-keys-in-items",
    "quoted-numbers",
    "exponents",
    "objects-as-values",
    "nulls",
    "flags",
    "control-keys",
    "keys-that-are-not-utf-8",
    "values-that-are-not-utf-8",
    "strings-in-an-array",
    "objects-in-an-array",
    "blanks",
    "empty-objects-in-an-object",
    "wrapped-short-keys",
    "text-times",
    "fractions",
    "arrays-as-values",
    "different-contents",
    "broken-envelopes",
    "truncated-envelopes",
    "broken-items-in-an-envelope",
    "broken-envelope-without-beacons",
];

/// Returns records of one kind, or `None` if the name is unknown. Ordinary beacons are records of their own.
pub(crate) fn records(name: &str) -> Option<Vec<Timed>> {
    if name == "ordinary" {
        return Some(vec![timed(ORDINARY); LONG / ORDINARY.len()]);
    }
    let object = |members: String| format!(r#"{{{members}"session":"s"}}"#);
    let string = |content: &str| object(format!(r#""x":"{}","#, filled(|_| content.into())));
    let record = match name {
        "unknown-keys" => object(filled(|nth| format!(r#""k{nth}":1,"#))),
        "items-with-one-unknown-key" => format!("[{}{{}}]", filled(|nth| format!(r#"{{"k{nth}":1}},"#))),
        "empty-items" => format!("[{}{{}}]", filled(|_| "{},".into())),
        "items-that-are-not-objects" => format!("[{}1]", filled(|_| "1,".into())),
        "envelopes" => filled(|_| r#"{"a":[{}]}"#.into()),
        "envelopes-of-objects" => {
            format!(r#"{{{}"z":1}}"#, filled(|nth| format!(r#""k{nth}":{{"a":{{}}}},"#)))
        }
        "nesting" => object(format!(r#""x":{}1{},"#, "[".repeat(LONG / 2), "]".repeat(LONG / 2))),
        "unclosed-brackets" => filled(|_| "{\"a\":[\n".into()),
        "unclosed-strings" => filled(|_| "{\"a\n".into()),
        "truncated-items" => filled(|_| "[{\"a\":1},{\"b\n".into()),
        "unusable-values" => object(filled(|_| {
            r#""height":"1080p","cdn":{},"stalls":-1,"fatal":"maybe","content":"\ud83d","#.into()
        })),
        "repeated-keys" => object(filled(|_| r#""stalls":1,"cdn":"b","#.into())),
        "escaped-keys" => object(filled(|nth| format!(r#""\u0063dn":"b","\x{nth}":1,"#))),
        "long-numbers" => object(filled(|_| format!(r#""playing_ms":0.{},"#, "9".repeat(700)))),
        "times" => {
            object(filled(|_| r#""ts":"2026-11-22 00:48:48,421 +01","ts":"22/Nov/2026:00:48:4","#.into()))
        }
        "control-characters" => string("\t\u{1}"),
        "escapes" => string(r"\n\x1\x41\u12"),
        "surrogates" => object(format!(r#""content":"{}","#, filled(|_| r"\ud83d".into()))),
        "separators" => filled(|_| "{},\u{feff}\u{1e}\n".into()),
        "arrays-in-an-array" => format!("[{}{{}}]", filled(|_| "[{}],".into())),
        "open-arrays" => filled(|_| "[[{},\n".into()),
        "zero-bytes" => filled(|_| "\0\0\0\0,".into()),
        "not-utf-8" => {
            let mut bytes = object(format!(r#""content":"{}","#, filled(|_| "xy".into()))).into_bytes();
            bytes.iter_mut().filter(|byte| **byte == b'x').for_each(|byte| *byte = 0xff);
            return Some(vec![(Timestamp::from_millis(START), bytes)]);
        }
        _ => return others(name),
    };
    Some(vec![timed(&record)])
}

/// Returns a record of a kind that concerns nested objects or the notation of keys and values.
fn others(name: &str) -> Option<Vec<Timed>> {
    let object = |members: String| format!(r#"{{{members}"session":"s"}}"#);
    let without_session = |members: String| format!(r#"{{{members}"x":"s"}}"#);
    let keys = || filled(|nth| format!(r#""k{nth}":1,"#));
    let short_keys = || exhausted() + &filled(|_| r#""":0,"#.into());
    let record = match name {
        "short-keys" => object(short_keys()),
        "short-keys-in-items" => format!("[{}{{}}]", filled(|nth| format!(r#"{{"{:x}":0}},"#, nth % 4_096))),
        "wrapped-keys" => format!(r#"{{"value":{{"data":{}}}}}"#, without_session(keys())),
        "wrapped-short-keys" => format!(r#"{{"value":{{"data":{}}}}}"#, without_session(short_keys())),
        "wrappers" => filled(|_| r#"{"value":{"data":{}}}"#.into()),
        "repeated-wrappers" => format!("{{{}\"a\":1}}", filled(|_| r#""value":{"data":{}},"#.into())),
        "items-with-wrappers" => format!("[{}{{}}]", filled(|_| r#"{"value":{"data":{}}},"#.into())),
        "enveloped-keys" => format!(r#"{{"a":{}}}"#, without_session(keys())),
        "enveloped-items" => format!(r#"{{"a":[{}{{}}]}}"#, filled(|nth| format!(r#"{{"k{nth}":1}},"#))),
        "items-with-envelopes" => format!("[{}{{}}]", filled(|_| r#"{"a":{}},"#.into())),
        "escaped-values" => object(filled(|_| r#""cdn":"\u0062","#.into())),
        "escaped-values-in-items" => {
            format!("[{}{{}}]", filled(|_| r#"{"session":"\n","cdn":"\n"},"#.into()))
        }
        "escaped-flags" => object(filled(|_| r#""fatal":"\u0079","#.into())),
        "escaped-numbers" => object(filled(|_| r#""height":"\u0031","#.into())),
        "escaped-keys-in-items" => format!("[{}{{}}]", filled(|nth| format!(r#"{{"\x{nth}":1}},"#))),
        "quoted-numbers" => object(filled(|_| r#""stalls":"1","#.into())),
        "exponents" => object(filled(|_| r#""stalls":1e0,"#.into())),
        "objects-as-values" => object(filled(|_| r#""os":{},"#.into())),
        "nulls" => object(filled(|_| r#""os":null,"#.into())),
        "flags" => object(filled(|_| r#""fatal":true,"#.into())),
        "control-keys" => object(filled(|nth| format!("\"\t{nth}\":1,"))),
        "strings-in-an-array" => object(format!(r#""x":[{}1],"#, filled(|_| r#""","#.into()))),
        "objects-in-an-array" => object(format!(r#""x":[{}1],"#, filled(|_| r#"{"":{}},"#.into()))),
        "blanks" => object(filled(|nth| format!("{}\"k{nth}\" : 1 ,", " ".repeat(nth % 40)))),
        "empty-objects-in-an-object" => object(filled(|_| r#""":{},"#.into())),
        "broken-envelopes" => filled(|_| r#"{"a":[{"x":1,}]}"#.into()),
        "truncated-envelopes" => filled(|_| "{\"a\":[{\"session\":\"s\"},{\"x\":\n".into()),
        "broken-items-in-an-envelope" => {
            format!(r#"{{"a":[{}{{"session":"s"}}]}}"#, filled(|_| r#"{"x":1,},"#.into()))
        }
        "broken-envelope-without-beacons" => {
            format!(r#"{{"a":[{}{{}}]}}"#, filled(|_| r#"{"x":1,},"#.into()))
        }
        "fractions" => object(filled(|_| r#""stalls":-1.5e-3,"#.into())),
        "arrays-as-values" => object(filled(|_| r#""os":[1],"#.into())),
        "different-contents" => {
            let beacon = |nth| format!(r#"{{"session":"s","ts":1795308528421,"content":"c{nth}"}},"#);
            format!("[{}{{}}]", filled(beacon))
        }
        "text-times" => object(filled(|_| r#""ts":"1e12","ts":"a","#.into())),
        "keys-that-are-not-utf-8" | "values-that-are-not-utf-8" => {
            let item = if name.starts_with("keys") { r#""~a":1,"# } else { r#""os":"~","# };
            let mut bytes = object(filled(|_| item.into())).into_bytes();
            bytes.iter_mut().filter(|byte| **byte == b'~').for_each(|byte| *byte = 0xff);
            return Some(vec![(Timestamp::from_millis(START), bytes)]);
        }
        _ => return None,
    };
    Some(vec![timed(&record)])
}

fn timed(record: &str) -> Timed {
    (Timestamp::from_millis(START), record.as_bytes().to_vec())
}

/// Returns 600 different keys. After them, the reader remembers no further steps of the record.
fn exhausted() -> String {
    (0..600).map(|nth| format!(r#""k{nth}":1,"#)).collect()
}

/// Returns a text of at least [`LONG`] bytes that consists of numbered items.
fn filled(write: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(LONG + 1_024);
    let mut nth = 0;
    while text.len() < LONG {
        text.push_str(&write(nth));
        nth += 1;
    }
    text
}
