//! Scans RFC 8941 dictionaries in one pass and without allocation.
//!
//! The scanner accepts more than the RFC, because players deviate from it. Strings may contain UTF-8, keys may be in
//! upper case, and numbers may have any number of digits and an exponent. If a member cannot be read, it ends at the
//! next comma outside quotes, and the other members are read as usual. The types that RFC 9651 added (dates and display
//! strings) are skipped.

use crate::Malformed;

/// One value: a number, a string, a token or a value of another type.
#[derive(Clone, Copy)]
pub(crate) enum Item<'a> {
    /// A number as it is written, without conversion.
    Number(&'a str),
    /// A string without its quotes. Its escapes are not decoded.
    Text(&'a str),
    Token(&'a str),
    /// Text that is not a valid item, without the quotes around it. It ends at the next comma.
    Bare(&'a str),
    /// A boolean, bytes, a date or a display string. No known key has such a value.
    Unused,
}

/// The value of a member. If the value is an inner list, its items are stored by their labels.
#[derive(Clone, Copy, Default)]
pub(super) struct Value<'a> {
    /// The first item.
    first: Option<Item<'a>>,
    /// The first item without a label.
    plain: Option<Item<'a>>,
    /// The item with the label `v` (video).
    video: Option<Item<'a>>,
    /// The item with the label `av` (audio and video).
    both: Option<Item<'a>>,
    /// The text between the brackets of an inner list. It is empty if the value is one item.
    list: &'a str,
}

impl<'a> Value<'a> {
    /// Returns the first item, regardless of its label.
    pub(super) const fn first(self) -> Option<Item<'a>> {
        self.first
    }

    /// Returns the first item without a label.
    pub(super) const fn plain(self) -> Option<Item<'a>> {
        self.plain
    }

    /// Returns the item for video: the item with the label `v`, otherwise the item with the label `av`, otherwise the
    /// item without a label. An item with the label `a` (audio) is ignored.
    pub(super) fn of_video(self) -> Option<Item<'a>> {
        self.labelled_video().or(self.plain)
    }

    /// Returns the item with the label `v`. If there is none, returns the item with the label `av`.
    pub(super) fn labelled_video(self) -> Option<Item<'a>> {
        self.video.or(self.both)
    }

    /// Returns the text between the brackets of an inner list. It is empty if the value is one item.
    pub(super) const fn list(self) -> &'a str {
        self.list
    }

    fn take(&mut self, item: Item<'a>, label: Label) {
        let slot = match label {
            Label::None => &mut self.plain,
            Label::Video => &mut self.video,
            Label::Both => &mut self.both,
            Label::Audio => &mut None,
        };
        slot.get_or_insert(item);
        self.first.get_or_insert(item);
    }
}

/// The label of an item: a parameter that names the type of media to which the item applies.
enum Label {
    None,
    Video,
    Both,
    Audio,
}

/// Passes every member of a dictionary to `each`. Returns the number of members. A key without a readable value is
/// not counted.
#[inline]
pub(super) fn members<'a>(text: &'a str, each: &mut impl FnMut(&'a str, Value<'a>)) -> usize {
    let mut scan = Scan { text, bytes: text.as_bytes(), at: 0, unclosed: false };
    let mut count = 0;
    loop {
        scan.blanks();
        let start = scan.at;
        let mut value = Value::default();
        match scan.member(&mut value) {
            Ok(key) => {
                each(key, value);
                count += 1;
            }
            Err(Malformed) => {
                scan.at = start;
                if let Some((key, bare)) = scan.bare() {
                    let mut value = Value::default();
                    value.take(Item::Bare(bare), Label::None);
                    each(key, value);
                    count += 1;
                }
            }
        }
        if !scan.skip(b',') {
            return count;
        }
    }
}

/// Returns the items of an inner list, without their parameters. `list` is the result of [`Value::list`].
pub(crate) fn items(list: &str) -> impl Iterator<Item = Item<'_>> {
    let mut scan = Scan { text: list, bytes: list.as_bytes(), at: 0, unclosed: false };
    std::iter::from_fn(move || {
        scan.spaces();
        let item = scan.item().ok()?;
        scan.label().ok()?;
        Some(item)
    })
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// True if a quote after the current position is never closed. Quotes then no longer hide commas.
    unclosed: bool,
}

