//! Reads captured HTTP requests and lines of CDN logs. Each of them is one JSON object.

mod headers;
mod keys;
mod shape;

use std::borrow::Cow;

use crowdfold_model::ValueMetric;

use crate::json::syntax::{self, Raw, elements, members};
use crate::{Amount, Body, Http, Number, cmcd, is_nothing, is_signal_set, time};
pub use shape::LogFields;
use shape::{Name, Target};

/// The time to the first byte of a response.
const TTFB: Number = Number::Value(ValueMetric::TtfbMs);

/// The parts of a captured request that are read.
#[derive(Default)]
pub(crate) struct Capture<'a> {
    pub(crate) http: Http<'a>,
    pub(crate) path: Option<Cow<'a, str>>,
    pub(crate) query: Option<Cow<'a, str>>,
    pub(crate) body: Option<Cow<'a, str>>,
    pub(crate) content_type: Option<Cow<'a, str>>,
    /// The headers `CMCD-Object`, `CMCD-Request`, `CMCD-Session`, `CMCD-Status`.
    pub(crate) cmcd: [Option<Cow<'a, str>>; 4],
    /// The complete CMCD data, in the encoding of the query parameter `CMCD`.
    pub(crate) parameter: Option<Cow<'a, str>>,
    /// The CMCD members that a log contains in separate fields, joined to one CMCD dictionary.
    pub(crate) members: String,
    /// The date of receipt, if the log has two separate fields: one for the date, and one for the time of day
    /// (`clock`).
    date: Option<Cow<'a, str>>,
    clock: Option<Cow<'a, str>>,
    /// True if the value of an unknown key is an array, which may contain requests.
    nested: bool,
}

/// Reads the captured request that begins at `at`. Returns the request and the position after it, or `None` if no
/// JSON object begins at `at`.
pub(crate) fn read_capture<'a>(
    bytes: &'a [u8],
    at: usize,
    fields: &LogFields,
) -> Option<(Capture<'a>, usize)> {
    let mut capture = Capture::default();
    let end = capture.object(bytes, at, fields, fields.root())?;
    capture.finish();
    Some((capture, end))
}

/// Searches an object that is not a request for requests. Returns the position of the first array in the object whose
/// first element is an object. The key of the array does not matter.
pub(crate) fn envelope(bytes: &[u8], at: usize) -> Option<usize> {
    let mut found = None;
    members(bytes, at, &mut |_, value| {
        let is_array = bytes.get(value) == Some(&b'[');
        if is_array && found.is_none() && bytes.get(syntax::blank(bytes, value + 1)) == Some(&b'{') {
            found = Some(value);
        }
        syntax::skip(bytes, value).ok()
    });
    found
}

impl<'a> Capture<'a> {
    /// Returns true if the object contains no part of a request but contains an array, so that the array may contain
    /// complete requests.
    pub(crate) fn may_hold_others(&self) -> bool {
        self.nested
            && self.path.is_none()
            && self.query.is_none()
            && self.body.is_none()
            && self.parameter.is_none()
            && self.members.is_empty()
            && self.cmcd.iter().all(Option::is_none)
    }

    /// Reads an object with known keys: the request, or an object inside it. Returns the position after the object.
    fn object(&mut self, bytes: &'a [u8], at: usize, fields: &LogFields, node: usize) -> Option<usize> {
        members(bytes, at, &mut |key, value| {
            let found = fields.find(node, key).or_else(|| {
                memchr::memchr(b'\\', key)?;
                fields.find(node, syntax::text(key).0.as_bytes())
            });
            match found {
                Some(Target::Inside(inner, _)) if bytes.get(value) == Some(&b'{') => {
                    self.object(bytes, value, fields, inner)
                }
                Some(Target::Inside(inner, None)) if bytes.get(value) == Some(&b'[') => {
                    headers::listed(bytes, value, &mut |key, value| match fields
                        .find(inner, syntax::text(key).0.as_bytes())
                    {
                        Some(Target::Name(name)) => self.value(bytes, value, name, fields),
                        _ => Some(value),
                    })
                }
                Some(Target::Name(name) | Target::Inside(_, Some(name))) => {
                    self.value(bytes, value, name, fields)
                }
                Some(Target::Inside(_, None)) | None => {
                    self.nested |= bytes.get(value) == Some(&b'[');
                    syntax::skip(bytes, value).ok()
                }
            }
        })
    }

    /// Reads the value of a field, which may be an array of objects with the key `value`. Returns the position after it.
    fn value(&mut self, bytes: &'a [u8], at: usize, name: Name, fields: &LogFields) -> Option<usize> {
        let values = if name == Name::Body { None } else { headers::values(bytes, at) };
        let Some(values) = values else { return self.plain_value(bytes, at, name, fields) };
        for value in values {
            self.plain_value(bytes, value, name, fields)?;
        }
        syntax::skip(bytes, at).ok()
    }

