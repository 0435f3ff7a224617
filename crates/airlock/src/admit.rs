//! The way through the airlock.

use std::sync::Arc;

use crate::{Dictionary, Millis, Observation, Rejection, Settings, Symbol};

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

/// Where addresses end: bytes in, observations or rejections out. One for each partition; the key of the tags is
/// shared by the process.
pub struct Airlock {
    settings: Arc<Settings>,
    dictionary: Dictionary,
}

impl Airlock {
    /// Lets a record in: `each` gets one verdict for every beacon in it, in order, with the timestamp that stands for
    /// the record (the record's own, or for lines of files the beacon's).
    pub fn admit(
        &mut self,
        record: &Record<'_>,
        each: &mut impl FnMut(Option<Millis>, Result<Observation, Rejection>),
    ) {
        let _ = (record, each, &self.settings);
    }

    /// The words its observations are written in.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Forgets all words but those in `held`, here and in every cache.
    pub fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.dictionary.sweep(held);
    }
}
