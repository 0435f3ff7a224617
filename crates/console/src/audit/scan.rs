//! What in a text tells of a person, in whatever writing.
//!
//! Independent of the rules by which the airlock redacts, and wider: it also reads what is percent-encoded, base64,
//! hexadecimal or written backwards. What is found is told by kind and writing, never by what it is.
//!
//! What it cannot tell: an address as a number of fewer than nine digits or without a letter in hexadecimal, the four
//! bytes of one in base64, anything hashed or encrypted, a name.

mod address;
mod decode;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// What kind of thing tells of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identifier {
    /// An address: dotted in decimal, octal or hexadecimal, IPv6, mapped, or `0x` and its digits.
    Address,
    /// A hardware address.
    Mac,
    /// An e-mail address.
    Email,
    /// Nine digits in a row or more; as a decimal number an address looks so, too.
    Digits,
    /// As many hexadecimal digits as an address has.
    Hex,
    /// A UUID.
    Uuid,
    /// A whole user agent.
    UserAgent,
}

impl Identifier {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Address, Self::Mac, Self::Email, Self::Digits, Self::Hex, Self::Uuid, Self::UserAgent];

    /// The name in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Mac => "mac",
            Self::Email => "email",
            Self::Digits => "digits",
            Self::Hex => "hex",
            Self::Uuid => "uuid",
            Self::UserAgent => "user-agent",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an IP address",
            Self::Mac => "a hardware address",
            Self::Email => "an e-mail address",
            Self::Digits => "nine digits in a row or more",
            Self::Hex => "as many hexadecimal digits as an IP address has",
            Self::Uuid => "a UUID",
            Self::UserAgent => "a whole user agent",
        })
    }
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Writing {
    /// As it is.
    Plain,
    /// Backwards.
    Reversed,
    /// `%xx`.
    Percent,
    /// Base64, in either alphabet.
    Base64,
    /// Two hexadecimal digits for each byte.
    Hex,
}

impl Writing {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Reversed => "reversed",
            Self::Percent => "percent-encoded",
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal",
        }
    }
}

/// One finding in a text.
pub(crate) type Hit = (Identifier, Writing);

/// How sure a match must be.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    /// As it stands: whatever the airlock would redact.
    Text,
    /// Turned from something else, which by chance may look like anything.
    Decoded,
}

/// How often something may be wrapped in something.
const LAYERS: u32 = 3;

/// How many clean texts are remembered, so that a value of a million rows is looked at once.
const REMEMBERED: usize = 65_536;

/// The longest text that is remembered, bytes.
const SHORT: usize = 128;

/// Looks at texts.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    clean: HashSet<Box<str>>,
}

impl Scanner {
    /// What is found in a text, each kind once.
    pub(crate) fn scan(&mut self, text: &str) -> Vec<Hit> {
        if self.clean.contains(text) {
            return Vec::new();
        }
        let hits = scan(text);
        if hits.is_empty() && text.len() <= SHORT {
            if self.clean.len() >= REMEMBERED {
                self.clean.clear();
            }
            self.clean.insert(text.into());
        }
        hits
    }
}

/// What is found in a text, each kind once, in its plainest writing.
pub(crate) fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let text = normal(text);
    look(&text, Writing::Plain, Care::Text, LAYERS, &mut hits);
    hits.sort_unstable();
    hits.dedup_by_key(|(kind, _)| *kind);
    hits
}

fn look(text: &str, writing: Writing, care: Care, layers: u32, hits: &mut Vec<Hit>) {
    hits.extend(found(text, care).into_iter().map(|kind| (kind, writing)));
    let backwards: String = text.chars().rev().collect();
    let outer = if writing == Writing::Plain { Writing::Reversed } else { writing };
    let turned = found(&backwards, Care::Decoded).into_iter();
    // these two read the same from both ends
    let turned = turned.filter(|kind| !matches!(kind, Identifier::Digits | Identifier::Hex));
    hits.extend(turned.map(|kind| (kind, outer)));
    if layers == 0 {
        return;
    }
    let within = |own: Writing| if writing == Writing::Plain { own } else { writing };
    if let Some(inner) = decode::percent(text) {
        look(&normal(&inner), within(Writing::Percent), care, layers - 1, hits);
    }
    for inner in decode::base64(text) {
        look(&inner, within(Writing::Base64), Care::Decoded, layers - 1, hits);
    }
    for inner in decode::hexadecimal(text) {
        look(&inner, within(Writing::Hex), Care::Decoded, layers - 1, hits);
    }
}

fn found(text: &str, care: Care) -> Vec<Identifier> {
    let mut found = Vec::new();
    let mut add = |is: bool, kind| {
        if is {
            found.push(kind);
        }
    };
    add(address::quad(text, care) || address::v6(text) || address::prefixed(text), Identifier::Address);
    add(address::mac(text), Identifier::Mac);
    add(care == Care::Text && address::bare_hexadecimal(text), Identifier::Hex);
    add(words::email(text, care), Identifier::Email);
    add(words::digits(text), Identifier::Digits);
    add(words::uuid(text), Identifier::Uuid);
    add(words::user_agent(text), Identifier::UserAgent);
    found
}

/// A text in which whatever may stand for an ASCII sign does: full-width forms, dots of other scripts, digits of other
/// scripts (each taken for a 1: it is a digit that matters).
fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let sign = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if !c.is_ascii() && c.is_numeric() => '1',
        c => c,
    };
    text.chars().map(sign).collect::<String>().into()
}
