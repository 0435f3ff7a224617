//! Notes on rejected beacons.

use crowdfold_model::{Reason, Span, Timestamp};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A note on a rejected beacon: the reason, and the location of the record that contains the beacon. It has no
/// content of the beacon. Apart from [`crate::Rollup`], it is the only published type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionNote {
    reason: Reason,
    topic: Box<str>,
    partition: u32,
    offset: u64,
    time: Timestamp,
}

impl RejectionNote {
    /// Creates a note on a beacon in the record at this location. `time` is the timestamp of the record, which is
    /// rounded down to the minute.
    #[must_use]
    pub fn new(reason: Reason, topic: &str, partition: u32, offset: u64, time: Timestamp) -> Self {
        Self { reason, topic: topic.into(), partition, offset, time: time.floor(Span::MINUTE) }
    }

    /// Returns the reason for which the beacon was rejected.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the value of the record in which the note is published: JSON with the schema `crowdfold.rejection/1`.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let wire = Wire {
            schema: "crowdfold.rejection/1",
            reason: self.reason.name(),
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            time: self.time.as_millis(),
        };
        // This cannot fail, because keys are strings and a `Vec` accepts any bytes.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

/// The published form of a note.
#[derive(Serialize)]
struct Wire<'a> {
    schema: &'static str,
    reason: &'static str,
    topic: &'a str,
    partition: u32,
    offset: u64,
    time: u64,
}