    /// Reads the value of a field that is not an array of objects. Returns the position after it.
    fn plain_value(&mut self, bytes: &'a [u8], at: usize, name: Name, fields: &LogFields) -> Option<usize> {
        let (raw, end) = syntax::raw(bytes, at)?;
        match whole(name, &bytes[at..end], raw) {
            Some(text) => self.store(name, text, fields.foreign),
            None => self.take(name, one_of(bytes, at, raw), fields.foreign),
        }
        Some(end)
    }

    /// Stores the value of a field as a string. Numbers and booleans are stored as they are written, because some
    /// loggers write `"sec-gpc":1`. If a field occurs several times, the last value counts, even if it is unusable.
    fn take(&mut self, name: Name, raw: Raw<'a>, foreign: bool) {
        let value = match raw {
            Raw::Text(raw) => syntax::text(raw).0,
            Raw::Number(number) => Cow::Borrowed(number),
            Raw::Bool(true) => Cow::Borrowed("true"),
            Raw::Bool(false) => Cow::Borrowed("false"),
            Raw::Null => return self.remove(name),
            Raw::Object | Raw::Array => {
                self.http.time_ignored |= matches!(name, Name::Received | Name::Time);
                return self.remove(name);
            }
        };
        self.store(name, value, foreign);
    }

    fn store(&mut self, name: Name, value: Cow<'a, str>, foreign: bool) {
        if foreign { self.set_logged(name, value) } else { self.set(name, value) }
    }

    fn receive(&mut self, at: Option<u64>) {
        let at = at.and_then(|at| Amount::whole(Number::Ts, at)).map(Amount::timestamp);
        self.http.time_ignored |= at.is_none();
        self.http.received_at = at;
    }

    /// Completes the request after all keys were read. Takes the query, the tenant and the endpoint from the path, and
    /// joins the separate fields for the date and the time of day.
    fn finish(&mut self) {
        if let (Some(date), Some(clock)) = (self.date.take(), self.clock.take()) {
            self.receive(time::read(&format!("{}T{}", date.trim(), clock.trim())));
        }
        self.decode_query();
        let Some(whole) = self.path.as_deref() else { return };
        let decoded = if whole.contains('?') { None } else { cmcd::decoded(whole) };
        let whole = decoded.as_deref().unwrap_or(whole);
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let (endpoint, tenant) = Http::endpoint_of(path);
        self.http.endpoint = endpoint;
        if let Some(tenant) = tenant {
            self.http.tenant = Some(Cow::Owned(tenant.to_owned()));
        }
        let separate = self.query.as_deref().unwrap_or_default();
        let has_cmcd = |query: &str| cmcd::find(query.as_bytes()).is_some();
        if separate.is_empty() || has_cmcd(query) && !has_cmcd(separate) {
            self.query = Some(Cow::Owned(query.to_owned()));
        }
    }

    /// Decodes a query that was encoded as a whole, so that the name `CMCD` of its parameter is followed by `%3D`.
    fn decode_query(&mut self) {
        let is_whole = |query: &&str| query.contains('%') && cmcd::find(query.as_bytes()).is_none();
        let Some(query) = self.query.as_deref().filter(is_whole) else { return };
        let decoded = cmcd::decoded(query);
        if let Some(decoded) = decoded {
            self.query = Some(Cow::Owned(decoded));
        }
    }

