//! CMCD (CTA-5004, versions 1 and 2), in requests and as events.

mod dictionary;
mod query;

use std::borrow::Cow;

use crate::{Amount, Beacon, Malformed, Mode, Number, Text};
use dictionary::{Item, Value, members};
pub(crate) use query::{find, read_query};

/// The highest version that is known.
const VERSION: i64 = 2;

/// Reads the body of an event-mode report: records separated by line feeds. `each` gets every beacon with its line, and
/// [`Malformed`] for each line that is none, and for a body without a line.
pub(crate) fn read_events<'a>(
    body: &'a [u8],
    each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), Malformed>),
) {
    let trimmed = body.trim_ascii();
    if trimmed.is_empty() {
        return each(Err(Malformed));
    }
    let batched = memchr::memchr(b'\n', trimmed).is_some();
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if !line.is_empty() {
            let mut beacon = read(Mode::Event, [line]);
            if let Ok(beacon) = &mut beacon {
                beacon.batched = batched;
            }
            each(beacon.as_ref().map(|beacon| (beacon, line)).map_err(|bad| *bad));
        }
    }
}

/// Reads one record, which may lie in several dictionaries (the four headers of request mode).
pub(crate) fn read<'a>(
    mode: Mode,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Beacon<'a>, Malformed> {
    let mut draft = Draft::new(mode);
    for part in parts {
        let part = std::str::from_utf8(part).map_err(|_| Malformed)?;
        members(part, &mut |key, value| draft.take(key, value))?;
    }
    draft.finish()
}

/// A record of which not all members have been seen.
struct Draft<'a> {
    beacon: Beacon<'a>,
    version: i64,
    object: Option<&'a str>,
    bitrate: Value<'a>,
}

impl<'a> Draft<'a> {
    fn new(mode: Mode) -> Self {
        Self { beacon: Beacon::new(mode), version: 1, object: None, bitrate: Value::default() }
    }

    /// Takes what is known and of the right type; the rest is as if it had not been sent. `url`, `nor` and custom keys
    /// are never kept.
    fn take(&mut self, key: &str, value: Value<'a>) {
        match key {
            "sid" => self.string(Text::Session, value.first()),
            "cid" => self.string(Text::Content, value.first()),
            "ts" => self.number(Number::Ts, value.first()),
            "sn" => self.number(Number::Sequence, value.first()),
            "e" => self.token(Text::Event, value.first()),
            "sta" => self.token(Text::State, value.first()),
            "sf" => self.token(Text::Format, value.first()),
            "st" => self.token(Text::Stream, value.first()),
            "br" => self.bitrate = value,
            "mtp" => self.number(Number::Bandwidth, value.of_video()),
            "msd" => self.number(Number::Startup, value.first()),
            "dfa" => self.number(Number::DroppedFrames, value.first()),
            "bsa" => self.number(Number::Stalls, value.of_video()),
            "bsda" => self.number(Number::Stalled, value.of_video()),
            // Strings by the page; dash.js sends its number.
            "ec" => match value.first() {
                Some(Item::Integer(code)) => self.beacon.set_text(Text::Error, Cow::Owned(code.to_string())),
                code => self.string(Text::Error, code),
            },
            "ot" => self.object = value.first().and_then(Item::token).or(self.object),
            "v" => {
                if let Some(Item::Integer(version)) = value.first() {
                    self.version = version;
                }
            }
            _ => {}
        }
    }

    fn string(&mut self, field: Text, item: Option<Item<'a>>) {
        if let Some(Item::Text(raw)) = item {
            self.beacon.set_text(field, unescaped(raw));
        }
    }

    fn token(&mut self, field: Text, item: Option<Item<'a>>) {
        if let Some(token) = item.and_then(Item::token) {
            self.beacon.set_text(field, Cow::Borrowed(token));
        }
    }

    fn number(&mut self, field: Number, item: Option<Item<'a>>) {
        if let Some(amount) = item.and_then(|item| item.amount(field)) {
            self.beacon.set_number(field, amount);
        }
    }

    fn finish(mut self) -> Result<Beacon<'a>, Malformed> {
        if self.version > VERSION {
            return Err(Malformed);
        }
        // What an audio, caption or key request carries is not the picture's bitrate, unless it says so.
        let bitrate = match self.object {
            Some("a" | "c" | "tt" | "k") => self.bitrate.labelled_video(),
            _ => self.bitrate.of_video(),
        };
        self.number(Number::Bitrate, bitrate);
        self.beacon.fatal = self.beacon.text(Text::State) == Some("f");
        Ok(self.beacon)
    }
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

impl Item<'_> {
    fn amount(self, field: Number) -> Option<Amount> {
        match self {
            Item::Integer(number) => Amount::whole(field, u64::try_from(number).ok()?),
            Item::Decimal(number) => Amount::fraction(field, number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
