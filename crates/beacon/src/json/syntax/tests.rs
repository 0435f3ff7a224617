use proptest::prelude::*;

use super::nested::MAX_DEPTH;
use super::*;

#[test]
fn first_special_byte_is_found_at_any_position() {
    for length in 0..40 {
        for sign in ['"', '\\', '\u{1f}', '\n'] {
            for fill in ['a', 'é', ' ', '\u{7f}', '!', '#', '['] {
                let text: String =
                    std::iter::repeat_n(fill, length).chain([sign]).chain("\"tail".chars()).collect();
                let end = length * fill.len_utf8();
                assert_eq!(run(text.as_bytes(), 0), Some(end), "{text:?}");
            }
        }
    }
    assert_eq!(run(b"no end in sight", 0), None);
}

#[test]
fn lone_surrogates_and_bytes_that_are_not_utf_8_are_replaced() {
    for (raw, expect, replaced) in [
        (&b"plain"[..], "plain", false),
        (b"a\\\"b\\\\c\\/d\\n\\u00e9", "a\"b\\c/d\n\u{e9}", false),
        (b"\\ud83c\\udf89", "\u{1f389}", false),
        (b"x\\ud83d", "x\u{fffd}", true),
        (b"\\udf89 y", "\u{fffd} y", true),
        (b"\\ud83d\\u0041", "\u{fffd}A", true),
        (b"\\ud83d\\ud83c\\udf89", "\u{fffd}\u{1f389}", true),
        (b"\\u0041\\u0042", "AB", false),
        (b"a\xffb", "a\u{fffd}b", true),
        (b"a\xff\\n", "a\u{fffd}\n", true),
    ] {
        let (text, was) = text(raw);
        assert_eq!((&*text, was), (expect, replaced), "{}", raw.escape_ascii());
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(skip(nested(MAX_DEPTH).as_bytes(), 0), Ok(2 * MAX_DEPTH));
    assert_eq!(skip(nested(MAX_DEPTH + 1).as_bytes(), 0), Err(MAX_DEPTH));
    let mixed = format!("{}1{}", r#"{"y":[ "#.repeat(400), " ] }".repeat(400));
    assert_eq!(skip(mixed.as_bytes(), 0), Ok(mixed.len()));
}

/// Generates strings that are JSON or similar to JSON.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
        "\"[a-z\\\\\"u/0-9é\u{1}]{0,6}\"",
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "nul",
            "True",
            "NaN",
            "-Infinity",
            "",
            "'a'",
            "\"\\ud83d\""
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let gap = || prop::sample::select(vec!["", "", " ", "\n", "\u{c}"]);
        let member = ("\"[a-z]{0,3}\"", gap(), inner.clone())
            .prop_map(|(key, gap, value)| format!("{key}{gap}:{value}"));
        let bracket = |open: char, close: char| {
            move |(items, gap): (Vec<String>, &str)| {
                format!("{open}{gap}{}{close}", items.join(&format!("{gap},{gap}")))
            }
        };
        prop_oneof![
            (prop::collection::vec(inner, 0..4), gap()).prop_map(bracket('[', ']')),
            (prop::collection::vec(member, 0..4), gap()).prop_map(bracket('{', '}')),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Compares the skipped part with the part that serde ignores. serde does not check the numbers and characters in
    /// this part.
    #[test]
    fn skipped_part_equals_the_part_that_serde_ignores(text in json(), cut in prop::option::of(any::<prop::sample::Index>())) {
        let text = match cut {
            Some(cut) => &text[..(0..=cut.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap()],
            None => &text,
        };
        let mut reader = serde_json::Deserializer::from_slice(text.as_bytes()).into_iter::<serde::de::IgnoredAny>();
        let is_sound = matches!(reader.next(), Some(Ok(_)));
        let start = blank(text.as_bytes(), 0);
        let skipped = skip(text.as_bytes(), start);
        if is_sound {
            prop_assert_eq!(skipped, Ok(reader.byte_offset()), "{}", text);
        } else {
            // serde needs the byte after a number, `true`, `false` or `null`.
            let followed = skipped.is_ok_and(|end| end < text.len());
            let is_accepted = text.contains(['\\', '\u{1}']);
            prop_assert!(skipped.is_err() || followed || is_accepted, "{}", text);
        }
    }
}

/// Generates valid JSON objects and arrays, with strings that contain brackets, quotes and backslashes, also at the
/// boundaries of blocks.
fn valid_json() -> impl Strategy<Value = String> {
    let string = prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "é",
            "[",
            "{",
            "]",
            "}",
            ",",
            ":",
            "\\\"",
            "\\\\",
            "\\u0022",
            "\t",
            "0123456789abcde",
        ]),
        0..12,
    );
    let string = move || string.clone().prop_map(|parts| format!("\"{}\"", parts.concat()));
    let leaf = prop_oneof![
        string(),
        "0|-?[1-9][0-9]{0,9}",
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned())
    ];
    let nested = leaf.prop_recursive(6, 96, 8, move |inner| {
        let member = (string(), inner.clone()).prop_map(|(key, value)| format!("{key}: {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    });
    nested.prop_map(|value| format!("[{value}]"))
}

proptest! {
    #[test]
    fn end_of_a_valid_value_equals_the_end_of_the_skipped_value(
        before in "[ \\[{\"\\\\]{0,70}", text in valid_json(), after in "[\\]},\"\\[ ]{0,80}",
    ) {
        let (start, record) = (before.len(), before + &text + &after);
        prop_assert_eq!(skip(record.as_bytes(), start), Ok(start + text.len()));
        prop_assert_eq!(skip_valid(record.as_bytes(), start), Some(start + text.len()));
    }

    #[test]
    fn search_for_the_end_of_any_bytes_ends(bytes in prop::collection::vec(prop::sample::select(b"[]{}\"\\a,".to_vec()), 0..200)) {
        prop_assert!(skip_valid(&bytes, 0).is_none_or(|end| end <= bytes.len()));
    }
}

proptest::proptest! {
    #[test]
    fn decoding_without_allocation_has_the_same_result(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                &b"a"[..], b"cdn", b"\xc3\xa9", b"\xff", b"\xf0\x9f", b"\t", b"\\n", b"\\\"", b"\\q", b"\\x41", b"\\xff",
                b"\\xzz", b"\\u0063", b"\\ud83d\\ude00", b"\\ud83d", b"\\u12", b"\\", b"0123456789abcdef",
            ]),
            0..64,
        ),
    ) {
        let raw = parts.concat();
        let (text, _) = text(&raw);
        let string = [&raw[..], b"\"7"].concat();
        let decoded = run(&string, 0).filter(|first| string[*first] != b'"').and_then(|first| {
            with_content(&string, 0, first, |content| match content {
                Content::Text(decoded, also) => (decoded.to_owned(), also),
                Content::Damaged(parts) => {
                    let mut decoded = String::new();
                    parts.replace(|part| decoded.push_str(part));
                    (decoded, true)
                }
            })
        });
        let expected = string_end(&string, 0).ok().map(|end| (super::text(&string[..end]), end));
        let expected = expected.filter(|_| raw.iter().any(|byte| matches!(byte, b'\\' | ..0x20)));
        let expected = expected.map(|((text, replaced), end)| ((text.into_owned(), replaced), end));
        proptest::prop_assert_eq!(decoded, expected);
        let is_text = with_key(&raw, |key| std::str::from_utf8(key).is_ok_and(|key| key == text));
        proptest::prop_assert!(is_text || text.contains(char::REPLACEMENT_CHARACTER));
    }
}
