//! Packed records, which the collector writes. A packed record consists of a version byte and one or more envelopes.
//!
//! An envelope contains the HTTP context and the body of one request. A decoded envelope borrows from the record, so
//! decoding does not allocate. An envelope has no length prefix. It has no checksum either, because a Kafka batch has
//! one. Bytes that cannot be decoded end the record, but the envelopes before them are valid.

use std::borrow::Cow;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{BorrowDecode, Encode};
use crowdfold_model::Timestamp;

use crate::{Amount, Http, Malformed, Number, cmcd};

/// The content type of packed records in Kafka.
pub const CONTENT_TYPE: &str = "application/vnd.crowdfold.beacon";

/// The first byte of a packed record. A worker reads only this version, so workers must be updated before collectors.
const VERSION: u8 = 1;

/// The maximum length of an envelope in bytes. It equals the default maximum length of a record.
const LONGEST: usize = 1 << 20;

/// The maximum number of bytes that the decoder may account for in one envelope. It is larger than [`LONGEST`], because
/// bincode counts numbers with their size in memory, which may exceed their size in the record.
const CLAIM: usize = LONGEST + 4_096;

const fn config() -> Configuration<LittleEndian, Varint, Limit<CLAIM>> {
    bincode::config::standard().with_limit::<CLAIM>()
}

/// The content of a request. It does not implement `Debug` or `Clone`, because it is personal data.
pub enum Body<'a> {
    /// JSON beacons: an object, an array of objects, or NDJSON.
    Json(&'a [u8]),
    /// Lines of CMCD in event mode.
    Events(&'a [u8]),
    /// The encoded value of the query parameter `CMCD`.
    Query(&'a [u8]),
    /// The values of the headers `CMCD-Object`, `CMCD-Request`, `CMCD-Session` and `CMCD-Status`, in this order. A
    /// value is `None` if the request does not have the header.
    Headers([Option<&'a [u8]>; 4]),
}

impl<'a> Body<'a> {
    /// Returns the CMCD data in a query (the part of a URL after the `?`), or `None` if the query has no parameter
    /// `CMCD`.
    #[must_use]
    pub fn in_query(query: &'a [u8]) -> Option<Self> {
        cmcd::find(query).map(Self::Query)
    }

    /// Returns the CMCD data in the headers of a request. If the headers contain no session, returns the CMCD data in
    /// the query instead, if there is any.
    #[must_use]
    pub fn in_request(headers: [Option<&'a [u8]>; 4], query: impl FnOnce() -> Option<Self>) -> Option<Self> {
        let parts = || headers.iter().flatten();
        let names_session = parts().any(|part| memchr::memmem::find(part, b"sid").is_some());
        let headers = (parts().count() > 0).then_some(Self::Headers(headers));
        if names_session { headers } else { query().or(headers) }
    }
}

/// Packs requests into one record.
pub struct Packer {
    bytes: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { bytes: vec![VERSION] }
    }
}

impl Packer {
    /// Adds a request. If a reader would reject the request, returns false without adding it. A reader rejects a
    /// request if its envelope exceeds 1 MiB, or if its time of receipt is 2^53 ms or more.
    #[must_use]
    pub fn push(&mut self, http: &Http<'_>, body: &Body<'_>) -> bool {
        let before = self.bytes.len();
        let fits = http.received_at.is_none_or(|at| at.as_millis() <= Number::Ts.limit())
            && bincode::encode_into_writer(Envelope::of(http, body), Append(&mut self.bytes), config())
                .is_ok()
            && self.bytes.len() - before <= LONGEST;
        if !fits {
            self.bytes.truncate(before);
        }
        fits
    }

    /// Returns true if no request has been added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.len() == 1
    }

    /// Returns the current length of the record in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the record. Afterwards the packer is empty, and has capacity for another record of the same length.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let mut next = Vec::with_capacity(self.bytes.len());
        next.push(VERSION);
        std::mem::replace(&mut self.bytes, next)
    }
}

/// Reads a packed record, and passes every request to `each` in order. `each` receives [`Malformed`] for a request with
/// an impossible time of receipt, for an unknown version, and for an empty record. It also receives [`Malformed`] for
/// bytes that cannot be decoded, and these bytes end the record.
pub fn unpack<'a>(record: &'a [u8], each: &mut impl FnMut(Result<(Http<'a>, Body<'a>), Malformed>)) {
    let Some((&VERSION, mut rest)) = record.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return each(Err(Malformed));
    };
    while !rest.is_empty() {
        // The error of the decoder may quote the input, so it is dropped here.
        let Ok((envelope, length)) = bincode::borrow_decode_from_slice::<Envelope<'a>, _>(rest, config())
        else {
            return each(Err(Malformed));
        };
        rest = &rest[length..];
        each(envelope.open());
    }
}