impl<'a> Scan<'a> {
    /// Reads a member that conforms to the RFC. Stops at the comma after the member. Returns the key of the member.
    #[inline(always)]
    fn member(&mut self, value: &mut Value<'a>) -> Result<&'a str, Malformed> {
        let key = self.key()?;
        if !self.skip(b'=') {
            self.label()?;
            value.take(Item::Unused, Label::None);
        } else if self.skip(b'(') {
            self.inner_list(value)?;
        } else {
            let item = self.item()?;
            value.take(item, self.label()?);
        }
        self.blanks();
        if matches!(self.peek(), None | Some(b',')) { Ok(key) } else { Err(Malformed) }
    }

    /// Reads a member that does not conform to the RFC. Stops at the comma after the member. Returns its key and the
    /// text of its value, or `None` if the key or the value is missing.
    #[cold]
    fn bare(&mut self) -> Option<(&'a str, &'a str)> {
        let start = self.at;
        let key = self.key().ok();
        self.blanks();
        let is_set = self.skip(b'=');
        let value = self.at;
        self.at = self.comma(start);
        let bare = self.text[value.min(self.at)..self.at].trim();
        // The closing quote may be missing, there may be two quotes on each side, or the value may be in apostrophes.
        let bare = bare.trim_matches(['"', '\'']);
        Some((key?, bare)).filter(|_| is_set && !bare.is_empty())
    }

    /// Returns the position of the next comma outside quotes, or the end of the text. A quote that is never closed is
    /// ignored.
    fn comma(&mut self, from: usize) -> usize {
        let (mut at, mut quoted) = (from, false);
        while !self.unclosed
            && let Some(byte) = self.bytes.get(at)
        {
            match byte {
                b',' if !quoted => return at,
                b'"' => quoted = !quoted,
                b'\\' if quoted => at += 1,
                _ => {}
            }
            at += 1;
        }
        self.unclosed |= quoted;
        let next = || memchr::memchr(b',', &self.bytes[from..]).map(|length| from + length);
        next().filter(|_| self.unclosed).unwrap_or(self.bytes.len())
    }

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

    /// Skips all characters of a class at the current position. Returns the skipped text.
    fn take(&mut self, class: u8) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|byte| CLASSES[byte as usize] & class != 0) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    #[inline(always)]
    fn key(&mut self) -> Result<&'a str, Malformed> {
        if !matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'*')) {
            return Err(Malformed);
        }
        Ok(self.take(KEY))
    }

    fn inner_list(&mut self, value: &mut Value<'a>) -> Result<(), Malformed> {
        let start = self.at;
        loop {
            self.spaces();
            if self.skip(b')') {
                value.list = &self.text[start..self.at - 1];
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

    /// Reads the parameters of an item. Returns the label in the parameters.
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

    fn number(&mut self) -> Result<Item<'a>, Malformed> {
        let start = self.at;
        self.skip(b'-');
        self.digits()?;
        if self.skip(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.skip(b'-') {
                self.skip(b'+');
            }
            self.digits()?;
        }
        Ok(Item::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn string(&mut self) -> Result<&'a str, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += memchr::memchr2(b'"', b'\\', &self.bytes[self.at..]).ok_or(Malformed)?;
            if self.skip(b'"') {
                return Ok(&self.text[start..self.at - 1]);
            }
            if !matches!(self.bytes.get(self.at + 1), Some(b'"' | b'\\')) {
                return Err(Malformed);
            }
            self.at += 2;
        }
    }
}

/// The classes of characters: characters in keys, in tokens, and in base64. Each class is one bit.
const KEY: u8 = 1;
const TOKEN: u8 = 2;
const BYTES: u8 = 4;

/// The classes of each byte. Only ASCII characters have classes.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let classes: [(&[u8], u8); 3] = [(b"_-.*", KEY), (b"!#$%&'*+-.^_`|~:/", TOKEN), (b"+/=", BYTES)];
    let mut class = 0;
    while class < classes.len() {
        let (special, bit) = classes[class];
        let mut at = 0;
        while at < special.len() {
            table[special[at] as usize] |= bit;
            at += 1;
        }
        class += 1;
    }
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = KEY | TOKEN | BYTES;
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
