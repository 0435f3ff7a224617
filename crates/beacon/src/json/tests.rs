use proptest::prelude::*;

use super::*;
use crate::fields::NAMES;
use crate::{Number, Text};

fn fields(renamed: &[(&str, &[&str])]) -> Fields {
    let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect();
    Fields::new(&renamed.iter().map(|(ours, at)| ((*ours).to_owned(), path(at))).collect()).unwrap()
}

/// Everything a beacon says, for comparison in tests alone.
pub(super) fn said(beacon: &Beacon<'_>) -> String {
    let mut all = format!("{} {}", beacon.fatal, beacon.opt_out);
    for (name, field) in NAMES {
        all += &match field {
            Field::Text(field) => format!(" {name}={:?}", beacon.text(field)),
            Field::Number(field) => format!(" {name}={:?}", beacon.number(field)),
            Field::Fatal | Field::OptOut => continue,
        };
    }
    all
}

fn read(record: &[u8], fields: &Fields) -> Vec<Result<String, Malformed>> {
    let mut all = Vec::new();
    read_json(record, fields, &mut Quick::default(), &mut Vec::new(), &mut |read| {
        let beacon = read.map(|(beacon, _)| beacon);
        all.push(beacon.map(said))
    });
    all
}

fn one<T>(record: &str, look: impl Fn(&Beacon<'_>) -> T) -> T {
    let mut looks = Vec::new();
    read_json(record.as_bytes(), &fields(&[]), &mut Quick::default(), &mut Vec::new(), &mut |read| {
        let beacon = read.map(|(beacon, _)| beacon);
        match beacon {
            Ok(beacon) => looks.push(look(beacon)),
            Err(Malformed) => panic!("malformed: {record}"),
        }
    });
    assert_eq!(looks.len(), 1, "{record}");
    looks.remove(0)
}

#[track_caller]
fn malformed(record: &str) {
    assert_eq!(read(record.as_bytes(), &fields(&[])), [Err(Malformed)], "{record}");
}

#[test]
fn known_fields_are_read_and_others_skipped() {
    let record = r#"{"ts":1795308528421,"session":"s-1","x":{"session":"no","deep":[1,{"y":null}]},"ip":"203.0.113.9",
        "playing_ms":10000.5,"height":1080,"fatal":true,"opt_out":true,"big":1e300,"content":"a\"b\u00e9"}"#;
    one(record, |beacon| {
        assert_eq!(beacon.text(Text::Session), Some("s-1"));
        assert_eq!(beacon.text(Text::Content), Some("a\"bé"));
        assert_eq!(beacon.text(Text::Tenant), None);
        assert_eq!(beacon.number(Number::Ts).map(Amount::rounded), Some(1_795_308_528_421));
        assert_eq!(beacon.number(Number::Playing).map(Amount::rounded), Some(10_001));
        assert_eq!(beacon.number(Number::Stalled), None);
        assert!(beacon.fatal && beacon.opt_out);
    });
}

#[test]
fn null_is_absent_and_integers_are_texts_too() {
    one(
        r#"{"ts":null,"session":42,"content":-7,"fatal":null,"ip":null,"asn":18446744073709551615}"#,
        |beacon| {
            assert_eq!(beacon.number(Number::Ts), None);
            assert_eq!(beacon.text(Text::Session), Some("42"));
            assert_eq!(beacon.text(Text::Content), Some("-7"));
            assert_eq!(beacon.text(Text::Asn), Some("18446744073709551615"));
            assert_eq!(beacon.text(Text::Ip), None);
        },
    );
}

