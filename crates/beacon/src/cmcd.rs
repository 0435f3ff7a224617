//! CMCD (CTA-5004, versions 1 and 2), in requests and as events.
//!
//! A member that cannot be read costs itself alone, and a header likewise (RFC 8941, 4.2). Players write numbers with any
//! number of digits, strings without quotes, and tokens with them: where the key leaves no doubt, these are read.

mod dictionary;
mod query;

use std::borrow::Cow;

use crowdfold_model::{CmcdPart, Dimension, Metric, ValueMetric};

use crate::json::{syntax, value};
use crate::{Amount, Beacon, Field, Malformed, Mode, Number, ReadError, Text};
use dictionary::{Item, Value, members};
pub(crate) use query::{find, read_query};

/// The bitrate of a picture.
const BITRATE: Number = Number::Value(ValueMetric::BitrateKbps);

/// The most error codes of one record that are read.
const MOST_CODES: usize = 8;

/// The highest version that is known.
const VERSION: f64 = 2.0;

/// The tokens of each key whose values are a closed list.
const EVENTS: &[&str] = &[
    "abs", "abe", "ae", "as", "b", "bc", "c", "ce", "e", "h", "m", "pc", "pe", "pr", "ps", "rr", "sk", "t",
    "um",
];
const STATES: &[&str] = &["s", "p", "k", "r", "a", "w", "e", "f", "q", "d"];
const FORMATS: &[&str] = &["d", "h", "s", "e", "o"];
const STREAMS: &[&str] = &["v", "l", "ll"];
const OBJECTS: &[&str] = &["m", "a", "v", "av", "i", "c", "tt", "k", "o"];

/// Reads the body of an event-mode report: records separated by line feeds. `each` gets every beacon with its line, and
/// an error for each line that is none, and for a body without a line. Of `left` lines each takes one.
pub(crate) fn read_events<'a>(
    body: &'a [u8],
    left: &mut usize,
    each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), ReadError>),
) {
    let trimmed = body.trim_ascii();
    if trimmed.is_empty() {
        return each(Err(ReadError::Malformed));
    }
    let batched = memchr::memchr(b'\n', trimmed).is_some();
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            continue;
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let Some(fewer) = left.checked_sub(1) else { return each(Err(ReadError::TooMany)) };
        *left = fewer;
        let mut beacon = read(Mode::Event, [line]);
        if let Ok(beacon) = &mut beacon {
            beacon.batched = batched;
        }
        each(beacon.as_ref().map(|beacon| (beacon, line)).map_err(|bad| (*bad).into()));
    }
}

/// Reads one record, which may lie in several dictionaries (the four headers of request mode). A dictionary of which
/// nothing can be read is ignored; it is an error if that holds for all of them.
pub(crate) fn read<'a>(
    mode: Mode,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Beacon<'a>, Malformed> {
    let mut draft = Draft::new(mode);
    let (mut count, mut readable) = (0, 0);
    for part in parts {
        count += 1;
        readable += match std::str::from_utf8(part) {
            _ if part.first() == Some(&b'{') => draft.take_object(part),
            Ok(part) => members(part, &mut |key, value| draft.take(key, value)),
            Err(_) => draft.take_all(&String::from_utf8_lossy(part)),
        };
    }
    if count > 0 && readable == 0 {
        return Err(Malformed);
    }
    draft.finish()
}

/// A record of which not all members have been seen.
struct Draft<'a> {
    beacon: Beacon<'a>,
    version: f64,
    /// True if the object has a picture, false if it has none; absent if the record does not state it.
    picture: Option<bool>,
    /// The bitrate labelled as video, and the one without a label.
    bitrate_of_video: Option<Amount>,
    bitrate: Option<Amount>,
}

impl<'a> Draft<'a> {
    fn new(mode: Mode) -> Self {
        Self { beacon: Beacon::new(mode), version: 1.0, picture: None, bitrate_of_video: None, bitrate: None }
    }

    /// Takes what is known and can be used; the rest is as if it had not been sent. `url`, `nor` and other
    /// custom keys than the registered ones are never kept.
    fn take(&mut self, key: &str, value: Value<'a>) {
        match key {
            "sid" => self.string(Text::Session, value.first()),
            "cid" => self.string(Text::Of(Dimension::Content), value.first()),
            "ts" => self.number(Number::Ts, value.first()),
            "sn" => self.number(Number::Sequence, value.first()),
            "e" => self.token(Text::Event, value.first(), EVENTS),
            "sta" => self.token(Text::State, value.first(), STATES),
            "sf" => self.token(Text::Of(Dimension::Format), value.first(), FORMATS),
            "st" => self.token(Text::Of(Dimension::Stream), value.first(), STREAMS),
            "ec" => {
                self.string(Text::Error, value.first());
                self.beacon.error_list =
                    Some(value.list()).filter(|list| !list.is_empty()).map(Cow::Borrowed);
            }
            "ot" => {
                let object = value.first().and_then(|item| item.token(OBJECTS));
                self.picture = object.map(|object| matches!(object, "v" | "av"));
            }
            "v" => self.version = value.first().and_then(Item::number).unwrap_or(1.0),
            _ => match Metric::of_cmcd(key) {
                Some((metric, CmcdPart::First)) => self.number(metric.into(), value.first()),
                Some((metric, CmcdPart::Video)) => self.number(metric.into(), value.of_video()),
                Some((metric, CmcdPart::Picture)) => {
                    self.bitrate_of_video = self.amount(metric.into(), value.labelled_video());
                    self.bitrate = self.amount(metric.into(), value.plain());
                }
                None if key.contains('-') => self.custom(key, value.first()),
                None => {}
            },
        }
    }

