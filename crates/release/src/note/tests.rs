use crowdfold_model::{Reason, Timestamp};

use super::RejectionNote;

#[test]
fn note_contains_the_reason_the_location_and_the_time_rounded_to_the_minute() {
    let time = Timestamp::from_millis(1_795_308_528_421);
    let note = RejectionNote::new(Reason::NoSession, "crowdfold.beacons", 3, 81_234, time);
    assert_eq!(
        String::from_utf8(note.json()).unwrap(),
        r#"{"schema":"crowdfold.rejection/1","reason":"no_session","topic":"crowdfold.beacons","partition":3,"offset":81234,"time":1795308480000}"#
    );
    assert_eq!(note.reason(), Reason::NoSession);
}
