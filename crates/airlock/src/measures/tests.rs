use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_beacon::{Fields, Form, Reader};

use super::*;

fn of(record: &str) -> Measures {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut found = None;
    Reader::new(fields).read(Form::Json, record.as_bytes(), &mut |_, beacon| {
        found = beacon.ok().map(|beacon| measures(beacon, None))
    });
    found.unwrap()
}

#[test]
fn amounts_are_rounded_half_up() {
    let measures = of(r#"{"playing_ms":10050,"stalled_ms":49.9,"stalls":1.5,"dropped_frames":3,"switches":2,
        "bandwidth_kbps":5449,"bitrate_kbps":3250,"startup_ms":855}"#);
    let mut expect = Measures { play: true, ..Measures::default() };
    for (metric, sum) in [
        (SumMetric::PlayingMs, 10_100),
        (SumMetric::Stalls, 2),
        (SumMetric::DroppedFrames, 3),
        (SumMetric::Switches, 2),
    ] {
        expect.sums[metric as usize] = sum;
    }
    for (metric, value) in [
        (ValueMetric::StartupMs, 860),
        (ValueMetric::BandwidthKbps, 5_400),
        (ValueMetric::BitrateKbps, 3_300),
    ] {
        expect.values[metric as usize] = Some(value);
    }
    assert_eq!(measures, expect);
}

#[test]
fn event_and_numbers_determine_attempt_play_and_idle() {
    let states = |record| (of(record).attempt, of(record).play, of(record).idle);
    assert_eq!(states(r#"{"event":"attempt"}"#), (true, false, false));
    assert_eq!(states(r#"{"event":"ATTEMPT"}"#), (true, false, false));
    assert_eq!(states(r#"{"event":"play"}"#), (false, true, false));
    assert_eq!(states(r#"{"event":"Play"}"#), (false, true, false));
    assert_eq!(states(r#"{"event":"heartbeat","startup_ms":0}"#), (false, true, false));
    assert_eq!(states(r#"{"event":"heartbeat","playing_ms":50}"#), (false, true, false));
    assert_eq!(states(r#"{"event":"heartbeat","playing_ms":49}"#), (false, true, false));
    assert_eq!(states(r#"{"event":"heartbeat","playing_ms":0}"#), (false, false, true));
    assert_eq!(states(r#"{"event":"end","playing_ms":49}"#), (false, false, true));
    assert_eq!(states(r#"{"event":"error","error":"drm"}"#), (false, false, true));
    assert_eq!(states(r#"{"event":"error","error":"drm","fatal":true}"#), (false, false, false));
    assert_eq!(states(r#"{"event":"anything"}"#), (false, false, true));
    assert_eq!(states("{}"), (false, false, true));
}

#[test]
fn unknown_error_class_is_other() {
    let error = |record| (of(record).error.map(ErrorClass::name), of(record).fatal);
    assert_eq!(error(r#"{"event":"error","error":"network","fatal":true}"#), (Some("network"), true));
    assert_eq!(error(r#"{"event":"heartbeat","error":"DRM"}"#), (Some("drm"), false));
    assert_eq!(error(r#"{"event":"error"}"#), (Some("other"), false));
    assert_eq!(error(r#"{"event":"error","error":"MEDIA_ERR_DECODE"}"#), (Some("other"), false));
    assert_eq!(error(r#"{"error":"","fatal":false}"#), (None, false));
    assert_eq!(error(r#"{"error":"","fatal":true}"#), (None, false));
}

/// Returns the measures of a CMCD event, or of a CMCD request if the record begins with `CMCD=`.
fn cmcd(record: &str) -> Measures {
    let mut found = None;
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    Reader::new(fields).read(Form::Cmcd, record.as_bytes(), &mut |_, beacon| {
        found = beacon.ok().map(|beacon| measures(beacon, None));
    });
    found.unwrap()
}

#[test]
fn cmcd_state_determines_attempt_play_and_idle() {
    let states = |record: &str| (cmcd(record).attempt, cmcd(record).play, cmcd(record).idle);
    assert_eq!(states("e=ps,sta=s"), (true, false, false));
    assert_eq!(states("e=t,sta=p"), (false, true, false));
    assert_eq!(states("CMCD=sta=p"), (false, true, false));
    for state in ["a", "e"] {
        assert_eq!(states(&format!("e=t,sta={state}")), (false, false, true), "{state}");
    }
    for state in ["k", "r", "w", "f", "d", "q", "x", "P"] {
        assert_eq!(states(&format!("e=t,sta={state}")), (false, false, false), "{state}");
    }
    assert_eq!(states("e=ps,sta=s,msd=3"), (true, false, false), "dash.js sends this before anything plays");
    assert_eq!(
        states("e=ps,sta=r,msd=453"),
        (false, false, false),
        "dash.js sends this before anything plays"
    );
    assert_eq!(states("e=rr,msd=135"), (false, true, false), "Shaka Player sends this without a state");
}

#[test]
fn cmcd_beacon_contributes_totals_and_no_amounts() {
    let measured = cmcd("e=t,sta=p,bsa=(3),bsda=(900),dfa=(7),msd=855");
    assert_eq!(measured.sums, [0; SumMetric::COUNT]);
    assert_eq!(measured.value(ValueMetric::StartupMs), Some(860));
    for state in ["s", "d", "f", "q"] {
        let line = format!("e=ps,sta={state},msd=549");
        assert_eq!(cmcd(&line).value(ValueMetric::StartupMs), None, "{line}: nothing has played");
    }
}

#[test]
fn cmcd_error_follows_from_its_code_or_its_event() {
    let error = |record| (cmcd(record).error.map(ErrorClass::name), cmcd(record).fatal);
    assert_eq!(error("e=e,sta=p,ec=27"), (Some("network"), false));
    assert_eq!(error("e=t,sta=p,ec=27"), (Some("network"), false));
    assert_eq!(error("e=t,sta=p,ec=\" \""), (None, false));
    assert_eq!(error("e=t,sta=f,ec=27"), (Some("network"), true));
    assert_eq!(error("e=ps,sta=f"), (None, true), "`e=e` follows immediately");
    assert_eq!(error("e=e,sta=f"), (Some("other"), true));
    assert_eq!(error("CMCD=ec=27"), (Some("network"), false));
}
