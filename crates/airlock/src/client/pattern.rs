//! Regular expressions for searching user agents.

use std::sync::OnceLock;

use regex::Regex;

/// A regular expression that is compiled when it is used for the first time. A test compiles all patterns. If a pattern
/// did not compile, it would match nothing.
pub(super) struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(self.text).ok()).as_ref()
    }

    /// Returns true if the pattern matches a part of the text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// Returns the text of the first group in the first match, or `None` if the pattern does not match.
    pub(super) fn first<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.regex()?.captures(text)?.get(1).map(|found| found.as_str())
    }

    /// Returns true if the pattern compiles.
    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.regex().is_some()
    }
}

/// Returns, for each word that begins with `prefix`, the rest of the text after `prefix`.
pub(super) fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: usize| at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
    text.match_indices(prefix).filter(move |(at, _)| begins(*at)).map(|(at, _)| &text[at + prefix.len()..])
}
