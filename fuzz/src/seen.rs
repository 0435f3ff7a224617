//! The content of a beacon in a form that can be compared. It exists for fuzzing only, because a beacon has no `Debug`.

use crowdfold_model::{Dimension, SumMetric, ValueMetric};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Amount, Beacon, Field, Fields, Form, Http, Mode, Number, ReadError, Reader, Text};

pub(crate) const TEXTS: [(Text, &str); 24] = [
    (Text::Tenant, "tenant"),
    (Text::Session, "session"),
    (Text::Ip, "ip"),
    (Text::Event, "event"),
    (Text::UserAgent, "user_agent"),
    (Text::Of(Dimension::Browser), "browser"),
    (Text::Of(Dimension::BrowserVersion), "browser_version"),
    (Text::Of(Dimension::Os), "os"),
    (Text::Of(Dimension::OsVersion), "os_version"),
    (Text::Of(Dimension::Device), "device"),
    (Text::Of(Dimension::Firmware), "firmware"),
    (Text::Of(Dimension::Player), "player"),
    (Text::Of(Dimension::PlayerVersion), "player_version"),
    (Text::Of(Dimension::AppVersion), "app_version"),
    (Text::Of(Dimension::Content), "content"),
    (Text::Of(Dimension::Stream), "stream"),
    (Text::Of(Dimension::Format), "format"),
    (Text::Of(Dimension::Cdn), "cdn"),
    (Text::Of(Dimension::Connection), "connection"),
    (Text::Of(Dimension::Country), "country"),
    (Text::Of(Dimension::Region), "region"),
    (Text::Of(Dimension::Asn), "asn"),
    (Text::Error, "error"),
    // JSON beacons have no state.
    (Text::State, ""),
];

pub(crate) const NUMBERS: [(Number, &str); 13] = [
    (Number::Ts, "ts"),
    (Number::Value(ValueMetric::BandwidthKbps), "bandwidth_kbps"),
    (Number::Value(ValueMetric::BitrateKbps), "bitrate_kbps"),
    (Number::Value(ValueMetric::LiveLatencyMs), "live_latency_ms"),
    (Number::Height, "height"),
    (Number::Buffer, "buffer_ms"),
    (Number::Sum(SumMetric::PlayingMs), "playing_ms"),
    (Number::Sum(SumMetric::StalledMs), "stalled_ms"),
    (Number::Sum(SumMetric::Stalls), "stalls"),
    (Number::Value(ValueMetric::StartupMs), "startup_ms"),
    (Number::Sum(SumMetric::DroppedFrames), "dropped_frames"),
    (Number::Sum(SumMetric::Switches), "switches"),
    // Only CMCD has a sequence number.
    (Number::Sequence, ""),
];

/// The content of a beacon.
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

/// Returns all outcomes of a record, from a new reader.
pub(crate) fn read_fresh(form: Form, record: &[u8]) -> Vec<Outcome> {
    read(&mut Reader::new(Arc::clone(&FIELDS)), form, record)
}
