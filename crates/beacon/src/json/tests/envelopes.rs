//! Tests of beacons that are inside other objects.

use super::*;

#[test]
fn beacons_in_an_envelope_are_read_one_by_one() {
    for key in ["batch", "data", "events", "Records", "event", "content"] {
        let envelope =
            |elements: &str| sessions(&format!(r#"{{"api_key":"k","{key}":[{elements}],"x":[1,{{}}]}}"#));
        assert_eq!(envelope(r#"{"session":"a"},{"session":"b"}"#), ["a", "b"], "{key}");
        assert_eq!(envelope(r#"{"session":"a"} , 7,{"session":"b"},{}"#), ["a", "!", "b", "-"], "{key}");
        assert_eq!(
            sessions(&format!(r#"{{"schema":{{"a":[]}},"{key}":{{"session":"a"}}}}"#)),
            ["a"],
            "{key}"
        );
    }
    let two = r#"{"batch":[{"session":"a"}]}{"batch":[{"session":"b"},{"session":"c"}]}"#;
    assert_eq!(sessions(two), ["a", "b", "c"]);
    assert_eq!(sessions(&format!("[{}]", two.replace("}{", "},{"))), ["a", "b", "c"]);
    assert_eq!(
        sessions(r#"{"opt_out":true,"batch":[{"session":"a"},{"session":"b"}]}"#),
        ["a opts out", "b opts out"]
    );
    // An object with a session is a beacon, so it is not searched for other beacons.
    assert_eq!(sessions(r#"{"session":"s","batch":[{"session":"a"}]}"#), ["s"]);
    for none in [
        r#"{"batch":[]}"#,
        r#"{"records":[{"value":{"x":1}},{"value":null},{"value":"e30="}]}"#,
        r#"{"batch":[1]}"#,
        r#"{"batch":{"x":1}}"#,
        r#"{"a":[{"b":{"session":"x"}}]}"#,
        "{}",
    ] {
        assert_eq!(sessions(none), ["-"], "{none}");
    }
}

#[test]
fn error_in_an_envelope_does_not_affect_its_other_beacons() {
    let (a, b) = (r#"{"session":"a"}"#, r#"{"session":"b"}"#);
    for broken in ["{\"ts\":,}", "{\"ts\":1,\"session\":\"x\",\"v\":NaN}", "NaN", "{x}", ""] {
        let array = format!("[{a},{broken},{b}]");
        assert_eq!(sessions(&format!(r#"{{"batch":{array}}}"#)), ["a", "!", "b"], "{broken}");
        assert_eq!(sessions(&format!(r#"{{"batch":[{broken},{a}]}}"#)), ["!", "a"], "{broken}");
        let next = format!("{{\"sent\":[1],\"batch\":{array} }}\n{{\"session\":\"c\"}}");
        assert_eq!(sessions(&next), ["a", "!", "b", "c"], "{broken}");
        for opt_out in
            [format!(r#"{{"opt_out":"yes","batch":{array}}}"#), format!(r#"{{"batch":{array},"opt_out":1}}"#)]
        {
            assert_eq!(sessions(&opt_out), ["a opts out", "!", "b opts out"], "{broken}");
        }
    }
    // The error is not in the array, or the envelope has no end.
    for envelope in [
        format!(r#"{{"sent":NaN,"batch":[{a},{b}]}}"#),
        format!(r#"{{"batch":[{a},{b}],"sent":NaN}}"#),
        format!(r#"{{"batch":[{a},{b}],"sent" 1,}}"#),
        format!(r#"{{sent:1,"batch":[{a},{b}]}}"#),
        format!(r#"{{"batch":[{a},{b},{{"ts":17"#),
        format!(r#"{{"batch":[{a},{b}"#),
        format!(r#"{{"batch":[{a},{b}],"x":[{{"#),
    ] {
        assert_eq!(sessions(&envelope), ["a", "b", "!"], "{envelope}");
    }
    assert_eq!(sessions(&format!(r#"{{"n":NaN,"event":{a}}}"#)), ["a", "!"]);
    assert_eq!(
        sessions(&format!(r#"{{"records":[{{"value":{a}}},{{"value":NaN}},{{"value":{b}}}]}}"#)),
        ["a", "!", "b"]
    );
    // An object with a session is a beacon. It is not searched for other beacons.
    for beacon in [
        format!(r#"{{"session":"s","x":NaN,"batch":[{a}]}}"#),
        format!(r#"{{"x":NaN,"batch":[{a}],"session":"s"}}"#),
    ] {
        assert_eq!(sessions(&beacon), ["!"], "{beacon}");
    }
    // Objects with errors, of which many were searched in vain, do not hide the beacons in other objects.
    let invalid = "{\"x\":NaN}\n".repeat(40);
    assert_eq!(sessions(&format!(r#"{invalid}{{"batch":[{a}]}}"#))[39..], ["!", "a"]);
    let beacons = "{\"session\":\"s\",\"x\":NaN}\n".repeat(40);
    assert_eq!(sessions(&format!(r#"{beacons}{{"batch":[{a},NaN]}}"#))[39..], ["!", "a", "!"]);
    for none in
        [r#"{"batch":[{"x":NaN}]}"#, r#"{"x":NaN}"#, r#"{"batch":[NaN"#, "{", "{\"", r#"{"a":"#, r#"{"a""#]
    {
        assert_eq!(sessions(none), ["!"], "{none}");
    }
}

#[test]
fn beacons_beyond_the_limit_are_one_error() {
    let element = r#"{"session":"a"}"#;
    let array = format!("[{}]", [element; 5].join(","));
    for record in
        [array.clone(), element.repeat(5), [element; 5].join("\n"), format!(r#"{{"batch":{array}}}"#)]
    {
        let mut all = Vec::new();
        read_json(record.as_bytes(), &fields(&[]), &mut Quick::default(), &mut 3, &mut |read| {
            all.push(read.map(|_| ()));
        });
        let read = if record.starts_with("{\"batch") { 2 } else { 3 };
        assert_eq!(all[..read], vec![Ok(()); read], "{record}");
        assert_eq!(all[read..], [Err(ReadError::TooMany)], "{record}");
    }
}

#[test]
fn each_record_of_kafka_rest_contains_one_beacon() {
    let records = |records: &str| sessions(&format!(r#"{{"value_schema_id":7,"records":[{records}]}}"#));
    let (a, b) = (r#"{"session":"a","x":[{}]}"#, r#"{"session":"b"}"#);
    assert_eq!(records(&format!(r#"{{"value":{a}}},{{"value":{b}}}"#)), ["a", "b"]);
    assert_eq!(
        records(&format!(r#"{{"key":"k","value":{a}}},{{"partition":1,"value":{b},"key":null}}"#)),
        ["a", "b"]
    );
    // The `key` of such a record is never read as a beacon.
    assert_eq!(records(&format!(r#"{{"key":{b},"value":{a}}}"#)), ["a"]);
    assert_eq!(sessions(&format!(r#"{{"key":{b},"value":{a}}}"#)), ["a"]);
    // Every record counts, even a record without a beacon.
    assert_eq!(
        records(&format!(r#"{{"value":null}},7,{{"value":{a}}},{{}},{b}"#)),
        ["-", "!", "a", "-", "b"]
    );
    let third = |beacon: &str| {
        format!(r#"{{"key":{{"type":"STRING","data":"k"}},"value":{{"type":"JSON","data":{beacon}}}}}"#)
    };
    assert_eq!(sessions(&format!("{}{}", third(a), third(b))), ["a", "b"]);
    assert_eq!(records(&format!("{},{}", third(a), third(b))), ["a", "b"]);
    assert_eq!(records(&format!(r#"{{"value":{a},"value":{b}}}"#)), ["b"]);
    let opted_out = format!(r#"{{"opt_out":true,"value":{a}}},{{"value":{b}}}"#);
    assert_eq!(records(&opted_out), ["a opts out", "b"]);
    assert_eq!(
        sessions(&format!(r#"{{"records":[{{"value":{a}}},{{"value":{b}}}],"opt_out":1}}"#)),
        ["a opts out", "b opts out"]
    );
    assert_eq!(sessions(&format!(r#"{{"opt_out":1,"value":{a}}}"#)), ["a opts out"]);
}

#[test]
fn first_element_without_a_session_does_not_hide_the_others() {
    assert_eq!(sessions(r#"{"batch":[{},7,{"session":"a"},{"session":"b"}]}"#), ["-", "!", "a", "b"]);
    assert_eq!(sessions(r#"{"tags":[{"x":1}],"batch":[{"session":null},{"session":"a"}]}"#), ["-", "a"]);
}

#[test]
fn number_of_records_in_a_kafka_rest_request_is_limited() {
    let record = format!(r#"{{"records":[{}]}}"#, [r#"{"value":{"session":"a"}}"#; 9].join(","));
    let mut all = Vec::new();
    read_json(record.as_bytes(), &fields(&[]), &mut Quick::default(), &mut 4, &mut |read| {
        all.push(read.map(|_| ()))
    });
    assert_eq!(all, [Ok(()), Ok(()), Ok(()), Err(ReadError::TooMany)]);
}

#[test]
fn key_that_only_ends_with_value_is_not_a_wrapper() {
    let b = r#"{"session":"b"}"#;
    assert_eq!(sessions(&format!(r#"{{"key":{b},"value":{{"session":"a"}}}}"#)), ["a"]);
    assert_eq!(sessions(&format!("{{\"key\":{b},\"value\"\n :\t{{\"session\":\"a\"}}}}")), ["a"]);
    for key in [r#"a\"value"#, "avalue", "values", r"val\u0075e", "data"] {
        assert_eq!(sessions(&format!(r#"{{"key":{b},"{key}":{{"session":"a"}}}}"#)), ["b"], "{key}");
    }
    // The last value counts. It is not an object here, so the record is read like any other envelope.
    assert_eq!(sessions(&format!(r#"{{"key":{b},"value":{{"session":"a"}},"value":[1]}}"#)), ["b"]);
}

#[test]
fn strings_in_skipped_objects_do_not_move_their_ends() {
    let noise = r#"{"a\\":"}]\"{","b":["\\","]"],"c":{"d":"\u0022}"}}"#;
    for x in [noise.to_owned(), format!("[{noise},{noise}]"), format!("[[{}]]", [noise; 9].join(" , "))] {
        let record = format!(r#"{{"value":{{"x":{x},"data":{{"x":{x},"session":"a","y":{x}}},"y":{x}}}}}"#);
        assert_eq!(sessions(&record), ["a"], "{record}");
        let record = format!(
            r#"{{"x":{x},"batch":[{{"x":{x}}},{{"session":"a","x":{x}}},{{"value":{{"y":{x},"session":"b"}}}}]}}"#
        );
        assert_eq!(sessions(&record), ["-", "a", "b"], "{record}");
    }
}

#[test]
fn at_most_64_objects_are_searched_for_beacons() {
    let envelope = |before: usize| format!(r#"{{{}"y":{{"session":"a"}}}}"#, r#""x":{},"#.repeat(before));
    assert_eq!(sessions(&envelope(63)), ["a"]);
    assert_eq!(sessions(&envelope(64)), ["-"]);
}

#[test]
fn wrapper_in_a_wrapper_is_a_record_in_an_envelope() {
    assert_eq!(sessions(r#"{"value":{"value":{"session":"a"}}}"#), ["a"]);
    assert_eq!(sessions(r#"{"value":{"value":{"data":{"session":"a"}},"data":{}}}"#), ["a"]);
    assert_eq!(sessions(r#"{"value":{"data":{"x":[{"session":"a"}]}},"y":{"session":"b"}}"#), ["b"]);
}

#[test]
fn objects_beyond_the_limit_are_not_searched() {
    let envelope = |before: usize| format!(r#"{{"batch":[{}{{"session":"a"}}]}}"#, "{},".repeat(before));
    for (before, expect) in [(3, 4), (4, 1), (5, 1)] {
        let mut all = Vec::new();
        read_json(envelope(before).as_bytes(), &fields(&[]), &mut Quick::default(), &mut 5, &mut |read| {
            all.push(read.is_ok());
        });
        assert_eq!(all, vec![true; expect], "{before}");
    }
}
