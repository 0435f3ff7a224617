//! The target `json`: JSON beacons. They are compared with a reference that uses `serde_json::Value`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Amount, Fields, Form, Number, Reader};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::seen::{FIELDS, NUMBERS, Seen, TEXTS, read, read_fresh};

/// The separator of records: a byte that is never part of JSON. One reader reads several records, because the state of
/// the reader after one record must not change the outcome of the next.
const SEPARATOR: u8 = 0;

/// Asserts that a reader that has read other records returns the same outcomes as a new reader. Where the rules define
/// the outcome, it must also equal the outcome of the reference.
pub fn check(data: &[u8]) {
    let mut reader = Reader::new(Arc::clone(&FIELDS));
    let mut renamed = Reader::new(Arc::clone(&MAPPED));
    for record in data.split(|byte| *byte == SEPARATOR) {
        let all = read(&mut reader, Form::Json, record);
        assert!(all == read_fresh(Form::Json, record), "the outcomes differ from those of a new reader");
        if let Ok(Members(members)) = serde_json::from_slice(record)
            && members.iter().all(|(_, value)| !value.is_object() && !value.is_array())
            && let Some(expected) = reference(&members)
        {
            assert_eq!(all, [Ok(expected)], "{members:?}");
        }
        assert!(is_sound(record) || all.iter().any(Result::is_err), "a record that is not JSON was accepted");
        let fresh = read(&mut Reader::new(Arc::clone(&MAPPED)), Form::Json, record);
        assert!(
            read(&mut renamed, Form::Json, record) == fresh,
            "with other field names, the outcomes differ from those of a new reader"
        );
    }
}

/// Returns true if a record may be a sequence of JSON values, as our reader accepts them: with separators between
/// values, objects without a separator in an array, and control characters and any escapes in strings.
pub(crate) fn is_sound(record: &[u8]) -> bool {
    let mut plain = Vec::with_capacity(record.len());
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next_if(|next| *next != b'\n').is_some() => plain.extend(b"__"),
            b'\n' => plain.push(b'\n'),
            0..0x20 => plain.push(b' '),
            _ => plain.push(byte),
        }
    }
    let plain = String::from_utf8_lossy(&plain).replace('\u{feff}', " ");
    let begins = |after: &str| after.trim_start().starts_with(['{', '[', ',']);
    plain.trim_start().starts_with(',')
        || plain.split(['}', ']']).skip(1).any(begins)
        || serde_json::Deserializer::from_str(&plain).into_iter::<IgnoredAny>().all(|value| value.is_ok())
}

/// The members of an object in their order, including duplicates.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Members;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Returns the beacon of a flat object by the documented rules, or `None` if the rules do not define it. Of duplicate
/// members, the last one counts, but an opt-out counts at any position.
fn reference(members: &[(String, Value)]) -> Option<Seen> {
    let mut seen = Seen {
        mode: crowdfold_beacon::Mode::Json,
        texts: vec![None; TEXTS.len()],
        numbers: vec![None; NUMBERS.len()],
        fatal: false,
        opt_out: false,
        ignored: Vec::new(),
    };
    for (name, value) in members {
        let text = TEXTS.iter().position(|(_, known)| known == name && !known.is_empty());
        let number = NUMBERS.iter().position(|(_, known)| known == name && !known.is_empty());
        let is_used = match (text, number, name.as_str()) {
            (Some(at), ..) => {
                seen.texts[at] = match value {
                    Value::String(given) => Some(given.clone()),
                    // Our reader returns numbers in their written form, which `Value` does not preserve.
                    Value::Number(given) if given.is_f64() => return None,
                    Value::Number(given) => Some(given.to_string()),
                    _ => None,
                };
                seen.texts[at].is_some()
            }
            (_, Some(at), _) => {
                seen.numbers[at] = amount(NUMBERS[at].0, value)?;
                seen.numbers[at].is_some()
            }
            (_, _, "fatal" | "opt_out") => {
                let flag = flag(value)?;
                if name == "fatal" {
                    seen.fatal = flag.unwrap_or_default();
                } else {
                    seen.opt_out |= flag.unwrap_or_default();
                }
                flag.is_some()
            }
            _ => true,
        };
        if !is_used {
            let names = TEXTS.iter().map(|(_, known)| *known).chain(NUMBERS.iter().map(|(_, known)| *known));
            seen.ignored.extend(names.chain(["fatal", "opt_out"]).find(|known| known == name));
        }
    }
    seen.ignored.sort_unstable();
    seen.ignored.dedup();
    Some(seen)
}

