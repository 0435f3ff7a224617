//! What is written of a rejected beacon.

use crowdfold_model::{Millis, Reason};
use serde::Serialize;

#[cfg(test)]
mod tests;

const MINUTE: Millis = 60_000;

/// Why a beacon was not let through and where its record lies, nothing of its content. With [`crate::Rollup`] the only
/// thing that is serialised to leave the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectionNote {
    reason: Reason,
    topic: Box<str>,
    partition: u32,
    offset: u64,
    time: Millis,
}

impl RejectionNote {
    /// A note on a beacon of the record at that place; `time` is its record's timestamp (ms since the epoch), of which
    /// only the minute is kept.
    #[must_use]
    pub fn new(reason: Reason, topic: &str, partition: u32, offset: u64, time: Millis) -> Self {
        Self { reason, topic: topic.into(), partition, offset, time: time - time % MINUTE }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The value of its record: one line of JSON, `crowdfold.rejection/1`.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let wire = Wire {
            schema: "crowdfold.rejection/1",
            reason: self.reason.name(),
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            time: self.time,
        };
        // Cannot fail: keys are strings, and a Vec takes everything.
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
    time: Millis,
}
