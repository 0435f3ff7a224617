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
