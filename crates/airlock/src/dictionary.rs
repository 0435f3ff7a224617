//! Dimension values as small numbers.

use std::sync::Arc;

/// A dimension value that a [`Dictionary`] knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    /// Nothing was reported. Reads `unknown` once a window closes on it.
    pub const NONE: Self = Self(0);
    /// Outside a closed catalogue, or beyond a bound.
    pub const OTHER: Self = Self(1);
    /// Free text that the airlock did not let through.
    pub const REDACTED: Self = Self(2);

    /// Whether a value was reported at all.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// The words of one partition. Grows with what is reported; [`Dictionary::sweep`] forgets what no session holds
/// any more, so that its size is bounded by the live sessions.
#[derive(Debug)]
pub struct Dictionary {
    words: Vec<Option<Arc<str>>>,
    symbols: hashbrown::HashMap<Arc<str>, Symbol, ahash::RandomState>,
    free: Vec<u32>,
    swept: usize,
}

impl Default for Dictionary {
    fn default() -> Self {
        let mut fresh =
            Self { words: Vec::new(), symbols: hashbrown::HashMap::default(), free: Vec::new(), swept: 1024 };
        for word in ["unknown", "other", "redacted"] {
            fresh.intern(word);
        }
        fresh
    }
}

impl Dictionary {
    /// The symbol of a word, a new one if need be.
    pub fn intern(&mut self, word: &str) -> Symbol {
        if let Some(symbol) = self.symbols.get(word) {
            return *symbol;
        }
        let word: Arc<str> = word.into();
        let index = self.free.pop().unwrap_or_else(|| {
            self.words.push(None);
            u32::try_from(self.words.len() - 1).unwrap_or(u32::MAX)
        });
        self.words[index as usize] = Some(Arc::clone(&word));
        self.symbols.insert(word, Symbol(index));
        Symbol(index)
    }

    /// The word of a symbol; `unknown` for one that was swept.
    #[must_use]
    pub fn word(&self, symbol: Symbol) -> &Arc<str> {
        const UNKNOWN: usize = Symbol::NONE.0 as usize;
        let known = self.words.get(symbol.0 as usize).and_then(Option::as_ref);
        known.or(self.words[UNKNOWN].as_ref()).unwrap_or_else(|| unreachable!("`unknown` is never swept"))
    }

    /// How many words are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Never: three words are always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// Whether enough was learnt since the last sweep for another to be worth its while.
    #[must_use]
    pub fn wants_sweep(&self) -> bool {
        self.len() >= 2 * self.swept
    }

    /// Forgets every word but those in `held`. Symbols of forgotten words are given to new ones later, so whoever
    /// remembers symbols on the side must forget them at the same moment ([`crate::Airlock::sweep`] does).
    pub(crate) fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        let mut keep = vec![false; self.words.len()];
        for symbol in [Symbol::NONE, Symbol::OTHER, Symbol::REDACTED].into_iter().chain(held) {
            keep[symbol.0 as usize] = true;
        }
        for (index, word) in self.words.iter_mut().enumerate().filter(|(index, _)| !keep[*index]) {
            if let Some(word) = word.take() {
                self.symbols.remove(&word);
                self.free.push(index as u32);
            }
        }
        self.swept = self.len().max(1024);
    }
}
