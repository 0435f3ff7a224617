//! Reads CMCD (CTA-5004, versions 1 and 2) in request mode and event mode.
//!
//! If a member or a header cannot be read, the other members and headers are read as usual. RFC 8941 (section 4.2)
//! would reject them all. Players write numbers with any number of digits, strings without quotes, and tokens with
//! quotes. Such values are read if the key determines the type.

mod dictionary;
mod query;

use std::borrow::Cow;

use crowdfold_model::{CmcdPart, Dimension, Metric, ValueMetric};

use crate::json::{syntax, value};
use crate::{Amount, Beacon, Field, Fields, Malformed, Mode, Number, ReadError, Text};
use dictionary::{Item, Value, members};
pub(crate) use query::{decoded, find, read_query};

/// The field for the bitrate of the picture.
const BITRATE: Number = Number::Value(ValueMetric::BitrateKbps);

/// The field for the time to the first byte of a response.
const TTFB: Number = Number::Value(ValueMetric::TtfbMs);

/// The extensions of files that contain neither audio nor video: manifests, captions and keys.
const OTHER_FILES: &[&str] = &["mpd", "m3u8", "vtt", "ttml", "srt", "key"];

/// The maximum number of error codes that are read from one record.
const MOST_CODES: usize = 8;

/// The highest supported version of CMCD. Records of a higher version are rejected, but their opt-outs take effect.
const VERSION: f64 = 2.0;

/// The tokens that each of the following keys may have: `e`, `sta`, `sf`, `st`, `ot`.
const EVENTS: &[&str] = &[
    "abs", "abe", "ae", "as", "b", "bc", "c", "ce", "e", "h", "m", "pc", "pe", "pr", "ps", "rr", "sk", "t",
    "um",
];
const STATES: &[&str] = &["s", "p", "k", "r", "a", "w", "e", "f", "q", "d"];
const FORMATS: &[&str] = &["d", "h", "s", "e", "o"];
const STREAMS: &[&str] = &["v", "l", "ll"];
const OBJECTS: &[&str] = &["m", "a", "v", "av", "i", "c", "tt", "k", "o"];

/// Reads the body of a report in event mode, which consists of lines with one record each. Passes every beacon to
/// `each`, and an error for each invalid line or for a body without lines. `left` is the number of lines that
/// may still be read. If there are more lines, `each` receives one error for all of them.
pub(crate) fn read_events(
    body: &[u8],
    fields: &Fields,
    left: &mut usize,
    each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>),
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
        let mut beacon = read(Mode::Event, fields, [line]);
        if let Ok(beacon) = &mut beacon {
            beacon.batched = batched;
        }
        each(beacon.as_ref().map_err(|bad| (*bad).into()));
    }
}

/// Reads one record, which may consist of several dictionaries (the four headers of request mode). A dictionary without
/// readable members is ignored. If no dictionary has a readable member, returns an error.
pub(crate) fn read<'a>(
    mode: Mode,
    fields: &Fields,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Beacon<'a>, Malformed> {
    let mut draft = Draft::new(mode, fields);
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
    Ok(draft.finish())
}

/// A record that is being read member by member.
struct Draft<'f, 'a> {
    beacon: Beacon<'a>,
    fields: &'f Fields,
    version: f64,
    /// True if the requested object contains a picture, and false if it does not. The value is `None` if the record
    /// does not contain the object type (`ot`).
    picture: Option<bool>,
    /// True if the requested object contains audio or video, or if the record does not contain the object type
    /// (`ot`).
    is_media: bool,
    /// True if the name of the requested file (`url`) shows that it contains neither audio nor video.
    is_other_file: bool,
    /// The bitrate with a label for video. `bitrate` is the bitrate without a label.
    bitrate_of_video: Option<Amount>,
    bitrate: Option<Amount>,
}

impl<'f, 'a> Draft<'f, 'a> {
    fn new(mode: Mode, fields: &'f Fields) -> Self {
        Self {
            beacon: Beacon::new(mode),
            fields,
            version: 1.0,
            picture: None,
            is_media: true,
            is_other_file: false,
            bitrate_of_video: None,
            bitrate: None,
        }
    }

