//! Finds e-mail addresses, UUIDs, ULIDs, digests, cookies and user agents.

use crate::Care;
use crate::groups::{chained, groups, is_bracket, is_hexadecimal, is_mixed, separator, words};

/// The minimum length of an e-mail address that is recognised in a decoded text. A shorter part of such a text may look
/// like an e-mail address by chance.
const SHORTEST_DECODED: usize = 10;

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'".contains(c)
}

/// Finds a name, the character `@`, and a host name that contains a dot and ends in letters.
pub(crate) fn email(text: &str, care: Care) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let (local, domain) = (name_before(&text[..at]), host_after(&text[at + 1..]));
        let long = care == Care::Text || local.len() + domain.len() + 1 >= SHORTEST_DECODED;
        long && !local.is_empty() && is_host(domain)
    })
}

fn name_before(before: &str) -> &str {
    let start = before.char_indices().rev().find(|(_, c)| !is_name(*c));
    &before[start.map_or(0, |(at, c)| at + c.len_utf8())..]
}

fn host_after(after: &str) -> &str {
    let host = |c: char| c.is_alphanumeric() || ".-".contains(c);
    after[..after.find(|c| !host(c)).unwrap_or(after.len())].trim_end_matches(['.', '-'])
}

fn is_host(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(labels, last)| !labels.is_empty() && is_top(last))
}

fn is_top(last: &str) -> bool {
    last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
}

/// Extensions of media files. `night_at_the.mkv` is not an e-mail address.
const FILES: [&str; 8] = ["mkv", "mov", "avi", "webm", "mpd", "ism", "isml", "flv"];

/// Finds an e-mail address with the word `at` instead of `@`: `jane(at)mail.example`, `jane at mail dot example`,
/// `jane_at_mail.example`.
pub(crate) fn email_in_words(text: &str) -> bool {
    let words = words(text);
    words.iter().enumerate().skip(1).any(|(at, word)| {
        if !(word.text.eq_ignore_ascii_case("at") || word.text.eq_ignore_ascii_case("a")) {
            return false;
        }
        let Some(next) = words.get(at + 1) else { return false };
        let bracketed = word.gap.contains(is_bracket) && next.gap.contains(is_bracket);
        if bracketed {
            // In `name(at)host`, a dot is not required if only the brackets separate the words.
            let close = word.gap.len() == 1 && next.gap.len() == 1 && next.text.len() >= 2;
            return close || is_host(host_after(&text[next.start..])) || has_dot_word(text, next.start);
        }
        if word.text.len() < 2 {
            return false;
        }
        let same = separator(word.gap).filter(|c| separator(next.gap) == Some(*c));
        match same {
            Some(' ' | '-' | '.') => has_dot_word(text, next.start),
            Some('_') => {
                let host = host_after(&text[next.start..]);
                is_host(host) && !FILES.iter().any(|file| host.ends_with(&format!(".{file}")))
                    || has_dot_word(text, next.start)
            }
            _ => false,
        }
    })
}

/// Top-level domains that are recognised in the middle of a sentence.
const TOPS: [&str; 22] = [
    "com", "org", "net", "edu", "gov", "info", "biz", "example", "test", "io", "tv", "eu", "de", "fr", "uk",
    "es", "it", "nl", "ch", "pl", "se", "co",
];

/// Returns true if a host name begins at `start` and contains a word such as `dot` instead of a dot:
/// `mail dot example`, `mail(dot)example`.
fn has_dot_word(text: &str, start: usize) -> bool {
    let words = words(&text[start..]);
    (1..words.len().min(5)).any(|at| {
        let Some(last) = words.get(at + 1) else { return false };
        let dot = ["dot", "punkt", "point"].iter().any(|word| words[at].text.eq_ignore_ascii_case(word));
        let ends = words.get(at + 2).is_none_or(|next| separator(next.gap) != Some(' '));
        let known = || TOPS.iter().any(|top| last.text.eq_ignore_ascii_case(top));
        dot && is_top(last.text) && (ends || known())
    })
}

