use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_model::Dimension;
use proptest::prelude::*;

use super::*;
use crate::Text;

/// Returns the mode and the session of each beacon. An error is represented by `!`.
fn read(form: Form, record: &[u8]) -> Vec<String> {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut all = Vec::new();
    Reader::new(fields).read(form, record, &mut |_, beacon| {
        all.push(beacon.map_or("!".into(), |beacon| {
            format!("{:?} {}", beacon.mode, beacon.text(Text::Session).unwrap_or_default())
        }));
    });
    all
}

fn capture(rest: &str) -> Vec<String> {
    read(Form::Capture, format!("{{\"received_at_ms\":1,{rest}}}").as_bytes())
}

#[test]
fn content_type_determines_the_form() {
    for (content_type, form) in [
        ("application/json", Some(Form::Json)),
        ("Application/JSON; charset=utf-8", Some(Form::Json)),
        ("application/x-ndjson", Some(Form::Json)),
        ("text/plain;charset=UTF-8", Some(Form::Json)),
        ("application/cmcd", Some(Form::Cmcd)),
        (" text/cmcd ", Some(Form::Cmcd)),
        ("application/vnd.crowdfold.beacon", Some(Form::Envelope)),
        ("application/octet-stream", None),
        ("", None),
    ] {
        assert_eq!(Form::of(content_type.as_bytes()), form, "{content_type}");
    }
}

#[test]
fn cmcd_record_is_event_mode_lines_or_a_query() {
    assert_eq!(read(Form::Cmcd, b"sid=\"a\"\nsid=\"b\"\n"), ["Event a", "Event b"]);
    assert_eq!(read(Form::Cmcd, b"?x=1&CMCD=sid%3D%22a%22"), ["Request a"]);
    assert_eq!(read(Form::Cmcd, b"CMCD=sid%3D%22a%22\n"), ["Request a"]);
    assert_eq!(read(Form::Cmcd, b" \n"), ["!"]);
    assert_eq!(read(Form::Cmcd, b"?x=1"), ["!"]);
}

