//! Why a beacon was not let through.

use std::fmt;

use crate::SessionHash;

/// The closed list of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// Not what its format says.
    Malformed,
    /// No session, or a constant one.
    NoSession,
    /// No time where one is required, or one that is none.
    NoTime,
    /// Further ahead than `windows.max_skew`.
    Future,
    /// A tenant outside the catalogue.
    UnknownTenant,
    /// Its session belongs to another partition.
    Misplaced,
    /// The record or a session id is longer than allowed, or the record has more beacons than allowed.
    TooLarge,
    /// More live sessions than `sessions.max`.
    Overload,
    /// A fault of ours: admitting the record panicked.
    Internal,
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Malformed,
        Self::NoSession,
        Self::NoTime,
        Self::Future,
        Self::UnknownTenant,
        Self::Misplaced,
        Self::TooLarge,
        Self::Overload,
        Self::Internal,
    ];

    /// The name in ledgers, metrics and rejection records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NoSession => "no_session",
            Self::NoTime => "no_time",
            Self::Future => "future",
            Self::UnknownTenant => "unknown_tenant",
            Self::Misplaced => "misplaced",
            Self::TooLarge => "too_large",
            Self::Overload => "overload",
            Self::Internal => "internal",
        }
    }
}

/// A beacon that was not let through: a reason, and nothing of its content except that its session opts out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The session that asks not to be counted, where the beacon says so and its session can be read.
    pub opts_out: Option<SessionHash>,
}

/// The reason alone: a session hash is never shown.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, opts_out: None }
    }
}
