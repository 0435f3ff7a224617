//! The entry point of the airlock.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Form, Number, ReadError, Reader, Text};

use crate::ignored::Ignored;
use crate::shared::Shared;
use crate::validator::Validator;
use crate::{Dictionary, Durations, Format, Observation, Rejection, SentFields, Symbol};
use crowdfold_model::{Partitioner, Reason, Timestamp};

/// One record of the topic of beacons, or one line of a file. It is personal data, so it does not implement `Debug`.
pub struct Record<'a> {
    /// The value of the record.
    pub payload: &'a [u8],
    /// The value of the header `content-type`. The value is `None` if the record has no such header, or if the header
    /// is not needed ([`Airlock::needs_content_type`]).
    pub content_type: Option<&'a [u8]>,
    /// The timestamp of the record, or `None` for a line of a file. The beacons of such a line use their own time, or
    /// `received_at_ms` if the line is a captured request.
    pub timestamp: Option<Timestamp>,
}

/// The time of a line. The lines of several files are sorted by this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTime {
    /// The line has this time. It is the time of receipt of the request in the line. If the line contains no time of
    /// receipt, it is the earliest time of a beacon in the line.
    At(Timestamp),
    /// The line contains beacons, but none of them has a plausible time.
    Unknown,
    /// The line contains neither a beacon nor a time.
    Unreadable,
}

/// The partition of a record. It is used to verify that the session of each beacon belongs to this partition.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The partition from which the record was read.
    pub partition: u32,
    /// The number of partitions of the topic.
    pub of: u32,
}

/// A share of the sessions in files. Every beacon of a session belongs to the same share.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The number of the share.
    pub nth: u32,
    /// The number of shares, at most 64.
    pub of: u32,
}

impl Share {
    /// Returns the share of a beacon. If the beacon has no session, the length of its line determines the share.
    fn of(beacon: Option<&Beacon<'_>>, line: &[u8], of: u32) -> u32 {
        match beacon.and_then(|beacon| beacon.text(Text::Session)) {
            _ if of <= 1 => 0,
            Some(session) => Partitioner::Crc32.partition_of(session.as_bytes(), of),
            None => (line.len() % of as usize) as u32,
        }
    }
}

/// The airlock of one partition. It turns records into observations and rejections, and drops IP addresses. All
/// airlocks of a process use the same session hasher.
pub struct Airlock {
    shared: Arc<Shared>,
    reader: Reader,
    validator: Validator,
    share: Option<Share>,
    /// The durations in the lines that were passed to [`Self::line_time`].
    durations: Durations,
}