#[test]
fn what_a_field_cannot_mean_spoils_the_beacon() {
    for record in [
        r#"{"ts":1,"ts":1}"#,
        r#"{"ts":null,"ts":1}"#,
        r#"{"ts":"1"}"#,
        r#"{"ts":-1}"#,
        r#"{"ts":9007199254740992}"#,
        r#"{"ts":1e999}"#,
        r#"{"ts":NaN}"#,
        r#"{"ts":true}"#,
        r#"{"ts":[1]}"#,
        r#"{"playing_ms":-0.5}"#,
        r#"{"playing_ms":86400001}"#,
        r#"{"bandwidth_kbps":100000001}"#,
        r#"{"stalls":1000001}"#,
        r#"{"height":16385}"#,
        r#"{"session":1.5}"#,
        r#"{"session":true}"#,
        r#"{"session":{"id":"x"}}"#,
        r#"{"fatal":"yes"}"#,
        r#"{"fatal":1}"#,
        r#"{"session":"\ud800"}"#,
        r#"{"session":"x"} x"#,
        r#"{"session":"x",}"#,
        r#"{'session':'x'}"#,
        "7",
        "null",
        "\"x\"",
    ] {
        malformed(record);
    }
    assert_eq!(read(b"{\"session\":\"\xff\"}", &fields(&[])), [Err(Malformed)]);
    assert_eq!(read(b"{\"other\":\"\xff\"}", &fields(&[])), [Err(Malformed)]);
}

#[test]
fn what_is_too_deep_is_malformed() {
    let nested = |depth: usize| format!(r#"{{"ts":1,"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    one(&nested(31), |beacon| assert!(beacon.number(Number::Ts).is_some()));
    malformed(&nested(32));
    malformed(&nested(100_000));
    malformed(&format!(r#"{{"x":{}1{}}}"#, r#"{"y":"#.repeat(40), "}".repeat(40)));
}

#[test]
fn bad_elements_of_a_batch_are_bad_alone() {
    let record = br#"[{"session":"a"},{"session":"b","ts":-1},{"session":"c"},3]"#;
    let read = read(record, &fields(&[]));
    assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
}

#[test]
fn renamed_fields_are_found_by_their_path() {
    let renamed = fields(&[("session", &["meta", "sid"]), ("ts", &["meta", "t"]), ("content", &["title"])]);
    let ours = br#"{"session":"s","ts":5,"content":"c","playing_ms":7}"#;
    let theirs = br#"{"title":"c","meta":{"x":[{}],"t":5,"sid":"s","title":"no"},"content":1,"session":{},"playing_ms":7}"#;
    assert_eq!(read(theirs, &renamed), read(ours, &fields(&[])));
    // Something else where an object was looked for is nothing.
    for meta in ["1", "null", "\"x\"", "[{\"sid\":1}]", "true", "1.5", "-1"] {
        let record = format!(r#"{{"meta":{meta},"title":"c"}}"#);
        assert_eq!(read(record.as_bytes(), &renamed), read(br#"{"content":"c"}"#, &fields(&[])), "{meta}");
    }
    let twice = br#"{"meta":{"sid":"a"},"meta":{"sid":"b"}}"#;
    assert_eq!(read(twice, &renamed), [Err(Malformed)]);
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
    fn any_bytes_yield_a_verdict(record: Vec<u8>) {
        prop_assert!(!read(&record, &fields(&[])).is_empty());
    }

    #[test]
    fn any_text_of_json_signs_yields_a_verdict(record in r#"[\[\]{}",:\\ \n0-9a-z]{0,80}"#) {
        prop_assert!(!read(record.as_bytes(), &fields(&[])).is_empty());
    }

    /// Reading by path is the same as reading an object in which the fields were renamed to ours.
    #[test]
    fn mapping_is_renaming(
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
    fn a_batch_has_as_many_verdicts_as_elements(good in prop::collection::vec(any::<bool>(), 1..20), pretty: bool) {
        let elements: Vec<_> =
            good.iter().map(|good| if *good { r#"{"session":"x","y":"[\"{"}"# } else { r#"{"ts":-1}"# }).collect();
        let expect: Vec<_> = good.clone();
        let separator = if pretty { ",\n  " } else { "," };
        for record in [format!("[{}]", elements.join(separator)), elements.join("\n"), elements.join("\r\n\n")] {
            let read: Vec<_> = read(record.as_bytes(), &fields(&[])).iter().map(Result::is_ok).collect();
            prop_assert_eq!(&read, &expect);
        }
    }
}
