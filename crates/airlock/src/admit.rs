//! The way through the airlock.

use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Http, Malformed, Number, Text, read_json};

use crate::identity::identity;
use crate::measures::{bitrate, measures};
use crate::session::is_constant;
use crate::shared::Shared;
use crate::tag::belongs;
use crate::words::Words;
use crate::{Dictionary, Dimension, Millis, Observation, Reason, Rejection, Symbol, catalogue};

/// One record of the beacons' topic (or one line of a file), as it arrived. Has no `Debug`: it is personal data.
pub struct Record<'a> {
    /// The value.
    pub payload: &'a [u8],
    /// The `content-type` header, where there is one.
    pub content_type: Option<&'a [u8]>,
    /// The record's timestamp. `None` for a line of a file: then a beacon's own time (or, for a capture, its
    /// `received_at_ms`) stands for it.
    pub timestamp: Option<Millis>,
}

/// The partition a record was read from, to check that sessions stay whole.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The partition.
    pub partition: u32,
    /// How many there are.
    pub of: u32,
}

/// The longest session id, bytes.
const LONGEST_SESSION: usize = 128;

/// Where addresses end: bytes in, observations or rejections out. One for each partition; the key of the tags is
/// shared by the process.
pub struct Airlock {
    shared: Arc<Shared>,
    gate: Gate,
}

impl Airlock {
    /// The airlock of one partition; without a placement nothing is misplaced.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, placement: Option<Placement>) -> Self {
        Self { shared: Arc::clone(shared), gate: Gate { placement, words: Words::new() } }
    }

    /// Lets a record in: `each` gets one verdict for every beacon in it, in order, with the timestamp that stands for
    /// the record (the record's own, or for lines of files the beacon's).
    pub fn admit(
        &mut self,
        record: &Record<'_>,
        each: &mut impl FnMut(Option<Millis>, Result<Observation, Rejection>),
    ) {
        let Self { shared, gate } = self;
        if record.payload.len() > shared.settings.max_record {
            return each(record.timestamp, Err(Rejection { reason: Reason::TooLarge }));
        }
        let http = Http::default();
        read_json(record.payload, &shared.fields, &mut |beacon| match beacon {
            Ok(beacon) => {
                let time = record.timestamp.or_else(|| beacon.number(Number::Ts).map(Amount::rounded));
                each(time, gate.judge(shared, time, &http, &beacon).map_err(|reason| Rejection { reason }));
            }
            Err(Malformed) => each(record.timestamp, Err(Rejection { reason: Reason::Malformed })),
        });
    }

    /// The words its observations are written in.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        self.gate.words.dictionary()
    }

    /// Forgets all words but those in `held`, here and in every cache.
    pub fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.gate.words.sweep(held);
    }
}

/// What one partition needs to judge a beacon.
struct Gate {
    placement: Option<Placement>,
    words: Words,
}

/// Dimensions that are told by a text of their own.
const TOLD: [(Text, Dimension); 9] = [
    (Text::Country, Dimension::Country),
    (Text::Region, Dimension::Region),
    (Text::Asn, Dimension::Asn),
    (Text::Firmware, Dimension::Firmware),
    (Text::Player, Dimension::Player),
    (Text::PlayerVersion, Dimension::PlayerVersion),
    (Text::Cdn, Dimension::Cdn),
    (Text::Connection, Dimension::Connection),
    (Text::Device, Dimension::Device),
];

impl Gate {
    /// The first reason against a beacon, in the order protocol.md counts them, or what is left of it.
    fn judge(
        &mut self,
        shared: &Shared,
        record_time: Option<Millis>,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
    ) -> Result<Observation, Reason> {
        let settings = &shared.settings;
        let session =
            beacon.text(Text::Session).filter(|session| !is_constant(session)).ok_or(Reason::NoSession)?;
        if session.len() > LONGEST_SESSION {
            return Err(Reason::TooLarge);
        }
        let ts = beacon.number(Number::Ts).map(Amount::rounded).ok_or(Reason::NoTime)?;
        let record_time = record_time.ok_or(Reason::NoTime)?;
        if ts > record_time.saturating_add(settings.max_skew) {
            return Err(Reason::Future);
        }
        let tenant = shared.tenant(beacon.text(Text::Tenant)).ok_or(Reason::UnknownTenant)?;
        if self.placement.is_some_and(|at| !belongs(at, settings.partitioner, session.as_bytes())) {
            return Err(Reason::Misplaced);
        }
        let opt_out = beacon.opt_out || settings.gpc && http.gpc || settings.dnt && http.dnt;
        Ok(Observation {
            tag: shared.key.tag(tenant, session),
            tenant,
            event_time: ts.min(record_time),
            dimensions: self.dimensions(settings.keep_content, beacon),
            measures: measures(beacon),
            identity: identity(beacon, http.endpoint),
            opt_out,
            excluded: shared.is_child_directed(tenant, beacon.text(Text::Content)),
            network_bit: 0,
        })
    }

    fn dimensions(&mut self, keep_content: bool, beacon: &Beacon<'_>) -> [Symbol; Dimension::COUNT] {
        let mut dimensions = [Symbol::NONE; Dimension::COUNT];
        for (field, dimension) in TOLD {
            if let Some(raw) = beacon.text(field) {
                dimensions[dimension as usize] = self.words.symbol(dimension, raw);
            }
        }
        for (field, dimension) in [
            (Text::Os, Dimension::Os),
            (Text::OsVersion, Dimension::OsVersion),
            (Text::Browser, Dimension::Browser),
            (Text::BrowserVersion, Dimension::BrowserVersion),
            (Text::Stream, Dimension::Stream),
            (Text::Format, Dimension::Format),
        ] {
            if let Some(raw) = beacon.text(field) {
                dimensions[dimension as usize] = self.words.symbol(dimension, raw);
            }
        }
        if keep_content && let Some(raw) = beacon.text(Text::Content) {
            dimensions[Dimension::Content as usize] = self.words.symbol(Dimension::Content, raw);
        }
        let height = beacon.number(Number::Height).map(Amount::rounded).filter(|height| *height > 0);
        let class = match height {
            Some(height) => Some(catalogue::quality_of_height(height)),
            None => bitrate(beacon).map(catalogue::quality_of_bitrate),
        };
        if let Some(class) = class {
            dimensions[Dimension::Quality as usize] = self.words.symbol(Dimension::Quality, class);
        }
        dimensions
    }
}

#[cfg(test)]
mod tests;
