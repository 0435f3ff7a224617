//! The way through the airlock.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Form, Number, ReadError, Reader};

use crate::ignored::Ignored;
use crate::shared::Shared;
use crate::validator::Validator;
use crate::{Dictionary, Format, Observation, Rejection, Symbol};
use crowdfold_model::{Millis, Reason};

/// One record of the beacons' topic (or one line of a file), as it arrived. Has no `Debug`: it is personal data.
pub struct Record<'a> {
    /// The value.
    pub payload: &'a [u8],
    /// The `content-type` header, where there is one, and it is asked for ([`Airlock::asks_content_type`]).
    pub content_type: Option<&'a [u8]>,
    /// The record's timestamp. `None` for a line of a file: then a beacon's own time (or, for a capture, its
    /// `received_at_ms`) stands for it.
    pub timestamp: Option<Millis>,
}

/// The time by which a line of a file is sorted among the lines of all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTime {
    /// The line's record timestamp, or the time of its beacon where it has none, ms. The smallest one if the line contains
    /// several beacons.
    At(Millis),
    /// The line contains beacons, but no time that can be true.
    Unknown,
    /// The line contains neither a beacon nor a time.
    Unreadable,
}

/// The partition a record was read from, to check that sessions stay whole.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The partition.
    pub partition: u32,
    /// The number of variants.
    pub of: u32,
}

/// Where addresses end: bytes in, observations or rejections out. One for each partition; the session hasher is
/// shared by the process.
pub struct Airlock {
    shared: Arc<Shared>,
    reader: Reader,
    validator: Validator,
}

impl Airlock {
    /// The airlock of one partition; without a placement nothing is misplaced.
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

    /// Whether a record's `content-type` is to be looked at, which costs a Kafka client more than the rest of the record.
    /// Where JSON is the form, what begins like JSON is JSON: of no other form would it be well formed.
    #[must_use]
    pub fn asks_content_type(&self, payload: &[u8]) -> bool {
        self.shared.settings.format != Format::Json || !matches!(payload.first(), Some(b'{' | b'['))
    }

    /// Lets a record in: `each` gets one outcome for every beacon in it, in order, with the timestamp that stands for
    /// the record (the record's own, or for lines of files the beacon's). There is at least one outcome.
    pub fn admit(
        &mut self,
        record: &Record<'_>,
        each: &mut impl FnMut(Option<Millis>, Result<Observation, Rejection>),
    ) {
        let Self { shared, reader, validator } = self;
        if record.payload.len() > shared.settings.max_record {
            return each(record.timestamp, Err(Reason::TooLarge.into()));
        }
        validator.freshen(shared);
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

    /// Returns the time by which a line of a file is sorted: the smallest of those that [`Self::admit`] gives its beacons,
    /// among the times that can be true.
    #[must_use]
    pub fn line_time(&mut self, line: &[u8], can_be: &RangeInclusive<Millis>) -> LineTime {
        let Self { shared, reader, .. } = self;
        if line.len() > shared.settings.max_record {
            return LineTime::Unreadable;
        }
        let mut earliest: Option<Millis> = None;
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

    /// Returns how often each field had a value that could not be used, since it was last asked; `None` if never.
    pub fn take_ignored(&mut self) -> Option<Ignored> {
        self.validator.take_ignored()
    }

    /// The words its observations are written in.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        self.validator.dictionary()
    }

    /// Forgets all words but those in `held`, here and in every cache.
    pub fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.validator.sweep(held);
    }
}

/// The form of records without a `content-type`.
fn configured_form(shared: &Shared) -> Form {
    match shared.settings.format {
        Format::Json => Form::Json,
        Format::Cmcd => Form::Cmcd,
        Format::Capture => Form::Capture,
    }
}

/// The time that a beacon reports itself.
fn own_time(beacon: &Beacon<'_>) -> Option<Millis> {
    beacon.number(Number::Ts).map(Amount::rounded)
}

#[cfg(test)]
mod tests;