    /// Returns the CMCD data in the headers. If the headers contain no session, returns the CMCD data in the query.
    pub(crate) fn in_request(&self) -> Option<Body<'_>> {
        let headers = self.cmcd.each_ref().map(|part| part.as_deref().map(str::as_bytes));
        Body::in_request(headers, || self.dictionary().map(Body::Query))
    }

    /// Returns the encoded value of the query parameter `CMCD`.
    fn dictionary(&self) -> Option<&[u8]> {
        let kept =
            self.parameter.as_deref().map(|kept| cmcd::find(kept.as_bytes()).unwrap_or(kept.as_bytes()));
        kept.or_else(|| cmcd::find(self.query.as_deref()?.as_bytes()))
    }

    fn set(&mut self, name: Name, value: Cow<'a, str>) {
        match name {
            Name::Key(key) => keys::add(&mut self.members, key, &value),
            Name::Gpc => self.http.gpc |= is_signal_set(&value),
            Name::Dnt => self.http.dnt |= is_signal_set(&value),
            // This field is in milliseconds by definition. Therefore a small number must not be read as seconds.
            Name::Received => self.receive(value.trim().parse().ok().or_else(|| time::read(&value))),
            Name::Time => self.receive(time::read(&value)),
            Name::Ttfb(unit) => {
                // Google Cloud writes durations with their unit, such as `0.012s`.
                let value = value.trim();
                let value = value.strip_suffix(if unit == 1 { "ms" } else { "s" }).unwrap_or(value);
                let number = value.trim_end().parse::<f64>().ok();
                self.http.ttfb = number.and_then(|number| Amount::fraction(TTFB, number * f64::from(unit)));
                self.http.ttfb_ignored |= self.http.ttfb.is_none();
            }
            Name::Custom(source) => {
                self.remove(name);
                self.http.custom.push((source, value));
            }
            _ => {
                if let Some(slot) = self.slot(name) {
                    *slot = Some(value);
                }
            }
        }
    }

    /// Removes a value. An opt-out signal is never removed.
    fn remove(&mut self, name: Name) {
        match name {
            Name::Key(key) => keys::remove(&mut self.members, key),
            Name::Received | Name::Time => self.http.received_at = None,
            Name::Ttfb(_) => self.http.ttfb = None,
            Name::Custom(source) => self.http.custom.retain(|(known, _)| *known != source),
            _ => {
                if let Some(slot) = self.slot(name) {
                    *slot = None;
                }
            }
        }
    }

    /// Returns the place where the value of a field is stored, or `None` for a field that is not stored as a string.
    const fn slot(&mut self, name: Name) -> Option<&mut Option<Cow<'a, str>>> {
        Some(match name {
            Name::Client => &mut self.http.address,
            Name::Path => &mut self.path,
            Name::Query => &mut self.query,
            Name::Body => &mut self.body,
            Name::ContentType => &mut self.content_type,
            Name::UserAgent => &mut self.http.user_agent,
            Name::Brands => &mut self.http.brands,
            Name::Platform => &mut self.http.platform,
            Name::PlatformVersion => &mut self.http.platform_version,
            Name::Mobile => &mut self.http.mobile,
            Name::Model => &mut self.http.model,
            Name::Tenant => &mut self.http.tenant,
            Name::Country => &mut self.http.country,
            Name::Region => &mut self.http.region,
            Name::Asn => &mut self.http.asn,
            Name::Cmcd(part) => &mut self.cmcd[part],
            Name::Dictionary => &mut self.parameter,
            Name::Date => &mut self.date,
            Name::Clock => &mut self.clock,
            Name::Key(_)
            | Name::Custom(_)
            | Name::Ttfb(_)
            | Name::Gpc
            | Name::Dnt
            | Name::Received
            | Name::Time => {
                return None;
            }
        })
    }

    /// Stores a value from a CDN log. A value such as `-` represents an absent field. Escapes are decoded.
    fn set_logged(&mut self, name: Name, value: Cow<'a, str>) {
        if is_nothing(&value) {
            return self.remove(name);
        }
        let value = match name {
            // These values are decoded when they are parsed.
            Name::Path | Name::Query | Name::Body | Name::Dictionary => value,
            // In a time, a plus sign begins the zone, so it is not decoded as a space.
            Name::Time | Name::Date | Name::Clock => value,
            Name::UserAgent | Name::Brands | Name::Platform | Name::Model | Name::Region => {
                keys::with_blanks(keys::unescaped(value))
            }
            _ => keys::unescaped(value),
        };
        // The decoded value may also represent an absent field.
        if is_nothing(&value) {
            return self.remove(name);
        }
        self.set(name, value);
    }
}

/// Returns the text of an object or an array that is the value of a field. Loggers may write a body as JSON, CMCD as an
/// object, and repeated headers as an array. Returns `None` for all other values, and for all other fields.
fn whole<'a>(name: Name, bytes: &'a [u8], raw: Raw<'a>) -> Option<Cow<'a, str>> {
    let is_list = matches!(name, Name::Cmcd(_) | Name::Dictionary | Name::Gpc | Name::Dnt);
    match raw {
        Raw::Object if matches!(name, Name::Body | Name::Cmcd(_) | Name::Dictionary) => {
            Some(String::from_utf8_lossy(bytes))
        }
        Raw::Array if name == Name::Body => Some(String::from_utf8_lossy(bytes)),
        Raw::Array if is_list => {
            let mut parts = Vec::new();
            elements(bytes, 0, &mut |at| {
                let (part, end) = syntax::raw(bytes, at)?;
                match part {
                    Raw::Text(text) => parts.push(syntax::text(text).0),
                    Raw::Number(number) => parts.push(Cow::Borrowed(number)),
                    Raw::Bool(true) => parts.push(Cow::Borrowed("true")),
                    _ => {}
                }
                Some(end)
            });
            (!parts.is_empty()).then(|| Cow::Owned(parts.join(",")))
        }
        _ => None,
    }
}

/// Returns the first element of an array. Returns any other value unchanged. Some loggers write every header as an
/// array.
fn one_of<'a>(bytes: &'a [u8], at: usize, raw: Raw<'a>) -> Raw<'a> {
    let Raw::Array = raw else { return raw };
    match syntax::raw(bytes, syntax::blank(bytes, at + 1)) {
        Some((first, _)) => first,
        None => raw,
    }
}

#[cfg(test)]
mod tests;
