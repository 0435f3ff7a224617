//! Creates hostile JSON records. `.ci/instructions` compares their cost per byte with that of an ordinary beacon.

use crowdfold_model::Timestamp;

use crate::{START, Timed};

/// The minimum length of a record in bytes. It equals the default of `collect.max_body_bytes`.
const LONG: usize = 64 << 10;

/// The beacon of docs/reference/beacon.md.
const ORDINARY: &str = r#"{"ts":1795308528421,"tenant":"default","session":"bbb27941-6c1f","ip":"203.0.113.9","event":"heartbeat",
 "os":"Windows","browser":"Chrome","device":"desktop","cdn":"cdn-a","content":"movie-0042",
 "bandwidth_kbps":5400,"bitrate_kbps":3200,"height":1080,"playing_ms":10000,"stalled_ms":0,"stalls":0}"#;

/// The names of the records, each with its maximum cost per byte in percent of the cost of an ordinary beacon. All
/// except the first are hostile. The values of known fields, and keys with escapes, cost more than other text, because
/// they are decoded even if they are repeated.
pub(crate) const RECORDS: [(&str, u32); 24] = [
    ("ordinary", 100),
    ("unknown-keys", 300),
    ("items-with-one-unknown-key", 300),
    ("empty-items", 300),
    ("items-that-are-not-objects", 300),
    ("envelopes", 300),
    ("envelopes-of-objects", 400),
    ("nesting", 300),
    ("unclosed-brackets", 300),
    ("unclosed-strings", 300),
    ("truncated-items", 300),
    ("unusable-values", 450),
    ("repeated-keys", 300),
    ("escaped-keys", 650),
    ("long-numbers", 300),
    ("times", 400),
    ("control-characters", 300),
    ("escapes", 300),
    ("surrogates", 300),
    ("not-utf-8", 300),
    ("separators", 300),
    ("arrays-in-an-array", 300),
    ("open-arrays", 300),
    ("zero-bytes", 300),
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
        _ => return None,
    };
    Some(vec![timed(&record)])
}

fn timed(record: &str) -> Timed {
    (Timestamp::from_millis(START), record.as_bytes().to_vec())
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
