//! Notes of rejected beacons.

use crowdfold_model::{Reason, Span, Timestamp};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// The reason of a rejection and the location of the record, without any of its content. Apart from [`crate::Rollup`],
/// this is the only published type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionNote {
    reason: Reason,
    topic: Box<str>,
    partition: u32,
    offset: u64,
    time: Timestamp,
}

impl RejectionNote {
    /// Creates a note of a beacon in the record at this location. `time` is the record's timestamp, of which only the
    /// minute is kept.
    #[must_use]
    pub fn new(reason: Reason, topic: &str, partition: u32, offset: u64, time: Timestamp) -> Self {
        Self { reason, topic: topic.into(), partition, offset, time: time.floor(Span::MINUTE) }
    }

    /// Returns the reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the value of its record: one line of JSON, `crowdfold.rejection/1`.
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

#[derive(Serialize)]
struct Wire<'a> {
    schema: &'static str,
    reason: &'static str,
    topic: &'a str,
    partition: u32,
    offset: u64,
    time: u64,
}