/// Finds a UUID: 8-4-4-4-12 hexadecimal digits, with dashes or another separator.
pub(crate) fn uuid(text: &str) -> bool {
    if text.len() < 36 {
        return false;
    }
    let runs = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let dashed = runs.filter(|run| run.len() >= 36).any(|run| {
        let lengths: Vec<usize> = run.split('-').map(str::len).collect();
        lengths.windows(5).any(|five| matches!(five, [first, 4, 4, 4, last] if *first >= 8 && *last >= 12))
    });
    dashed
        || words(text).windows(5).any(|five| {
            let lengths = five.iter().map(|word| word.text.len());
            lengths.eq([8, 4, 4, 4, 12]) && chained(five, 5, is_hexadecimal)
        })
}

/// Finds a ULID: 26 characters of Crockford's base32 in one case, of which the first is at most 7.
pub(crate) fn ulid(text: &str) -> bool {
    let crockford = |byte: u8| byte.is_ascii_alphanumeric() && !b"ILOU".contains(&byte.to_ascii_uppercase());
    text.len() >= 26
        && words(text).iter().any(|word| {
            word.text.len() == 26
                && word.text.starts_with(|first: char| ('0'..='7').contains(&first))
                && word.text.bytes().all(crockford)
                && is_mixed(word.text)
        })
}

/// Finds the hexadecimal digits of a SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512 digest, or a label such as `sha256-`
/// with a value.
pub(crate) fn hash(text: &str) -> bool {
    let words = words(text);
    let digest = |word: &str| {
        matches!(word.len(), 40 | 56 | 64 | 96 | 128)
            && is_hexadecimal(word)
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let labelled = || {
        words.windows(2).any(|two| {
            let name = two[0].text.to_ascii_lowercase();
            ["sha1", "sha224", "sha256", "sha384", "sha512"].contains(&name.as_str())
                && two[1].text.len() >= 8
        })
    };
    words.iter().any(|word| digest(word.text)) || labelled()
}

/// Finds the value of a Google Analytics cookie: `GA1.2.123.456`, `GS1.1.…`.
pub(crate) fn cookie(text: &str) -> bool {
    words(text).windows(4).any(|four| {
        let name = four[0].text.as_bytes();
        let named = matches!(name, [b'G' | b'g', b'A' | b'a' | b'S' | b's', version @ ..]
            if (1..=2).contains(&version.len()) && version.iter().all(u8::is_ascii_digit));
        let part = |word: &str| {
            let digits = word.strip_prefix(['s', 'o', 'g', 't', 'j']).unwrap_or(word);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        named && four[1..].iter().all(|word| part(word.text) && separator(word.gap).is_some())
    })
}

/// Finds the name of an analytics cookie: `_ga`, `_ga_ABC123`, `_fbp`.
pub(crate) fn cookie_name(text: &str) -> bool {
    if !text.contains('_') {
        return false;
    }
    let names = groups(text, |byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    names.iter().any(|name| {
        let name = name.text.to_ascii_lowercase();
        ["_ga", "_gid", "_gat", "_gcl_au", "_fbp", "_fbc"].contains(&name.as_str())
            || ["_ga_", "__utm"].iter().any(|start| name.starts_with(start))
    })
}

/// Finds a user agent: `Mozilla/5`, two products with versions, or a product with a comment that contains a
/// semicolon.
pub(crate) fn user_agent(text: &str) -> bool {
    if !text.contains('/') {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let after = lower.split("mozilla/").nth(1);
    if after.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return true;
    }
    let products = text.split_ascii_whitespace().filter(|word| is_product(word)).count();
    let comment = || {
        let (before, rest) = text.split_once(" (")?;
        let inside = rest.split_once(')').map_or(rest, |(inside, _)| inside);
        Some(before.split_ascii_whitespace().any(is_product) && inside.contains(';'))
    };
    products >= 2 || comment().unwrap_or(false)
}

/// Recognises a product with a version: `Chrome/120.0`, `AppleCoreMedia/1.0.0.20G75`.
fn is_product(word: &str) -> bool {
    let Some((name, version)) = word.split_once('/') else { return false };
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
        && version.contains('.')
}
