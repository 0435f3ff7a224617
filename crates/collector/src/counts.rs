//! The counters of the collector: requests by status, beacons by outcome, and connections by the reason for which
//! they ended early.

use std::array;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crowdfold_airlock::Ignored;
use crowdfold_beacon::Field;
use crowdfold_model::Reason;

/// The statuses of responses. If the head of a request is too long or cannot be read, the HTTP library (hyper) responds
/// itself. Such a request is counted as a connection that ended early.
const STATUSES: [u16; 11] = [204, 400, 404, 405, 408, 410, 413, 415, 429, 500, 503];

/// The outcome of a beacon at the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The beacon was accepted, and the request was answered with 204.
    Accepted,
    /// The session of the beacon opted out in the same request. The beacon is not written to Kafka; only the opt-out
    /// is.
    OptedOut,
    /// Kafka did not acknowledge the beacon in time. The player received an error and may send it again.
    Unwritten,
    /// The beacon was rejected.
    Rejected(Reason),
}

/// The reasons for which the collector rejects beacons. The worker rejects beacons for all other reasons.
const REASONS: [Reason; 4] = [Reason::Malformed, Reason::NoSession, Reason::TooLarge, Reason::UnknownTenant];

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::OptedOut,
        Self::Unwritten,
        Self::Rejected(REASONS[0]),
        Self::Rejected(REASONS[1]),
        Self::Rejected(REASONS[2]),
        Self::Rejected(REASONS[3]),
    ];

    /// Returns the name of the outcome in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::OptedOut => "opted_out",
            Self::Unwritten => "unwritten",
            Self::Rejected(reason) => reason.name(),
        }
    }
}

/// The reason why a connection ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ended {
    /// The connection limit was reached.
    Refused,
    /// The TLS handshake or the header of the PROXY protocol failed.
    Handshake,
    /// The connection was slow or idle.
    Slow,
    /// The data was not HTTP, or the head of a request exceeded its limits.
    Unreadable,
    /// The connection broke for another reason.
    Broken,
}

/// The reasons with their names in metrics, in the order of the enumeration.
const ENDED: [(Ended, &str); 5] = [
    (Ended::Refused, "refused"),
    (Ended::Handshake, "handshake"),
    (Ended::Slow, "slow"),
    (Ended::Unreadable, "unreadable"),
    (Ended::Broken, "broken"),
];

/// All counters. They are exact. None of them decreases, except the number of open connections.
pub(crate) struct Counts {
    requests: [AtomicU64; STATUSES.len()],
    beacons: [AtomicU64; Outcome::ALL.len()],
    ended: [AtomicU64; ENDED.len()],
    /// The number of ignored values of each field, indexed by [`Field::index`].
    ignored: [AtomicU64; Field::COUNT],
    spoofed: AtomicU64,
    pub(crate) connections: AtomicUsize,
}

impl Default for Counts {
    fn default() -> Self {
        let zero = |_| AtomicU64::new(0);
        Self {
            requests: array::from_fn(zero),
            beacons: array::from_fn(zero),
            ended: array::from_fn(zero),
            ignored: array::from_fn(zero),
            spoofed: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
        }
    }
}

impl Counts {
    pub(crate) fn request(&self, status: u16) {
        if let Some(at) = STATUSES.iter().position(|known| *known == status) {
            self.requests[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn beacons(&self, outcome: Outcome, number: u64) {
        if number > 0
            && let Some(at) = Outcome::ALL.iter().position(|known| *known == outcome)
        {
            self.beacons[at].fetch_add(number, Ordering::Relaxed);
        }
    }

    pub(crate) fn ended(&self, ended: Ended) {
        self.ended[ended as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the numbers of ignored values in a request.
    pub(crate) fn ignored(&self, ignored: &Ignored) {
        for (total, count) in self.ignored.iter().zip(ignored.counts()).filter(|(_, count)| **count > 0) {
            total.fetch_add(*count, Ordering::Relaxed);
        }
    }

    pub(crate) fn spoofed(&self) {
        self.spoofed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            requests: STATUSES
                .iter()
                .zip(&self.requests)
                .map(|(status, count)| (*status, of(count)))
                .collect(),
            beacons: Outcome::ALL
                .iter()
                .zip(&self.beacons)
                .map(|(outcome, count)| (*outcome, of(count)))
                .collect(),
            ended: ENDED.iter().zip(&self.ended).map(|((_, name), count)| (*name, of(count))).collect(),
            ignored: array::from_fn(|field| of(&self.ignored[field])).into(),
            spoofed: of(&self.spoofed),
            connections: self.connections.load(Ordering::Relaxed),
        }
    }
}

/// The counts since the start. They are exact, so they must not leave the process.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The number of requests by response status.
    pub requests: Vec<(u16, u64)>,
    /// The number of beacons by outcome.
    pub beacons: Vec<(Outcome, u64)>,
    /// The number of connections that ended early, by reason.
    pub ended: Vec<(&'static str, u64)>,
    /// The number of invalid values of known fields, by field. Such values are ignored.
    pub ignored: Ignored,
    /// The number of requests with a forwarding header from an untrusted peer.
    pub spoofed: u64,
    /// The number of open connections.
    pub connections: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_outcome_and_reason_has_its_own_counter() {
        let counts = Counts::default();
        STATUSES.iter().for_each(|status| counts.request(*status));
        counts.request(200);
        Outcome::ALL.iter().for_each(|outcome| counts.beacons(*outcome, 2));
        ENDED.iter().for_each(|(ended, _)| counts.ended(*ended));
        counts.spoofed();
        let every: Ignored = array::from_fn(|field| field as u64 + 1).into();
        counts.ignored(&every);
        counts.ignored(&every);
        let read = counts.read();
        assert!(read.requests.iter().all(|(_, count)| *count == 1));
        assert!(read.beacons.iter().all(|(_, count)| *count == 2));
        assert_eq!(read.ignored, array::from_fn(|field| 2 * (field as u64 + 1)).into());
        assert!(read.ended.iter().all(|(_, count)| *count == 1) && read.spoofed == 1);
    }
}
