//! Replaces characters that look like ASCII characters by those ASCII characters.

use std::borrow::Cow;

/// Replaces characters that look like ASCII characters: full-width forms, and dots, dashes, spaces and digits of
/// other scripts. A digit of another script becomes `1`, because its value does not matter. Removes invisible
/// characters.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    text.chars().filter(|character| !is_invisible(*character)).map(plain).collect::<String>().into()
}

fn plain(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        // These are full stops and middle dots, and letters that look like them.
        '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{b7}' | '\u{2022}' | '\u{2027}' | '\u{2219}'
        | '\u{22c5}' | '\u{30fb}' | '\u{ff65}' | '\u{318d}' | '\u{a4f8}' | '\u{66b}' | '\u{6d4}'
        | '\u{fe52}' => '.',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        '\u{a789}' | '\u{2236}' | '\u{fe55}' | '\u{5c3}' => ':',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{fe6b}' => '@',
        other if other.is_whitespace() => ' ',
        other if !other.is_ascii() && other.is_numeric() => '1',
        other => other,
    }
}

/// Returns true if a character has no width: soft hyphens, joiners, direction marks, variation selectors and byte
/// order marks.
pub(crate) const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{34f}' | '\u{180e}')
}
