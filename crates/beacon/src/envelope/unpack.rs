//! Reads packed records.

use std::borrow::Cow;

use crowdfold_model::{Custom, Timestamp};

use super::varint::Input;
use super::{
    BATCHED, DNT, EVENT_TEXTS, FATAL, GPC, HAS_ADDRESS, HAS_CLIENT, HAS_ENDPOINT, HAS_TENANT, HAS_TIME,
    MEDIA, MODES, MORE, MOST_LISTED, OPT_OUT, PATH_TENANT, REPEATS, UNLISTED, UNUSED, VERSION, code,
    is_unique,
};
use crate::{Amount, Beacon, Fields, Http, Malformed, Mode, Number, ReadError, Text};

/// Reads a packed record. Passes every beacon with its HTTP context to `each`, in order. `most` is the maximum number of
/// beacons of a request. `each` receives [`ReadError::TooMany`] for all further beacons of a request. It receives
/// [`ReadError::Malformed`] for an unknown version and for an empty record. It also receives this error for bytes that
/// a packer does not write, and these bytes end the record.
pub(crate) fn unpack(
    record: &[u8],
    fields: &Fields,
    most: usize,
    each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
) {
    if read(record, fields, most, each).is_none() {
        each(Http::NONE, Err(Malformed.into()));
    }
}

fn read(
    record: &[u8],
    fields: &Fields,
    most: usize,
    each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
) -> Option<()> {
    let mut input = Input(record);
    if input.byte()? != VERSION || record.len() == 1 {
        return None;
    }
    let sources = sources(&mut input, fields)?;
    let mut unpacker = Unpacker { input, sources, texts: Vec::new(), clients: Vec::new() };
    let mut http = Http::default();
    let mut beacon = Beacon::new(Mode::Json);
    loop {
        unpacker.context(&mut http)?;
        let count = unpacker.input.number()?;
        if count == 0 {
            return None;
        }
        for nth in 0..count {
            unpacker.beacon(&mut beacon, nth == 0)?;
            if nth < most as u64 {
                each(&http, Ok(&beacon));
            } else if nth == most as u64 {
                each(&http, Err(ReadError::TooMany));
            }
        }
        if unpacker.input.0.is_empty() {
            return Some(());
        }
    }
}

/// Reads the sources of custom dimensions of the collector. Returns the index of each source among the sources of this
/// process, or `None` for a source that this process does not know.
fn sources(input: &mut Input<'_>, fields: &Fields) -> Option<[Option<u8>; Custom::MOST_SOURCES]> {
    let mut sources = [None; Custom::MOST_SOURCES];
    let count = usize::from(input.byte()?);
    for source in sources.get_mut(..count)? {
        let name = input.bytes()?;
        let known = fields.custom_names().iter().position(|known| known.as_bytes() == name);
        *source = known.map(|index| index as u8);
    }
    Some(sources)
}

/// A user agent and client hints: brands, platform, platform version, mobile, model.
type Client<'a> = [Option<&'a str>; 6];

/// A packed record that is being read. A function returns `None` for bytes that a packer does not write.
struct Unpacker<'a> {
    input: Input<'a>,
    sources: [Option<u8>; Custom::MOST_SOURCES],
    /// The listed texts, each with its code.
    texts: Vec<(u8, &'a str)>,
    /// The listed clients.
    clients: Vec<Client<'a>>,
}

impl<'a> Unpacker<'a> {
    fn context(&mut self, http: &mut Http<'a>) -> Option<()> {
        let flags = self.input.byte()?;
        if flags & UNUSED != 0 {
            return None;
        }
        let has = |bit: u8| flags & bit != 0;
        (http.gpc, http.dnt) = (has(GPC), has(DNT));
        http.received_at = None;
        if has(HAS_TIME) {
            let millis = self.input.number()?;
            Amount::whole(Number::Ts, millis)?;
            http.received_at = Some(Timestamp::from_millis(millis));
        }
        http.address = if has(HAS_ADDRESS) { Some(self.input.text()?.into()) } else { None };
        http.tenant = if has(HAS_TENANT) { Some(self.text(PATH_TENANT)?.0.into()) } else { None };
        let (client, slot) = if has(HAS_CLIENT) { self.client()? } else { Default::default() };
        let [user_agent, brands, platform, platform_version, mobile, model] =
            client.map(|text| text.map(Cow::Borrowed));
        (http.user_agent, http.brands, http.platform) = (user_agent, brands, platform);
        (http.platform_version, http.mobile, http.model) = (platform_version, mobile, model);
        http.listed_client = slot;
        http.endpoint = if has(HAS_ENDPOINT) { self.input.number()?.try_into().ok()? } else { 0 };
        Some(())
    }

