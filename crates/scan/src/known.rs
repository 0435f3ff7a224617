//! Searches for configured values.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// The minimum length of a configured value in characters. Shorter values would be found everywhere.
pub const SHORTEST_KNOWN: usize = 4;

/// A searcher for configured values, which ignores case.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    automaton: AhoCorasick,
    /// The length of the shortest configured value in bytes.
    pub(crate) shortest: usize,
}

impl Known {
    /// Creates a searcher. Returns `None` if no value is long enough, or if there are too many values for an
    /// automaton.
    pub(crate) fn new(values: &[String]) -> Option<Self> {
        let values = values.iter().filter(|value| value.chars().count() >= SHORTEST_KNOWN);
        let values: Vec<&str> = values.map(String::as_str).collect();
        let shortest = values.iter().map(|value| value.len()).min()?;
        let mut builder = AhoCorasickBuilder::new();
        let builder = builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst);
        Some(Self { automaton: builder.build(values).ok()?, shortest })
    }

    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.automaton.find(bytes).is_some()
    }
}
