//! Maps dimension values to small numbers (symbols).

use std::sync::Arc;

/// A number that represents a dimension value. Its meaning depends on the [`Dictionary`] that created it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol for an absent value. Rows show it as `unknown`.
    pub const NONE: Self = Self(0);
    /// The symbol for a value that exceeds a limit, or that is not in a closed catalogue.
    pub const OTHER: Self = Self(1);
    /// The symbol for free text that the airlock redacted.
    pub const REDACTED: Self = Self(2);

    /// Returns true unless the value is absent.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// The words of one partition and their symbols. New words are added until a sweep removes the words that no session
/// uses. Therefore the number of live sessions limits the size.
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
    /// Returns the symbol of a word. If the word is new, it is added.
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

    /// Returns the word of a symbol, or `unknown` if the word was removed.
    #[must_use]
    pub fn word(&self, symbol: Symbol) -> &Arc<str> {
        const UNKNOWN: usize = Symbol::NONE.0 as usize;
        let known = self.words.get(symbol.0 as usize).and_then(Option::as_ref);
        known.or(self.words[UNKNOWN].as_ref()).unwrap_or_else(|| unreachable!("`unknown` is never swept"))
    }

    /// Returns the number of words, including `unknown`, `other` and `redacted`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Returns false, because `unknown`, `other` and `redacted` are always present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// Returns true if the number of words has doubled since the last sweep.
    #[must_use]
    pub fn wants_sweep(&self) -> bool {
        self.len() >= 2 * self.swept
    }

    /// Removes every word whose symbol is not in `held`. New words may get the removed symbols afterwards, so the
    /// caller must clear all caches of symbols at the same time, as [`crate::Airlock::sweep`] does.
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
