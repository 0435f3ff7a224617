//! The forms of text that may be published as a dimension value if the scanner finds no identifier in it.

use std::sync::LazyLock;

use regex::Regex;

use crate::Identifier;
use crate::normal::is_invisible;

/// The maximum length in characters of a free text that is published.
pub const LONGEST_VALUE: usize = 64;

/// The value that replaces the dimension values of folded rows. No free text may contain it.
pub const STAR: char = '*';

/// Returns true if a free text has 1 to [`LONGEST_VALUE`] characters and contains only letters, digits and `
/// ._-:/+()&`.
#[must_use]
pub fn is_dimension_value(text: &str) -> bool {
    is_short(text) && text.chars().all(|c| c.is_alphanumeric() || " ._-:/+()&".contains(c))
}

/// Returns true if a text may be the name of a place. Besides the characters of other values, it may contain combining
/// marks, joiners, and the punctuation that occurs in lists of countries and regions (ISO 3166, GeoNames):
/// apostrophes, commas, semicolons, square brackets, dashes, middle dots, quotation marks and daggers.
#[must_use]
pub fn is_place_name(text: &str) -> bool {
    // The pattern is constant, and a test fails if it does not compile.
    static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\A[\p{L}\p{M}\p{N} ._\-:/+()&'’‘‛ʹ′`´,;\[\]‐‑–—―·•"“”„«»†‡\u{200C}\u{200D}]+\z"#).ok()
    });
    is_short(text) && PLACE.as_ref().is_some_and(|place| place.is_match(text))
}

fn is_short(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_VALUE
}

/// The ids that the operator declares public. They match a regular expression completely.
#[derive(Clone, Debug)]
pub struct PublicIds(Regex);

impl PublicIds {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Returns the reason in one line if the pattern is not a regular expression or is too large.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let compile = |pattern: &str| Regex::new(pattern).map_err(|error| reason(&error));
        // The pattern is also compiled without brackets around it, because `a)|(b` is invalid but becomes valid inside
        // brackets.
        compile(pattern)?;
        compile(&format!(r"\A(?:{pattern})\z")).map(Self)
    }

    /// Returns true if a text is a public id that may be published. The text must have at most [`LONGEST_VALUE`]
    /// characters, must match the complete pattern, and must not contain control characters, invisible characters or
    /// `*`.
    #[must_use]
    pub fn contain(&self, text: &str) -> bool {
        is_short(text)
            && !text.chars().any(|c| c.is_control() || is_invisible(c) || c == STAR)
            && self.0.is_match(text)
    }
}

/// Returns the last line of an error message. It contains the reason, and the other lines repeat the pattern.
fn reason(error: &regex::Error) -> String {
    let message = error.to_string();
    let line = message.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

impl Identifier {
    /// Returns true if a public id may look like an identifier of this kind. Returns false for addresses, personal
    /// identifiers, and values that only players or browsers generate.
    #[must_use]
    pub const fn may_be_public(self) -> bool {
        match self {
            Self::Phone | Self::Digits | Self::Hex | Self::Uuid | Self::Ulid | Self::Hash | Self::Encoded => {
                true
            }
            Self::Address
            | Self::Mac
            | Self::Email
            | Self::Cookie
            | Self::Jwt
            | Self::Coordinates
            | Self::UserAgent
            | Self::Known => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_names_are_recognised() {
        for name in [
            "Provence-Alpes-Côte d'Azur",
            "Val-d’Oise",
            "'s-Gravenhage",
            "Hawaiʻi",
            "‘Ajmān",
            "Ra’s al Khaymah",
            "Washington, D.C.",
            "Bolzano/Bozen",
            "Sofia (stolitsa)",
            "Newfoundland & Labrador",
            "Khānah-ye Shahr [Khaneh Shahr]",
            "Xinjiang Uygur Zizhiqu",
            "Co\u{302}te d'Ivoire",
            "Kars\u{327}",
            "हिमाचल प्रदेश",
            "चंडीगढ़",
            "กรุงเทพมหานคร",
            "کهگیلویه\u{200c}وبویراحمد",
            "Noord–Holland",
            "Berg-Karabach †",
            "St. Gallen",
            "Moskva, Gorod",
            "Ka`a",
            "Catalunya [Cataluña]",
            "Saint-Barthélemy · SBH",
            "Lääne-Virumaa",
            "Đồng Tháp",
        ] {
            assert!(is_place_name(name), "{name}");
        }
    }

    #[test]
    fn other_texts_are_not_place_names() {
        for text in ["", "*", "a*b", "a@b", "a\nb", "a\u{202e}b", "<b>", "{x}", "a\\b", "a=b", "🎬", "100%"]
        {
            assert!(!is_place_name(text), "{text}");
        }
        assert!(!is_place_name(&"é".repeat(LONGEST_VALUE + 1)));
    }

    #[test]
    fn patterns_match_whole_ids_only() {
        let ids = PublicIds::new("[0-9]{6}|ep-[0-9]+|Who won\\?").unwrap();
        for public in ["123456", "ep-000000123", "Who won?"] {
            assert!(ids.contain(public), "{public}");
        }
        for other in ["1234567", "x123456", "ep-1 ", "ep-1\n", "ep-", ""] {
            assert!(!ids.contain(other), "{other}");
        }
        let all = PublicIds::new("(?s).*").unwrap();
        for never in ["a*b", "*", "a\nb", "a\u{200b}b", "a\u{202e}b"] {
            assert!(!all.contain(never), "{never:?}");
        }
        assert!(!all.contain(&"x".repeat(LONGEST_VALUE + 1)));
    }

    #[test]
    fn patterns_that_are_not_regular_expressions_are_refused() {
        for pattern in ["[0-9", "a)|(b", "(", "*", "(?<=a)b", "x{99999999}", "(?x)a # all of it"] {
            assert!(PublicIds::new(pattern).is_err(), "{pattern}");
        }
        assert_eq!(PublicIds::new("ep-[0-9").unwrap_err(), "unclosed character class");
    }
}
