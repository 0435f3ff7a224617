//! What was read, in a form that can be compared. Of fuzzing alone: a beacon itself has no `Debug`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Amount, Beacon, Field, Fields, Form, Http, Mode, Number, ReadError, Reader, Text};

pub(crate) const TEXTS: [(Text, &str); 23] = [
    (Text::Tenant, "tenant"),
    (Text::Session, "session"),
    (Text::Ip, "ip"),
    (Text::Event, "event"),
    (Text::UserAgent, "user_agent"),
    (Text::Browser, "browser"),
    (Text::BrowserVersion, "browser_version"),
    (Text::Os, "os"),
    (Text::OsVersion, "os_version"),
    (Text::Device, "device"),
    (Text::Firmware, "firmware"),
    (Text::Player, "player"),
    (Text::PlayerVersion, "player_version"),
    (Text::Content, "content"),
    (Text::Stream, "stream"),
    (Text::Format, "format"),
    (Text::Cdn, "cdn"),
    (Text::Connection, "connection"),
    (Text::Country, "country"),
    (Text::Region, "region"),
    (Text::Asn, "asn"),
    (Text::Error, "error"),
    // No JSON beacon has a state.
    (Text::State, ""),
];

pub(crate) const NUMBERS: [(Number, &str); 12] = [
    (Number::Ts, "ts"),
    (Number::Bandwidth, "bandwidth_kbps"),
    (Number::Bitrate, "bitrate_kbps"),
    (Number::Height, "height"),
    (Number::Buffer, "buffer_ms"),
    (Number::Playing, "playing_ms"),
    (Number::Stalled, "stalled_ms"),
    (Number::Stalls, "stalls"),
    (Number::Startup, "startup_ms"),
    (Number::DroppedFrames, "dropped_frames"),
    (Number::Switches, "switches"),
    // CMCD alone has it.
    (Number::Sequence, ""),
];

/// All that a beacon says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) mode: Mode,
    pub(crate) texts: Vec<Option<String>>,
    pub(crate) numbers: Vec<Option<Amount>>,
    pub(crate) fatal: bool,
    pub(crate) opt_out: bool,
    /// The names of the fields whose value could not be used, sorted.
    pub(crate) ignored: Vec<&'static str>,
}

impl Seen {
    pub(crate) fn of(beacon: &Beacon<'_>) -> Self {
        for (number, _) in NUMBERS {
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

/// Our own names.
pub(crate) static FIELDS: LazyLock<Arc<Fields>> =
    LazyLock::new(|| Arc::new(Fields::new(&BTreeMap::new()).unwrap()));

pub(crate) type Outcome = Result<Seen, ReadError>;

/// Every outcome on a record, of which there is at least one.
pub(crate) fn read(reader: &mut Reader, form: Form, record: &[u8]) -> Vec<Outcome> {
    let mut all = Vec::new();
    reader.read(form, record, &mut |_: &Http<'_>, beacon| {
        all.push(beacon.map(Seen::of));
    });
    assert!(!all.is_empty(), "a record without an outcome");
    all
}

/// The same, by a reader that has read nothing before.
pub(crate) fn read_fresh(form: Form, record: &[u8]) -> Vec<Outcome> {
    read(&mut Reader::new(Arc::clone(&FIELDS)), form, record)
}
