//! The content of a beacon in a form that can be compared and printed. The type `Beacon` itself does not implement
//! `Debug`, so that no program can print beacons.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Amount, Beacon, Field, Fields, Form, Http, Mode, Number, ReadError, Reader, Text};

/// All string fields of a beacon, with their names in JSON beacons. If only CMCD has the field, the name is empty.
pub(crate) static TEXTS: LazyLock<Vec<(Text, &str)>> = LazyLock::new(|| {
    let text = |field| match field {
        Field::Text(Text::State) => Some((Text::State, "")),
        Field::Text(text) => Some((text, field.name())),
        _ => None,
    };
    Field::all().filter_map(text).collect()
});

/// All number fields of a beacon, with their names in JSON beacons. If only CMCD has the field, the name is empty.
pub(crate) static NUMBERS: LazyLock<Vec<(Number, &str)>> = LazyLock::new(|| {
    let number = |field| match field {
        Field::Number(Number::Sequence) => Some((Number::Sequence, "")),
        Field::Number(number) => Some((number, field.name())),
        _ => None,
    };
    Field::all().filter_map(number).collect()
});

/// The content of a beacon.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) mode: Mode,
    pub(crate) texts: Vec<Option<String>>,
    pub(crate) numbers: Vec<Option<Amount>>,
    pub(crate) fatal: bool,
    pub(crate) opt_out: bool,
    /// The sorted names of the fields whose values could not be used.
    pub(crate) ignored: Vec<&'static str>,
}

impl Seen {
    pub(crate) fn of(beacon: &Beacon<'_>) -> Self {
        for (number, _) in NUMBERS.iter().copied() {
            let amount = beacon.number(number).map_or(0, Amount::rounded);
            assert!(amount <= number.limit(), "{number:?} is beyond its limit");
        }
        Self {
            mode: beacon.mode,
            texts: TEXTS.iter().map(|(text, _)| beacon.text(*text).map(str::to_owned)).collect(),
            numbers: NUMBERS.iter().map(|(number, _)| beacon.number(*number)).collect(),
            fatal: beacon.fatal,
            opt_out: beacon.opt_out,
            ignored: {
                let mut names: Vec<_> = beacon.ignored().map(Field::name).collect();
                names.sort_unstable();
                names
            },
        }
    }
}

/// The default field names.
pub(crate) static FIELDS: LazyLock<Arc<Fields>> =
    LazyLock::new(|| Arc::new(Fields::new(&BTreeMap::new()).unwrap()));

pub(crate) type Outcome = Result<Seen, ReadError>;

/// Returns all outcomes of a record. There is at least one.
pub(crate) fn read(reader: &mut Reader, form: Form, record: &[u8]) -> Vec<Outcome> {
    let mut all = Vec::new();
    reader.read(form, record, &mut |_: &Http<'_>, beacon| {
        all.push(beacon.map(Seen::of));
    });
    assert!(!all.is_empty(), "a record without an outcome");
    all
}

/// Returns all outcomes of a record from a new reader.
pub(crate) fn read_fresh(form: Form, record: &[u8]) -> Vec<Outcome> {
    read(&mut Reader::new(Arc::clone(&FIELDS)), form, record)
}
