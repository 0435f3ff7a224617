//! Finds identifiers in text: addresses, and ids of persons, devices and sessions, in several encodings. The airlock
//! redacts free text that contains an identifier, and `audit` searches published records with the same scanner.
//!
//! A finding consists of the kind of the identifier and its encoding. It never contains the text.
//!
//! ```
//! use crowdfold_scan::{Identifier, Writing, scan};
//!
//! assert_eq!(scan("edge-203-0-113-77"), [(Identifier::Address, Writing::Plain)]);
//! assert_eq!(scan("movie-0042"), []);
//! ```
//!
//! A value in base64 or base32 is recognised if it has padding, or if it decodes to an address, an e-mail address, a
//! token, or a value that was given to the scanner. Without any of these it looks like an ordinary word.
//!
//! The scanner does not find everything that identifies:
//!
//! - an address as a decimal number of fewer than nine digits, or in hexadecimal without a letter;
//! - the four bytes of an address in base64;
//! - random ids without a recognisable form;
//! - hashes of other kinds, and encrypted values;
//! - names of persons.
#![forbid(unsafe_code)]

mod address;
mod coordinates;
mod decode;
mod groups;
mod kind;
mod known;
mod normal;
mod numbers;
#[cfg(test)]
mod tests;
mod values;
mod words;

use std::collections::HashSet;

use ahash::RandomState;

pub use kind::{Hit, Identifier, Writing};
pub use known::SHORTEST_KNOWN;
pub use values::{LONGEST_VALUE, PublicIds, STAR, is_dimension_value, is_place_name};

use known::Known;
use normal::normal;
use numbers::Shape;

/// The origin of a text. The comparison is stricter if the origin is less reliable.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    /// The text was given by the caller.
    Text,
    /// The text was decoded from another text, so it may resemble an identifier by chance.
    Decoded,
    /// The text was reversed. Reversed version numbers may look like addresses.
    Backwards,
}

/// The minimum length in bytes of a text that is decoded and reversed.
const SHORTEST: usize = 6;

/// The maximum number of nested encodings that are decoded.
const LAYERS: u32 = 3;

/// The maximum number of clean texts that are remembered. A remembered text is not scanned again, so a value that
/// occurs in a million rows is scanned once.
const REMEMBERED: usize = 65_536;

/// The maximum length in bytes of a text that is remembered.
const SHORT: usize = 128;

/// A scanner that remembers clean texts, and can search for configured values.
#[derive(Debug, Default)]
pub struct Scanner {
    clean: HashSet<Box<str>, RandomState>,
    known: Option<Known>,
}

impl Scanner {
    /// Creates a scanner that also searches for the values in `known`, ignoring case and in every encoding. Values
    /// shorter than [`SHORTEST_KNOWN`] are skipped.
    #[must_use]
    pub fn new(known: &[String]) -> Self {
        Self { clean: HashSet::default(), known: Known::new(known) }
    }

    /// Returns the findings in a text, at most one for each kind.
    pub fn scan(&mut self, text: &str) -> Vec<Hit> {
        if self.clean.contains(text) {
            return Vec::new();
        }
        let hits = scan_for(text, self.known.as_ref());
        if hits.is_empty() && text.len() <= SHORT {
            if self.clean.len() >= REMEMBERED {
                self.clean.clear();
            }
            self.clean.insert(text.into());
        }
        hits
    }

    /// Returns true if the scanner finds nothing in a text. Does not remember the text.
    #[must_use]
    pub fn is_clean(&self, text: &str) -> bool {
        scan_for(text, self.known.as_ref()).is_empty()
    }

    /// Returns true if the scanner finds nothing in a text except kinds that a public id may contain. Does not
    /// remember the text.
    #[must_use]
    pub fn is_clean_public(&self, text: &str) -> bool {
        scan_for(text, self.known.as_ref()).iter().all(|(kind, _)| kind.may_be_public())
    }
}

/// Returns the findings in a text, at most one for each kind. If a kind occurs in several encodings, the first one in
/// the order of [`Writing`] is returned.
#[must_use]
pub fn scan(text: &str) -> Vec<Hit> {
    scan_for(text, None)
}

