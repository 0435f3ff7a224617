//! Converts the text that producers send to symbols. The rules for text are slow, but values repeat. Therefore the
//! result of a rule is cached for each distinct text.

use std::sync::Arc;

use ahash::RandomState;
use crowdfold_scan::{PublicIds, Scanner};
use hashbrown::HashMap;

use crate::text::{Word, public, word};
use crate::{Dictionary, Symbol};
use crowdfold_model::Dimension;

/// The number of texts of each dimension that are always cached. More texts are cached if the dictionary has more words,
/// so that the number of live sessions limits the size of the cache, as it limits the dictionary.
const ALWAYS_CACHED: usize = 16_384;

/// The maximum length of a cached text in bytes.
const LONGEST: usize = 256;

/// The symbols of texts as producers sent them.
type Known = HashMap<Box<str>, Symbol, RandomState>;

/// The dictionary of a partition, with caches of the symbols of texts.
pub(crate) struct Words {
    dictionary: Dictionary,
    recent: [Recent; Dimension::BUILT_IN],
    /// The symbols of the texts that the current packed record lists, by their number.
    listed: Vec<Option<Symbol>>,
    known: [Known; Dimension::BUILT_IN],
    /// The symbols of raw texts of custom dimensions, by the memory address of the definition of the dimension. Several
    /// definitions may have the same source, because tenants may have different rules for it.
    custom: HashMap<usize, Known, RandomState>,
    scanner: Arc<Scanner>,
    public_content: Option<PublicIds>,
}

impl Words {
    pub(crate) fn new(scanner: Arc<Scanner>, public_content: Option<PublicIds>) -> Self {
        Self {
            dictionary: Dictionary::default(),
            recent: std::array::from_fn(|_| Recent::default()),
            listed: Vec::new(),
            known: std::array::from_fn(|_| HashMap::default()),
            custom: HashMap::default(),
            scanner,
            public_content,
        }
    }

    pub(crate) const fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Returns the symbol of a text that a producer sent. Applies the rule of the dimension.
    #[inline]
    pub(crate) fn symbol(&mut self, dimension: Dimension, raw: &str) -> Symbol {
        if !matches!(dimension, Dimension::Custom(_))
            && let Some(short) = Short::of(raw)
            && let Some(symbol) = self.recent[dimension.index()].get(short)
        {
            return symbol;
        }
        self.find(dimension, raw)
    }

    /// Returns the symbol of a text that the packed record lists with this number. The number must belong to this
    /// dimension and this text until the next call of [`Self::forget_listed`].
    #[inline]
    pub(crate) fn listed(&mut self, number: usize, dimension: Dimension, raw: &str) -> Symbol {
        if let Some(Some(symbol)) = self.listed.get(number) {
            return *symbol;
        }
        self.list(number, dimension, raw)
    }

    #[cold]
    fn list(&mut self, number: usize, dimension: Dimension, raw: &str) -> Symbol {
        let symbol = self.symbol(dimension, raw);
        if self.listed.len() <= number {
            self.listed.resize(number + 1, None);
        }
        self.listed[number] = Some(symbol);
        symbol
    }

    /// Removes the symbols of listed texts. It must be called before each packed record.
    pub(crate) fn forget_listed(&mut self) {
        self.listed.clear();
    }

    /// Finds the symbol of a text that is not in the cache of recent texts. This is a separate function, so that its
    /// registers are not saved for every value.
    #[inline(never)]
    fn find(&mut self, dimension: Dimension, raw: &str) -> Symbol {
        let symbol = match self.known(dimension).get(raw) {
            Some(symbol) => *symbol,
            None => self.learn(dimension, raw),
        };
        if !matches!(dimension, Dimension::Custom(_))
            && let Some(short) = Short::of(raw)
        {
            self.recent[dimension.index()].set(short, symbol);
        }
        symbol
    }

    fn known(&mut self, dimension: Dimension) -> &mut Known {
        let Dimension::Custom(custom) = dimension else { return &mut self.known[dimension.index()] };
        self.custom.entry(std::ptr::from_ref(custom).addr()).or_default()
    }

    /// Returns the symbol of a word that is safe to publish, because it has passed a rule or comes from a catalogue.
    pub(crate) fn intern(&mut self, word: &str) -> Symbol {
        self.dictionary.intern(word)
    }

