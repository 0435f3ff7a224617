//! Texts that represent an absent value.

/// The texts, without surrounding quotes and in lower case.
const NOTHING: [&str; 5] = ["", "-", "null", "(null)", "undefined"];

/// The maximum length in bytes of one of these texts with quotes. Longer texts are not compared.
const LONGEST: usize = 16;

/// The maximum number of quotes on each side, because a logger may quote a quoted value.
const MOST_QUOTES: usize = 2;

/// Returns true if loggers and players write this text for an absent value: an empty text, a dash, `null`, `(null)` or
/// `undefined`, also in quotes.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    // Most values begin with a character that none of the texts begins with.
    if text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() && !b"nNuU".contains(&first)) {
        return false;
    }
    let mut text = text.trim();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_for_absent_values_are_recognised() {
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
    fn other_texts_are_values() {
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
