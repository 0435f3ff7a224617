use super::{harmless, plain, quoted};
use crate::layout::width;
use crate::testing::{query, rows, table};

#[test]
fn csv_field_is_quoted_only_if_necessary() {
    let check = |text, expect: &str| assert_eq!(quoted(text), expect);
    check("Chrome", "Chrome");
    check("a,b", "\"a,b\"");
    check("say \"hi\"", "\"say \"\"hi\"\"\"");
    check("two\nlines", "\"two\nlines\"");
    check("", "");
}

#[test]
fn csv_text_that_looks_like_a_formula_is_escaped() {
    for text in ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"] {
        assert_eq!(harmless(text.into()), format!("'{text}"));
    }
    assert_eq!(harmless("a=1".into()), "a=1");
}

#[test]
fn text_that_looks_like_a_formula_is_escaped_in_csv_and_unchanged_in_json() {
    let records = [table(90, "content", &[("=HYPERLINK(\"x\",1)", 60)])];
    let answer = query("--breakdown content").unwrap().run(&rows(&records)).unwrap();
    assert!(answer.csv().contains(",\"'=HYPERLINK(\"\"x\"\",1)\","), "{}", answer.csv());
    let line: serde_json::Value = serde_json::from_str(&answer.json()).unwrap();
    assert_eq!(line["dimensions"]["content"], "=HYPERLINK(\"x\",1)");
}

#[test]
fn control_characters_are_replaced_before_they_reach_a_terminal() {
    assert_eq!(plain("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\u{fffd}c");
}

#[test]
fn columns_are_aligned_if_texts_contain_wide_or_combining_characters() {
    let records = [table(90, "content", &[("abcd", 60), ("e\u{301}", 61), ("東京", 62)])];
    let table = query("--breakdown content").unwrap().run(&rows(&records)).unwrap().table(120);
    let before_count = |line: &str| {
        let at = line.find("  ").map_or(0, |gap| gap + line[gap..].len() - line[gap..].trim_start().len());
        width(&line[..at + line[at..].find(' ').unwrap()])
    };
    let ends: Vec<_> = table.lines().map(before_count).collect();
    assert_eq!(ends, [ends[0]; 4], "{table}");
}
