//! What combiners and mergers must agree on.

use crowdfold_model::{Breakdowns, Qualities, Span, Timestamp};

/// What combiners and mergers must agree on for their cells to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Length of a window.
    pub window: Span,
    /// How long a window stays open after its end, by the partition's clock.
    pub lateness: Span,
    /// How long what a record said of its session holds (H in the protocol).
    pub idle: Span,
    /// The breakdowns of every tenant.
    pub breakdowns: Breakdowns,
    /// The thresholds of a good session for every tenant.
    pub qualities: Qualities,
    /// Most live sessions of one partition; new ones beyond it are rejected as `overload`.
    pub max_sessions: usize,
}

impl Rules {
    /// A number that changes when cells made under these rules can no longer be added to others: a hash of the wire
    /// format, the partitions of both topics, the times, and the breakdowns and thresholds of all tenants. The same in every process
    /// and release.
    #[must_use]
    pub fn layout_fingerprint(&self, partitions: u32, merge_partitions: u32) -> u64 {
        let mut text = format!(
            "wire={} n={partitions} m={merge_partitions} w={} l={} h={}",
            crate::wire::VERSION,
            self.window.as_millis(),
            self.lateness.as_millis(),
            self.idle.as_millis()
        );
        self.breakdowns.write_to(&mut text);
        self.qualities.write_to(&mut text);
        // FNV-1a, 64 bits
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The first end of a window at or after a moment.
    #[must_use]
    pub const fn ceil(&self, moment: Timestamp) -> Timestamp {
        moment.ceil(self.window)
    }

    /// The last end of a window at or before a moment.
    #[must_use]
    pub const fn floor(&self, moment: Timestamp) -> Timestamp {
        moment.floor(self.window)
    }
}

#[cfg(test)]
mod tests;
