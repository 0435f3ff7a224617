//! The target `envelope`: envelopes, which contain the beacons of several requests.

use std::borrow::Cow;
use std::sync::Arc;

use crowdfold_beacon::{Body, Form, Http, Packer, Parsed, Reader};
use crowdfold_model::Timestamp;

use crate::seen::{FIELDS, read_fresh};

/// Asserts that arbitrary bytes cause no panic, and that packed beacons have the same values as the beacons of each body
/// alone.
pub fn check(data: &[u8]) {
    read_fresh(Form::Envelope, data);
    read_fresh(Form::Envelope, &[&[2, 0], data].concat());
    let mut packer = Packer::default();
    let mut alone = Vec::new();
    for (number, body) in data.split(|byte| *byte == 0).enumerate() {
        let http = Http {
            received_at: Some(Timestamp::from_millis(number as u64)),
            user_agent: Some(String::from_utf8_lossy(&body[..body.len().min(9)])),
            model: (number % 2 == 0).then_some(Cow::Borrowed("")),
            gpc: number % 3 == 0,
            ..Http::default()
        };
        let query = body.starts_with(b"?") || body.starts_with(b"CMCD=");
        let (packed, form) = if number % 2 == 0 || query {
            (Body::Json(body), Form::Json)
        } else {
            (Body::Events(body), Form::Cmcd)
        };
        // A record of the form CMCD that begins like a query is read as a query, but a packed body in event mode is
        // not.
        let starts = body.trim_ascii();
        if form == Form::Cmcd && (starts.starts_with(b"?") || starts.starts_with(b"CMCD=")) {
            continue;
        }
        if pack(&mut packer, &http, &packed) {
            alone.extend(read_fresh(form, body).into_iter().filter(Result::is_ok));
        }
    }
    if !packer.is_empty() {
        assert!(
            read_fresh(Form::Envelope, &packer.take()) == alone,
            "packed beacons differ from the beacons of each body alone"
        );
    }
}

/// Packs the readable beacons of a body. Returns false if there are none.
fn pack(packer: &mut Packer, http: &Http<'_>, body: &Body<'_>) -> bool {
    let mut parsed = Parsed::default();
    parsed.add_all(&mut Reader::new(Arc::clone(&FIELDS)), http, body);
    let packed = packer.push(http, &parsed, 0..parsed.len());
    assert!(packed || parsed.is_empty(), "the body is too long");
    packed
}

pub fn seeds() -> Vec<Vec<u8>> {
    let http = || Http {
        received_at: Some(Timestamp::from_millis(1_795_308_528_421)),
        address: Some("203.0.113.9".into()),
        tenant: Some("acme".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)".into()),
        brands: Some("\"Chromium\";v=\"147\"".into()),
        mobile: Some("?0".into()),
        dnt: true,
        endpoint: 0x811c_9dc5,
        ..Http::default()
    };
    let mut packer = Packer::default();
    let line = crate::some_lines(crate::SCENARIO, 1).next().unwrap();
    assert!(pack(&mut packer, &http(), &Body::Json(line.as_bytes())));
    assert!(pack(&mut packer, &Http::default(), &Body::Events(b"e=t,sid=\"s\",sta=p,ts=1,v=2\n")));
    assert!(pack(&mut packer, &http(), &Body::Query(b"sid%3D%22s%22")));
    assert!(pack(&mut packer, &http(), &Body::Headers([Some(b"br=5"), None, Some(b"sid=\"s\""), None])));
    vec![packer.take(), line.as_bytes().to_vec(), [line.as_bytes(), b"\0e=t,sid=\"s\",ts=1,v=2"].concat()]
}