    /// Takes the value of a custom key, if it is registered as one of our dimensions.
    fn custom(&mut self, key: &str, item: Option<Item<'a>>) {
        if let Some(dimension) = Dimension::of_custom_cmcd(key) {
            self.string(Text::Of(dimension), item);
        }
    }

    /// Takes all members of a text that does not live as long. Returns how many there are. A session of which something
    /// had to be replaced is nobody's.
    #[cold]
    fn take_all(&mut self, text: &str) -> usize {
        let mut draft = Draft::new(self.beacon.mode);
        let count = members(text, &mut |key, value| draft.take(key, value));
        if draft.beacon.text(Text::Session).is_some_and(|id| id.contains(char::REPLACEMENT_CHARACTER)) {
            draft.beacon.remove(Field::Text(Text::Session));
            draft.beacon.ignore(Field::Text(Text::Session));
        }
        self.beacon.absorb(&draft.beacon);
        self.version = self.version.max(draft.version);
        self.picture = draft.picture.or(self.picture);
        self.bitrate_of_video = draft.bitrate_of_video.or(self.bitrate_of_video);
        self.bitrate = draft.bitrate.or(self.bitrate);
        count
    }

    /// Takes all members of a JSON object, as the first version of CMCD allowed. Returns how many there are.
    #[cold]
    fn take_object(&mut self, object: &[u8]) -> usize {
        let mut dictionary = String::new();
        let end = syntax::members(object, 0, &mut |key, at| {
            let (raw, end) = syntax::raw(object, at)?;
            let key = syntax::text(key).0;
            match raw {
                syntax::Raw::Text(raw) => {
                    dictionary.extend([&key, "=\""]);
                    for character in syntax::text(raw).0.chars() {
                        dictionary.extend(matches!(character, '"' | '\\').then_some('\\'));
                        dictionary.push(character);
                    }
                    dictionary.push_str("\",");
                }
                syntax::Raw::Number(number) => dictionary.extend([&key, "=", number, ","]),
                syntax::Raw::Bool(true) => dictionary.extend([&key, ","]),
                _ => {}
            }
            Some(end)
        });
        if end == Some(object.len()) { self.take_all(&dictionary) } else { 0 }
    }

    /// A string, or what is written in its place: a number, a token, or anything up to the next comma.
    fn string(&mut self, field: Text, item: Option<Item<'a>>) {
        match item {
            Some(Item::Text(raw)) => self.beacon.set_text(field, unescaped(raw)),
            Some(Item::Token(raw) | Item::Number(raw) | Item::Bare(raw)) => {
                self.beacon.set_text(field, Cow::Borrowed(raw));
            }
            Some(Item::Unused) => {
                self.beacon.ignore(Field::Text(field));
                self.beacon.remove(Field::Text(field));
            }
            None => {}
        }
    }

    fn token(&mut self, field: Text, item: Option<Item<'a>>, known: &[&str]) {
        let Some(item) = item else { return };
        match item.token(known) {
            Some(token) => self.beacon.set_text(field, Cow::Borrowed(token)),
            None => {
                self.beacon.ignore(Field::Text(field));
                self.beacon.remove(Field::Text(field));
            }
        }
    }

    /// Sets a number. A value that cannot be used removes the one of an earlier member with the same key.
    fn number(&mut self, field: Number, item: Option<Item<'a>>) {
        match self.amount(field, item) {
            Some(amount) => self.beacon.set_number(field, amount),
            None => self.beacon.remove(Field::Number(field)),
        }
    }

    fn amount(&mut self, field: Number, item: Option<Item<'a>>) -> Option<Amount> {
        let amount = item?.amount(field);
        if amount.is_none() {
            self.beacon.ignore(Field::Number(field));
        }
        amount
    }

    fn finish(mut self) -> Result<Beacon<'a>, Malformed> {
        if self.version > VERSION {
            return Err(Malformed);
        }
        // What a request for anything but a picture carries is not the picture's bitrate, unless it says so.
        let bitrate = self.bitrate.filter(|_| self.picture != Some(false));
        if let Some(bitrate) = self.bitrate_of_video.or(bitrate) {
            self.beacon.set_number(BITRATE, bitrate);
        }
        self.beacon.fatal = self.beacon.text(Text::State) == Some("f");
        Ok(self.beacon)
    }
}

/// Returns the error codes of an inner list: strings, or what players write in their place.
pub(crate) fn codes(list: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let texts = dictionary::items(list).filter_map(|item| match item {
        Item::Text(raw) => Some(unescaped(raw)),
        Item::Token(raw) | Item::Number(raw) | Item::Bare(raw) => Some(Cow::Borrowed(raw)),
        Item::Unused => None,
    });
    texts.take(MOST_CODES)
}

/// A number that is whole, of at most 15 digits.
fn whole(number: &str) -> Option<u64> {
    let digits = number.as_bytes();
    if digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// A string without the backslashes before quotes and backslashes.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut signs = raw.chars();
    while let Some(sign) = signs.next() {
        text.extend(if sign == '\\' { signs.next() } else { Some(sign) });
    }
    Cow::Owned(text)
}

impl<'a> Item<'a> {
    /// A token, or a string that is one of those that are known.
    fn token(self, known: &[&str]) -> Option<&'a str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Text(text) if known.iter().any(|known| known.eq_ignore_ascii_case(text)) => Some(text),
            _ => None,
        }
    }

    fn amount(self, field: Number) -> Option<Amount> {
        match self {
            Self::Number(number) => match whole(number).and_then(|whole| Amount::plain(field, whole)) {
                Some(amount) => Some(amount),
                None => value::amount(field, number),
            },
            Self::Text(text) | Self::Bare(text) => value::amount(field, text.trim()),
            _ => None,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Number(text) | Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
