//! Records into beacons, whatever form they have.

use std::sync::Arc;

use crate::capture::{Capture, read_capture};
use crate::json::{Quick, read_json};
use crate::{Beacon, Body, CONTENT_TYPE, Fields, Http, LogFields, Malformed, Mode, cmcd, envelope, split};

/// The form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON object, an array of them, or NDJSON.
    Json,
    /// CMCD event-mode lines, or the query of a request.
    Cmcd,
    /// Captures of HTTP requests or lines of a CDN's log, one JSON object each.
    Capture,
    /// Packed requests of our own collector.
    Envelope,
}

impl Form {
    /// The form that a content type stands for: `application/json`, `application/x-ndjson` and `text/plain` (what
    /// `sendBeacon` sends) are JSON, `application/cmcd` and `text/cmcd` are CMCD (CTA-5004-B and -A), and
    /// [`CONTENT_TYPE`] is packed requests.
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

/// Reads records. Keeps its room from one to the next, so that reading does not allocate, and remembers the order of
/// keys, so that it need not look at them again.
pub struct Reader {
    fields: Arc<Fields>,
    log: Arc<LogFields>,
    quick: Quick,
    decoded: Vec<u8>,
    captures: Vec<usize>,
    beacons: Vec<usize>,
}

impl Reader {
    /// For producers that keep our fields so.
    #[must_use]
    pub fn new(fields: Arc<Fields>) -> Self {
        Self {
            fields,
            log: Arc::default(),
            quick: Quick::default(),
            decoded: Vec::new(),
            captures: Vec::new(),
            beacons: Vec::new(),
        }
    }

    /// For captured requests that keep what is looked at so.
    #[must_use]
    pub fn with_log(self, log: Arc<LogFields>) -> Self {
        Self { log, ..self }
    }

    /// Reads a record: `each` gets every beacon in order with its HTTP context, and [`Malformed`] for each that is none.
    /// What cannot be split into beacons counts as one, as does an empty record, so there is at least one verdict.
    pub fn read(
        &mut self,
        form: Form,
        record: &[u8],
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, Malformed>),
    ) {
        let http = Http::default();
        match form {
            Form::Json => self.body(&http, &Body::Json(record), each),
            Form::Cmcd => self.cmcd(record, &http, each),
            Form::Capture => {
                let mut captures = std::mem::take(&mut self.captures);
                let log = Arc::clone(&self.log);
                let read = |value| read_capture(value, &log);
                split::values(record, &mut captures, &mut |value| match value.map(read) {
                    Some(Ok(capture)) => {
                        self.capture(&capture, each);
                        true
                    }
                    Some(Err(Malformed)) => false,
                    None => {
                        each(&http, Err(Malformed));
                        false
                    }
                });
                self.captures = captures;
            }
            Form::Envelope => envelope::unpack(record, &mut |request| match request {
                Ok((http, body)) => self.body(&http, &body, each),
                Err(Malformed) => each(&http, Err(Malformed)),
            }),
        }
    }

    /// A query where it starts like one, which no dictionary of CMCD does; else event-mode lines.
    fn cmcd(
        &mut self,
        record: &[u8],
        http: &Http<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, Malformed>),
    ) {
        let record = record.trim_ascii();
        let query =
            if record.starts_with(b"?") || record.starts_with(b"CMCD=") { cmcd::find(record) } else { None };
        match query {
            Some(query) => self.body(http, &Body::Query(query), each),
            None => self.body(http, &Body::Events(record), each),
        }
    }

    /// A body says more than headers, headers more than the query, and what a log kept of it one by one least.
    fn capture(
        &mut self,
        capture: &Capture<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, Malformed>),
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
            _ if capture.cmcd.iter().any(Option::is_some) => {
                Body::Headers(capture.cmcd.each_ref().map(|part| part.as_deref().map(str::as_bytes)))
            }
            _ => match capture.dictionary() {
                Some(query) => Body::Query(query),
                None if !capture.members.is_empty() => {
                    Body::Headers([Some(capture.members.as_bytes()), None, None, None])
                }
                None => return each(http, Err(Malformed)),
            },
        };
        self.body(http, &body, each);
    }

    fn body(
        &mut self,
        http: &Http<'_>,
        body: &Body<'_>,
        each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, Malformed>),
    ) {
        self.survey(body, &mut |read| each(http, read.map(|(beacon, _)| beacon)));
    }

    /// Reads the body of a request: `each` gets every beacon in order with the bytes it was read from, and [`Malformed`]
    /// for each that is none; there is at least one verdict. Of a query, the bytes are its raw value; headers are no
    /// bytes of one piece, so there are none.
    pub fn survey<'a>(
        &mut self,
        body: &Body<'a>,
        each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), Malformed>),
    ) {
        match *body {
            Body::Json(body) => {
                read_json(body, &self.fields, &mut self.quick, &mut self.beacons, each);
            }
            Body::Events(body) => cmcd::read_events(body, each),
            Body::Query(query) => {
                let beacon = cmcd::read_query(query, &mut self.decoded);
                each(beacon.as_ref().map(|beacon| (beacon, query)).map_err(|bad| *bad));
            }
            Body::Headers(parts) => {
                let parts = parts.iter().flatten().map(|part| part.trim_ascii());
                let beacon = cmcd::read(Mode::Request, parts.filter(|part| !part.is_empty()));
                each(beacon.as_ref().map(|beacon| (beacon, &[][..])).map_err(|bad| *bad));
            }
        }
    }

    /// Writes the JSON beacon by which a session asks not to be counted any more, and nothing else of what it said:
    /// session, tenant and time (ms since the epoch), each where this reader looks for it.
    pub fn write_withdrawal(&self, session: &str, tenant: Option<&str>, ts: u64, into: &mut Vec<u8>) {
        self.fields.write_withdrawal(session, tenant, ts, into);
    }
}

#[cfg(test)]
mod tests;
