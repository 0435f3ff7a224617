use proptest::prelude::*;

use super::*;
use crate::Text;
use crate::cmcd::tests::FIELDS;

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

fn session(raw: &str) -> Option<String> {
    let mut buffer = Vec::new();
    let beacon = read_query(raw.as_bytes(), &FIELDS, &mut buffer).ok()?;
    beacon.text(Text::Session).map(str::to_owned)
}

#[test]
fn last_cmcd_parameter_of_a_query_is_found() {
    let find = |query: &str| find(query.as_bytes()).map(|raw| String::from_utf8(raw.to_vec()).unwrap());
    assert_eq!(find("?CMCD=a").as_deref(), Some("a"));
    assert_eq!(find("x=1&cmcd=a%3D1&y").as_deref(), Some("a%3D1"));
    assert_eq!(find("CMCD="), None);
    assert_eq!(find("CMCD=a&CMCD=&cmcd=&y").as_deref(), Some("a"));
    assert_eq!(find("CMCD=old&x=1&CMCD=new&y").as_deref(), Some("new"));
    assert_eq!(find("/v/seg.m4s?CMCD=a").as_deref(), Some("a"));
    assert_eq!(find("/v/seg.m4s?x=1&amp;CMCD=a%3D?1&amp;y=2").as_deref(), Some("a%3D?1"));
    assert_eq!(find("CMCD=a=?0&x").as_deref(), Some("a=?0"));
    assert_eq!(find("xCMCD=a"), None);
    assert_eq!(find("x?y=1?CMCD=a"), None);
    assert_eq!(find(""), None);
}

#[test]
fn query_that_is_encoded_up_to_three_times_is_read() {
    let plain = r#"bl=0,cid="50% of ü",sid="s,1",su"#;
    let mut raw = plain.to_owned();
    for _ in 0..=ENCODED {
        assert_eq!(session(&raw).as_deref(), Some("s,1"), "{raw}");
        raw = encoded(&raw);
    }
    assert_eq!(session(&raw), None);
}

#[test]
fn decoded_value_is_not_decoded_a_second_time() {
    assert_eq!(session("sid%3D%22a%2525b%22").as_deref(), Some("a%25b"));
    assert_eq!(session("sid%3D%22a%2Bb+c%22").as_deref(), Some("a+b c"));
    assert_eq!(session("br%3D(5000%3Bv+320%3Ba)%2Csid%3D%22x%22").as_deref(), Some("x"));
    assert_eq!(session("sid=\"100%\"").as_deref(), Some("100%"));
    assert_eq!(session("sid=\"%zz%4\"").as_deref(), Some("%zz%4"));
}

proptest! {
    #[test]
    fn number_of_encodings_does_not_change_the_result(id in "[ -!#-$&-~ü]{1,20}", times in 0..3_usize) {
        let mut raw = format!("sid=\"{}\"", id.replace('\\', "/"));
        if times == 0 {
            raw = raw.replace('+', "-");
        }
        let expect = raw[5..raw.len() - 1].to_owned();
        for _ in 0..times {
            raw = encoded(&raw);
        }
        prop_assert_eq!(session(&raw), Some(expect));
    }

    #[test]
    fn reading_any_bytes_as_a_query_does_not_panic(raw: Vec<u8>) {
        let _ = read_query(&raw, &FIELDS, &mut Vec::new());
    }
}
