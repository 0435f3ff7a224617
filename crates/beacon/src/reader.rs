//! Reads records in all forms.

use std::sync::Arc;

use crate::capture::{self, Capture, read_capture};
use crate::json::{Quick, read_json};
use crate::split::{Frame, elements, frames};
use crate::{Beacon, Body, CONTENT_TYPE, Fields, Http, LogFields, Mode, ReadError, cmcd, envelope};

/// The form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON beacons: an object, an array of objects, or NDJSON.
    Json,
    /// CMCD: lines of event mode, or the query of a request.
    Cmcd,
    /// Captured HTTP requests or lines of a CDN log, one JSON object each.
    Capture,
    /// Requests that the collector has packed.
    Envelope,
}

impl Form {
    /// Returns the form of records with this content type, or `None` for any other content type. `application/json`,
    /// `application/x-ndjson` and `text/plain` (which browsers send with `sendBeacon`) are JSON. `application/cmcd`
    /// and `text/cmcd` are CMCD (CTA-5004-B and CTA-5004-A). [`CONTENT_TYPE`] is a packed record.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
        let essence = content_type[..end].trim_ascii();
        let is = |name: &[u8]| essence.eq_ignore_ascii_case(name);
        if is(b"application/json") || is(b"application/x-ndjson") || is(b"text/plain") {
            Some(Self::Json)
        } else if is(b"application/cmcd") || is(b"text/cmcd") {
            Some(Self::Cmcd)
        } else if is(CONTENT_TYPE.as_bytes()) {
            Some(Self::Envelope)
        } else {
            None
        }
    }
}

/// The minimum length of a JSON beacon in bytes, with short names for the session and the time.
const SHORTEST: usize = 24;

/// The number of objects that are always read, even if they are shorter than beacons.
const SOME: usize = 64;

/// Reads records. A reader reuses its buffers, so reading rarely allocates. It remembers the order of keys in the JSON
/// beacons that it has read, so it seldom has to parse keys.
pub struct Reader {
    fields: Arc<Fields>,
    log: Arc<LogFields>,
    quick: Quick,
    decoded: Vec<u8>,
    /// The maximum number of beacons in one record or one request.
    most: usize,
}

impl Reader {
    /// Creates a reader for producers that send these fields.
    #[must_use]
    pub fn new(fields: Arc<Fields>) -> Self {
        Self { fields, log: Arc::default(), quick: Quick::default(), decoded: Vec::new(), most: usize::MAX }
    }

    /// Sets the maximum number of beacons in one record, or in one request of a packed record. The beacons beyond this
    /// number count as one error.
    #[must_use]
    pub fn with_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Sets the keys under which captured requests contain their values.
    #[must_use]
    pub fn with_log(self, log: Arc<LogFields>) -> Self {
        Self { log, ..self }
    }

    /// Reads a record. Passes every beacon with its HTTP context to `each`, in order, and an error for each beacon that
    /// cannot be read. `each` is called at least once, because an empty record counts as one error.
    pub fn read(
        &mut self,
        form: Form,
        record: &[u8],
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
    ) {
        match form {
            Form::Json => self.body(Http::NONE, &Body::Json(record), each),
            Form::Cmcd => self.cmcd(record, Http::NONE, each),
            Form::Capture => self.captures(record, each),
            Form::Envelope => envelope::unpack(record, &self.fields, self.most, each),
        }
    }

    /// Returns the maximum number of objects and bad parts in a JSON record of this length. Many short objects would
    /// take much more time than beacons of the same total length, so the number is smaller for short records.
    fn most_in(&self, bytes: usize) -> usize {
        self.most.min(SOME + bytes / SHORTEST)
    }

    fn captures(&mut self, record: &[u8], each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>)) {
        let mut left = self.most_in(record.len());
        frames(record, &mut left, &mut |frame| self.frame(record, frame, true, each));
    }

    /// Reads one captured request. If the object at this position is not a request but contains an array of requests,
    /// reads these requests.
    fn frame(
        &mut self,
        record: &[u8],
        frame: Frame,
        may_be_envelope: bool,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
    ) -> Option<usize> {
        let error = match frame {
            Frame::Object(at) => {
                let log = Arc::clone(&self.log);
                let (capture, end) = read_capture(record, at, &log)?;
                let inside = if may_be_envelope && capture.may_hold_others() {
                    capture::envelope(record, at)
                } else {
                    None
                };
                if let Some(array) = inside {
                    let mut left = self.most_in(record.len());
                    elements(record, array, &mut left, &mut |frame| self.frame(record, frame, false, each));
                } else {
                    self.capture(&capture, each);
                }
                return Some(end);
            }
            Frame::Bad => ReadError::Malformed,
            Frame::Beyond => ReadError::TooMany,
        };
        each(Http::NONE, Err(error));
        None
    }

    /// Reads CMCD. If a record begins with `?` or `CMCD=`, it is the query of a request, because lines of event mode
    /// never begin in this way.
    fn cmcd(
        &mut self,
        record: &[u8],
        http: &Http<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
    ) {
        let record = record.trim_ascii();
        let query =
            if record.starts_with(b"?") || record.starts_with(b"CMCD=") { cmcd::find(record) } else { None };
        match query {
            Some(query) => self.body(http, &Body::Query(query), each),
            None => self.body(http, &Body::Events(record), each),
        }
    }

    /// Reads the CMCD data of a captured request. If there are several sources, the first one in this order is used:
    /// the body, headers with a session, the query, headers without a session, members in separate fields of a log.
    fn capture(
        &mut self,
        capture: &Capture<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
    ) {
        let http = &capture.http;
        let body = capture.body.as_deref().unwrap_or_default().trim_ascii().as_bytes();
        let form = match capture.content_type.as_deref() {
            Some(content_type) => Form::of(content_type.as_bytes()),
            None => body.first().filter(|byte| matches!(byte, b'{' | b'[')).map(|_| Form::Json),
        };
        let body = match form {
            Some(Form::Json) if !body.is_empty() => Body::Json(body),
            Some(Form::Cmcd) if !body.is_empty() => Body::Events(body),
            _ => match capture.in_request() {
                Some(body) => body,
                None if !capture.members.is_empty() => {
                    Body::Headers([Some(capture.members.as_bytes()), None, None, None])
                }
                None if !body.is_empty() && capture.content_type.is_none() => Body::Events(body),
                None => return each(http, Err(ReadError::Malformed)),
            },
        };
        self.body(http, &body, each);
    }

    fn body(
        &mut self,
        http: &Http<'_>,
        body: &Body<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>),
    ) {
        self.read_body(body, &mut |read| each(http, read));
    }

    /// Reads the content of one request. Passes every beacon to `each`, in order, and an error for each beacon that
    /// cannot be read. `each` is called at least once.
    pub fn read_body(&mut self, body: &Body<'_>, each: &mut impl FnMut(Result<&Beacon<'_>, ReadError>)) {
        match *body {
            Body::Json(body) => {
                let mut left = self.most_in(body.len());
                read_json(body, &self.fields, &mut self.quick, &mut left, each);
            }
            Body::Events(body) => cmcd::read_events(body, &self.fields, &mut { self.most }, each),
            Body::Query(query) => {
                let beacon = cmcd::read_query(query, &self.fields, &mut self.decoded);
                each(beacon.as_ref().map_err(|bad| (*bad).into()));
            }
            Body::Headers(parts) => {
                let parts = parts.iter().flatten().map(|part| part.trim_ascii());
                let beacon = cmcd::read(Mode::Request, &self.fields, parts.filter(|part| !part.is_empty()));
                each(beacon.as_ref().map_err(|bad| (*bad).into()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
