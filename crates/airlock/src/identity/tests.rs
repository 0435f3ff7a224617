use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crowdfold_beacon::{Fields, Form, Reader};

use super::*;

fn json(record: &str) -> Option<u64> {
    let fields = Arc::new(Fields::new(&BTreeMap::new()).unwrap());
    let mut found = None;
    Reader::new(fields).read(Form::Json, record.as_bytes(), &mut |_, beacon| {
        let beacon = beacon.ok().unwrap();
        let own_time = beacon.number(Number::Ts).map(crowdfold_beacon::Amount::rounded);
        found = identity(beacon, own_time, 7).map(Identity::get);
    });
    found
}

#[test]
fn json_beacons_differ_by_time_and_event() {
    let mut seen = HashSet::new();
    for ts in ["0", "1", "9007199254740991000"] {
        for event in ["", "attempt", "play", "heartbeat", "error", "end", "pause", "resume"] {
            let id = json(&format!(r#"{{"ts":{ts},"event":"{event}"}}"#)).unwrap();
            assert!(seen.insert(id), "{ts} {event}");
            assert_eq!(json(&format!(r#"{{"event":"{event}","ts":{ts},"stalls":1}}"#)), Some(id));
        }
    }
    assert_eq!(json(r#"{"event":"play"}"#), None);
}

#[test]
fn what_comes_later_is_greater_whatever_it_is() {
    let later = json(r#"{"ts":1795308528422,"event":"attempt"}"#);
    assert!(later > json(r#"{"ts":1795308528421,"event":"resume"}"#));
}

#[test]
fn no_event_has_the_code_of_another() {
    let codes: HashSet<_> = EVENTS.iter().map(|name| event(name)).collect();
    assert_eq!(codes.len(), EVENTS.len());
    assert!(codes.iter().all(|code| (1..256).contains(code)));
    assert!(event("anything else") >= 256 && event("anything else") < 512);
}
