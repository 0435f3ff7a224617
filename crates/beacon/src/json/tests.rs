use crowdfold_model::{Dimension, SumMetric, ValueMetric};
use proptest::prelude::*;

use super::*;
use crate::fields::NAMES;
use crate::{Amount, Field, Number};

mod duplicates;
mod envelopes;

fn fields(renamed: &[(&str, &[&str])]) -> Fields {
    let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect();
    Fields::new(&renamed.iter().map(|(ours, at)| ((*ours).to_owned(), path(at))).collect()).unwrap()
}

/// Formats all values of a beacon, so that tests can compare them.
pub(super) fn summary(beacon: &Beacon<'_>) -> String {
    let mut all = format!("{} {}", beacon.fatal, beacon.opt_out);
    for (name, field) in NAMES.iter().copied() {
        all += &match field {
            Field::Text(field) => format!(" {name}={:?}", beacon.text(field)),
            Field::Number(field) => format!(" {name}={:?}", beacon.number(field)),
            Field::Fatal | Field::OptOut => continue,
        };
    }
    let ignored: Vec<_> = beacon.ignored().map(Field::name).collect();
    all + " without " + &ignored.join(" ")
}

fn read(record: &[u8], fields: &Fields) -> Vec<Result<String, ReadError>> {
    let mut all = Vec::new();
    read_json(record, fields, &mut Quick::default(), &mut { usize::MAX }, &mut |read| {
        all.push(read.map(summary))
    });
    all
}

fn one<T>(record: &str, look: impl Fn(&Beacon<'_>) -> T) -> T {
    let mut looks = Vec::new();
    read_json(record.as_bytes(), &fields(&[]), &mut Quick::default(), &mut { usize::MAX }, &mut |read| {
        match read {
            Ok(beacon) => looks.push(look(beacon)),
            Err(error) => panic!("{error:?}: {record}"),
        }
    });
    assert_eq!(looks.len(), 1, "{record}");
    looks.remove(0)
}

#[track_caller]
fn malformed(record: &str) {
    assert_eq!(read(record.as_bytes(), &fields(&[])), [Err(ReadError::Malformed)], "{record}");
}

#[test]
fn known_fields_are_read_and_others_are_skipped() {
    let record = r#"{"ts":1795308528421,"session":"s-1","x":{"session":"no","deep":[1,{"y":null}]},"ip":"203.0.113.9",
        "playing_ms":10000.5,"height":1080,"fatal":true,"opt_out":true,"big":1e300,"content":"a\"b\u00e9"}"#;
    one(record, |beacon| {
        assert_eq!(beacon.text(Text::Session), Some("s-1"));
        assert_eq!(beacon.text(Text::Of(Dimension::Content)), Some("a\"bé"));
        assert_eq!(beacon.text(Text::Tenant), None);
        assert_eq!(beacon.number(Number::Ts).map(Amount::rounded), Some(1_795_308_528_421));
        assert_eq!(beacon.number(Number::Sum(SumMetric::PlayingMs)).map(Amount::rounded), Some(10_001));
        assert_eq!(beacon.number(Number::Sum(SumMetric::StalledMs)), None);
        assert!(beacon.fatal && beacon.opt_out);
    });
}

/// Returns the names of the fields that were sent with an unusable value.
fn ignored(record: &str) -> Vec<&'static str> {
    one(record, |beacon| beacon.ignored().map(Field::name).collect())
}

#[test]
fn null_is_absent_and_number_in_a_string_field_is_a_string() {
    let record = r#"{"ts":null,"session":42,"content":-7,"fatal":null,"ip":null,"asn":184467440737095516150,"os_version":10.15}"#;
    one(record, |beacon| {
        assert_eq!(beacon.number(Number::Ts), None);
        assert_eq!(beacon.text(Text::Session), Some("42"));
        assert_eq!(beacon.text(Text::Of(Dimension::Content)), Some("-7"));
        assert_eq!(beacon.text(Text::Of(Dimension::Asn)), Some("184467440737095516150"));
        assert_eq!(beacon.text(Text::Of(Dimension::OsVersion)), Some("10.15"));
        assert_eq!(beacon.text(Text::Ip), None);
    });
    assert_eq!(ignored(record), ["ts", "ip", "fatal"]);
}

