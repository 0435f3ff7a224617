use super::*;

/// The parts that are offered. Objects with a `!` are taken for unreadable, and `!` stands for a part that is not read.
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
fn objects_arrays_and_lines() {
    check(r#"{"a":1}"#, &[r#"{"a":1}"#]);
    check("\u{feff}{}\r\n", &["{}"]);
    check(r#"[{"a":[1,2]},{"b":"],{"}]"#, &[r#"{"a":[1,2]}"#, r#"{"b":"],{"}"#]);
    check("{\"a\":1}\n\n{\"b\":2}\r\n  \n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
}

#[test]
fn objects_may_run_on() {
    check(r#"{"a":1}{"b":2}{"c":3}"#, &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
    check("{} {}\t{}\n{}{}", &["{}"; 5]);
    check("[{}][{},{}]\n[{}]", &["{}"; 4]);
    check("[{}{} {}]", &["{}"; 3]);
}

#[test]
fn one_bad_element_does_not_spoil_the_others() {
    check(r#"[{"a":1},7,{"b":!},{"c":3}]"#, &[r#"{"a":1}"#, "!", "!", r#"{"c":3}"#]);
    check("{}\nhello\n{}", &["{}", "!", "{}"]);
    check("{}\n{\"a\":!}\n{}", &["{}", "!", "{}"]);
    check("{}{\"a\":!}{}", &["{}", "!", "{}"]);
    check("{}x\n{}", &["{}", "!", "{}"]);
    check("{\"a\":!\n}\n{}", &["!", "{}"]);
}

#[test]
fn what_is_empty_counts_as_one() {
    for record in ["", " \n\t", "[]", "[ ]", "[", "{", "\"\\", "\u{feff}", "[\"a]"] {
        check(record, &["!"]);
    }
}

#[test]
fn what_was_read_of_an_array_stands_when_it_breaks() {
    check("[{},{}", &["{}", "{}", "!"]);
    check("[{},{}}", &["{}", "{}", "!"]);
    check("[{},{\"a\":", &["{}", "!"]);
    check("[{}] x", &["{}", "!"]);
    check("[{},{\"a\n[{},{}]\n", &["{}", "!", "{}", "{}"]);
}

#[test]
fn objects_written_over_several_lines() {
    check("{\n \"a\": 1\n}\n{\"b\":\n{\"c\":[\n{}]}}\n", &["{\n \"a\": 1\n}", "{\"b\":\n{\"c\":[\n{}]}}"]);
    check("[\n  {},\n  {\"a\":1}\n]", &["{}", "{\"a\":1}"]);
}

#[test]
fn a_line_cut_short_does_not_swallow_the_next() {
    check("{\"a\":1,\"b\n{\"c\":1}\n{\"d\":1}", &["!", "{\"c\":1}", "{\"d\":1}"]);
    check("{\"a\":{\"b\":1}\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\":[1,\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\":1\n{\"c\":1}\n", &["!", "{\"c\":1}"]);
    check("{\"a\"\n{\"c\":1}", &["!", "{\"c\":1}"]);
    check("{\n} x\n{\"c\":1}", &["{\n}", "!", "{\"c\":1}"]);
    check("{\n\"a\":1,\n\"b\":2\n", &["!"]);
}

#[test]
fn what_goes_beyond_the_bound_is_offered_once() {
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
fn damage_takes_no_square_of_time() {
    for damage in [
        "{\"a\":[\n",
        "{\"a\":\n",
        "{\n",
        "[\n",
        "[{\n",
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
