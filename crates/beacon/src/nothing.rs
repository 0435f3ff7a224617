//! Recognises values such as `-` and `null`, which loggers and players write if there is no value.

/// The texts that represent an absent value, in lower case and without surrounding quotes.
const NOTHING: [&str; 5] = ["", "-", "null", "(null)", "undefined"];

/// The maximum length in bytes of a value that is compared with [`NOTHING`], including quotes.
const LONGEST: usize = 16;

/// The maximum number of quotes that are removed on each side. There may be several, because a logger may quote a value
/// that is already quoted.
const MOST_QUOTES: usize = 2;

/// Returns true if a text represents an absent value. Such a text is empty, a dash, `null`, `(null)` or `undefined`. It
/// may have quotes, and it may be in upper or lower case.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    // This test is fast and sufficient for most values.
    if text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() && !b"nNuU".contains(&first)) {
        return false;
    }
    let mut text = trimmed(text);
    if text.len() > LONGEST {
        return false;
    }
    for _ in 0..MOST_QUOTES {
        let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
        let Some(inner) = ["\\\"", "\"", "'"].into_iter().find_map(inside) else { break };
        text = inner.trim();
    }
    NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text))
}

/// Returns a string without the white space at its ends. For most strings, the first and the last byte show that there
/// is none.
#[must_use]
#[inline]
pub fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [one] | [one, .., _] if !one.is_ascii_graphic() => text.trim(),
        [.., last] if !last.is_ascii_graphic() => text.trim(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_dash_and_similar_texts_represent_an_absent_value() {
        for text in ["", "-", "null", "NULL", "(null)", "(Null)", "undefined", "Undefined"] {
            for text in [
                text.to_owned(),
                format!(" {text} "),
                format!("\"{text}\""),
                format!("'{text}'"),
                format!("\\\"{text}\\\""),
                format!("\"'{text}'\""),
                format!("\" {text} \""),
            ] {
                assert!(is_nothing(&text), "{text}");
            }
        }
    }

    #[test]
    fn text_is_trimmed_on_both_sides() {
        for text in
            ["", " ", "a", "a b", " a", "a ", "\u{a0}a", "a\u{a0}", "é", " é", "\t\n", "a\u{2003}", "\u{7f}a"]
        {
            assert_eq!(trimmed(text), text.trim(), "{text:?}");
        }
    }

    #[test]
    fn text_that_only_resembles_null_or_a_dash_is_a_value() {
        for text in [
            "DE",
            "NA",
            "none",
            "0",
            "--",
            "_",
            "\"",
            "'",
            "\"-",
            "-'",
            "nul",
            "nullable",
            "null-island",
            "()",
            "(null",
            "nil",
            "\"DE\"",
            "undefined behaviour",
            "a-b",
        ] {
            assert!(!is_nothing(text), "{text}");
        }
    }
}
