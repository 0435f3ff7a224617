//! Functions that pack requests into records as the collector does, and read such records.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crowdfold_beacon::{Beacon, Body, CONTENT_TYPE, Http, Mode, Packer, Parsed, Reader};
use crowdfold_beacon::{Field, Fields, Form, ReadError};
use serde_json::{Map, Value};

/// Returns a reader of beacons whose fields have their usual names.
#[must_use]
pub fn reader() -> Reader {
    let Ok(fields) = Fields::new(&BTreeMap::new()) else { unreachable!("the usual names are valid") };
    Reader::new(Arc::new(fields))
}

/// The size at which the collector sends a record, in bytes (`collect.batch_bytes`).
pub const FULL: usize = 64 << 10;

/// The user agents of [`browser`].
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 \
     Mobile/15E148 Safari/604.1",
    "Roku/DVP-14.5 (14.5.0.4215-88)",
];

/// Returns the context of a request with this number. The addresses, user agents and client hints are invented.
#[must_use]
pub fn browser(number: usize) -> Http<'static> {
    Http {
        address: Some(format!("203.0.113.{}", number * 7 % 256).into()),
        user_agent: Some(AGENTS[number * 13 % 7 % AGENTS.len()].into()),
        mobile: Some("?0".into()),
        platform: Some("\"Windows\"".into()),
        endpoint: 7,
        ..Http::default()
    }
}

/// Packs all beacons of a request. Returns false if none of them can be read, or if the request is too long.
pub fn pack(packer: &mut Packer, reader: &mut Reader, http: &Http<'_>, body: &Body<'_>) -> bool {
    let mut parsed = Parsed::default();
    parsed.add_all(reader, http, body);
    packer.push(http, &parsed, 0..parsed.len())
}

/// Reads a packed record. Passes every beacon with its HTTP context to `each`.
pub fn unpack(record: &[u8], each: &mut impl FnMut(&Http<'_>, Result<&Beacon<'_>, ReadError>)) {
    reader().read(Form::Envelope, record, each);
}

/// Returns the values of a beacon as a JSON beacon with the usual names of the fields.
#[must_use]
pub fn json_of(beacon: &Beacon<'_>) -> Value {
    let mut members = Map::new();
    for field in Field::all() {
        let value = match field {
            Field::Text(text) => beacon.text(text).map(Value::from),
            Field::Number(number) => beacon.number(number).map(|amount| amount.rounded().into()),
            Field::Fatal => beacon.fatal.then_some(true.into()),
            Field::OptOut => beacon.opt_out.then_some(true.into()),
        };
        members.extend(value.map(|value| (field.name().to_owned(), value)));
    }
    Value::Object(members)
}
