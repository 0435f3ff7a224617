use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Mode;
use crate::json::read_any_object;
use crate::json::tests::said;
use crate::split::{Split, split};

fn fields() -> Fields {
    let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let renamed = BTreeMap::from([
        ("os".to_owned(), path(&["client", "os"])),
        ("browser".to_owned(), path(&["client", "agent", "name"])),
        ("height".to_owned(), path(&["video", "height"])),
    ]);
    Fields::new(&renamed).unwrap()
}

/// Reads records one after the other with one memory; how many of them quickly. What is read quickly must be what the
/// general reader makes of it.
fn quickly(records: &[String], fields: &Fields) -> usize {
    let mut quick = Quick::default();
    let mut count = 0;
    for record in records {
        let mut beacon = Beacon::new(Mode::Json);
        if quick.read(record, fields, &mut beacon).is_some() {
            let mut general = Beacon::new(Mode::Json);
            assert_eq!(read_any_object(record, fields, &mut general), Ok(()), "{record}");
            assert_eq!(said(&beacon), said(&general), "{record}");
            count += 1;
        }
    }
    count
}

#[track_caller]
fn quick(records: &[&str], expect: usize) {
    let records: Vec<_> = records.iter().map(|record| (*record).to_owned()).collect();
    assert_eq!(quickly(&records, &fields()), expect, "{records:?}");
}

#[test]
fn what_producers_send_is_read_quickly() {
    quick(
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
fn what_is_not_known_exactly_is_left_to_the_general_reader() {
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
        r#"{"ts":-1}"#,
        r#"{"ts":1,"ts":2}"#,
        r#"{"ts":"1"}"#,
        r#"{"session":true}"#,
        r#"{"fatal":1}"#,
        r#"{"t\u0073":1}"#,
        r#"{"client":1{"os":"Windows"}}"#,
        r#"{"client":"x"{"os":"Windows"}}"#,
        r#"{"client":{"os":"Windows"}{"os":"Windows"}}"#,
        "{\"session\":\"a\u{1}b\"}",
    ] {
        let sound = r#"{"client":{"os":"Windows"},"ts":1,"session":"s"}"#;
        quick(&[sound, record, sound, record], 2);
    }
}

#[test]
fn the_keys_of_a_flood_are_forgotten_and_read_all_the_same() {
    let flood: Vec<_> = (0..3 * MOST_STEPS).map(|nth| format!(r#"{{"k{nth}":1,"ts":{nth}}}"#)).collect();
    assert_eq!(quickly(&flood, &fields()), flood.len());
    let mut quick = Quick::default();
    for nth in 0..2 * PATIENCE {
        let record = format!(r#"{{"k{nth}":1,"ts":{nth}}}"#);
        quick.read(&record, &fields(), &mut Beacon::new(Mode::Json));
        assert!(quick.steps.len() <= MOST_STEPS);
    }
}

#[test]
fn the_end_of_a_string_is_found_wherever_it_is() {
    for length in 0..40 {
        for (sign, found) in [('"', true), ('\\', false), ('\u{1f}', false), ('\n', false)] {
            for fill in ['a', 'é', ' ', '\u{7f}', '!', '#', '['] {
                let text: String =
                    std::iter::repeat_n(fill, length).chain([sign]).chain("\"tail".chars()).collect();
                let end = length * fill.len_utf8();
                assert_eq!(plain(text.as_bytes(), 0), found.then_some(end), "{text:?}");
            }
        }
    }
    assert_eq!(plain(b"no end in sight", 0), None);
}

/// Values of all kinds, well formed and not.
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
            let places: Vec<_> = record.char_indices().map(|(place, _)| place).collect();
            let place = *at.get(&places);
            let length = record[place..].chars().next().map_or(0, char::len_utf8);
            record.replace_range(place..place + length, &sign);
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_reads_what_the_general_reader_reads(records in prop::collection::vec(record(), 1..6)) {
        // twice: learnt, then known
        let records: Vec<_> = records.iter().chain(&records).cloned().collect();
        quickly(&records, &fields());
    }

    /// An array whose damage may lie anywhere is split where a search splits it, and may as well not be.
    #[test]
    fn it_finds_the_ends_that_a_search_finds(
        records in prop::collection::vec(record(), 1..6),
        damage in prop::option::of((any::<prop::sample::Index>(), "[{}\\[\\]\",: a\\\\\n]")),
    ) {
        let mut array = format!("[{}]", records.join(" , "));
        if let Some((at, sign)) = damage {
            let place = at.index(array.len());
            if array.is_char_boundary(place) {
                array.insert_str(place, &sign);
            }
        }
        let (fields, mut quick) = (fields(), Quick::default());
        let mut searched = Vec::new();
        let whole = !matches!(split(array.as_bytes(), &mut searched, &mut |_, _| None), Split::Broken);
        for _ in 0..2 {
            let mut known = Vec::new();
            let mut end = |array: &[u8], at| quick.end(array, at, &fields);
            prop_assert_eq!(!matches!(split(array.as_bytes(), &mut known, &mut end), Split::Broken), whole);
            prop_assert!(!whole || known == searched, "{:?} {:?} {}", known, searched, array);
        }
    }
}
