use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::Text;

/// Every verdict: the mode and session of a beacon, or `!`.
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
fn content_types_name_forms() {
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
fn cmcd_is_lines_or_a_query() {
    assert_eq!(read(Form::Cmcd, b"sid=\"a\"\nsid=\"b\"\n"), ["Event a", "Event b"]);
    assert_eq!(read(Form::Cmcd, b"?x=1&CMCD=sid%3D%22a%22"), ["Request a"]);
    assert_eq!(read(Form::Cmcd, b"CMCD=sid%3D%22a%22\n"), ["Request a"]);
    assert_eq!(read(Form::Cmcd, b" \n"), ["!"]);
    assert_eq!(read(Form::Cmcd, b"?x=1"), ["!"]);
}

#[test]
fn a_body_says_more_than_headers_and_headers_more_than_the_query() {
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
fn a_body_may_be_json() {
    let body = r#""body":"[{\"session\":\"a\"},{\"ts\":-1}]""#;
    assert_eq!(capture(&format!(r#"{body},"headers":{{"content-type":"text/plain"}}"#)), ["Json a", "!"]);
    assert_eq!(capture(body), ["Json a", "!"]);
}

#[test]
fn a_request_without_cmcd_is_malformed() {
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
fn a_packed_record_is_bodies_of_every_kind() {
    let mut packer = crate::Packer::default();
    for body in [
        Body::Json(b"[{\"session\":\"a\"},{\"ts\":-1}]"),
        Body::Events(b"sid=\"b\"\nsid=\"\n"),
        Body::Events(b" \n"),
        Body::Query(b"sid%3D%22c%22"),
        Body::Headers([None, Some(b""), Some(b" sid=\"d\" "), Some(b"bs")]),
        Body::Headers([None; 4]),
        Body::Json(b""),
    ] {
        assert!(packer.push(&Http::default(), &body));
    }
    let mut record = packer.take();
    let expect = ["Json a", "!", "Event b", "!", "!", "Request c", "Request d", "Request ", "!"];
    assert_eq!(read(Form::Envelope, &record), expect);
    record.push(9);
    assert_eq!(read(Form::Envelope, &record)[..9], expect, "what came before stands");
    assert_eq!(read(Form::Envelope, &record)[9..], ["!"]);
}

proptest! {
    #[test]
    fn every_record_has_a_verdict(
        record: Vec<u8>,
        form in prop::sample::select(vec![Form::Json, Form::Cmcd, Form::Capture, Form::Envelope]),
    ) {
        prop_assert!(!read(form, &record).is_empty());
    }

    #[test]
    fn every_line_of_a_body_has_one(sessions in prop::collection::vec("[a-z]{1,5}", 1..10), bad: prop::sample::Index) {
        let mut lines: Vec<_> = sessions.iter().map(|id| format!("e=t,sid=\"{id}\",ts=5,v=2")).collect();
        let mut expect: Vec<_> = sessions.iter().map(|id| format!("Event {id}")).collect();
        let bad = bad.index(lines.len());
        lines[bad] = "e=t,sid=\"".into();
        expect[bad] = "!".into();
        prop_assert_eq!(read(Form::Cmcd, (lines.join("\n") + "\n").as_bytes()), expect);
    }
}
