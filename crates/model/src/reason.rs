//! Reasons for which a beacon is rejected.

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
    /// More live sessions than `sessions.max_per_partition`.
    Overload,
    /// A fault of ours: admitting the record panicked.
    Internal,
}

impl Reason {
    /// The number of variants.
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
