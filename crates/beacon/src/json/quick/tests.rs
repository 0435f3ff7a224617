use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Mode;
use crate::json::tests::summary;

fn fields() -> Fields {
    let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let renamed = BTreeMap::from([
        ("os".to_owned(), path(&["client", "os"])),
        ("browser".to_owned(), path(&["client", "agent", "name"])),
        ("height".to_owned(), path(&["video", "height"])),
    ]);
    Fields::new(&renamed).unwrap()
}

/// Reads a record that consists of one object. Returns its beacon as text.
fn read_by(quick: &mut Quick, record: &str, fields: &Fields) -> Option<String> {
    quick.begin();
    read_on(quick, record, fields)
}

fn read_on(quick: &mut Quick, record: &str, fields: &Fields) -> Option<String> {
    let mut beacon = Beacon::new(Mode::Json);
    let end = quick.read(&Source::new(record.as_bytes()), 0, fields, &mut beacon)?;
    (end == record.len()).then(|| summary(&beacon))
}

/// Reads records one after the other with the same memory. Compares each result with that of a reader without memory.
/// Returns the number of records that can be read.
fn readable(records: &[String], fields: &Fields) -> usize {
    let mut quick = Quick::default();
    let mut count = 0;
    for record in records {
        let read = read_by(&mut quick, record, fields);
        // A new reader has no memory.
        assert_eq!(read, read_on(&mut Quick::default(), record, fields), "{record}");
        count += usize::from(read.is_some());
    }
    count
}

#[track_caller]
fn check(records: &[&str], expect: usize) {
    let records: Vec<_> = records.iter().map(|record| (*record).to_owned()).collect();
    assert_eq!(readable(&records, &fields()), expect, "{records:?}");
}

#[test]
fn beacons_of_producers_are_read() {
    check(
        &[
            r#"{"ts":1795308528421,"session":"s-1","ip":"203.0.113.9","event":"heartbeat","playing_ms":10000,"fatal":false}"#,
            r#"{"ts":1795308528422,"session":"s-2","ip":"203.0.113.9","event":"play","startup_ms":850.5,"fatal":null}"#,
            r#"{"ts":1795308528423,"session":"s-é","error":"a\"b","unknown":{"deep":[1,{"session":"no"}]},"fatal":true}"#,
            r#"{ "client": {"os":"Windows","agent":{"name":"Chrome","x":1}}, "video": {}, "ts": 1, "session": "s" }"#,
            r#"{ "client": {"os":"Windows","agent":7}, "video": [1, 2], "ts": 1, "session": "s" }"#,
            r#"{ "client": "none", "video": null, "ts": 1, "session": "s" }"#,
            "{}",
        ],
        7,
    );
}

#[test]
fn text_that_is_not_json_is_not_read() {
    for record in [
        "",
        "[]",
        "{",
        r#"{"ts":1"#,
        r#"{"ts":1,}"#,
        r#"{,"ts":1}"#,
        r#"{"ts":1 "session":"s"}"#,
        r#"{"ts":1}x"#,
        r#"{"ts":01}"#,
        r#"{"ts":NaN}"#,
        r#"{"ts":"1}"#,
        r#"{"client":1{"os":"Windows"}}"#,
        r#"{"client":"x"{"os":"Windows"}}"#,
        r#"{"client":{"os":"Windows"}{"os":"Windows"}}"#,
        "{\"session\":\"a\nb\"}",
        "{\"session\":\"\\\n\"}",
        r#"{"x":[1}"#,
    ] {
        let sound = r#"{"client":{"os":"Windows"},"ts":1,"session":"s"}"#;
        check(&[sound, record, sound, record], 2);
    }
}

#[test]
fn step_after_a_string_is_not_used_after_another_value() {
    let texts = r#"{"session":"s","content":"c","ts":1,"cdn":"d"}"#;
    let numbers = r#"{"session":1,"content":2,"ts":"1","cdn":null}"#;
    for record in [
        r#"{"session":1","content":"c","ts":1}"#,
        r#"{"session":null","content":"c","ts":1}"#,
        r#"{"session":"\n"","content":"c","ts":1}"#,
        r#"{"session":"s,"content":"c","ts":1}"#,
        r#"{"session":"s""content":"c","ts":1}"#,
        r#"{"ts":1","cdn":"d"}"#,
        r#"{"ts":"1","cdn":d"}"#,
        r#"{"session":"s","content":c","ts":1}"#,
        r#"{"session":"s"","content":"c"}"#,
    ] {
        check(&[texts, record, numbers, record, texts, record, numbers, record], 4);
    }
    let spaced = r#"{"session": "s" , "content": "c" , "ts": 1 , "cdn": "d" }"#;
    let escaped = r#"{"session":"s\n","content":"\u0063","ts":1,"cdn":"d\""}"#;
    check(&[texts, numbers, spaced, escaped, texts, escaped, spaced, numbers, texts], 9);
}

