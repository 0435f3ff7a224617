//! Reasons for which a beacon is rejected.

/// The closed list of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The record is invalid for its format.
    Malformed,
    /// The session id is absent, or a constant.
    NoSession,
    /// A required time is absent or unusable.
    NoTime,
    /// The record is ahead of the clock by more than `windows.max_skew`.
    Future,
    /// The tenant is not in the catalogue.
    UnknownTenant,
    /// The session belongs to another partition.
    Misplaced,
    /// The record or a session id is longer than allowed, or the record has more beacons than allowed.
    TooLarge,
    /// The partition has `sessions.max_per_partition` live sessions.
    Overload,
    /// Admitting the record panicked, which is a bug.
    Internal,
}

impl Reason {
    /// The number of variants.
    pub const COUNT: usize = 9;
    /// All variants in the order of their discriminants.
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
