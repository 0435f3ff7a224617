//! A scanner of RFC 8941 dictionaries: one pass, no allocation. More lenient than the RFC in two ways that real players
//! need: strings may hold UTF-8, and keys upper case. Types that came later (dates and display strings of RFC 9651) are
//! passed over.

use crate::Malformed;

/// A bare item.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Integer(i64),
    Decimal(f64),
    /// A string between its quotes, escapes and all.
    Text(&'a str),
    Token(&'a str),
    /// A truth value, bytes, or a type that came later.
    Unused,
}

impl<'a> Item<'a> {
    pub(super) const fn token(self) -> Option<&'a str> {
        match self {
            Self::Token(token) => Some(token),
            _ => None,
        }
    }
}

/// The value of a member: one item, or those of an inner list, by what they say they are of.
#[derive(Clone, Copy, Default)]
pub(super) struct Value<'a> {
    /// The first one.
    first: Option<Item<'a>>,
    /// The first one without a label.
    plain: Option<Item<'a>>,
    /// The one labelled `v`, of video.
    video: Option<Item<'a>>,
    /// The one labelled `av`, of both.
    both: Option<Item<'a>>,
}

impl<'a> Value<'a> {
    /// The first item, whatever it is of.
    pub(super) const fn first(self) -> Option<Item<'a>> {
        self.first
    }

    /// What is said of video: `v`, else `av`, else what has no label. What is of audio alone is nothing.
    pub(super) fn of_video(self) -> Option<Item<'a>> {
        self.labelled_video().or(self.plain)
    }

    /// The same, where it must be said.
    pub(super) fn labelled_video(self) -> Option<Item<'a>> {
        self.video.or(self.both)
    }

    fn take(&mut self, item: Item<'a>, label: Label) {
        let place = match label {
            Label::None => &mut self.plain,
            Label::Video => &mut self.video,
            Label::Both => &mut self.both,
            Label::Audio => &mut None,
        };
        place.get_or_insert(item);
        self.first.get_or_insert(item);
    }
}

/// What an item's parameters say it is of.
enum Label {
    None,
    Video,
    Both,
    Audio,
}

/// Hands every member of a dictionary to `each`. A text that is no dictionary may have been handed over in part before
/// that shows.
pub(super) fn members<'a>(text: &'a str, each: &mut impl FnMut(&'a str, Value<'a>)) -> Result<(), Malformed> {
    let mut scan = Scan { text, bytes: text.as_bytes(), at: 0 };
    scan.spaces();
    loop {
        let key = scan.key()?;
        let mut value = Value::default();
        if !scan.skip(b'=') {
            scan.label()?;
            value.take(Item::Unused, Label::None);
        } else if scan.skip(b'(') {
            scan.inner_list(&mut value)?;
        } else {
            let item = scan.item()?;
            value.take(item, scan.label()?);
        }
        each(key, value);
        scan.blanks();
        if scan.peek().is_none() {
            return Ok(());
        }
        scan.expect(b',')?;
        scan.blanks();
    }
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.skip(byte) { Ok(()) } else { Err(Malformed) }
    }

    fn spaces(&mut self) {
        while self.skip(b' ') {}
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Everything from here on whose signs are of `class`.
    fn take(&mut self, class: u8) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|byte| SIGNS[byte as usize] & class != 0) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn key(&mut self) -> Result<&'a str, Malformed> {
        if !matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'*')) {
            return Err(Malformed);
        }
        Ok(self.take(KEY))
    }

    fn inner_list(&mut self, value: &mut Value<'a>) -> Result<(), Malformed> {
        loop {
            self.spaces();
            if self.skip(b')') {
                self.label()?;
                return Ok(());
            }
            let item = self.item()?;
            value.take(item, self.label()?);
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(Malformed);
            }
        }
    }

    /// The parameters of an item.
    fn label(&mut self) -> Result<Label, Malformed> {
        let mut label = Label::None;
        while self.skip(b';') {
            self.spaces();
            let key = self.key()?;
            if self.skip(b'=') {
                self.item()?;
            }
            label = match key {
                "v" => Label::Video,
                "av" => Label::Both,
                "a" => Label::Audio,
                _ => label,
            };
        }
        Ok(label)
    }

    fn item(&mut self) -> Result<Item<'a>, Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string().map(Item::Text),
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => Ok(Item::Token(self.take(TOKEN))),
            b'?' if matches!(self.bytes.get(self.at + 1), Some(b'0' | b'1')) => {
                self.at += 2;
                Ok(Item::Unused)
            }
            b':' => {
                self.at += 1;
                self.take(BYTES);
                self.expect(b':').map(|()| Item::Unused)
            }
            b'@' => {
                self.at += 1;
                self.number().map(|_| Item::Unused)
            }
            b'%' => {
                self.at += 1;
                self.string().map(|_| Item::Unused)
            }
            _ => Err(Malformed),
        }
    }

    /// An integer of at most 15 digits, or a decimal of at most 12 and 3.
    fn number(&mut self) -> Result<Item<'a>, Malformed> {
        let sign = if self.skip(b'-') { -1 } else { 1 };
        let (whole, digits) = self.digits();
        if !self.skip(b'.') {
            return if (1..=15).contains(&digits) { Ok(Item::Integer(sign * whole)) } else { Err(Malformed) };
        }
        let (fraction, places) = self.digits();
        if !(1..=12).contains(&digits) || !(1..=3).contains(&places) {
            return Err(Malformed);
        }
        let thousandths = whole * 1_000 + fraction * [1_000, 100, 10, 1][places];
        Ok(Item::Decimal((sign * thousandths) as f64 / 1_000.0))
    }

    /// A run of digits, and how many they are. What more than fifteen say is not asked.
    fn digits(&mut self) -> (i64, usize) {
        let (start, mut number) = (self.at, 0_i64);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        (number, self.at - start)
    }

    fn string(&mut self) -> Result<&'a str, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += memchr::memchr2(b'"', b'\\', &self.bytes[self.at..]).ok_or(Malformed)?;
            if self.skip(b'"') {
                let text = &self.text[start..self.at - 1];
                // All of them, rather than up to the first: so it is done many at a time.
                let controls = text.bytes().fold(false, |any, byte| any | byte.is_ascii_control());
                return if controls { Err(Malformed) } else { Ok(text) };
            }
            if !matches!(self.bytes.get(self.at + 1), Some(b'"' | b'\\')) {
                return Err(Malformed);
            }
            self.at += 2;
        }
    }
}

/// Signs of keys, of tokens, and of bytes in base 64.
const KEY: u8 = 1;
const TOKEN: u8 = 2;
const BYTES: u8 = 4;

/// The classes of every sign. Only ASCII has any.
const SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    let classes: [(&[u8], u8); 3] = [(b"_-.*", KEY), (b"!#$%&'*+-.^_`|~:/", TOKEN), (b"+/=", BYTES)];
    let mut class = 0;
    while class < classes.len() {
        let (special, bit) = classes[class];
        let mut at = 0;
        while at < special.len() {
            signs[special[at] as usize] |= bit;
            at += 1;
        }
        class += 1;
    }
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            signs[byte as usize] = KEY | TOKEN | BYTES;
        }
        byte += 1;
    }
    signs
};

#[cfg(test)]
mod tests;
