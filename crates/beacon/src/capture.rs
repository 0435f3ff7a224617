//! Captures of HTTP requests: one JSON object each.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::json::Skip;
use crate::{Amount, Http, Malformed, Number};

/// What is looked at of a captured request.
#[derive(Default)]
pub(crate) struct Capture<'a> {
    pub(crate) http: Http<'a>,
    pub(crate) path: Option<Cow<'a, str>>,
    pub(crate) query: Option<Cow<'a, str>>,
    pub(crate) body: Option<Cow<'a, str>>,
    pub(crate) content_type: Option<Cow<'a, str>>,
    /// `CMCD-Object`, `CMCD-Request`, `CMCD-Session`, `CMCD-Status`.
    pub(crate) cmcd: [Option<Cow<'a, str>>; 4],
}

/// Reads one captured request.
pub(crate) fn read_capture(bytes: &[u8]) -> Result<Capture<'_>, Malformed> {
    let mut capture = Capture::default();
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let request = Object { capture: &mut capture, names: &REQUEST };
    reader.deserialize_map(request).and_then(|()| reader.end()).map_err(|_| Malformed)?;
    capture.settle();
    Ok(capture)
}

impl<'a> Capture<'a> {
    /// What follows from the path: the query, where it is written in it, the tenant, and the endpoint.
    fn settle(&mut self) {
        let Some(whole) = self.path.as_deref() else { return };
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let (endpoint, tenant) = Http::endpoint_of(path);
        self.http.endpoint = endpoint;
        if let Some(tenant) = tenant {
            self.http.tenant = Some(Cow::Owned(tenant.to_owned()));
        }
        if !query.is_empty() && self.query.as_deref().unwrap_or_default().is_empty() {
            self.query = Some(Cow::Owned(query.to_owned()));
        }
    }

    fn set(&mut self, name: Name, value: Cow<'a, str>) {
        let place = match name {
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
            Name::Cmcd(part) => &mut self.cmcd[part],
            Name::Gpc => return self.http.gpc = value.trim() == "1",
            Name::Dnt => return self.http.dnt = value.trim() == "1",
            Name::Received | Name::Headers => return,
        };
        *place = Some(value);
    }
}

/// What is looked at in a capture.
#[derive(Clone, Copy)]
enum Name {
    Received,
    Client,
    Path,
    Query,
    Headers,
    Body,
    ContentType,
    UserAgent,
    Brands,
    Platform,
    PlatformVersion,
    Mobile,
    Model,
    Gpc,
    Dnt,
    Cmcd(usize),
}

/// Keys of the request itself.
const REQUEST: [(&str, Name); 6] = [
    ("received_at_ms", Name::Received),
    ("client_ip", Name::Client),
    ("path", Name::Path),
    ("query", Name::Query),
    ("headers", Name::Headers),
    ("body", Name::Body),
];

/// Headers, without regard to case. No other is ever looked at.
const HEADERS: [(&str, Name); 13] = [
    ("content-type", Name::ContentType),
    ("user-agent", Name::UserAgent),
    ("sec-ch-ua", Name::Brands),
    ("sec-ch-ua-platform", Name::Platform),
    ("sec-ch-ua-platform-version", Name::PlatformVersion),
    ("sec-ch-ua-mobile", Name::Mobile),
    ("sec-ch-ua-model", Name::Model),
    ("sec-gpc", Name::Gpc),
    ("dnt", Name::Dnt),
    ("cmcd-object", Name::Cmcd(0)),
    ("cmcd-request", Name::Cmcd(1)),
    ("cmcd-session", Name::Cmcd(2)),
    ("cmcd-status", Name::Cmcd(3)),
];

/// One object of a capture: the request, or its headers.
struct Object<'b, 'a> {
    capture: &'b mut Capture<'a>,
    names: &'static [(&'static str, Name)],
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<(), D::Error> {
        object.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut seen = 0_u32;
        while let Some(index) = map.next_key_seed(Key(self.names))? {
            let Some(index) = index else {
                map.next_value_seed(Skip { depth: 2 })?;
                continue;
            };
            if seen & 1 << index != 0 {
                return Err(M::Error::custom("stated twice"));
            }
            seen |= 1 << index;
            match self.names[index].1 {
                Name::Headers => {
                    map.next_value_seed(Object { capture: self.capture, names: &HEADERS })?;
                }
                Name::Received => {
                    let received: Option<u64> = map.next_value()?;
                    let known =
                        |at| Amount::whole(Number::Ts, at).ok_or_else(|| M::Error::custom("out of range"));
                    self.capture.http.received_at = received.map(known).transpose()?.map(Amount::rounded);
                }
                name => map.next_value_seed(Value { capture: self.capture, name })?,
            }
        }
        Ok(())
    }
}

/// A key, as its place among the names.
struct Key(&'static [(&'static str, Name)]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|(name, _)| name.eq_ignore_ascii_case(key)))
    }
}

/// A text; a number is taken for its digits, as some loggers write `"sec-gpc":1`.
struct Value<'b, 'a> {
    capture: &'b mut Capture<'a>,
    name: Name,
}

impl<'de> DeserializeSeed<'de> for Value<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        self.capture.set(self.name, Cow::Borrowed(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.capture.set(self.name, Cow::Owned(value.to_owned()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.capture.set(self.name, Cow::Owned(value.to_string()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
