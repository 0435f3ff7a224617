//! The records that players send.

use std::sync::Arc;

use crowdfold_model::{SumMetric, ValueMetric};

use crate::profile::Profile;

/// One record of the beacons topic, or one line of a file. It does not implement `Debug`, like real beacons.
pub struct Report {
    /// The time of sending, ms since the epoch, never earlier than that of the previous report. For a beacon that is
    /// neither late nor repeated it equals the beacon's `ts`.
    pub sent_ms: u64,
    /// The beacon: one JSON object, except for garbage. Never contains a line feed.
    pub payload: Vec<u8>,
    /// The expected outcome.
    pub outcome: Outcome,
    pub(crate) who: Option<Arc<Profile>>,
    pub(crate) deed: Deed,
}

impl Report {
    /// Returns the session, which is the record's key; `None` if the record contains none.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.who.as_ref().map(|profile| profile.session.as_str())
    }
}

/// The expected outcome of a record, named as in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The beacon is added to its session summary.
    Placed,
    /// The beacon repeats one sent shortly before.
    Duplicate,
    /// The window of the beacon is closed.
    Late,
    /// The session of the beacon opted out.
    OptedOut,
    /// The record is not a beacon.
    Malformed,
    /// The beacon contains no session id.
    NoSession,
    /// It contains no time.
    NoTime,
}

/// The kinds of events.
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

/// The activity of a player since its previous beacon, to the millisecond.
#[derive(Clone)]
pub(crate) struct Deed {
    pub(crate) ts: u64,
    pub(crate) event: Event,
    pub(crate) cdn: &'static str,
    /// Amounts since the previous beacon, in the order of [`SumMetric::ALL`].
    pub(crate) sums: [u32; SumMetric::COUNT],
    /// In the order of [`ValueMetric::ALL`].
    pub(crate) values: [Option<u32>; ValueMetric::COUNT],
    /// The rendition on the screen; only playing sessions have one.
    pub(crate) picture: Option<Picture>,
    pub(crate) error: Option<&'static str>,
    pub(crate) fatal: bool,
}

/// The height of a rendition, and its class.
#[derive(Clone, Copy)]
pub(crate) struct Picture {
    pub(crate) height: u32,
    pub(crate) quality: &'static str,
}

impl Deed {
    /// Creates a deed that is only an event.
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
