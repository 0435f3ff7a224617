use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crowdfold_beacon::{Fields, Form, Reader};

use super::*;

/// Returns the identity of a beacon that was received at this endpoint and this time.
fn sent(form: Form, record: &str, endpoint: u32, received_at: u64) -> Option<u64> {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut found = None;
    Reader::new(fields).read(form, record.as_bytes(), &mut |_, beacon| {
        let beacon = beacon.ok().unwrap();
        let own_time = beacon.number(Number::Ts).map(Amount::timestamp);
        found = identity(beacon, own_time, endpoint, Some(Timestamp::from_millis(received_at)));
    });
    found.map(Identity::get)
}

fn json(record: &str) -> Option<u64> {
    sent(Form::Json, record, 7, 5)
}

/// Returns the identity of a CMCD event, or of a CMCD request if the record begins with `CMCD=`.
fn cmcd(record: &str) -> Option<u64> {
    sent(Form::Cmcd, record, 7, 5)
}

fn all_differ(identities: impl IntoIterator<Item = Option<u64>>) {
    let mut seen = HashSet::new();
    for (number, identity) in identities.into_iter().enumerate() {
        assert!(seen.insert(identity.unwrap()), "{number}");
    }
}

#[test]
fn identity_of_a_json_beacon_depends_on_time_event_class_and_fatal() {
    let mut all = Vec::new();
    for ts in ["0", "1", "1795308528421"] {
        for event in ["", "attempt", "play", "heartbeat", "error", "end"] {
            for rest in
                ["", r#","error":"network""#, r#","error":"media""#, r#","error":"media","fatal":true"#]
            {
                let beacon = format!(r#"{{"ts":{ts},"event":"{event}"{rest}}}"#);
                all.push(json(&beacon));
                let reordered = format!(r#"{{"stalls":1,"event":"{event}","ts":{ts}{rest}}}"#);
                assert_eq!(json(&reordered), json(&beacon), "{beacon}");
            }
        }
    }
    all_differ(all);
    assert_eq!(json(r#"{"event":"play"}"#), None);
}

#[test]
fn identity_does_not_depend_on_the_name_of_an_unknown_event() {
    for rest in ["", r#","error":"network""#, r#","error":"media","fatal":true"#, r#","playing_ms":10"#] {
        let absent = json(&format!(r#"{{"ts":5{rest}}}"#));
        for event in ["pause", "bogus2", "playing-for-a-while", "bc", "", "-", "null"] {
            assert_eq!(json(&format!(r#"{{"ts":5,"event":"{event}"{rest}}}"#)), absent, "{event} {rest}");
        }
        assert_ne!(json(&format!(r#"{{"ts":5,"event":"HeartBeat"{rest}}}"#)), absent, "{rest}");
    }
}

#[test]
fn identity_of_an_event_depends_on_endpoint_number_event_and_time() {
    all_differ([
        cmcd("e=t,sn=1,ts=5"),
        cmcd("e=ps,sn=1,ts=5"),
        cmcd("e=t,sn=2,ts=5"),
        cmcd("e=t,sn=1,ts=6"),
        cmcd("e=t,ts=5"),
        cmcd("e=t,sn=0,ts=5"),
        sent(Form::Cmcd, "e=t,sn=1,ts=5", 8, 5),
        // This record is a request with the same sequence number at the same time.
        cmcd("CMCD=sn=1"),
    ]);
    assert_eq!(sent(Form::Cmcd, "e=t,sn=1,ts=5,sta=p", 7, 9), cmcd("e=t,sn=1,ts=5"), "the record is a retry");
    assert_eq!(cmcd("e=t,sn=1"), None);
}

#[test]
fn identity_of_a_request_depends_on_endpoint_number_and_time_of_receipt() {
    let request = |record, endpoint, received_at| sent(Form::Cmcd, record, endpoint, received_at);
    all_differ([
        request("CMCD=sn=1", 7, 5),
        request("CMCD=sn=2", 7, 5),
        request("CMCD=sn=1", 8, 5),
        // The player has restarted its sequence numbers.
        request("CMCD=sn=1", 7, 6),
    ]);
    assert_eq!(request("CMCD=sn=1,sta=p", 7, 5), request("CMCD=sn=1", 7, 5));
    assert_eq!(request("CMCD=sta=p", 7, 5), None, "a request without a sequence number has no identity");
}

#[test]
fn later_beacon_has_a_greater_identity() {
    let later = json(r#"{"ts":1795308528422,"event":"attempt"}"#);
    assert!(later > json(r#"{"ts":1795308528421,"event":"resume"}"#));
    assert!(cmcd("e=t,sn=0,ts=1795308528422") > cmcd("e=t,sn=9,ts=1795308528421"));
}
