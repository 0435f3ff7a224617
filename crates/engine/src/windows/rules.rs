//! The rules that combiners and mergers must have in common.

use crowdfold_model::{Breakdowns, Qualities, Span, Timestamp};

/// The rules that combiners and mergers must have in common, so that mergers can add the cells of combiners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The length of a window.
    pub window: Span,
    /// The time for which a window stays open after its end, by the timestamps of records.
    pub lateness: Span,
    /// The time after which a session's assertions expire.
    pub idle: Span,
    /// The breakdowns of every tenant.
    pub breakdowns: Breakdowns,
    /// The thresholds of a good session for every tenant.
    pub qualities: Qualities,
    /// The maximum number of live sessions in one partition. Beacons of further sessions are rejected as `overload`.
    pub max_sessions: usize,
}

impl Rules {
    /// Returns a fingerprint of the rules. Cells can be added only if the fingerprints of their rules are equal. The
    /// fingerprint is a hash of the wire format, the partition counts of both topics, the times, and the breakdowns and
    /// thresholds of all tenants. It is the same in every process and release.
    #[must_use]
    pub fn layout_fingerprint(&self, partitions: u32, partial_partitions: u32) -> u64 {
        let mut text = format!(
            "wire={} n={partitions} m={partial_partitions} w={} l={} h={}",
            crate::wire::VERSION,
            self.window.as_millis(),
            self.lateness.as_millis(),
            self.idle.as_millis()
        );
        self.breakdowns.write_to(&mut text);
        self.qualities.write_to(&mut text);
        // The hash is 64-bit FNV-1a.
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// Returns the first window end at or after a time.
    #[must_use]
    pub const fn ceil(&self, moment: Timestamp) -> Timestamp {
        moment.ceil(self.window)
    }

    /// Returns the last window end at or before a time.
    #[must_use]
    pub const fn floor(&self, moment: Timestamp) -> Timestamp {
        moment.floor(self.window)
    }
}

#[cfg(test)]
mod tests;