    /// Stores a member if its key is known and its value is usable. Other members are ignored. `url`, `nor`, and custom
    /// keys that are neither registered nor configured are never stored. Only the type of the file is read from `url`.
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
                self.is_media = object.is_none_or(|object| matches!(object, "v" | "av" | "a"));
            }
            "url" => {
                self.is_other_file =
                    matches!(value.first(), Some(Item::Text(url) | Item::Bare(url)) if is_other_file(url));
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

    /// Stores the value of a custom key if the key is registered or configured for a dimension.
    fn custom(&mut self, key: &str, item: Option<Item<'a>>) {
        let registered = || Dimension::of_custom_cmcd(key).map(Text::Of);
        if let Some(text) = self.fields.of_custom_cmcd(key).or_else(registered) {
            self.string(text, item);
        }
    }

    /// Stores copies of all members of a dictionary that has a shorter lifetime than the record. Returns the number of
    /// members. A session id with replaced characters is ignored, because the replacement may make different ids equal.
    #[cold]
    fn take_all(&mut self, text: &str) -> usize {
        let mut draft = Draft::new(self.beacon.mode, self.fields);
        let count = members(text, &mut |key, value| draft.take(key, value));
        if draft.beacon.text(Text::Session).is_some_and(|id| id.contains(char::REPLACEMENT_CHARACTER)) {
            draft.beacon.remove(Field::Text(Text::Session));
            draft.beacon.ignore(Field::Text(Text::Session));
        }
        self.beacon.absorb(&draft.beacon);
        self.version = self.version.max(draft.version);
        self.picture = draft.picture.or(self.picture);
        self.is_media &= draft.is_media;
        self.is_other_file |= draft.is_other_file;
        self.bitrate_of_video = draft.bitrate_of_video.or(self.bitrate_of_video);
        self.bitrate = draft.bitrate.or(self.bitrate);
        count
    }

    /// Stores all members of a JSON object. CMCD version 1 permitted such objects. Returns the number of members.
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

    /// Stores a string. Players may send a number, a token or text without quotes instead. Such a value is stored as it
    /// is written.
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

    /// Stores a number. If the value is unusable, a value that was stored before for the same key is removed.
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

    fn finish(mut self) -> Beacon<'a> {
        if self.version > VERSION {
            self.beacon.mode = Mode::Unsupported;
        }
        // If the request is for an object without a picture, the bitrate is not that of a picture, unless the bitrate
        // has a label for video.
        let bitrate = self.bitrate.filter(|_| self.picture != Some(false));
        if let Some(bitrate) = self.bitrate_of_video.or(bitrate) {
            self.beacon.set_number(BITRATE, bitrate);
        }
        let is_response = self.beacon.text(Text::Event) == Some("rr");
        // dash.js also reports the responses of manifests. It reports the object type only if it adds CMCD to requests.
        let names_other_file = self.is_other_file && self.picture.is_none();
        if !(is_response && self.is_media && !names_other_file) {
            self.beacon.remove(Field::Number(TTFB));
        }
        self.beacon.media = self.is_media;
        self.beacon.fatal = self.beacon.text(Text::State) == Some("f");
        self.beacon
    }
}

/// Returns the error codes in an inner list. Codes are strings, but numbers, tokens and text without quotes are
/// accepted.
pub(crate) fn codes(list: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let texts = dictionary::items(list).filter_map(|item| match item {
        Item::Text(raw) => Some(unescaped(raw)),
        Item::Token(raw) | Item::Number(raw) | Item::Bare(raw) => Some(Cow::Borrowed(raw)),
        Item::Unused => None,
    });
    texts.take(MOST_CODES)
}

/// Returns a whole number, or `None` if it has more than 15 digits or is not written with digits only.
fn whole(number: &str) -> Option<u64> {
    let digits = number.as_bytes();
    if digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// Returns true if a URL is that of a manifest, of captions or of a key.
fn is_other_file(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    OTHER_FILES.iter().any(|other| extension.eq_ignore_ascii_case(other))
}

/// Decodes a CMCD string: removes the backslash before each escaped character.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(text)
}

impl<'a> Item<'a> {
    /// Returns a token. A string is also accepted if it equals one of the known tokens. Case is ignored.
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
