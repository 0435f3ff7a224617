//! The reasons for which a beacon is rejected.

/// The reason for which a beacon is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The record does not have the required format.
    Malformed,
    /// The session id is absent, or is a constant such as "undefined".
    NoSession,
    /// A required timestamp is absent or invalid.
    NoTime,
    /// The timestamp of the record is ahead of the clock by more than the maximum skew.
    Future,
    /// The tenant is not in the list of tenants.
    UnknownTenant,
    /// The partitioner assigns the session to another partition.
    Misplaced,
    /// The record or a session id is too long, or the record contains too many beacons.
    TooLarge,
    /// The session is new, but the partition already has the maximum number of live sessions.
    Overload,
    /// The code that reads the record panicked, which shows a bug.
    Internal,
}

impl Reason {
    /// The number of reasons.
    pub const COUNT: usize = 9;
    /// All reasons, in the order of the enumeration.
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

    /// Returns the name of the reason in ledgers, metrics and notes on rejected beacons.
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
