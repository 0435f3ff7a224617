use super::*;

fn records_of(text: &str, joins: bool, most: usize) -> Vec<String> {
    let mut records = Records::new(text.as_bytes(), joins, most);
    let (mut all, mut record) = (Vec::new(), Vec::new());
    while records.next(&mut record).unwrap() {
        all.push(String::from_utf8(record.clone()).unwrap());
    }
    all
}

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    assert_eq!(records_of(text, true, 1 << 20), expect, "{text:?}");
}

#[test]
fn lines_are_records_and_empty_lines_are_skipped() {
    check("{\"a\":1}\r\n\n  \n{\"b\":2}\nnot json\n{}{}", &["{\"a\":1}", "{\"b\":2}", "not json", "{}{}"]);
    check("", &[]);
    assert_eq!(records_of("e=t,sid=\"{\n\ne=t\r\n", false, 1 << 20), ["e=t,sid=\"{", "e=t"]);
}

#[test]
fn value_over_several_lines_is_one_record() {
    check("{\n \"a\": 1,\n \"b\": [\n  1,\n  2\n ]\n}\n{}\n", &["{\n\"a\": 1,\n\"b\": [\n1,\n2\n]\n}", "{}"]);
    check("[\n {\n  \"a\": 1\n },\n {\"b\":\n 2}\n]\n", &["[\n{\n\"a\": 1\n},\n{\"b\":\n2}\n]"]);
    check("[{\"a\":1},\n{\"b\":2}\n]\n{}", &["[{\"a\":1},\n{\"b\":2}\n]", "{}"]);
    check("[{\"a\":1}\n,{\"b\":2}\n]", &["[{\"a\":1}\n,{\"b\":2}\n]"]);
    check("{\"batch\":[\n{\"a\":1},\n{\"b\":2}\n]}\n", &["{\"batch\":[\n{\"a\":1},\n{\"b\":2}\n]}"]);
    check("{\"a\":\n{\"b\":1}\n}", &["{\"a\":\n{\"b\":1}\n}"]);
    check("{\"a\":\"}\\\"\",\n\"b\":1}", &["{\"a\":\"}\\\"\",\n\"b\":1}"]);
}

#[test]
fn complete_object_is_not_joined_with_an_incomplete_value_in_the_line_before_it() {
    check("{\"a\":1,\"b\n{\"c\":1}\n", &["{\"a\":1,\"b", "{\"c\":1}"]);
    check("{\"a\":1,\n{\"c\":1}\n{}\n", &["{\"a\":1,", "{\"c\":1}", "{}"]);
    check("{\"a\":1\n{\"c\":1}{\"d\":1}\n", &["{\"a\":1", "{\"c\":1}{\"d\":1}"]);
    check("{\"a\":1,\n\"b\":2]\n{}\n", &["{\"a\":1,\n\"b\":2]", "{}"]);
    check("{\"a\":1,\n", &["{\"a\":1,"]);
    check("{\n[{}]\n", &["{", "[{}]"]);
    // After a comma in an array, an object may follow, so the second line is joined. A parser of the record finds both
    // objects.
    check("{\"a\":[1,\n{\"c\":1}\n{\"d\":1}\n", &["{\"a\":[1,\n{\"c\":1}", "{\"d\":1}"]);
}

#[test]
fn value_longer_than_the_limit_is_truncated_to_one_byte_more_than_the_limit() {
    let lines = format!("{{\n{}", "\"a\":1,\n".repeat(100));
    let records = records_of(&lines, true, 50);
    assert_eq!(records[0].len(), 51);
    assert!(records.iter().all(|record| record.len() <= 51));
    assert_eq!(records_of(&"x".repeat(200), true, 50), ["x".repeat(51)]);
    let deep = "[\n".repeat(3_000);
    assert!(records_of(&deep, true, 1 << 20).len() < 5);
}

#[test]
fn long_array_over_several_lines_is_divided_into_records() {
    let element = format!("{{\"session\":\"{}\"}}", "s".repeat(1_000));
    let count = 200;
    for text in [
        format!("[\n{}\n]\n{{}}\n", vec![element.as_str(); count].join(",\n")),
        format!("[{}]\n{{}}\n", vec![element.as_str(); count].join(",\n")),
    ] {
        let records = records_of(&text, true, 1 << 20);
        assert!(records.len() > 3 && records.last().unwrap() == "{}");
        let elements =
            |record: &String| serde_json::from_str::<Vec<serde_json::Value>>(record).unwrap().len();
        assert_eq!(records[..records.len() - 1].iter().map(elements).sum::<usize>(), count);
        assert!(records.iter().all(|record| record.len() < 2 * ENOUGH));
    }
}

#[test]
fn array_in_one_line_that_is_too_long_for_a_record_is_divided_into_records() {
    let element = |number: usize| format!("{{\"n\":{number},\"s\":\"],[\\\"\",\"a\":[{{}},[{number}]]}}");
    let elements: Vec<_> = (0..20_000).map(element).collect();
    let text = format!("  [{}]\n{{\"last\":1}}", elements.join(", "));
    let most = 100_000;
    assert!(text.len() > 5 * most);
    let records = records_of(&text, true, most);
    assert!(records.len() > 5 && records.last().unwrap() == "{\"last\":1}");
    assert!(records.iter().all(|record| record.len() <= most));
    let arrays = records[..records.len() - 1].iter();
    let found = arrays.flat_map(|record| serde_json::from_str::<Vec<serde_json::Value>>(record).unwrap());
    let numbers: Vec<_> = found.map(|element| element["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..20_000).collect::<Vec<_>>());
    // An element that is too long for a record remains one record that is refused.
    let long = format!("[{{\"s\":\"{}\"}},{{\"n\":1}}]", "s".repeat(most));
    assert!(records_of(&long, true, most)[0].len() > most);
}

#[test]
fn long_line_of_consecutive_objects_is_divided_at_the_end_of_an_object() {
    let object = |number: usize| format!("{{\"n\":{number},\"s\":\"}}{{\\\"\",\"a\":[{{}},[{number}]]}}");
    let objects: Vec<_> = (0..20_000).map(object).collect();
    let line = objects.join(" ") + "\n{\"last\":1}";
    let records = records_of(&line, true, 1 << 20);
    assert!(records.len() > 10 && records.iter().all(|record| record.len() <= ENOUGH));
    assert_eq!(records.last().unwrap(), "{\"last\":1}");
    let together = records[..records.len() - 1].concat();
    let values = serde_json::Deserializer::from_str(&together).into_iter::<IgnoredAny>();
    assert_eq!(values.filter(Result::is_ok).count(), objects.len());
    // An object longer than `ENOUGH` is not divided.
    let large = format!("{{\"s\":\"{}\"}}", "x".repeat(3 * ENOUGH));
    let records = records_of(&format!("{}\n{{}}", large.repeat(10)), true, 4 * ENOUGH);
    assert_eq!(records.len(), 11);
    assert!(records[..10].iter().all(|record| *record == large));
    // An object longer than the limit is truncated, and the rest of its line is skipped.
    let records = records_of(&format!("{{}}{{\"s\":\"{}\"}}{{}}\n{{}}", "x".repeat(300_000)), true, 100_000);
    assert_eq!(records.iter().map(String::len).collect::<Vec<_>>(), [2, 100_001, 2]);
}
