use proptest::prelude::*;

use super::*;

fn item(item: Option<Item<'_>>) -> String {
    match item {
        None => "-".into(),
        Some(Item::Integer(number)) => format!("i{number}"),
        Some(Item::Decimal(number)) => format!("d{number}"),
        Some(Item::Text(text)) => format!("s{text}"),
        Some(Item::Token(token)) => format!("t{token}"),
        Some(Item::Unused) => "?".into(),
    }
}

/// Members as `key:first:of_video`.
fn read(text: &str) -> Option<String> {
    let mut seen = Vec::new();
    let whole = members(text, &mut |key, value| {
        seen.push(format!("{key}:{}:{}", item(value.first()), item(value.of_video())));
    });
    whole.is_ok().then(|| seen.join(" "))
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(read(text).as_deref(), Some(expect), "{text}");
}

#[test]
fn every_type_is_read() {
    check(
        r#"a=1,b=-2,c=1.5,d="x y",e=tok:en/1,f,g=?0,h=:aGk=:,i=@17,j=%"d""#,
        "a:i1:i1 b:i-2:i-2 c:d1.5:d1.5 d:sx y:sx y e:ttok:en/1:ttok:en/1 f:?:? g:?:? h:?:? i:?:? j:?:?",
    );
    check(r#"cid="a\"b\\c",x="ü""#, r#"cid:sa\"b\\c:sa\"b\\c x:sü:sü"#);
    check("  a=1 ,\t b;p=1;q;r=\"z\"  ", "a:i1:i1 b:?:?");
    check("*k-e_y.1=1,Com.Example-Key=x", "*k-e_y.1:i1:i1 Com.Example-Key:tx:tx");
}

#[test]
fn inner_lists_are_told_apart_by_their_labels() {
    check("br=(5000;v 320;a)", "br:i5000:i5000");
    check("br=(320;a 5000;v)", "br:i320:i5000");
    check("br=(320;a)", "br:i320:-");
    check("br=(320;a 4000;av)", "br:i320:i4000");
    check("br=(1 2 3)", "br:i1:i1");
    check("br=(320;a 7)", "br:i320:i7");
    check("br=( 868 );p=1,mtp=(500)", "br:i868:i868 mtp:i500:i500");
    check("br=5000;v", "br:i5000:i5000");
    check("x=()", "x:-:-");
    check("x=(1;other=2;v)", "x:i1:i1");
}

#[test]
fn what_is_no_dictionary_is_told() {
    for text in [
        "",
        " ",
        "=",
        "1a",
        "a=",
        "a=,b",
        "a=1,",
        "a=1,,b",
        "a=1 b",
        "a=\"x",
        "a=\"\\x\"",
        "a=\"x\ny\"",
        "a=(1",
        "a=(1,2)",
        "a=(1)(2)",
        "a=(1\"x\")",
        "a=1.",
        "a=.5",
        "a=1.2345",
        "a=1234567890123.1",
        "a=1234567890123456",
        "a=-",
        "a=?2",
        "a=:aGk",
        "a;=1",
        "a=1;",
        "{\"session\":1}",
        "a=<x>",
        "cid%3D1",
        "ü=1",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_ends(text in r#"[a-c=,;()" \\0-9.?:%@*ü-]{0,40}"#) {
        let _ = read(&text);
    }

    #[test]
    fn what_is_written_is_read(members in prop::collection::vec(("[a-z][a-z0-9_]{0,5}", 0..1_000_000_000_000_000_i64), 1..12)) {
        let written: Vec<_> = members.iter().map(|(key, number)| format!("{key}={number}")).collect();
        let expect: Vec<_> = members.iter().map(|(key, number)| format!("{key}:i{number}:i{number}")).collect();
        prop_assert_eq!(read(&written.join(",")), Some(expect.join(" ")));
    }
}
