//! A scanner of RFC 8941 dictionaries: one pass, no allocation. More lenient than the RFC in ways that real players need:
//! strings may hold UTF-8, keys upper case, numbers any number of digits and an exponent, and a member that cannot be read
//! costs itself alone: it ends at the next comma outside of quotes. Types that came later (dates and display strings of
//! RFC 9651) are passed over.

use crate::Malformed;

/// A bare item.
#[derive(Clone, Copy)]
pub(crate) enum Item<'a> {
    /// A number as it is written.
    Number(&'a str),
    /// A string between its quotes, escapes and all.
    Text(&'a str),
    Token(&'a str),
    /// Text that is no item: everything up to the comma, without quotes around it.
    Bare(&'a str),
    /// A truth value, bytes, or a type that came later.
    Unused,
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
    /// The text of an inner list, up to its closing bracket.
    list: &'a str,
}

impl<'a> Value<'a> {
    /// The first item, whatever it is of.
    pub(super) const fn first(self) -> Option<Item<'a>> {
        self.first
    }

    /// The value without a label.
    pub(super) const fn plain(self) -> Option<Item<'a>> {
        self.plain
    }

    /// What is said of video: `v`, else `av`, else what has no label. What is of audio alone is nothing.
    pub(super) fn of_video(self) -> Option<Item<'a>> {
        self.labelled_video().or(self.plain)
    }

    /// The same, where it must be said.
    pub(super) fn labelled_video(self) -> Option<Item<'a>> {
        self.video.or(self.both)
    }

    /// The text of an inner list between its brackets, empty if the value is one item.
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

/// What an item's parameters say it is of.
enum Label {
    None,
    Video,
    Both,
    Audio,
}

/// Hands every member of a dictionary to `each`. Returns how many there are. A key without a value that can be read at
/// all is none.
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

/// Returns the items of an inner list that was read before ([`Value::list`]), without their parameters.
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
    /// A quote somewhere behind is never closed, so that no quote counts.
    unclosed: bool,
}

impl<'a> Scan<'a> {
    /// A member that is as the RFC has it, up to the comma after it. Returns its key.
    // Several callers, and the compiler would call it.
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

    /// A member that is not, up to the comma after it: its key, and what is written for a value.
    #[cold]
    fn bare(&mut self) -> Option<(&'a str, &'a str)> {
        let start = self.at;
        let key = self.key().ok();
        self.blanks();
        let is_set = self.skip(b'=');
        let value = self.at;
        self.at = self.comma(start);
        let bare = self.text[value.min(self.at)..self.at].trim();
        // A string that does not end, or is quoted twice, or by an apostrophe.
        let bare = bare.trim_matches(['"', '\'']);
        Some((key?, bare)).filter(|_| is_set && !bare.is_empty())
    }

    /// Where the next comma outside of quotes is, or the end. A quote that is never closed is none.
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

    /// Everything from here on whose signs are of `class`.
    fn take(&mut self, class: u8) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|byte| SIGNS[byte as usize] & class != 0) {
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