#[test]
fn several_forms_of_beacons_are_remembered_at_the_same_time() {
    let shapes =
        ["ts", "stalls", "cdn", "height"].map(|key| format!(r#"{{"session":"s","{key}":1,"ts":2}}"#));
    let mut quick = Quick::default();
    for shape in &shapes {
        assert!(read_by(&mut quick, shape, &fields()).is_some());
    }
    let known = quick.steps.len();
    for shape in shapes.iter().chain(&shapes) {
        assert_eq!(read_by(&mut quick, shape, &fields()), read_by(&mut Quick::default(), shape, &fields()));
    }
    assert_eq!(quick.steps.len(), known, "no step is learnt twice");
}

#[test]
fn keys_with_escapes_are_recognised() {
    let mut quick = Quick::default();
    for record in [r#"{"\u0074s":7,"s\u0065ssion":"a"}"#, r#"{"ts":7,"session":"a"}"#] {
        for _ in 0..2 {
            let summary = read_by(&mut quick, record, &fields()).unwrap();
            assert!(
                summary.contains("session=Some(\"a\")") && summary.contains("halves: 14000"),
                "{summary}"
            );
        }
    }
}

#[test]
fn many_different_keys_are_read_and_forgotten() {
    let flood: Vec<_> = (0..3 * MOST_STEPS).map(|nth| format!(r#"{{"k{nth}":1,"ts":{nth}}}"#)).collect();
    assert_eq!(readable(&flood, &fields()), flood.len());
    let mut quick = Quick::default();
    for nth in 0..2 * MAX_LOST_STEPS {
        let record = format!(r#"{{"k{nth}":1,"ts":{nth}}}"#);
        assert!(read_by(&mut quick, &record, &fields()).is_some());
        assert!(quick.steps.len() <= MOST_STEPS);
    }
    let many: String = (0..20 * MOST_STEPS).map(|nth| format!(r#""k{nth}":1,"#)).collect();
    let (before, record) = (quick.steps.len(), format!(r#"{{{many}"session":"s"}}"#));
    assert!(read_by(&mut quick, &record, &fields()).unwrap().contains("session=Some"));
    assert!(quick.steps.len() <= before + MOST_LEARNT as usize);
}

/// Generates valid JSON values of all kinds, and invalid values.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,18}",
        "-?[0-9]{1,3}(\\.[0-9]{1,4})?([eE][+-]?[0-9])?",
        "\"[a-zé \\\\\"\u{1}]{0,10}\"",
        "\"[a-z0-9.:-]{0,20}\"".prop_map(String::from),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("nope".to_owned()),
        Just("[1,{\"a\":[]}]".to_owned()),
        Just("{\"os\":\"Windows\",\"agent\":{\"name\":\"x\"}}".to_owned()),
        Just("{\"height\": 720 }".to_owned()),
        Just("{}".to_owned()),
        Just("{\"a\":1,}".to_owned()),
        Just("\"17.5\"".to_owned()),
        Just("\"\\ud83d\"".to_owned()),
        Just("1e400".to_owned()),
    ]
}

fn record() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "ts",
        "session",
        "ip",
        "event",
        "playing_ms",
        "fatal",
        "opt_out",
        "client",
        "video",
        "os",
        "other",
        "x\\u0020",
    ]);
    let pair = (key, value(), prop::sample::select(vec!["", "", "", " ", "\n"]));
    let pairs = prop::collection::vec(pair, 0..7);
    let damage = prop::option::weighted(0.2, (any::<prop::sample::Index>(), "[{}\\[\\]\",: a\\\\]"));
    (pairs, damage).prop_map(|(pairs, damage)| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value, blank)| format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}"))
            .collect();
        let mut record = format!("{{{}}}", pairs.join(","));
        if let Some((at, sign)) = damage {
            let positions: Vec<_> = record.char_indices().map(|(position, _)| position).collect();
            let position = *at.get(&positions);
            let length = record[position..].chars().next().map_or(0, char::len_utf8);
            record.replace_range(position..position + length, &sign);
        }
        record
    })
}

/// Generates a key, and a value that differs from the values of all other keys. Some values are unusable.
fn pair() -> impl Strategy<Value = (&'static str, &'static str)> {
    let key = prop::sample::select(vec!["ts", "session", "cdn", "startup_ms", "height", "fatal", "other"]);
    let value = prop::sample::select(vec![
        "1795308528421",
        "\"1795308528421\"",
        "700",
        "7.5",
        "\"x\"",
        "\"\\ud83d\"",
        "true",
        "false",
        "null",
        "-1",
        "1e400",
        "[]",
        "{\"ts\":1}",
    ]);
    (key, value)
}

/// Formats an object with these members in this order.
fn object<'a>(pairs: impl IntoIterator<Item = &'a (&'static str, &'static str)>) -> String {
    let members: Vec<_> = pairs.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns the values of a beacon, without the list of ignored fields.
fn values_of(quick: &mut Quick, record: &str) -> String {
    let summary = read_by(quick, record, &fields()).unwrap();
    summary.split(" without ").next().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn memory_does_not_change_the_result(records in prop::collection::vec(record(), 1..6)) {
        // The second pass uses the steps that the first pass has added.
        let records: Vec<_> = records.iter().chain(&records).cloned().collect();
        readable(&records, &fields());
    }

    #[test]
    fn last_value_of_a_repeated_key_counts(all in prop::collection::vec(prop::collection::vec(pair(), 1..9), 1..5)) {
        let mut quick = Quick::default();
        for pairs in all.iter().chain(&all) {
            let is_last = |at: usize| !pairs[at + 1..].iter().any(|(key, _)| *key == pairs[at].0);
            let last: Vec<_> = (0..pairs.len()).filter(|at| is_last(*at)).map(|at| pairs[at]).collect();
            let expect = values_of(&mut Quick::default(), &object(&last));
            prop_assert_eq!(values_of(&mut quick, &object(pairs)), expect.clone(), "{}", object(pairs));
            let mut plain = Quick { left: 0, ..Quick::default() };
            let mut beacon = Beacon::new(Mode::Json);
            let record = object(pairs);
            plain.read(&Source::new(record.as_bytes()), 0, &fields(), &mut beacon).unwrap();
            prop_assert!(summary(&beacon).starts_with(&expect), "{}", record);
        }
    }
}
