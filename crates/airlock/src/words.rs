//! Raw texts as symbols. The rules for texts are slow and values repeat, so each runs once for a distinct raw text.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::catalogue;
use crate::text::{Rule, Word};
use crate::{Dictionary, Dimension, Symbol};

/// How many raw texts are remembered for a dimension, and how long each may be, bytes.
const REMEMBERED: usize = 16_384;
const LONGEST: usize = 256;

/// The dictionary of a partition, and the raw texts whose symbols are known.
pub(crate) struct Words {
    dictionary: Dictionary,
    known: [HashMap<Box<str>, Symbol, RandomState>; Dimension::COUNT],
}

impl Words {
    pub(crate) fn new() -> Self {
        Self { dictionary: Dictionary::default(), known: std::array::from_fn(|_| HashMap::default()) }
    }

    pub(crate) const fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The symbol of a raw text.
    pub(crate) fn symbol(&mut self, dimension: Dimension, raw: &str) -> Symbol {
        match self.known[dimension as usize].get(raw) {
            Some(symbol) => *symbol,
            None => self.learn(dimension, raw),
        }
    }
    /// The symbol of a word that has passed a rule or comes from a catalogue.
    pub(crate) fn intern(&mut self, word: &str) -> Symbol {
        self.dictionary.intern(word)
    }

    pub(crate) fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.dictionary.sweep(held);
        self.known.iter_mut().for_each(HashMap::clear);
    }

    #[cold]
    fn learn(&mut self, dimension: Dimension, raw: &str) -> Symbol {
        let symbol = match rule(dimension).word(raw) {
            Word::None => Symbol::NONE,
            Word::Other => Symbol::OTHER,
            Word::Redacted => Symbol::REDACTED,
            Word::Is(word) => self.dictionary.intern(&word),
        };
        let known = &mut self.known[dimension as usize];
        if raw.len() <= LONGEST {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(raw.into(), symbol);
        }
        symbol
    }
}

/// The rule for a dimension's raw texts.
const fn rule(dimension: Dimension) -> Rule {
    match dimension {
        Dimension::Country => Rule::Country,
        Dimension::Asn => Rule::Asn,
        Dimension::Device => Rule::Closed(&catalogue::DEVICE),
        Dimension::Os => Rule::Closed(&catalogue::OS),
        Dimension::Browser => Rule::Closed(&catalogue::BROWSER),
        Dimension::OsVersion | Dimension::BrowserVersion => Rule::Major,
        Dimension::Firmware => Rule::Firmware,
        Dimension::PlayerVersion => Rule::MajorMinor,
        Dimension::Stream => Rule::Closed(&catalogue::STREAM),
        Dimension::Format => Rule::Closed(&catalogue::FORMAT),
        Dimension::Connection => Rule::Closed(&catalogue::CONNECTION),
        Dimension::Region
        | Dimension::Player
        | Dimension::Content
        | Dimension::Cdn
        | Dimension::Network
        | Dimension::Quality => Rule::Free,
    }
}
