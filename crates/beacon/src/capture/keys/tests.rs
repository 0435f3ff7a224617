use super::*;

fn dictionary(members: &[(&str, &str)]) -> String {
    let mut dictionary = String::new();
    for (key, value) in members {
        add(&mut dictionary, KEYS.iter().position(|(known, _)| known == key).unwrap(), value);
    }
    dictionary
}

#[test]
fn dictionary_is_built_from_members_with_any_quotes() {
    assert_eq!(
        dictionary(&[
            ("sid", "\"a-b\""),
            ("cid", "x\"y\\"),
            ("br", "3200"),
            ("ot", "v"),
            ("su", "true"),
            ("bs", "false")
        ]),
        r#"sid="a-b",cid="x\"y\\",br=3200,ot=v,su"#
    );
    assert_eq!(dictionary(&[("br", "(5000;v 320;a)")]), "br=(5000;v 320;a)");
}

#[test]
fn value_with_commas_adds_at_most_one_member() {
    assert_eq!(dictionary(&[("br", "1,sid=\"x\""), ("ot", "v")]), "ot=v");
    assert_eq!(dictionary(&[("sid", "a\",cid=\"b")]), r#"sid="a\",cid=\"b""#);
    assert_eq!(dictionary(&[("br", "")]), "");
}

#[test]
fn escapes_in_log_values_are_decoded() {
    let check = |raw: &str, expect: &str| assert_eq!(unescaped(raw.into()), expect, "{raw}");
    check("Mozilla/5.0%20(Windows%20NT%2010.0)%20A+B", "Mozilla/5.0 (Windows NT 10.0) A+B");
    check("Mozilla%2F5.0+%28Macintosh%3B+Intel%29", "Mozilla/5.0 (Macintosh; Intel)");
    check("Mozilla/5.0%2520(X11)", "Mozilla/5.0 (X11)");
    // These values contain no escapes.
    check("Mozilla/5.0 (100%25 plain)", "Mozilla/5.0 (100%25 plain)");
    check("okhttp/4.12.0", "okhttp/4.12.0");
    check("50%", "50%");
    check("a%zz+b", "a%zz+b");
    check("%ff%20", "%ff%20");
}
