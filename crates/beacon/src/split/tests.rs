use super::*;

/// Checks the parts into which a record is split. A part of `record` with `!` is unreadable. `!` in `expect` represents
/// a bad part.
fn check(record: &str, expect: &[&str]) {
    let mut got = Vec::new();
    frames(record.as_bytes(), &mut 1_000_000, &mut |frame| match frame {
        Frame::Object(at) => {
            let end = syntax::skip(record.as_bytes(), at).ok()?;
            let object = &record[at..end];
            if object.contains('!') {
                return None;
            }
            got.push(object.to_owned());
            Some(end)
        }
        Frame::Bad => {
            got.push("!".into());
            None
        }
        Frame::Beyond => panic!("beyond"),
    });
    assert_eq!(got, expect, "{record:?}");
}

#[test]
fn objects_arrays_and_lines_are_split() {
    check(r#"{"a":1}"#, &[r#"{"a":1}"#]);
    check("\u{feff}{}\r\n", &["{}"]);
    check(r#"[{"a":[1,2]},{"b":"],{"}]"#, &[r#"{"a":[1,2]}"#, r#"{"b":"],{"}"#]);
    check("{\"a\":1}\n\n{\"b\":2}\r\n  \n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
}

#[test]
fn objects_without_separators_are_split() {
    check(r#"{"a":1}{"b":2}{"c":3}"#, &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
    check("{} {}\t{}\n{}{}", &["{}"; 5]);
    check("[{}][{},{}]\n[{}]", &["{}"; 4]);
    check("[{}{} {}]", &["{}"; 3]);
}

#[test]
fn separators_of_other_formats_are_skipped() {
    check("{},{}, {},\n{},\n", &["{}"; 4]);
    check("\u{1e}{}\n\u{1e}{}\n", &["{}"; 2]);
    check("\0\0\0{}\n{}\0", &["{}"; 2]);
    check("{}\u{feff}{}\n\u{feff}{}", &["{}"; 3]);
    check("{}]", &["{}", "!"]);
    for record in [",", "\0\0", "\u{1e}\n", "\u{feff}\u{feff}"] {
        check(record, &["!"]);
    }
    // The beginning of a byte order mark
    let mut bad = 0;
    frames(b"\xef\xbb{}", &mut { 10 }, &mut |frame| {
        bad += u32::from(frame == Frame::Bad);
        None
    });
    assert_eq!(bad, 1);
}

#[test]
fn arrays_in_an_array_are_split() {
    check("[[{},{}],[{}]]{}", &["{}"; 4]);
    check("[[{}],{},[{}]]", &["{}"; 3]);
    check("[[1,{}],{}]", &["!", "{}"]);
    check("[[[{}]],{}]", &["!", "{}"]);
    check("[[],{}]", &["!", "{}"]);
    check("[[{},7],{}]", &["{}", "!", "{}"]);
    check("[[{},{}\n[{}]", &["{}", "{}", "!", "{}"]);
}

#[test]
fn bad_element_of_an_array_does_not_affect_the_others() {
    check(r#"[{"a":1},7,{"b":!},{"c":3}]"#, &[r#"{"a":1}"#, "!", "!", r#"{"c":3}"#]);
    check("{}\nhello\n{}", &["{}", "!", "{}"]);
    check("{}\n{\"a\":!}\n{}", &["{}", "!", "{}"]);
    check("{}{\"a\":!}{}", &["{}", "!", "{}"]);
    check("{}x\n{}", &["{}", "!", "{}"]);
    check("{\"a\":!\n}\n{}", &["!", "{}"]);
}

#[test]
fn empty_record_is_one_bad_frame() {
    for record in ["", " \n\t", "[]", "[ ]", "[", "{", "\"\\", "\u{feff}", "[\"a]"] {
        check(record, &["!"]);
    }
}

#[test]
fn elements_before_an_error_in_an_array_count() {
    check("[{},{}", &["{}", "{}", "!"]);
    check("[{},{}}", &["{}", "{}", "!"]);
    check("[{},{\"a\":", &["{}", "!"]);
    check("[{}] x", &["{}", "!"]);
    check("[{},{\"a\n[{},{}]\n", &["{}", "!", "{}", "{}"]);
    check("[{},{}\n[{},{}]\n", &["{}", "{}", "!", "{}", "{}"]);
}

#[test]
fn objects_over_several_lines_are_split() {
    check("{\n \"a\": 1\n}\n{\"b\":\n{\"c\":[\n{}]}}\n", &["{\n \"a\": 1\n}", "{\"b\":\n{\"c\":[\n{}]}}"]);
    check("[\n  {},\n  {\"a\":1}\n]", &["{}", "{\"a\":1}"]);
}

#[test]
fn truncated_line_does_not_hide_the_line_after_it() {
    check("{\"a\":1,\"b\n{\"c\":1}\n{\"d\":1}", &["!", "{\"c\":1}", "{\"d\":1}"]);
    check("{\"a\":{\"b\":1}\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\":[1,\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\":1\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\"\n{\"c\":1}", &["!", "{\"c\":1}"]);
    check("{\n} x\n{\"c\":1}", &["{\n}", "!", "{\"c\":1}"]);
    check("{\n\"a\":1,\n\"b\":2\n", &["!"]);
}

#[test]
fn objects_beyond_the_limit_are_one_frame() {
    for record in ["{}{}{}{}", "[{},{},{},{}]", "{}\n{}\n{}\n{}", "{} [{},{},{}]", "x\n{}\n{}", "[7,{},7]"] {
        let mut got = Vec::new();
        let mut left = 2;
        frames(record.as_bytes(), &mut left, &mut |frame| {
            got.push(frame);
            syntax::skip(record.as_bytes(), if let Frame::Object(at) = frame { at } else { return None }).ok()
        });
        assert_eq!((got.len(), got.last(), left), (3, Some(&Frame::Beyond), 0), "{record}: {got:?}");
    }
}

#[test]
fn damaged_record_takes_linear_time() {
    for damage in [
        "{\"a\":[\n",
        "{\"a\":\n",
        "{\n",
        "[\n",
        "[{\n",
        "[[{\n",
        "[[{}\n",
        "[[{},",
        "{\"a\":{\"b\":1}\n",
        "{\"a\":[0,\n0,\n",
        "{\"a",
        "{\"a\n",
    ] {
        let record = damage.repeat(100_000);
        let mut bad = 0;
        frames(record.as_bytes(), &mut { usize::MAX }, &mut |frame| match frame {
            Frame::Object(at) => syntax::skip(record.as_bytes(), at).ok(),
            _ => {
                bad += 1;
                None
            }
        });
        assert!(bad > 0, "{damage:?}");
    }
}
