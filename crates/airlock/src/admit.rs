//! The entry point of the airlock.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Form, Number, ReadError, Reader};

use crate::ignored::Ignored;
use crate::shared::Shared;
use crate::validator::Validator;
use crate::{Dictionary, Format, Observation, Rejection, Symbol};
use crowdfold_model::{Reason, Timestamp};

/// One record of the beacon topic or one line of a file. It does not implement `Debug`, because it is personal data.
pub struct Record<'a> {
    /// The value.
    pub payload: &'a [u8],
    /// The `content-type` header, if it is present and needed ([`Airlock::needs_content_type`]).
    pub content_type: Option<&'a [u8]>,
    /// The record's timestamp. It is `None` for a line of a file, whose beacons use their own time (or, in a capture,
    /// `received_at_ms`).
    pub timestamp: Option<Timestamp>,
}

/// The time by which lines of several files are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTime {
    /// The timestamp of the line, or otherwise the time of its beacon. If the line contains several beacons, it
    /// is the smallest time.
    At(Timestamp),
    /// The line contains beacons, but no plausible time.
    Unknown,
    /// The line contains neither a beacon nor a time.
    Unreadable,
}

/// The partition of a record, for the check that each session is in one partition.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The partition.
    pub partition: u32,
    /// The number of partitions.
    pub of: u32,
}

/// The airlock of one partition. It turns bytes into observations or rejections, and drops addresses. The process
/// shares the session hasher.
pub struct Airlock {
    shared: Arc<Shared>,
    reader: Reader,
    validator: Validator,
}

impl Airlock {
    /// Creates the airlock of a partition. Without a placement, no beacon is misplaced.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, placement: Option<Placement>) -> Self {
        Self {
            shared: Arc::clone(shared),
            reader: Reader::new(Arc::clone(&shared.fields))
                .with_log(Arc::clone(&shared.log))
                .with_most(shared.settings.max_beacons),
            validator: Validator::new(shared, placement),
        }
    }

    /// Returns true if the `content-type` of a record is needed. Reading it costs a Kafka client more than the rest of
    /// the record. If the configured form is JSON, a record that begins like JSON does not need it, because such a
    /// record is not valid in any other form.
    #[must_use]
    pub fn needs_content_type(&self, payload: &[u8]) -> bool {
        self.shared.settings.format != Format::Json || !matches!(payload.first(), Some(b'{' | b'['))
    }

    /// Admits a record. `each` receives one outcome for every beacon in order, with the timestamp of the record (or for
    /// a line of a file, the time of the beacon). There is at least one outcome.
    pub fn admit(
        &mut self,
        record: &Record<'_>,
        each: &mut impl FnMut(Option<Timestamp>, Result<Observation, Rejection>),
    ) {
        let Self { shared, reader, validator } = self;
        if record.payload.len() > shared.settings.max_record {
            return each(record.timestamp, Err(Reason::TooLarge.into()));
        }
        validator.update_databases(shared);
        let form = record.content_type.and_then(Form::of).unwrap_or(configured_form(shared));
        reader.read(form, record.payload, &mut |http, beacon| {
            let around = record.timestamp.or(http.received_at);
            match beacon {
                Ok(beacon) => {
                    let time = around.or_else(|| own_time(beacon));
                    each(time, validator.validate(shared, time, http, beacon));
                }
                Err(ReadError::Malformed) => each(around, Err(Reason::Malformed.into())),
                Err(ReadError::TooMany) => each(around, Err(Reason::TooLarge.into())),
            }
        });
    }

    /// Returns the time by which a line of a file is sorted. It is the smallest plausible time that [`Self::admit`]
    /// returns for its beacons.
    #[must_use]
    pub fn line_time(&mut self, line: &[u8], can_be: &RangeInclusive<Timestamp>) -> LineTime {
        let Self { shared, reader, .. } = self;
        if line.len() > shared.settings.max_record {
            return LineTime::Unreadable;
        }
        let mut earliest: Option<Timestamp> = None;
        let mut any = false;
        reader.read(configured_form(shared), line, &mut |http, beacon| {
            let time = http.received_at.or_else(|| own_time(beacon.as_ref().ok()?));
            any |= beacon.is_ok() || time.is_some();
            earliest = earliest.into_iter().chain(time.filter(|time| can_be.contains(time))).min();
        });
        match earliest {
            Some(earliest) => LineTime::At(earliest),
            None if any => LineTime::Unknown,
            None => LineTime::Unreadable,
        }
    }

    /// Returns the number of unusable values by field since the last call, or `None` if there were none.
    pub fn take_ignored(&mut self) -> Option<Ignored> {
        self.validator.take_ignored()
    }

    /// Returns the dictionary of its observations.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        self.validator.dictionary()
    }

    /// Removes all words except those in `held`, also from every cache.
    pub fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.validator.sweep(held);
    }
}

/// Returns the form of records without a `content-type`.
fn configured_form(shared: &Shared) -> Form {
    match shared.settings.format {
        Format::Json => Form::Json,
        Format::Cmcd => Form::Cmcd,
        Format::Capture => Form::Capture,
    }
}

/// Returns the time in a beacon.
fn own_time(beacon: &Beacon<'_>) -> Option<Timestamp> {
    beacon.number(Number::Ts).map(Amount::timestamp)
}

#[cfg(test)]
mod tests;
