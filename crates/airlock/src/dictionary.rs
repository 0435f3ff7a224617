//! Maps dimension values to small numbers.

use std::sync::Arc;

/// A number for a dimension value in a [`Dictionary`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    /// No reported value. It is `unknown` in a closed window.
    pub const NONE: Self = Self(0);
    /// A value outside a closed catalogue, or beyond a limit.
    pub const OTHER: Self = Self(1);
    /// Free text that the airlock redacted.
    pub const REDACTED: Self = Self(2);

    /// Returns true if a value was reported.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// The words of one partition. It grows with new words. `sweep` removes the words that no session holds,
/// so its size is bounded by the number of live sessions.
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
    /// Returns the symbol of a word, and creates one if necessary.
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

    /// Returns the word of a symbol, or `unknown` for a removed one.
    #[must_use]
    pub fn word(&self, symbol: Symbol) -> &Arc<str> {
        const UNKNOWN: usize = Symbol::NONE.0 as usize;
        let known = self.words.get(symbol.0 as usize).and_then(Option::as_ref);
        known.or(self.words[UNKNOWN].as_ref()).unwrap_or_else(|| unreachable!("`unknown` is never swept"))
    }

    /// Returns the number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Returns false, because three words are always present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// Returns true if enough words were added since the last sweep to make another one worthwhile.
    #[must_use]
    pub fn wants_sweep(&self) -> bool {
        self.len() >= 2 * self.swept
    }

    /// Removes every word except those in `held`. Their symbols are assigned to new words later. A cache of symbols
    /// must be cleared at the same time ([`crate::Airlock::sweep`] does this).
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
