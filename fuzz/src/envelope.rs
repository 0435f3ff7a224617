//! The target `envelope`: envelopes, which contain the beacons of several requests.

use std::borrow::Cow;

use crowdfold_beacon::{Body, Form, Http, Packer};
use crowdfold_model::Timestamp;

use crate::seen::read_fresh;

/// Asserts that arbitrary bytes cause no panic, and that a packed body has the same outcomes as the body alone.
pub fn check(data: &[u8]) {
    read_fresh(Form::Envelope, data);
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
        assert!(packer.push(&http, &packed), "the body is too long");
        alone.extend(read_fresh(form, body));
    }
    if !packer.is_empty() {
        assert!(
            read_fresh(Form::Envelope, &packer.take()) == alone,
            "the outcomes of packed bodies differ from the outcomes of each body alone"
        );
    }
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
    assert!(packer.push(&http(), &Body::Json(line.as_bytes())));
    assert!(packer.push(&Http::default(), &Body::Events(b"e=t,sid=\"s\",sta=p,ts=1,v=2\n")));
    assert!(packer.push(&http(), &Body::Query(b"sid%3D%22s%22")));
    assert!(packer.push(&http(), &Body::Headers([Some(b"br=5"), None, Some(b"sid=\"s\""), None])));
    vec![packer.take(), line.as_bytes().to_vec(), [line.as_bytes(), b"\0e=t,sid=\"s\",ts=1,v=2"].concat()]
}
