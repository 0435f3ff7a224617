//! Tests of keys that occur more than once in an object.

use super::*;
use crowdfold_model::Dimension;

#[test]
fn last_of_two_values_counts_unless_the_first_is_an_opt_out() {
    one(r#"{"cdn":"a","ts":1795308528421,"cdn":"b","ts":1795308528422}"#, |beacon| {
        assert_eq!(beacon.text(Text::Of(Dimension::Cdn)), Some("b"));
        assert_eq!(beacon.number(Number::Ts).map(Amount::rounded), Some(1_795_308_528_422));
    });
    one(r#"{"fatal":true,"opt_out":true,"fatal":false,"opt_out":false}"#, |beacon| {
        assert!(!beacon.fatal && beacon.opt_out);
    });
}

#[test]
fn field_is_absent_if_its_last_value_is_unusable() {
    for (field, good, bad) in [
        ("ts", "1795308528421", &["null", "-1", "\"soon\"", "1e300", "[]"][..]),
        ("startup_ms", "700", &["null", "-1", "86400001", "\"x\"", "{}", "true"]),
        ("bitrate_kbps", "\"3000\"", &["null", "\"NaN\"", "1e999"]),
        ("height", "720.5", &["null", "\"1080p\"", "[1080]"]),
        ("cdn", "\"a\"", &["null", "[]", "{\"name\":\"b\"}", "false"]),
        ("session", "\"s\"", &["null", "\"\\ud800\"", "[\"s\"]"]),
        ("fatal", "true", &["null", "2", "\"maybe\""]),
    ] {
        for bad in bad {
            let absent = one(&format!(r#"{{"{field}":{bad}}}"#), summary);
            for record in [
                format!(r#"{{"{field}":{good},"{field}":{bad}}}"#),
                format!(r#"{{"{field}":{bad},"{field}":{good},"{field}":{bad}}}"#),
            ] {
                assert_eq!(one(&record, summary), absent, "{record}");
            }
            // The unusable value is recorded even if the last value is usable.
            let record = format!(r#"{{"{field}":{bad},"{field}":{good}}}"#);
            let used = one(&format!(r#"{{"{field}":{good}}}"#), summary);
            assert_eq!(one(&record, summary), used + field, "{record}");
        }
    }
    one(r#"{"opt_out":true,"opt_out":null,"opt_out":"maybe"}"#, |beacon| assert!(beacon.opt_out));
}

#[test]
fn last_of_two_objects_with_renamed_fields_counts() {
    let renamed = fields(&[
        ("session", &["meta", "sid"]),
        ("height", &["meta", "video", "height"]),
        ("fatal", &["meta", "fatal"]),
        ("opt_out", &["meta", "out"]),
    ]);
    let first = r#""meta":{"sid":"a","video":{"height":720},"fatal":true}"#;
    for (last, same) in [
        (r#""meta":{"sid":"b"}"#, r#"{"session":"b"}"#),
        (r#""meta":{"video":{"height":480}}"#, r#"{"height":480}"#),
        (r#""meta":null"#, "{}"),
        (r#""meta":[{"sid":"b"}]"#, "{}"),
        (r#""other":{"sid":"b"}"#, r#"{"session":"a","height":720,"fatal":true}"#),
    ] {
        let record = format!("{{{first},{last}}}");
        assert_eq!(read(record.as_bytes(), &renamed), read(same.as_bytes(), &fields(&[])), "{record}");
    }
    let record = br#"{"meta":{"out":true},"meta":{"sid":"a"}}"#;
    assert_eq!(read(record, &renamed), read(br#"{"session":"a","opt_out":true}"#, &fields(&[])));
}
