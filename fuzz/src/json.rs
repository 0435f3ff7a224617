//! JSON beacons, held to `serde_json::Value`, which knows nothing of fields, order or shapes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Amount, Fields, Form, Reader};
use serde_json::{Map, Value};

use crate::seen::{FIELDS, NUMBERS, Seen, TEXTS, Verdict, read, read_fresh};

/// Records are separated by a byte that no JSON holds: what a reader learns from one must not show in the next.
const SEPARATOR: u8 = 0;

/// One reader for all records says of each what a fresh one says, and what the reference says where it can tell.
pub fn check(data: &[u8]) {
    let mut reader = Reader::new(Arc::clone(&FIELDS));
    let mut renamed = Reader::new(Arc::clone(&MAPPED));
    for record in data.split(|byte| *byte == SEPARATOR) {
        let all = read(&mut reader, Form::Json, record);
        assert!(all == read_fresh(Form::Json, record), "a reader that has read before reads something else");
        if let Ok(Value::Object(object)) = serde_json::from_slice(record)
            && names_are_plain(record, &object)
        {
            assert_eq!(all, [reference(&object)], "{object:?}");
        }
        // Ours is more lenient about a mark of byte order and about form feeds between values.
        let strict = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
        let strict: Vec<u8> = strict.iter().map(|byte| if *byte == 0x0c { b' ' } else { *byte }).collect();
        let sound =
            serde_json::Deserializer::from_slice(&strict).into_iter::<Value>().all(|value| value.is_ok());
        assert!(sound || all.iter().any(Result::is_err), "what is no JSON was read without a word");
        let fresh = read(&mut Reader::new(Arc::clone(&MAPPED)), Form::Json, record);
        assert!(read(&mut renamed, Form::Json, record) == fresh, "other names: it reads something else");
    }
}

/// The reference cannot tell whether a name was stated twice, nor how deep what it threw away was.
fn names_are_plain(record: &[u8], object: &Map<String, Value>) -> bool {
    let colons = record.iter().filter(|byte| **byte == b':').count();
    let flat = object.values().all(|value| !value.is_object() && !value.is_array());
    let in_texts = |text: &String| text.contains(':');
    let colon_free = !object.keys().any(in_texts)
        && !object.values().any(|value| matches!(value, Value::String(text) if in_texts(text)));
    flat && colon_free && colons == object.len()
}

/// What a flat object with distinct names says, by the page.
fn reference(object: &Map<String, Value>) -> Verdict {
    let mut seen = Seen {
        mode: crowdfold_beacon::Mode::Json,
        texts: vec![None; TEXTS.len()],
        numbers: vec![None; NUMBERS.len()],
        fatal: false,
        opt_out: false,
    };
    for (name, value) in object {
        let text = TEXTS.iter().position(|(_, known)| known == name && !known.is_empty());
        let number = NUMBERS.iter().position(|(_, known)| known == name && !known.is_empty());
        match (value, text, number, name.as_str()) {
            (Value::Null, ..) => {}
            (Value::String(said), Some(at), ..) => seen.texts[at] = Some(said.clone()),
            (Value::Number(said), Some(at), ..) if !said.is_f64() => seen.texts[at] = Some(said.to_string()),
            (Value::Number(said), _, Some(at), _) => {
                let field = NUMBERS[at].0;
                let amount = match said.as_u64() {
                    Some(whole) => Amount::whole(field, whole),
                    None if said.is_f64() => Amount::fraction(field, said.as_f64().unwrap()),
                    None => None,
                };
                seen.numbers[at] = Some(amount.ok_or(crowdfold_beacon::Malformed)?);
            }
            (Value::Bool(said), _, _, "fatal") => seen.fatal = *said,
            (Value::Bool(said), _, _, "opt_out") => seen.opt_out = *said,
            (_, None, None, name) if name != "fatal" && name != "opt_out" => {}
            _ => return Err(crowdfold_beacon::Malformed),
        }
    }
    Ok(seen)
}

/// Other producers' names, some of them inside of objects.
static MAPPED: LazyLock<Arc<Fields>> = LazyLock::new(|| {
    let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let renamed = [("session", "s.id"), ("ts", "t"), ("os", "s.os"), ("ip", "net.ip.v4"), ("opt_out", "o")];
    let renamed: BTreeMap<_, _> =
        renamed.iter().map(|(ours, theirs)| ((*ours).to_owned(), path(theirs))).collect();
    Arc::new(Fields::new(&renamed).unwrap())
});

pub fn seeds() -> Vec<Vec<u8>> {
    let lines: Vec<_> = crate::some_lines(crate::WORLD, 12).collect();
    let mut seeds: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    seeds.push(lines.join("\n").into_bytes());
    seeds.push(format!("[{}]", lines.join(",")).into_bytes());
    seeds.push(lines.join("\0").into_bytes());
    for made in [
        r#"{"ts":1795308528421,"tenant":"acme","session":"bbb27941","ip":"203.0.113.9","event":"heartbeat","user_agent":"x","browser":"Chrome","browser_version":147,"os":"Windows","os_version":"11","device":"tv","firmware":"T-KTSU2EUC-1560.5","player":"hls.js","player_version":"1.7.4","content":"movie-0042","stream":"vod","format":"hls","cdn":"cdn-a","connection":"wifi","bandwidth_kbps":5400.5,"bitrate_kbps":3200,"height":1080,"buffer_ms":12000,"playing_ms":10000,"stalled_ms":0,"stalls":0,"startup_ms":850,"dropped_frames":3,"switches":1,"error":"","fatal":false,"opt_out":false,"country":"DE","region":"BY","asn":64500}"#,
        r#"{"s":{"id":"a","os":"iOS","x":[1,{"y":null}]},"t":1.5e3,"net":{"ip":{"v4":"192.0.2.1"}},"o":true}"#,
        "{\"session\":\"a\\u00e9\\n\\ud83d\\ude00\",\n \"ts\": 1e3,\r\n\t\"unknown\":{\"deep\":[[[[1]]]]}}\n{\"ts\":-1}\n{",
        r#"{"session":"a","fatal":true,"opt_out":null,"ts":9007199254740991,"height":-0.0}"#,
    ] {
        seeds.push(made.as_bytes().to_vec());
    }
    seeds
}