impl Airlock {
    /// Creates the airlock of a partition. If `placement` is `None`, no beacon is rejected as misplaced.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, placement: Option<Placement>) -> Self {
        Self {
            shared: Arc::clone(shared),
            reader: Reader::new(Arc::clone(&shared.fields))
                .with_log(Arc::clone(&shared.log))
                .with_most(shared.settings.max_beacons),
            validator: Validator::new(shared, placement),
            share: None,
            durations: Durations::new(&shared.settings),
        }
    }

    /// Creates an airlock for a share of the sessions in files. It ignores the beacons of other shares, and passes no
    /// outcome for them.
    #[must_use]
    pub fn of_share(shared: &Arc<Shared>, share: Share) -> Self {
        Self { share: Some(share), ..Self::new(shared, None) }
    }

    /// Returns true if [`Record::content_type`] affects the result. For a Kafka client, reading a header costs more
    /// than reading the rest of a record. If the configured format is JSON and a record begins like JSON, the header is
    /// not needed, because the record is not valid in any other form.
    #[must_use]
    pub fn needs_content_type(&self, payload: &[u8]) -> bool {
        self.shared.settings.format != Format::Json || !matches!(payload.first(), Some(b'{' | b'['))
    }

    /// Admits a record. Passes one outcome for every beacon to `each`, in order. Each outcome has the timestamp of the
    /// record or, for a line of a file, the time of the beacon. `each` is called at least once, unless all beacons belong to
    /// other shares.
    pub fn admit(
        &mut self,
        record: &Record<'_>,
        each: &mut impl FnMut(Option<Timestamp>, Result<Observation, Rejection>),
    ) {
        let Self { shared, reader, validator, share, .. } = self;
        let is_other = |beacon: Option<&Beacon<'_>>| {
            share.is_some_and(|share| Share::of(beacon, record.payload, share.of) != share.nth)
        };
        if record.payload.len() > shared.settings.max_record {
            if !is_other(None) {
                each(record.timestamp, Err(Reason::TooLarge.into()));
            }
            return;
        }
        validator.update_databases(shared);
        let form = record.content_type.and_then(Form::of).unwrap_or(configured_form(shared));
        if form == Form::Envelope {
            validator.begin_packed();
        }
        reader.read(form, record.payload, &mut |http, beacon| {
            let around = record.timestamp.or(http.received_at);
            match beacon {
                beacon if is_other(beacon.ok()) => {}
                Ok(beacon) => {
                    let time = around.or_else(|| own_time(beacon));
                    each(time, validator.validate(shared, time, http, beacon));
                }
                Err(ReadError::Malformed) => each(around, Err(Reason::Malformed.into())),
                Err(ReadError::TooMany) => each(around, Err(Reason::TooLarge.into())),
            }
        });
    }

    /// Returns the time by which a line of a file is sorted. This is the earliest of the times that [`Self::admit`]
    /// returns for its beacons. A time outside `can_be` is not plausible and is ignored. Also returns the shares to
    /// which the beacons belong. Each share has one bit.
    #[must_use]
    pub fn line_time(&mut self, line: &[u8], can_be: &RangeInclusive<Timestamp>) -> (LineTime, u64) {
        let Self { shared, reader, share, durations, .. } = self;
        let of = share.map_or(1, |share| share.of);
        if line.len() > shared.settings.max_record {
            return (LineTime::Unreadable, 1 << Share::of(None, line, of));
        }
        let mut shares = 0;
        let mut earliest: Option<Timestamp> = None;
        let mut any = false;
        reader.read(configured_form(shared), line, &mut |http, beacon| {
            shares |= 1 << Share::of(beacon.as_ref().ok().copied(), line, of);
            let time = http.received_at.or_else(|| own_time(beacon.as_ref().ok()?));
            any |= beacon.is_ok() || time.is_some();
            if let Ok(beacon) = beacon {
                durations.add_beacon(beacon);
            }
            earliest = earliest.into_iter().chain(time.filter(|time| can_be.contains(time))).min();
        });
        let time = match earliest {
            Some(earliest) => LineTime::At(earliest),
            None if any => LineTime::Unknown,
            None => LineTime::Unreadable,
        };
        (time, shares)
    }

    /// Returns the number of unusable values since the last call, by field. Returns `None` if there were none.
    pub fn take_ignored(&mut self) -> Option<Ignored> {
        self.validator.take_ignored()
    }

    /// Returns the fields of all JSON beacons that were admitted or rejected.
    #[must_use]
    pub const fn sent_fields(&self) -> &SentFields {
        self.validator.sent_fields()
    }

    /// Returns the mapped durations in the lines that were passed to [`Self::line_time`].
    #[must_use]
    pub const fn durations(&self) -> &Durations {
        &self.durations
    }

    /// Returns the dictionary with the words of this airlock's observations.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        self.validator.dictionary()
    }

    /// Removes all words whose symbols are not in `held`, and clears every cache of symbols. `held` must contain the
    /// symbols of all observations that are still in use.
    pub fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.validator.sweep(held);
    }
}

/// Returns the form of records without the header `content-type`.
fn configured_form(shared: &Shared) -> Form {
    match shared.settings.format {
        Format::Json => Form::Json,
        Format::Cmcd => Form::Cmcd,
        Format::Capture => Form::Capture,
    }
}

/// Returns the time that a beacon contains.
fn own_time(beacon: &Beacon<'_>) -> Option<Timestamp> {
    beacon.number(Number::Ts).map(Amount::timestamp)
}

#[cfg(test)]
mod tests;
