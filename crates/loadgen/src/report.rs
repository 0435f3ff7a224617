//! The records that players send.

use std::sync::Arc;

use crowdfold_model::{SumMetric, ValueMetric};

use crate::profile::Profile;

/// One record of the beacons topic, or one line of a file. Like real beacons, it does not implement `Debug`.
pub struct Report {
    /// The time of sending, in milliseconds since the epoch. It is never earlier than the time of sending of the
    /// previous report. For a beacon that is neither delayed nor repeated, it equals the beacon's `ts`.
    pub sent_ms: u64,
    /// The beacon as one JSON object, or garbage. It never contains a line feed.
    pub payload: Vec<u8>,
    /// The outcome that the worker must count for this record.
    pub outcome: Outcome,
    pub(crate) profile: Option<Arc<Profile>>,
    pub(crate) activity: Activity,
}

impl Report {
    /// Returns the session id, which is the key of the record. Returns `None` for a record without a session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.session.as_str())
    }
}

/// The outcome of a record, named as in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The beacon is added to its session summary.
    Placed,
    /// The beacon repeats a beacon that was sent shortly before.
    Duplicate,
    /// The window of the beacon is already closed.
    Late,
    /// The session of the beacon opted out.
    OptedOut,
    /// The record is not a beacon.
    Malformed,
    /// The beacon contains no session id.
    NoSession,
    /// The beacon contains no time.
    NoTime,
}

/// The events that beacons report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Attempt,
    Play,
    Heartbeat,
    Error,
    End,
}

impl Event {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Play => "play",
            Self::Heartbeat => "heartbeat",
            Self::Error => "error",
            Self::End => "end",
        }
    }
}

/// The activity of a session since its previous beacon, with a precision of a millisecond.
#[derive(Clone)]
pub(crate) struct Activity {
    pub(crate) ts: u64,
    pub(crate) event: Event,
    pub(crate) cdn: &'static str,
    /// The amounts since the previous beacon, in the order of [`SumMetric::ALL`].
    pub(crate) sums: [u32; SumMetric::COUNT],
    /// The reported values, in the order of [`ValueMetric::ALL`]. `None` for a metric that is not reported.
    pub(crate) values: [Option<u32>; ValueMetric::COUNT],
    /// The rendition that is being played, or `None` if the session does not play.
    pub(crate) picture: Option<Picture>,
    pub(crate) error: Option<&'static str>,
    pub(crate) fatal: bool,
}

/// A rendition: its height in pixels, and its value of the dimension `quality`.
#[derive(Clone, Copy)]
pub(crate) struct Picture {
    pub(crate) height: u32,
    pub(crate) quality: &'static str,
}

impl Activity {
    /// Creates an activity that consists only of an event.
    pub(crate) const fn plain(ts: u64, event: Event, cdn: &'static str) -> Self {
        Self {
            ts,
            event,
            cdn,
            sums: [0; SumMetric::COUNT],
            values: [None; ValueMetric::COUNT],
            picture: None,
            error: None,
            fatal: false,
        }
    }

    pub(crate) const fn sum(&self, metric: SumMetric) -> u32 {
        self.sums[metric as usize]
    }

    pub(crate) const fn add(&mut self, metric: SumMetric, amount: u32) {
        self.sums[metric as usize] += amount;
    }

    pub(crate) const fn set(&mut self, metric: ValueMetric, value: u32) {
        self.values[metric as usize] = Some(value);
    }
}
