use super::*;

/// What is offered when nothing but balanced objects is taken; `!` for what cannot be split or is not taken.
fn check(record: &str, expect: &[&str]) {
    let mut got = Vec::new();
    values(record.as_bytes(), &mut Vec::new(), &mut |value| {
        let taken = value.is_some_and(|value| {
            value.starts_with(b"{")
                && value.ends_with(b"}")
                && depth(value) == Ok(0)
                && !value.contains(&b'!')
        });
        match value {
            Some(value) if taken => got.push(String::from_utf8(value.to_vec()).unwrap()),
            None => got.push("!".into()),
            Some(_) => {}
        }
        taken
    });
    assert_eq!(got, expect, "{record:?}");
}

#[test]
fn objects_arrays_and_lines() {
    check(r#"{"a":1}"#, &[r#"{"a":1}"#]);
    check("\u{feff}{}\r\n", &["{}"]);
    check(r#"[{"a":[1,2]},{"b":"],{"}]"#, &[r#"{"a":[1,2]}"#, r#"{"b":"],{"}"#]);
    check("{\"a\":1}\n\n{\"b\":2}\r\n  \n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
}

#[test]
fn one_bad_element_does_not_spoil_the_others() {
    check(r#"[{"a":1},7,{"b":!},{"c":3}]"#, &[r#"{"a":1}"#, "!", "!", r#"{"c":3}"#]);
    check("{}\nhello\n{}", &["{}", "!", "{}"]);
    check("{}\n{\"a\":!}\n{}", &["{}", "!", "{}"]);
    check("{}\n[{}]\n{}", &["{}", "!", "{}"]);
}

#[test]
fn what_cannot_be_split_counts_as_one() {
    for record in
        ["", " \n\t", "[]", "[ ]", "[", "[{},{}", "[{},{}}", "[{}] x", "[{}]\n[{}]", "[\"a]", "{", "\"\\"]
    {
        check(record, &["!"]);
    }
    check("{\n\"a\":1,\n\"b\":2\n", &["!"]);
}

#[test]
fn objects_written_over_several_lines() {
    check("{\n \"a\": 1\n}\n{\"b\":\n{\"c\":[\n{}]}}\n", &["{\n \"a\": 1\n}", "{\"b\":\n{\"c\":[\n{}]}}"]);
    check("[\n  {},\n  {\"a\":1}\n]", &["\n  {}", "\n  {\"a\":1}\n"].map(str::trim));
}

#[test]
fn a_line_cut_short_does_not_swallow_the_next() {
    check("{\"a\":1,\"b\n{\"c\":1}\n{\"d\":1}", &["!", "{\"c\":1}", "{\"d\":1}"]);
    check("{\"a\":{\"b\":1}\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\":[1,\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\n} x\n{\"c\":1}", &["!", "{\"c\":1}"]);
}

#[test]
fn many_lines_that_open_and_never_close_take_no_square_of_time() {
    let record = "{\"a\":[\n".repeat(100_000);
    let mut bad = 0;
    values(record.as_bytes(), &mut Vec::new(), &mut |value| {
        bad += usize::from(value.is_none());
        false
    });
    assert_eq!(bad, 100_000);
}
