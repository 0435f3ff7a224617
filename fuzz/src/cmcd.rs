//! The targets of CMCD, one for each form: lines of event mode, the query of a request, and the four headers.

use crowdfold_beacon::{Form, Mode, Text};
use crowdfold_model::Dimension;
use serde_json::json;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use crate::seen::{Seen, TEXTS, read_fresh};

/// Asserts that each event-mode line that is not empty has exactly one outcome, and has the same outcome if it is the
/// only line.
pub fn check_events(data: &[u8]) {
    // A record that begins like a query is read as a query.
    let record = data.trim_ascii();
    if record.starts_with(b"?") || record.starts_with(b"CMCD=") {
        return check_query(record);
    }
    let all = read_fresh(Form::Cmcd, data);
    let lines: Vec<_> = record.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(all.len(), lines.len().max(1), "the number of outcomes differs from the number of lines");
    for (line, outcome) in lines.into_iter().zip(all) {
        if let Ok(seen) = &outcome {
            assert!(matches!(seen.mode, Mode::Event | Mode::Unsupported));
        }
        against_the_standard(line, outcome.as_ref().ok());
        if !line.starts_with(b"?") && !line.starts_with(b"CMCD=") {
            assert!(
                read_fresh(Form::Cmcd, line) == [outcome],
                "the outcome of a line differs from its outcome as the only line"
            );
        }
    }
}

/// Asserts that any query has exactly one outcome.
pub fn check_query(data: &[u8]) {
    let all = read_fresh(Form::Cmcd, &[b"?CMCD=", data].concat());
    assert!(all.len() == 1 || data.trim_ascii().contains(&b'\n'));
    // If a query is percent-encoded once more, its content must stay the same.
    let plain = data.iter().all(|byte| byte.is_ascii_graphic() && !b"%+&".contains(byte));
    if plain && let [Ok(once)] = &all[..] {
        let encoded: String = data.iter().map(|byte| format!("%{byte:02X}")).collect();
        let twice = read_fresh(Form::Cmcd, format!("?CMCD={encoded}").as_bytes());
        assert!(twice == [Ok(once.clone())], "an encoded query differs from the plain one");
    }
}

/// Checks the four headers. Each is a dictionary, and together they are one record.
pub fn check_headers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parts: Vec<_> = text.splitn(4, '\n').collect();
    let names = ["CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status"];
    let headers: serde_json::Map<_, _> =
        names.iter().zip(&parts).map(|(name, part)| ((*name).to_owned(), json!(part))).collect();
    let capture = json!({"received_at_ms": 1, "headers": headers}).to_string();
    let all = read_fresh(Form::Capture, capture.as_bytes());
    assert_eq!(all.len(), 1);
    if let Ok(seen) = &all[0] {
        assert!(matches!(seen.mode, Mode::Request | Mode::Unsupported));
    }
    if let [one] = &parts[..] {
        against_the_standard(one.trim_ascii().as_bytes(), all[0].as_ref().ok());
    }
}

/// Compares a line with a strict parser of structured fields. If the strict parser accepts the line, our
/// parser must accept the line too, and both must read the same session and content. Lines with repeated
/// keys are not compared. Our parser also accepts lines that the strict parser rejects.
fn against_the_standard(line: &[u8], seen: Option<&Seen>) {
    let Ok(dictionary) = Parser::new(line).parse::<Dictionary>() else { return };
    let first = |key: &str| match dictionary.get(key)? {
        ListEntry::Item(item) => Some(&item.bare_item),
        ListEntry::InnerList(list) => list.items.first().map(|item| &item.bare_item),
    };
    let repeated = dictionary.len() != line.iter().filter(|byte| **byte == b',').count() + 1;
    if repeated {
        return;
    }
    let seen = seen
        .unwrap_or_else(|| panic!("a line that the standard permits was rejected: {}", line.escape_ascii()));
    for (key, text) in [("sid", Text::Session), ("cid", Text::Of(Dimension::Content))] {
        let at = TEXTS.iter().position(|(known, _)| *known == text).expect("a known text");
        let ours = seen.texts[at].as_deref();
        let same = match first(key) {
            Some(BareItem::String(theirs)) => ours == Some(theirs.as_str()),
            Some(BareItem::Token(theirs)) => ours == Some(theirs.as_str()),
            // Our parser returns numbers in their written form, which the strict parser does not provide.
            Some(BareItem::Integer(_) | BareItem::Decimal(_)) => ours.is_some_and(|ours| !ours.is_empty()),
            _ => ours.is_none(),
        };
        assert!(same, "both parsers read different values of {key} in {}", line.escape_ascii());
    }
}

pub fn event_seeds() -> Vec<Vec<u8>> {
    let mut bodies = crate::captured("body");
    bodies.retain(|body| body.len() < 4_000);
    let mut seeds: Vec<Vec<u8>> = bodies.into_iter().step_by(3).take(30).map(String::into_bytes).collect();
    for odd in [
        &br#"br=3000,nor=../300k/seg.m4s,sid=3b2f6a10-5c1d,ot="v",d=4004.0000000000005,,1x=3,cid=\"\"-9\"\",url=https://a/x?y=1"#[..],
        br#"sid="a",rtp=-Infinity,cid='movie 1',nor="..\seg",e="ps",sta="p",ts="2026-11-22T00:48:48Z",x="never closed,br=1"#,
        br#"{"br":3200,"bs":true,"cid":"movie \"1\"","sid":"6e2fb550-c457","nor":["x"]}"#,
        b"sid=\"\xff\",cid=\"\xfe\",br=1",
    ] {
        seeds.push(odd.to_vec());
    }
    seeds.push(br#"br=(5000;v 320;a),bsd=(10),cid="a\"b\\",e=t,ec=("404"),sid="s",sn=5,sta=p,tpb=(867.654),ts=1,v=2,x-y=?0,z"#.to_vec());
    seeds
}

pub fn query_seeds() -> Vec<Vec<u8>> {
    let queries = crate::captured("query").into_iter();
    let values = queries.filter_map(|query| Some(query.split_once("CMCD=")?.1.as_bytes().to_vec()));
    let mut seeds: Vec<_> = values.step_by(4).take(20).collect();
    seeds.push(br#"sid="a+b",su"#.to_vec());
    seeds.push(b"sid%253D%2522a%2522%252Cbr%253D5".to_vec());
    seeds
}

pub fn header_seeds() -> Vec<Vec<u8>> {
    let headers = ["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"].map(crate::captured);
    let line = |number: usize| {
        let parts = headers.iter().map(|all| all.get(number % all.len().max(1)).map_or("", String::as_str));
        parts.collect::<Vec<_>>().join("\n").into_bytes()
    };
    let mut seeds: Vec<Vec<u8>> = (0..10).map(line).collect();
    seeds.extend(headers.iter().flatten().take(10).map(|one| one.clone().into_bytes()));
    seeds
}