    /// Reads a user agent and client hints. Returns their number if they are listed.
    fn client(&mut self) -> Option<(Client<'a>, Option<u16>)> {
        match self.input.number()? {
            number if number <= UNLISTED + 1 => {
                let mut bytes = Input(self.input.bytes()?);
                let mut client = Client::default();
                for text in &mut client {
                    *text = bytes.some_text()?;
                }
                if number == UNLISTED {
                    return Some((client, None));
                }
                if self.clients.len() >= MOST_LISTED.into() {
                    return None;
                }
                self.clients.push(client);
                Some((client, Some(self.clients.len() as u16 - 1)))
            }
            number => {
                let number = number - 2;
                Some((*self.clients.get(usize::try_from(number).ok()?)?, Some(number as u16)))
            }
        }
    }

    /// Reads a text with a code. Returns its number if it is listed.
    #[inline(always)]
    fn text(&mut self, code: u8) -> Option<(&'a str, Option<u16>)> {
        // Most texts are listed, with a number of one byte.
        if let Some((first, rest)) = self.input.0.split_first()
            && (2..250).contains(first)
            && let Some((known, text)) = self.texts.get(usize::from(*first) - 2)
            && *known == code
        {
            self.input.0 = rest;
            return Some((*text, Some(u16::from(*first) - 2)));
        }
        self.other_text(code)
    }

    #[inline(never)]
    fn other_text(&mut self, code: u8) -> Option<(&'a str, Option<u16>)> {
        let number = self.input.number()?;
        let Some(number) = number.checked_sub(2) else { return self.new_text(code, number == UNLISTED) };
        let (known, text) = self.texts.get(usize::try_from(number).ok()?)?;
        (*known == code).then_some((*text, Some(number as u16)))
    }

    fn new_text(&mut self, code: u8, unlisted: bool) -> Option<(&'a str, Option<u16>)> {
        let text = self.input.text()?;
        if unlisted {
            return Some((text, None));
        }
        if self.texts.len() >= MOST_LISTED.into() {
            return None;
        }
        self.texts.push((code, text));
        Some((text, Some(self.texts.len() as u16 - 1)))
    }

    /// Reads a beacon. `beacon` contains the values of the beacon before it, unless this is the first beacon of a
    /// request.
    fn beacon(&mut self, beacon: &mut Beacon<'a>, is_first: bool) -> Option<()> {
        let head = self.input.byte()?;
        let has = |bit: u8| head & bit != 0;
        let mode = match head & MODES {
            0 => Mode::Json,
            1 => Mode::Request,
            2 => Mode::Event,
            _ => Mode::Unsupported,
        };
        let repeats = has(REPEATS);
        if repeats && (is_first || mode != beacon.mode) {
            return None;
        }
        beacon.begin_packed(mode, repeats);
        (beacon.fatal, beacon.opt_out) = (has(FATAL), has(OPT_OUT));
        (beacon.batched, beacon.media) = (has(BATCHED), has(MEDIA));
        if has(MORE) {
            beacon.set_ignored(self.input.number()?)?;
            beacon.error_list = self.input.some_text()?.map(Cow::Borrowed);
        }
        let content = self.input.number()?;
        beacon.read_amounts(content >> EVENT_TEXTS.len(), || self.input.number())?;
        for (bit, field) in EVENT_TEXTS.into_iter().enumerate() {
            if content >> bit & 1 != 0 {
                let (text, number) = self.text(code(field.index(), head))?;
                beacon.set_listed(field.index(), text, number);
            }
        }
        if repeats { Some(()) } else { self.profile(beacon, head) }
    }

    fn profile(&mut self, beacon: &mut Beacon<'a>, head: u8) -> Option<()> {
        let mut left = self.input.number()?;
        if left & !Beacon::PROFILE != 0 {
            return None;
        }
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            let (text, number) =
                if is_unique(index) { (self.input.text()?, None) } else { self.text(code(index, head))? };
            match index.checked_sub(Text::CUSTOM) {
                None => beacon.set_listed(index, text, number),
                Some(source) => {
                    if let Some(source) = self.sources.get(source).copied()? {
                        beacon.set_listed(Text::Custom(source).index(), text, number);
                    }
                }
            }
        }
        Some(())
    }
}