#[test]
fn body_takes_precedence_over_headers_and_headers_over_the_query() {
    let (body, headers, query) = (
        r#""body":"sid=\"body\"\n""#,
        r#""cmcd-session":"sid=\"headers\"""#,
        r#""query":"CMCD=sid%3D%22query%22""#,
    );
    let cmcd = r#""content-type":"application/cmcd""#;
    assert_eq!(capture(&format!(r#"{body},"headers":{{{cmcd},{headers}}},{query}"#)), ["Event body"]);
    assert_eq!(
        capture(&format!(r#""body":" ","headers":{{{cmcd},{headers}}},{query}"#)),
        ["Request headers"]
    );
    assert_eq!(capture(&format!(r#""headers":{{{headers}}},{query}"#)), ["Request headers"]);
    assert_eq!(capture(&format!(r#""headers":{{}},{query}"#)), ["Request query"]);
    assert_eq!(capture(r#""headers":{"cmcd-request":""}"#), ["Request "]);
    assert_eq!(capture(r#""path":"/x?CMCD=sid%3D%22path%22","query":"""#), ["Request path"]);
}

#[test]
fn body_may_be_json() {
    let body = r#""body":"[{\"session\":\"a\"},{\"ts\":nan}]""#;
    assert_eq!(capture(&format!(r#"{body},"headers":{{"content-type":"text/plain"}}"#)), ["Json a", "!"]);
    assert_eq!(capture(body), ["Json a", "!"]);
}

#[test]
fn body_without_a_content_type_may_be_cmcd_events() {
    let body = r#""body":"e=ps,sid=\"body\",ts=1,v=2\ne=t,sid=\"body\",ts=2,v=2""#;
    assert_eq!(capture(body), ["Event body", "Event body"]);
    assert_eq!(capture(&format!(r#"{body},"query":"CMCD=sid%3D%22query%22""#)), ["Request query"]);
    assert_eq!(capture(r#""body":"not CMCD""#), ["!"]);
}

#[test]
fn request_without_cmcd_is_malformed() {
    assert_eq!(
        capture(r#""path":"/media/a.mp4","query":"x=1","headers":{"user-agent":"UA"},"body":"""#),
        ["!"]
    );
    assert_eq!(
        capture(r#""body":"a=b&c=d","headers":{"content-type":"application/x-www-form-urlencoded"}"#),
        ["!"]
    );
    assert_eq!(read(Form::Capture, b"{}\nnot\n{\"query\":\"CMCD=sid%3D%22a%22\"}"), ["!", "!", "Request a"]);
}

#[test]
fn captures_without_separators_and_in_envelopes_are_read() {
    let one = r#"{"query":"CMCD=sid%3D%22a%22","headers":{"referer":"\ud83d"}}"#;
    assert_eq!(read(Form::Capture, one.repeat(3).as_bytes()), ["Request a"; 3]);
    let envelope = format!(r#"{{"account":1,"Records":[{one},{one},{{}}]}}"#);
    assert_eq!(read(Form::Capture, envelope.as_bytes()), ["Request a", "Request a", "!"]);
    assert_eq!(read(Form::Capture, format!("[{one},{envelope}]").as_bytes())[..3], ["Request a"; 3]);
}

#[test]
fn limit_applies_to_each_packed_request_and_each_other_record() {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut reader = Reader::new(fields).with_most(2);
    let mut count = |form, record: &[u8]| {
        let mut all = Vec::new();
        reader.read(form, record, &mut |_, beacon| all.push(beacon.map(drop)));
        all
    };
    let bounded = [Ok(()), Ok(()), Err(ReadError::TooMany)];
    assert_eq!(count(Form::Json, br#"[{"session":"a"},{},{},{}]"#), bounded);
    assert_eq!(count(Form::Cmcd, b"a\nb\nc\nd"), bounded);
    assert_eq!(count(Form::Capture, r#"{"query":"CMCD=a"}"#.repeat(4).as_bytes()), bounded);
    let record = packed(&[Body::Json(b"{}{}{}{}"), Body::Json(b"{}{}{}{}")]);
    assert_eq!(count(Form::Envelope, &record), [bounded, bounded].concat());
}

/// Packs the readable beacons of bodies.
fn packed(bodies: &[Body<'_>]) -> Vec<u8> {
    let mut reader = Reader::new(Arc::new(Fields::new(&BTreeMap::new()).unwrap()));
    let mut packer = crate::Packer::default();
    for body in bodies {
        let mut parsed = crate::Parsed::default();
        parsed.add_all(&mut reader, Http::NONE, body);
        assert!(packer.push(Http::NONE, &parsed, 0..parsed.len()));
    }
    packer.take()
}

#[test]
fn packed_record_contains_the_readable_beacons_of_bodies_of_every_kind() {
    let mut record = packed(&[
        Body::Json(b"[{\"session\":\"a\"},{\"ts\":nan}]"),
        Body::Events(b"sid=\"b\"\nsid=\"\n"),
        Body::Query(b"sid%3D%22c%22"),
        Body::Headers([None, Some(b""), Some(b" sid=\"d\" "), Some(b"bs")]),
        Body::Headers([None; 4]),
    ]);
    let expect = ["Json a", "Event b", "Request c", "Request d", "Request "];
    assert_eq!(read(Form::Envelope, &record), expect);
    record.push(9);
    assert_eq!(read(Form::Envelope, &record)[..5], expect, "requests before the error are read");
    assert_eq!(read(Form::Envelope, &record)[5..], ["!"]);
}

#[test]
fn number_of_objects_that_are_shorter_than_beacons_is_limited() {
    let of = |count: usize, object: &str, form| {
        let outcomes = read(form, format!("[{}]", vec![object; count].join(",")).as_bytes());
        (outcomes.len(), outcomes.last().map_or("", String::as_str).to_owned())
    };
    let shortest = r#"{"t":1795308480,"s":"a"}"#;
    for form in [Form::Json, Form::Capture] {
        assert_eq!(of(SOME, "{}", form).0, SOME);
        assert_eq!(of(10_000, shortest, form).0, 10_000);
        // All objects beyond the limit have one outcome together.
        assert_eq!(of(10_000, "{}", form).0, SOME + 30_001 / SHORTEST + 1);
    }
}

#[test]
fn rest_of_a_string_that_is_too_long_for_any_field_is_not_decoded() {
    let length = |content: &str| {
        let record = format!(r#"{{"session":"s","content":"{content}"}}"#);
        let mut lengths = Vec::new();
        Reader::new(Arc::new(Fields::new(&BTreeMap::new()).unwrap())).read(
            Form::Json,
            record.as_bytes(),
            &mut |_, beacon| {
                let beacon = beacon.unwrap_or_else(|_| panic!("{record}"));
                assert_eq!(beacon.text(Text::Session), Some("s"));
                lengths.extend(beacon.text(Text::Of(Dimension::Content)).map(str::len));
            },
        );
        lengths[0]
    };
    assert_eq!(length(&"\\n".repeat(1_000)), 1_000);
    for escape in ["\\n", "\\ud83d", "\\ud83c\\udf89", "\\\\", "é\\n", "🎉\\t"] {
        let length = length(&escape.repeat(30_000));
        assert!((1_000..=8_192).contains(&length), "{escape}: {length}");
    }
}

proptest! {
    #[test]
    fn reading_any_record_gives_at_least_one_outcome(
        record: Vec<u8>,
        form in prop::sample::select(vec![Form::Json, Form::Cmcd, Form::Capture, Form::Envelope]),
    ) {
        prop_assert!(!read(form, &record).is_empty());
    }

    #[test]
    fn each_line_of_an_event_mode_body_has_one_outcome(sessions in prop::collection::vec("[a-z]{1,5}", 1..10), bad: prop::sample::Index) {
        let mut lines: Vec<_> = sessions.iter().map(|id| format!("e=t,sid=\"{id}\",ts=5,v=2")).collect();
        let mut expect: Vec<_> = sessions.iter().map(|id| format!("Event {id}")).collect();
        let bad = bad.index(lines.len());
        lines[bad] = "=t".into();
        expect[bad] = "!".into();
        prop_assert_eq!(read(Form::Cmcd, (lines.join("\n") + "\n").as_bytes()), expect);
    }
}