/// Returns the amount of a value. Returns `Some(None)` if the value has no amount, and `None` if the rules do not
/// define it.
fn amount(field: Number, value: &Value) -> Option<Option<Amount>> {
    let whole = match value {
        Value::Number(given) => match given.as_u64() {
            Some(whole) => whole,
            // The rules do not define how times with a fraction are rounded.
            None if given.is_f64() && field == Number::Ts => return None,
            None if given.is_f64() => return Some(Amount::fraction(field, given.as_f64()?)),
            None => return Some(None),
        },
        Value::String(given) => {
            let given = given.trim();
            let is_number = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                let may_be_number = given.bytes().any(|byte| byte.is_ascii_digit());
                return if may_be_number { None } else { Some(None) };
            }
            given.parse().ok()?
        }
        _ => return Some(None),
    };
    let milliseconds = match whole.to_string().len() {
        _ if field != Number::Ts => whole,
        ..=11 => whole * 1_000,
        12..=14 => whole,
        15..=17 => whole / 1_000,
        18 | 19 => whole / 1_000_000,
        _ => return Some(None),
    };
    Some(Amount::whole(field, milliseconds))
}

/// Returns the boolean of a value. Returns `Some(None)` if the value is not a boolean, and `None` if the rules do not
/// define it.
fn flag(value: &Value) -> Option<Option<bool>> {
    Some(match value {
        Value::Bool(given) => Some(*given),
        Value::Number(given) if given.as_f64() == Some(1.0) => Some(true),
        Value::Number(given) if given.as_f64() == Some(0.0) => Some(false),
        Value::String(given) => match given.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "y" | "t" => Some(true),
            "false" | "0" | "no" | "off" | "n" | "f" | "" => Some(false),
            _ => None,
        },
        _ => None,
    })
}

/// Field names of other producers, some of them inside objects.
static MAPPED: LazyLock<Arc<Fields>> = LazyLock::new(|| {
    let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let renamed = [("session", "s.id"), ("ts", "t"), ("os", "s.os"), ("ip", "net.ip.v4"), ("opt_out", "o")];
    let renamed: BTreeMap<_, _> =
        renamed.iter().map(|(ours, theirs)| ((*ours).to_owned(), path(theirs))).collect();
    Arc::new(Fields::new(&renamed).unwrap())
});

pub fn seeds() -> Vec<Vec<u8>> {
    let lines: Vec<_> = crate::some_lines(crate::SCENARIO, 12).collect();
    let mut seeds: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    seeds.push(lines.join("\n").into_bytes());
    seeds.push(format!("[{}]", lines.join(",")).into_bytes());
    seeds.push(lines.join("\0").into_bytes());
    for made in [
        r#"{"ts":1795308528421,"tenant":"acme","session":"bbb27941","ip":"203.0.113.9","event":"heartbeat","user_agent":"x","browser":"Chrome","browser_version":147,"os":"Windows","os_version":"11","device":"tv","firmware":"T-KTSU2EUC-1560.5","player":"hls.js","player_version":"1.7.4","content":"movie-0042","stream":"vod","format":"hls","cdn":"cdn-a","connection":"wifi","bandwidth_kbps":5400.5,"bitrate_kbps":3200,"height":1080,"buffer_ms":12000,"playing_ms":10000,"stalled_ms":0,"stalls":0,"startup_ms":850,"dropped_frames":3,"switches":1,"error":"","fatal":false,"opt_out":false,"country":"DE","region":"BY","asn":64500}"#,
        r#"{"s":{"id":"a","os":"iOS","x":[1,{"y":null}]},"t":1.5e3,"net":{"ip":{"v4":"192.0.2.1"}},"o":true}"#,
        "{\"session\":\"a\\u00e9\\n\\ud83d\\ude00\",\n \"ts\": 1e3,\r\n\t\"unknown\":{\"deep\":[[[[1]]]]}}\n{\"ts\":-1}\n{",
        r#"{"session":"a","startup_ms":700,"opt_out":true,"fatal":true,"startup_ms":null,"opt_out":0,"fatal":"x","cdn":"b","cdn":{}}"#,
        r#"{"session":"a","fatal":true,"opt_out":null,"ts":9007199254740991,"height":-0.0}"#,
        r#"{"session":"a","ts":"2026-11-22T00:48:48.421Z","playing_ms":"1000","opt_out":"yes","fatal":1,"height":"1080p"}"#,
        r#"{"session":"a\ud83d","content":"\udf89","cdn":{"name":"a"},"stalls":-1,"x":1e999,"cdn":"b"}"#,
        r#"{"api_key":"k","batch":[{"session":"a","ts":1795308528},{"session":"b"},7]}{"event":{"session":"c"}}"#,
        r#"{"records":[{"key":{"session":"k"},"value":{"session":"a"}},{"value":{"type":"JSON","data":{"session":"b"}}},{}]}"#,
        "{\"session\":\"a\",\"x\n{\"session\":\"b\"}\n{\"y\":{\"z\":1}\n[{\"session\":\"c\"}{\"session\":\"d\"}]",
    ] {
        seeds.push(made.as_bytes().to_vec());
    }
    seeds
}
