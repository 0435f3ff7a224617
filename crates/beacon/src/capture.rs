//! Captures of HTTP requests, and lines of CDN logs: one JSON object each.

mod keys;
mod shape;
mod time;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::json::Skip;
use crate::{Amount, Http, Malformed, Number, cmcd};
pub use shape::LogFields;
use shape::{Name, Target};

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
    /// All of CMCD, as the value of the parameter in a query.
    pub(crate) parameter: Option<Cow<'a, str>>,
    /// Members of CMCD that were kept one by one, as a dictionary.
    pub(crate) members: String,
}

/// Reads one captured request.
pub(crate) fn read_capture<'a>(bytes: &'a [u8], fields: &LogFields) -> Result<Capture<'a>, Malformed> {
    let mut capture = Capture::default();
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let request = Object { capture: &mut capture, fields, node: fields.root(), depth: 2 };
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

    /// The raw value of the parameter `CMCD`.
    pub(crate) fn dictionary(&self) -> Option<&[u8]> {
        let kept =
            self.parameter.as_deref().map(|kept| cmcd::find(kept.as_bytes()).unwrap_or(kept.as_bytes()));
        kept.or_else(|| cmcd::find(self.query.as_deref()?.as_bytes()))
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
            Name::Tenant => &mut self.http.tenant,
            Name::Country => &mut self.http.country,
            Name::Region => &mut self.http.region,
            Name::Asn => &mut self.http.asn,
            Name::Cmcd(part) => &mut self.cmcd[part],
            Name::Dictionary => &mut self.parameter,
            Name::Key(key) => return keys::add(&mut self.members, key, &value),
            Name::Gpc => return self.http.gpc = value.trim() == "1",
            Name::Dnt => return self.http.dnt = value.trim() == "1",
            Name::Received | Name::Time => return,
        };
        *place = Some(value);
    }

    /// Sets what somebody else's log has: a lone dash stands for nothing, and what it escaped is read.
    fn set_logged(&mut self, name: Name, value: Cow<'a, str>) -> Result<(), Malformed> {
        if matches!(value.trim(), "" | "-") {
            return Ok(());
        }
        match name {
            Name::Time => {
                let at = time::read(&value).and_then(|at| Amount::whole(Number::Ts, at)).ok_or(Malformed)?;
                self.http.received_at = Some(at.rounded());
            }
            // Those are read by who knows how they are encoded.
            Name::Path | Name::Query | Name::Body | Name::Dictionary => self.set(name, value),
            _ => self.set(name, keys::unescaped(value)),
        }
        Ok(())
    }
}

/// One object of a capture: the request, or what lies in it.
struct Object<'b, 'a> {
    capture: &'b mut Capture<'a>,
    fields: &'b LogFields,
    node: usize,
    /// How deep what is in it lies.
    depth: u8,
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
        let Self { capture, fields, node, depth } = self;
        let mut seen = 0_u64;
        while let Some(found) = map.next_key_seed(Key { fields, node })? {
            let Some((index, target)) = found else {
                map.next_value_seed(Skip { depth })?;
                continue;
            };
            if seen & 1 << index != 0 {
                return Err(M::Error::custom("stated twice"));
            }
            seen |= 1 << index;
            match target {
                Target::Inside(node) => {
                    let depth = depth.saturating_add(1);
                    map.next_value_seed(Object { capture: &mut *capture, fields, node, depth })?;
                }
                Target::Name(Name::Received) => {
                    let received: Option<u64> = map.next_value()?;
                    let known =
                        |at| Amount::whole(Number::Ts, at).ok_or_else(|| M::Error::custom("out of range"));
                    capture.http.received_at = received.map(known).transpose()?.map(Amount::rounded);
                }
                Target::Name(name) => {
                    map.next_value_seed(Value { capture: &mut *capture, name, foreign: fields.foreign })?;
                }
            }
        }
        Ok(())
    }
}

/// A key, as its place among those that are looked at, and what it leads to.
struct Key<'b> {
    fields: &'b LogFields,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<(usize, Target)>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<(usize, Target)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.fields.find(self.node, key))
    }
}

/// A text; a number is taken for its digits, as some loggers write `"sec-gpc":1`.
struct Value<'b, 'a> {
    capture: &'b mut Capture<'a>,
    name: Name,
    foreign: bool,
}

impl<'a> Value<'_, 'a> {
    fn take<E: Error>(self, value: Cow<'a, str>) -> Result<(), E> {
        if self.foreign {
            let taken = self.capture.set_logged(self.name, value);
            return taken.map_err(|Malformed| E::custom("no time"));
        }
        self.capture.set(self.name, value);
        Ok(())
    }

    /// What only a log has.
    fn take_logged<E: Error>(self, value: impl ToString) -> Result<(), E> {
        if !self.foreign {
            return Err(E::custom("no text"));
        }
        self.take(Cow::Owned(value.to_string()))
    }
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

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.take(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.take(Cow::Owned(value.to_owned()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.take(Cow::Owned(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.take_logged(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.take_logged(value)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.take_logged(value)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
