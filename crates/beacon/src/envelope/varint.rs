//! Whole numbers of variable length, in the same notation as bincode. A number below 251 is one byte. Otherwise, a first
//! byte from 251 on gives the length of the number that follows it in little-endian order.

/// The first bytes of numbers of two, four and eight bytes. Smaller bytes are numbers themselves.
const TWO: u8 = 251;
const FOUR: u8 = 252;
const EIGHT: u8 = 253;

/// Appends a number.
pub(super) fn write(number: u64, into: &mut Vec<u8>) {
    if number < TWO.into() {
        into.push(number as u8);
    } else if let Ok(short) = u16::try_from(number) {
        into.push(TWO);
        into.extend_from_slice(&short.to_le_bytes());
    } else if let Ok(short) = u32::try_from(number) {
        into.push(FOUR);
        into.extend_from_slice(&short.to_le_bytes());
    } else {
        into.push(EIGHT);
        into.extend_from_slice(&number.to_le_bytes());
    }
}

/// The part of a record that is not read yet. A function returns `None` if the part does not begin with the required
/// value.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline]
    pub(super) fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < TWO { Some(first.into()) } else { self.long(first) }
    }

    /// Reads the bytes after the first byte of a number.
    #[inline]
    fn long(&mut self, first: u8) -> Option<u64> {
        match first {
            TWO => self.array().map(|bytes| u16::from_le_bytes(bytes).into()),
            FOUR => self.array().map(|bytes| u32::from_le_bytes(bytes).into()),
            EIGHT => self.array().map(u64::from_le_bytes),
            _ => None,
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// Reads a length, and this number of bytes.
    #[inline]
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads a text with its length.
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Reads a text that may be absent ([`write_some`]).
    pub(super) fn some_text(&mut self) -> Option<Option<&'a str>> {
        let Some(length) = usize::try_from(self.number()?).ok()?.checked_sub(1) else { return Some(None) };
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Some)
    }
}

/// Appends a text with its length.
pub(super) fn write_text(text: &[u8], into: &mut Vec<u8>) {
    write(text.len() as u64, into);
    into.extend_from_slice(text);
}

/// Appends a text that may be absent: 0, or the length plus one and the text.
pub(super) fn write_some(text: Option<&str>, into: &mut Vec<u8>) {
    write(text.map_or(0, |text| text.len() as u64 + 1), into);
    into.extend_from_slice(text.unwrap_or_default().as_bytes());
}
