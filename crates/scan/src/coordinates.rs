//! Finds pairs of latitude and longitude.

use crate::groups::{Group, groups, words};

/// The minimum number of decimal places of two numbers if only their form shows that they are coordinates. Three
/// decimal places are a precision of about a hundred metres.
const DECIMALS: usize = 3;
/// The minimum number of decimal places after a decimal comma, because `1,250` may be an integer.
const AFTER_COMMA: usize = 4;
/// The maximum length in bytes of the text between the two coordinates.
const BETWEEN: usize = 16;

/// Finds a pair of coordinates as decimal numbers or as degrees and minutes, or a plus code.
pub(crate) fn coordinates(text: &str) -> bool {
    decimal_pair(text) || degrees(text) || plus_code(text)
}

/// A decimal number in a text.
struct Decimal<'a> {
    start: usize,
    end: usize,
    decimals: usize,
    comma: bool,
    whole: &'a str,
}

fn decimals<'a>(text: &str, numbers: &[Group<'a>]) -> Vec<Decimal<'a>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Decimal<'a>> = Vec::new();
    for two in numbers.windows(2) {
        let [whole, rest] = two else { continue };
        let free = found.last().is_none_or(|last| whole.start >= last.end);
        let continues = |at: Option<&u8>| at.is_some_and(|byte| *byte == b'.');
        let before = whole.start.checked_sub(1).map(|at| &bytes[at]);
        let more =
            continues(bytes.get(rest.end())) && bytes.get(rest.end() + 1).is_some_and(u8::is_ascii_digit);
        if matches!(rest.gap, "." | ",") && free && whole.text.len() <= 3 && !continues(before) && !more {
            found.push(Decimal {
                start: whole.start,
                end: rest.end(),
                decimals: rest.text.len(),
                comma: rest.gap == ",",
                whole: whole.text,
            });
        }
    }
    found
}

fn decimal_pair(text: &str) -> bool {
    let numbers = groups(text, u8::is_ascii_digit);
    if numbers.len() < 4 {
        return false;
    }
    let found = decimals(text, &numbers);
    let (lower, labelled) = (text.to_ascii_lowercase(), ["geo:", "lat", "lon", "lng", "gps"]);
    let labelled = labelled.iter().any(|label| lower.contains(label));
    found.windows(2).any(|two| {
        let [first, second] = two else { return false };
        let between = &text[first.end..second.start];
        let after = &text[second.end..];
        let degrees = |decimal: &Decimal<'_>| decimal.whole.parse::<u32>().unwrap_or(u32::MAX);
        let (first_degrees, second_degrees) = (degrees(first), degrees(second));
        let in_range = first_degrees.max(second_degrees) <= 180 && first_degrees.min(second_degrees) <= 90;
        let poles = hemispheres(&text[..first.start], between, after);
        let fewest = first.decimals.min(second.decimals);
        let fine = match (first.comma || second.comma, poles || labelled, between.trim()) {
            (_, true, _) => fewest >= 1,
            (true, ..) => fewest >= AFTER_COMMA,
            (false, _, "," | ";") => fewest >= DECIMALS - 1,
            (false, ..) => fewest >= DECIMALS,
        };
        let plain = |c: char| !c.is_alphanumeric() || labelled || "NSEWOnsewo".contains(c);
        in_range && fine && between.len() <= BETWEEN && between.chars().all(plain)
    })
}

/// Returns true if a letter for north or south and a letter for east or west precede both numbers, or follow both
/// numbers.
fn hemispheres(before: &str, between: &str, after: &str) -> bool {
    let is = |c: Option<char>, letters: &str| c.is_some_and(|c| letters.contains(c.to_ascii_uppercase()));
    let edge = |c: char| c.is_whitespace() || "+-°º".contains(c);
    let middle = between.trim_matches(|c: char| edge(c) || ",;/".contains(c));
    let behind = is(after.trim_start_matches(edge).chars().next(), "EWO") && is(middle.chars().next(), "NS");
    let ahead =
        is(before.trim_end_matches(edge).chars().next_back(), "NS") && is(middle.chars().next_back(), "EWO");
    behind || ahead
}

/// Finds coordinates such as `52°31'12"N 13°24'18"E`, with or without spaces and seconds.
fn degrees(text: &str) -> bool {
    let words = words(text);
    let letter = |word: &str, letters: &str| word.len() == 1 && letters.contains(&word.to_ascii_uppercase());
    // A latitude consists of numbers followed by a letter, and so does a longitude. A space between number and letter
    // is optional.
    let mut tokens: Vec<(bool, &str)> = Vec::new();
    for word in &words {
        let digits = word.text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = word.text.split_at(digits);
        let joins = word.gap.chars().count() <= 3;
        if !joins && !tokens.is_empty() {
            tokens.push((false, ""));
        }
        if !number.is_empty() {
            tokens.push((true, number));
        }
        if !rest.is_empty() {
            tokens.push((false, rest));
        }
    }
    let small = |token: &(bool, &str), most: u32| {
        token.0 && token.1.parse::<u32>().is_ok_and(|number| number <= most)
    };
    let part = |tokens: &[(bool, &str)], letters: &str, most: u32| {
        let numbers = tokens.iter().take_while(|token| token.0).count();
        let good = (2..=4).contains(&numbers)
            && small(&tokens[0], most)
            && small(&tokens[1], 59)
            && tokens.get(numbers).is_some_and(|(_, word)| letter(word, letters));
        good.then_some(numbers + 1)
    };
    (0..tokens.len()).any(|at| {
        part(&tokens[at..], "NS", 90).is_some_and(|length| part(&tokens[at + length..], "EWO", 180).is_some())
    })
}

/// Finds a complete plus code (Open Location Code), such as `9F4MGC2M+F4`.
fn plus_code(text: &str) -> bool {
    let letter = |byte: u8| b"23456789CFGHJMPQRVWX".contains(&byte);
    text.match_indices('+').any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        let code = before.len() >= 8 && before[before.len() - 8..].iter().all(|byte| letter(*byte));
        let alone =
            before.len() == 8 || before.len() > 8 && !before[before.len() - 9].is_ascii_alphanumeric();
        let end = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        code && alone && (2..=3).contains(&end) && after[..end].iter().all(|byte| letter(*byte))
    })
}