#[test]
fn field_with_an_invalid_value_is_absent_and_recorded() {
    for (field, values) in [
        ("ts", &["\"soon\"", "\"\"", "-1", "1e300", "true", "[1]", "{}", "\"NaN\"", "null"][..]),
        ("playing_ms", &["-0.5", "86400001", "\"x\"", "\"1 s\"", "\"-1\"", "\"inf\"", "{\"ms\":1}", "false"]),
        ("bandwidth_kbps", &["100000001", "1e999", "-1", "\"NaN\""]),
        ("stalls", &["1000001", "99999999999999999999999"]),
        ("height", &["16385", "\"1080p\"", "[1080]"]),
        ("content", &["true", "{\"id\":\"x\"}", "[\"x\"]", "null"]),
        ("session", &["true", "[]", "\"\\ud800\"", "null"]),
        ("fatal", &["\"maybe\"", "2", "[]", "null"]),
        ("opt_out", &["\"maybe\"", "2", "{}", "null"]),
    ] {
        for value in values {
            let record = format!(r#"{{"cdn":"a","{field}":{value},"player":"b"}}"#);
            assert_eq!(ignored(&record), [field], "{record}");
            one(&record, |beacon| {
                assert_eq!(
                    (beacon.text(Text::Of(Dimension::Cdn)), beacon.text(Text::Of(Dimension::Player))),
                    (Some("a"), Some("b"))
                );
                assert!(!beacon.fatal && !beacon.opt_out);
            });
        }
    }
}

#[test]
fn numbers_and_booleans_may_be_strings() {
    one(
        r#"{"ts":"1795308528421","playing_ms":"1000","bitrate_kbps":" 3000.6 ","height":"1.08e3"}"#,
        |beacon| {
            let number = |field| beacon.number(field).map(Amount::rounded);
            assert_eq!(number(Number::Ts), Some(1_795_308_528_421));
            assert_eq!(
                (number(Number::Sum(SumMetric::PlayingMs)), number(Number::Value(ValueMetric::BitrateKbps))),
                (Some(1_000), Some(3_001))
            );
            assert_eq!(number(Number::Height), Some(1_080));
        },
    );
    for (value, expect) in [
        ("true", true),
        ("1", true),
        ("1.0", true),
        ("\"1\"", true),
        ("\"true\"", true),
        ("\"True \"", true),
        ("\"yes\"", true),
        ("false", false),
        ("0", false),
        ("\"0\"", false),
        ("\"false\"", false),
        ("\"no\"", false),
        ("\"\"", false),
    ] {
        let record = format!(r#"{{"opt_out":{value},"fatal":{value}}}"#);
        one(&record, |beacon| {
            assert_eq!(
                (beacon.opt_out, beacon.fatal, beacon.has_ignored()),
                (expect, expect, false),
                "{record}"
            );
        });
    }
}

#[test]
fn size_of_a_time_determines_its_unit() {
    let ms = 1_795_308_528_421;
    for (ts, expect) in [
        ("1795308528421", ms),
        ("1795308528421.9", ms),
        ("1795308528.421", ms),
        ("1795308528", ms - 421),
        ("1795308528421000", ms),
        ("1795308528421000123", ms),
        ("1.795308528421E12", ms),
        ("\"1795308528421000\"", ms),
        ("\"2026-11-22T00:48:48.421Z\"", ms),
        ("\"2026-11-22T01:48:48.421+01:00\"", ms),
        ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000),
        ("99999999999999", 99_999_999_999_999),
        ("0", 0),
    ] {
        one(&format!(r#"{{"ts":{ts}}}"#), |beacon| {
            assert_eq!(beacon.number(Number::Ts).map(Amount::rounded), Some(expect), "{ts}");
        });
    }
}

#[test]
fn unknown_field_does_not_change_the_result() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for odd in [
        r#""title":"Goal \ud83c""#,
        r#""title":"\udf89 party""#,
        r#""meta":{"tags":["a\ud83d"],"a":1,"a":2}"#,
        r#""x":1e999"#,
        r#""x":123456789012345678901234567890"#,
        r#""x":1,"x":2"#,
        r#""\ud83d":1"#,
        &format!("\"x\":{deep}"),
    ] {
        let record = format!(r#"{{"session":"s",{odd},"playing_ms":7}}"#);
        one(&record, |beacon| {
            assert_eq!((beacon.text(Text::Session), beacon.has_ignored()), (Some("s"), false));
            assert_eq!(beacon.number(Number::Sum(SumMetric::PlayingMs)).map(Amount::rounded), Some(7));
        });
    }
    let read = read(b"{\"other\":\"\xff\",\"\xfe\":1,\"session\":\"s\",\"content\":\"a\xff\"}", &fields(&[]));
    assert!(
        matches!(&read[..], [Ok(summary)] if summary.contains("session=Some(\"s\")") && summary.contains("content=Some(\"a\u{fffd}\")"))
    );
}

#[test]
fn session_that_is_not_utf_8_is_absent() {
    for record in
        [&b"{\"session\":\"a\xff\"}"[..], b"{\"session\":\"a\\udc00\"}", b"{\"session\":\"\\n\xff\"}"]
    {
        let read = read(record, &fields(&[]));
        assert!(
            matches!(&read[..], [Ok(summary)] if summary.contains("session=None") && summary.ends_with("without session")),
            "{read:?}"
        );
    }
}

/// nginx writes bytes as `\\xHH` unless it is configured for JSON. Other programs write control characters as they are.
#[test]
fn control_characters_and_invalid_escapes_in_strings_affect_no_other_field() {
    for (written, content) in [
        (r"a\x22b", Some("a\"b")),
        (r"k\xC3\xa9y", Some("kéy")),
        (r"\xC3", Some("\u{fffd}")),
        (r"a\x2", Some("ax2")),
        (r"a\x", Some("ax")),
        (r"a\'b\.c", Some("a'b.c")),
        (r"a\u12", Some("a\u{fffd}12")),
        (r"\u{41}", Some("\u{fffd}{41}")),
        ("a\tb\u{1}\u{0}\u{1b}[0m", Some("a\tb\u{1}\u{0}\u{1b}[0m")),
        ("a\rb", Some("a\rb")),
    ] {
        for (key, content) in [("content", content), ("x", None)] {
            for record in [
                format!(r#"{{"{key}":"{written}","session":"s","opt_out":true}}"#),
                format!(r#"{{"session":"s","opt_out":true,"{key}":"{written}"}}"#),
                format!(r#"{{"y":{{"{key}":["{written}"]}},"session":"s","{key}":"{written}","opt_out":1}}"#),
                format!(r#"{{"{written}":"{written}","session":"s","{key}":"{written}","opt_out":1}}"#),
            ] {
                one(&record, |beacon| {
                    assert_eq!(beacon.text(Text::Session), Some("s"), "{record:?}");
                    assert_eq!(beacon.text(Text::Of(Dimension::Content)), content, "{record:?}");
                    assert!(beacon.opt_out, "{record:?}");
                });
            }
        }
    }
    // A session with an invalid escape counts as absent, because two ids might become equal.
    assert_eq!(ignored(r#"{"session":"a\u12"}"#), ["session"]);
    one(r#"{"session":"a\x2db"}"#, |beacon| assert_eq!(beacon.text(Text::Session), Some("a-b")));
}

#[test]
fn text_that_is_not_json_is_malformed() {
    for record in [
        r#"{"ts":NaN}"#,
        r#"{"session":"x","bandwidth_kbps":-Infinity}"#,
        r#"{"session":"x",}"#,
        r#"{'session':'x'}"#,
        "{\"session\":\"x\ny\"}",
        "{\"session\":\"x\\\ny\"}",
        r#"{"session":"x""#,
        "7",
        "null",
        "\"x\"",
    ] {
        malformed(record);
    }
    assert_eq!(read(br#"{"session":"x"} x"#, &fields(&[])).len(), 2);
    let nested = |depth: usize| format!(r#"{{"ts":1,"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    one(&nested(1_024), |beacon| assert!(beacon.number(Number::Ts).is_some()));
    malformed(&nested(1_025));
    malformed(&nested(100_000));
}

#[test]
fn invalid_element_of_an_array_does_not_affect_the_others() {
    let record = br#"[{"session":"a"},{"session":"b","ts":nan},{"session":"c"},3]"#;
    let read = read(record, &fields(&[]));
    assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
}

/// Returns the session of each beacon in a record, followed by ` opts out` if the beacon opts out. `!` represents an
/// error, and `-` represents a beacon without a session.
fn sessions(record: &str) -> Vec<String> {
    let mut all = Vec::new();
    read_json(record.as_bytes(), &fields(&[]), &mut Quick::default(), &mut 1_000, &mut |read| {
        all.push(read.map_or("!".to_owned(), |beacon| {
            let opts_out = if beacon.opt_out { " opts out" } else { "" };
            format!("{}{opts_out}", beacon.text(Text::Session).unwrap_or("-"))
        }));
    });
    all
}

#[test]
fn renamed_fields_are_found_by_their_path() {
    let renamed = fields(&[("session", &["meta", "sid"]), ("ts", &["meta", "t"]), ("content", &["title"])]);
    let ours = br#"{"session":"s","ts":5,"content":"c","playing_ms":7}"#;
    let theirs = br#"{"title":"c","meta":{"x":[{}],"t":5,"sid":"s","title":"no"},"content":1,"session":{},"playing_ms":7}"#;
    assert_eq!(read(theirs, &renamed), read(ours, &fields(&[])));
    // If `meta` is not an object, it is ignored.
    for meta in ["1", "null", "\"x\"", "[{\"sid\":1}]", "true", "1.5", "-1"] {
        let record = format!(r#"{{"meta":{meta},"title":"c"}}"#);
        assert_eq!(read(record.as_bytes(), &renamed), read(br#"{"content":"c"}"#, &fields(&[])), "{meta}");
    }
    let twice = br#"{"meta":{"sid":"a"},"meta":{"sid":"b"}}"#;
    assert_eq!(read(twice, &renamed), read(br#"{"session":"b"}"#, &fields(&[])));
    let time = br#"{"meta":{"t":"2026-11-22T00:48:48.421Z"}}"#;
    assert_eq!(read(time, &renamed), read(br#"{"ts":1795308528421}"#, &fields(&[])));
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (0..3_000_000u32).prop_map(Into::into),
        (0.0..5_000_000.0f64).prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn reading_any_bytes_gives_at_least_one_outcome(record: Vec<u8>) {
        prop_assert!(!read(&record, &fields(&[])).is_empty());
    }

    #[test]
    fn reading_any_text_of_json_characters_gives_at_least_one_outcome(record in r#"[\[\]{}",:\\ \n0-9a-z]{0,80}"#) {
        prop_assert!(!read(record.as_bytes(), &fields(&[])).is_empty());
    }

    /// Compares a beacon with renamed fields with the same beacon under the standard names.
    #[test]
    fn renamed_fields_have_the_same_values_as_fields_with_standard_names(
        given in prop::collection::btree_map(
            prop::sample::select(vec!["ts", "session", "content", "playing_ms", "fatal", "other"]), value(), 0..6),
    ) {
        let renamed = fields(&[("ts", &["a", "time"]), ("session", &["a", "b", "id"]), ("content", &["ts"])]);
        let ours: serde_json::Map<_, _> =
            given.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let mut theirs = ours.clone();
        let (ts, session, content) = (theirs.remove("ts"), theirs.remove("session"), theirs.remove("content"));
        let inner: serde_json::Map<_, _> = session.map(|id| ("id".to_owned(), id)).into_iter().collect();
        let mut outer: serde_json::Map<_, _> = ts.map(|ts| ("time".to_owned(), ts)).into_iter().collect();
        outer.insert("b".into(), inner.into());
        theirs.insert("a".into(), outer.into());
        theirs.extend(content.map(|content| ("ts".to_owned(), content)));
        prop_assert_eq!(
            read(&serde_json::to_vec(&ours).unwrap(), &fields(&[])),
            read(&serde_json::to_vec(&theirs).unwrap(), &renamed)
        );
    }

    #[test]
    fn each_element_of_an_array_has_one_outcome(good in prop::collection::vec(any::<bool>(), 1..20), pretty: bool) {
        let elements: Vec<_> =
            good.iter().map(|good| if *good { r#"{"session":"x","y":"[\"{"}"# } else { r#"{"ts":nan}"# }).collect();
        let expect: Vec<_> = good.clone();
        let separator = if pretty { ",\n  " } else { "," };
        for record in [format!("[{}]", elements.join(separator)), elements.join("\n"), elements.join("\r\n\n")] {
            let read: Vec<_> = read(record.as_bytes(), &fields(&[])).iter().map(Result::is_ok).collect();
            prop_assert_eq!(&read, &expect);
        }
    }
}
