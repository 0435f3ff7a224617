use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_beacon::{Fields, Form, Reader};

use super::*;

fn of(record: &str) -> Measures {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut found = None;
    Reader::new(fields).read(Form::Json, record.as_bytes(), &mut |_, beacon| {
        found = beacon.ok().map(|beacon| measures(beacon))
    });
    found.unwrap()
}

#[test]
fn amounts_are_quantised_half_up() {
    let measures = of(r#"{"playing_ms":10050,"stalled_ms":49.9,"stalls":1.5,"dropped_frames":3,"switches":2,
        "bandwidth_kbps":5449,"bitrate_kbps":3250,"startup_ms":855}"#);
    let expect = Measures {
        play: true,
        startup_ms: Some(860),
        playing_ms: 10_100,
        stalled_ms: 0,
        stalls: 2,
        dropped_frames: 3,
        switches: 2,
        bandwidth_kbps: Some(5_400),
        bitrate_kbps: Some(3_300),
        ..Measures::default()
    };
    assert_eq!(measures, expect);
}

#[test]
fn events_state_attempts_and_plays() {
    let states = |record| (of(record).attempt, of(record).play);
    assert_eq!(states(r#"{"event":"attempt"}"#), (true, false));
    assert_eq!(states(r#"{"event":"play"}"#), (false, true));
    assert_eq!(states(r#"{"event":"heartbeat","startup_ms":0}"#), (false, true));
    assert_eq!(states(r#"{"event":"Play"}"#), (false, false));
    assert_eq!(states(r#"{"event":"anything"}"#), (false, false));
    assert_eq!(states("{}"), (false, false));
}

#[test]
fn errors_are_closed() {
    let error = |record| (of(record).error.map(ErrorClass::name), of(record).fatal);
    assert_eq!(error(r#"{"event":"error","error":"network","fatal":true}"#), (Some("network"), true));
    assert_eq!(error(r#"{"event":"heartbeat","error":"DRM"}"#), (Some("drm"), false));
    assert_eq!(error(r#"{"event":"error"}"#), (Some("other"), false));
    assert_eq!(error(r#"{"event":"error","error":"MEDIA_ERR_DECODE"}"#), (Some("other"), false));
    assert_eq!(error(r#"{"error":"","fatal":false}"#), (None, false));
    assert_eq!(error(r#"{"error":"","fatal":true}"#), (None, false));
}