fn scan_for(text: &str, known: Option<&Known>) -> Vec<Hit> {
    let mut scan = Scan { known, hits: Vec::new() };
    scan.look(&normal(text), Writing::Plain, Care::Text, LAYERS);
    let mut hits = scan.hits;
    hits.sort_unstable();
    hits.dedup_by_key(|(kind, _)| *kind);
    if hits.len() > 1 {
        // `Encoded` is less specific than any other kind.
        hits.retain(|(kind, _)| *kind != Identifier::Encoded);
    }
    hits
}

struct Scan<'a> {
    known: Option<&'a Known>,
    hits: Vec<Hit>,
}

impl Scan<'_> {
    fn look(&mut self, text: &str, writing: Writing, care: Care, layers: u32) {
        self.found(text, writing, care);
        if text.len() < SHORTEST && self.known.is_none() {
            return;
        }
        let backwards: String = text.chars().rev().collect();
        let outer = if writing == Writing::Plain { Writing::Reversed } else { writing };
        let before = self.hits.len();
        self.found(&backwards, outer, Care::Backwards);
        // Identifiers of these two kinds have already been found, because they have the same form in the reversed text.
        let same = |(kind, _): &Hit| matches!(kind, Identifier::Digits | Identifier::Mac);
        let turned: Vec<Hit> = self.hits.drain(before..).filter(|hit| !same(hit)).collect();
        self.hits.extend(turned);
        if layers == 0 {
            return;
        }
        let within = |own: Writing| if writing == Writing::Plain { own } else { writing };
        if let Some(inner) = decode::percent(text) {
            self.look(&normal(&inner), within(Writing::Percent), care, layers - 1);
        }
        let shortest = self.known.map_or(decode::SHORTEST, |known| known.shortest.min(decode::SHORTEST));
        let mut inside = |bytes: &[u8], own| self.inside(bytes, within(own), layers - 1);
        decode::base64(text, shortest, |bytes| inside(bytes, Writing::Base64));
        decode::base32(text, shortest, |bytes| inside(bytes, Writing::Base32));
        decode::hexadecimal(text, shortest, |bytes| inside(bytes, Writing::Hex));
    }

    /// Scans decoded bytes: for configured values as they are, and for identifiers in their readable parts.
    fn inside(&mut self, bytes: &[u8], writing: Writing, layers: u32) {
        if self.known.is_some_and(|known| known.is_in(bytes)) {
            self.hits.push((Identifier::Known, writing));
        }
        for part in decode::readable(bytes) {
            self.look(part, writing, Care::Decoded, layers);
        }
    }

    fn found(&mut self, text: &str, writing: Writing, care: Care) {
        use Identifier as I;
        let is_text = care == Care::Text;
        let before = self.hits.len();
        let mut add = |is: bool, kind| {
            if is {
                self.hits.push((kind, writing));
            }
        };
        add(self.known.is_some_and(|known| known.is_in(text.as_bytes())), I::Known);
        add(words::email(text, care), I::Email);
        add(is_text && words::email_in_words(text), I::Email);
        add(is_text && words::cookie_name(text), I::Cookie);
        add(decode::jwt(text), I::Jwt);
        add(is_text && decode::padded(text), I::Encoded);
        add(address::v6(text, care), I::Address);
        // All kinds below contain digits.
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return;
        }
        add(address::quad(text, care) || address::prefixed(text), I::Address);
        add(address::mac(text, care), I::Mac);
        add(numbers::digits(text), I::Digits);
        add(words::uuid(text), I::Uuid);
        add(words::user_agent(text), I::UserAgent);
        if !is_text {
            return;
        }
        add(address::bare_hexadecimal(text), I::Hex);
        add(words::ulid(text), I::Ulid);
        add(words::hash(text), I::Hash);
        add(words::cookie(text), I::Cookie);
        add(coordinates::coordinates(text), I::Coordinates);
        // Identifiers of many kinds above are also numbers in groups, so numbers in groups are searched only if nothing
        // was found.
        if self.hits.len() == before {
            let grouped = numbers::grouped(text);
            let phone = grouped == Some(Shape::Phone) || numbers::phone(text);
            self.hits.extend(phone.then_some((I::Phone, writing)));
            self.hits.extend((grouped == Some(Shape::Number)).then_some((I::Digits, writing)));
        }
    }
}