    pub(crate) fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.dictionary.sweep(held);
        self.known.iter_mut().for_each(HashMap::clear);
        self.custom.clear();
        self.listed.clear();
        self.recent = std::array::from_fn(|_| Recent::default());
    }

    #[cold]
    fn learn(&mut self, dimension: Dimension, raw: &str) -> Symbol {
        let public_content = self.public_content.as_ref().filter(|_| dimension == Dimension::Content);
        let published = public_content.and_then(|ids| public(raw, ids, &self.scanner));
        let symbol = match published.unwrap_or_else(|| word(dimension.rule(), raw, &self.scanner)) {
            Word::None => Symbol::NONE,
            Word::Other => Symbol::OTHER,
            Word::Redacted => Symbol::REDACTED,
            Word::Is(word) => self.dictionary.intern(&word),
        };
        let limit = ALWAYS_CACHED.max(self.dictionary.len());
        let known = self.known(dimension);
        if raw.len() <= LONGEST {
            if known.len() >= limit {
                known.clear();
            }
            known.insert(raw.into(), symbol);
        }
        symbol
    }
}

/// A text of 1 to 16 bytes in a form that is compared without a loop. Two instances are equal if and only if their
/// texts are equal.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Short {
    words: [u64; 2],
    length: u8,
}

impl Short {
    /// Converts a text. Returns `None` if the text is empty or longer than 16 bytes. The two words are read from both
    /// ends of the text, and may overlap.
    fn of(raw: &str) -> Option<Self> {
        let bytes = raw.as_bytes();
        let words = match bytes {
            [] => return None,
            [one] => [u64::from(*one), 0],
            [one, .., last] if bytes.len() <= 3 => {
                [u64::from(*one), u64::from(bytes[bytes.len() / 2]) << 8 | u64::from(*last)]
            }
            _ if bytes.len() < 8 => {
                let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
                [u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))]
            }
            _ if bytes.len() <= 16 => {
                [u64::from_le_bytes(*bytes.first_chunk()?), u64::from_le_bytes(*bytes.last_chunk()?)]
            }
            _ => return None,
        };
        Some(Self { words, length: bytes.len() as u8 })
    }
}

/// The number of slots of [`Recent`]. It must be a power of two. It is small, because most beacons contain one of a few
/// frequent values.
const SLOTS: usize = 256;

/// A cache of the symbols of short texts. The hash of a text selects its slot, and a slot contains the last text that
/// selected it. The hash has no key, because a producer that causes collisions only makes lookups slower: they use the
/// map instead. Most dimensions have no values, so the slots are allocated when the first value is set.
#[derive(Default)]
struct Recent(Option<Box<[(Short, Symbol); SLOTS]>>);

impl Recent {
    const fn slot_of(short: Short) -> usize {
        let mixed = short.words[0] ^ short.words[1].rotate_left(29) ^ short.length as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
    }

    fn get(&self, short: Short) -> Option<Symbol> {
        let (known, symbol) = self.0.as_ref()?[Self::slot_of(short)];
        (known == short).then_some(symbol)
    }

    fn set(&mut self, short: Short, symbol: Symbol) {
        let slots = self.0.get_or_insert_with(|| Box::new([Default::default(); SLOTS]));
        slots[Self::slot_of(short)] = (short, symbol);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_texts_are_equal_if_and_only_if_their_strings_are(a in "[ab]{0,18}", b in "[ab]{0,18}") {
            if let (Some(short), Some(other)) = (Short::of(&a), Short::of(&b)) {
                prop_assert_eq!(short == other, a == b);
            } else {
                prop_assert!([&a, &b].iter().any(|text| text.is_empty() || text.len() > 16));
            }
        }

        #[test]
        fn cached_symbol_equals_the_result_of_the_rule_of_its_dimension(texts in prop::collection::vec("[a-d]{1,20}", 1..200)) {
            let mut words = Words::new(Arc::default(), None);
            for text in texts.iter().chain(&texts) {
                for dimension in [Dimension::Content, Dimension::Cdn] {
                    let symbol = words.symbol(dimension, text);
                    prop_assert_eq!(&**words.dictionary().word(symbol), text.as_str());
                }
                prop_assert_eq!(words.symbol(Dimension::Device, text), Symbol::OTHER);
            }
        }
    }

    #[test]
    fn all_texts_that_are_words_stay_cached() {
        let mut words = Words::new(Arc::default(), None);
        let texts: Vec<_> = (0..3 * ALWAYS_CACHED).map(|number| format!("movie-{number}")).collect();
        for text in texts.iter().chain(&texts) {
            words.symbol(Dimension::Content, text);
        }
        let known = words.known(Dimension::Content);
        assert!(texts.iter().all(|text| known.contains_key(text.as_str())));
    }

    #[test]
    fn texts_that_are_no_words_do_not_extend_the_cache() {
        let mut words = Words::new(Arc::default(), None);
        for number in 0..3 * ALWAYS_CACHED {
            assert_eq!(words.symbol(Dimension::Device, &format!("gadget-{number}")), Symbol::OTHER);
        }
        assert_eq!(words.known(Dimension::Device).len(), ALWAYS_CACHED);
    }
}