struct Append<'a>(&'a mut Vec<u8>);

impl bincode::enc::write::Writer for Append<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// An envelope in its encoded form. The order and the types of the fields define the format, so any change of them
/// needs another [`VERSION`].
#[derive(Encode, BorrowDecode)]
struct Envelope<'a> {
    received_at: Option<Timestamp>,
    address: Option<&'a str>,
    tenant: Option<&'a str>,
    user_agent: Option<&'a str>,
    hints: Option<Hints<'a>>,
    endpoint: u32,
    gpc: bool,
    dnt: bool,
    content: Content<'a>,
}

#[derive(Encode, BorrowDecode)]
struct Hints<'a> {
    brands: Option<&'a str>,
    platform: Option<&'a str>,
    platform_version: Option<&'a str>,
    mobile: Option<&'a str>,
    model: Option<&'a str>,
}

/// The serializable form of [`Body`]. `Body` itself must not be serializable, because it is personal data.
#[derive(Encode, BorrowDecode)]
enum Content<'a> {
    Json(&'a [u8]),
    Events(&'a [u8]),
    Query(&'a [u8]),
    Headers([Option<&'a [u8]>; 4]),
}

impl<'a> Envelope<'a> {
    fn of(http: &'a Http<'_>, body: &Body<'a>) -> Self {
        let hints = || Hints {
            brands: http.brands.as_deref(),
            platform: http.platform.as_deref(),
            platform_version: http.platform_version.as_deref(),
            mobile: http.mobile.as_deref(),
            model: http.model.as_deref(),
        };
        Self {
            received_at: http.received_at,
            address: http.address.as_deref(),
            tenant: http.tenant.as_deref(),
            user_agent: http.user_agent.as_deref(),
            hints: http.has_hints().then(hints),
            endpoint: http.endpoint,
            gpc: http.gpc,
            dnt: http.dnt,
            content: match *body {
                Body::Json(body) => Content::Json(body),
                Body::Events(body) => Content::Events(body),
                Body::Query(value) => Content::Query(value),
                Body::Headers(headers) => Content::Headers(headers),
            },
        }
    }

    fn open(self) -> Result<(Http<'a>, Body<'a>), Malformed> {
        if self.received_at.is_some_and(|at| Amount::whole(Number::Ts, at.as_millis()).is_none()) {
            return Err(Malformed);
        }
        let mut http = Http {
            received_at: self.received_at,
            address: self.address.map(Cow::Borrowed),
            tenant: self.tenant.map(Cow::Borrowed),
            user_agent: self.user_agent.map(Cow::Borrowed),
            gpc: self.gpc,
            dnt: self.dnt,
            endpoint: self.endpoint,
            ..Http::default()
        };
        if let Some(hints) = self.hints {
            http.brands = hints.brands.map(Cow::Borrowed);
            http.platform = hints.platform.map(Cow::Borrowed);
            http.platform_version = hints.platform_version.map(Cow::Borrowed);
            http.mobile = hints.mobile.map(Cow::Borrowed);
            http.model = hints.model.map(Cow::Borrowed);
        }
        let body = match self.content {
            Content::Json(body) => Body::Json(body),
            Content::Events(body) => Body::Events(body),
            Content::Query(value) => Body::Query(value),
            Content::Headers(headers) => Body::Headers(headers),
        };
        Ok((http, body))
    }
}

#[cfg(test)]
mod tests;
