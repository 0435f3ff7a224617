use proptest::prelude::*;

use super::*;

fn item(item: Option<Item<'_>>) -> String {
    match item {
        None => "-".into(),
        Some(Item::Number(number)) => format!("i{number}"),
        Some(Item::Text(text)) => format!("s{text}"),
        Some(Item::Token(token)) => format!("t{token}"),
        Some(Item::Bare(text)) => format!("b{text}"),
        Some(Item::Unused) => "?".into(),
    }
}

/// Formats each member as its key, its first item and its item for video, such as `key:first:of_video`.
fn read(text: &str) -> String {
    let mut seen = Vec::new();
    let count = members(text, &mut |key, value| {
        seen.push(format!("{key}:{}:{}", item(value.first()), item(value.of_video())));
    });
    assert_eq!(count, seen.len());
    seen.join(" ")
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(read(text), expect, "{text}");
}

#[test]
fn items_of_every_type_are_read() {
    check(
        r#"a=1,b=-2,c=1.5,d="x y",e=tok:en/1,f,g=?0,h=:aGk=:,i=@17,j=%"d""#,
        "a:i1:i1 b:i-2:i-2 c:i1.5:i1.5 d:sx y:sx y e:ttok:en/1:ttok:en/1 f:?:? g:?:? h:?:? i:?:? j:?:?",
    );
    check(r#"cid="a\"b\\c",x="ü""#, r#"cid:sa\"b\\c:sa\"b\\c x:sü:sü"#);
    check("  a=1 ,\t b;p=1;q;r=\"z\"  ", "a:i1:i1 b:?:?");
    check("*k-e_y.1=1,Com.Example-Key=x", "*k-e_y.1:i1:i1 Com.Example-Key:tx:tx");
}

#[test]
fn item_of_an_inner_list_is_selected_by_its_label() {
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
fn numbers_may_have_any_number_of_digits_and_an_exponent() {
    check("a=1.23456789", "a:i1.23456789:i1.23456789");
    check("a=12345678901234567890", "a:i12345678901234567890:i12345678901234567890");
    check("a=-4e3,b=1.5E+300", "a:i-4e3:i-4e3 b:i1.5E+300:i1.5E+300");
}

#[test]
fn text_without_quotes_is_kept_up_to_the_comma() {
    check("sid=3b2f6a10-5c1d,br=5", "sid:b3b2f6a10-5c1d:b3b2f6a10-5c1d br:i5:i5");
    check(
        "url=https://a.example/x?y=1 z,b",
        "url:bhttps://a.example/x?y=1 z:bhttps://a.example/x?y=1 z b:?:?",
    );
    check("cid='movie 1',b", "cid:bmovie 1:bmovie 1 b:?:?");
    check("cid=\"\"-97\"\",b", "cid:b-97:b-97 b:?:?");
    check("d = 4000,b", "d:b4000:b4000 b:?:?");
}

#[test]
fn unreadable_member_does_not_affect_other_members() {
    for bad in [
        "", " ", "=", "=5", "1a=3", "a=", "a= ", "a b", "a=\"", "a=\"\"\"", "a;=1", "{}", "<x>", "sid%3D1",
        "ü=1", "()", "\"a,b\"",
    ] {
        check(bad, "");
        check(&format!("{bad},b=1"), "b:i1:i1");
        check(&format!("b=1,{bad}"), "b:i1:i1");
        check(&format!("b=1,{bad},c=2"), "b:i1:i1 c:i2:i2");
    }
    for bad in [
        "1 b",
        "\"\\x\"",
        "(1",
        "(1)(2)",
        "(1\"x\")",
        "1.",
        ".5",
        "-",
        "?2",
        ":aGk",
        "1;",
        "-Infinity",
        "2026-11-22",
    ] {
        let [first, .., last] =
            &read(&format!("b=1,a={bad},c=\"x,y\"")).split(' ').map(str::to_owned).collect::<Vec<_>>()[..]
        else {
            panic!("{bad}")
        };
        assert_eq!((first.as_str(), last.as_str()), ("b:i1:i1", "c:sx,y:sx,y"), "{bad}");
    }
}

#[test]
fn unclosed_quote_does_not_hide_other_members() {
    check("a=\"x,b=1,c=2", "a:bx:bx b:i1:i1 c:i2:i2");
    check("a=\"x\\\",b=1,c=\"y\"", "a:bx\\:bx\\ b:i1:i1 c:sy:sy");
    check("nor=\"..\\seg\",b=1", "nor:b..\\seg:b..\\seg b:i1:i1");
}

#[test]
fn many_bad_quotes_take_linear_time() {
    for bad in ["a=\"\\\",", "a=\"\\,", "\"", "a=\"x", "a=(\",", "a=\"\"\"\","] {
        let text = bad.repeat(200_000);
        members(&text, &mut |_, _| ());
    }
}

proptest! {
    #[test]
    fn scan_of_any_text_ends(text in r#"[a-c=,;()" \\0-9.?:%@*ü-]{0,40}"#) {
        let _ = read(&text);
    }

    #[test]
    fn written_members_are_read(members in prop::collection::vec(("[a-z][a-z0-9_]{0,5}", 0..1_000_000_000_000_000_i64), 1..12)) {
        let written: Vec<_> = members.iter().map(|(key, number)| format!("{key}={number}")).collect();
        let expect: Vec<_> = members.iter().map(|(key, number)| format!("{key}:i{number}:i{number}")).collect();
        prop_assert_eq!(read(&written.join(",")), expect.join(" "));
    }
}
