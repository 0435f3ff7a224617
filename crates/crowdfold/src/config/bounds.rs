//! What a readable bound comes to on a broker with default settings. `topics check` asks the real ones.

/// A broker's default `log.retention.check.interval.ms`.
const CHECK_INTERVAL: u64 = 300_000;
/// A broker's default `file.delete.delay.ms`.
const DELETE_DELAY: u64 = 60_000;
const MINUTE: u64 = 60_000;

/// What a readable bound comes to, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `retention.ms`: what is kept for sure.
    pub retention: u64,
    /// `segment.ms`.
    pub segment: u64,
    /// Readable at most.
    pub readable: u64,
    /// On disk at most.
    pub on_disk: u64,
}

impl Bounds {
    /// On a broker with default settings. `ahead` is how far a producer's timestamp may be ahead of the broker's
    /// clock, 0 where the broker stamps.
    #[must_use]
    pub const fn of(ttl: u64, ahead: u64) -> Self {
        Self::at(ttl, ahead, CHECK_INTERVAL)
    }

    /// On the broker that keeps longest: it checks all the time.
    pub(super) const fn at_best(ttl: u64, ahead: u64) -> Self {
        Self::at(ttl, ahead, 0)
    }

    const fn at(ttl: u64, ahead: u64, check_interval: u64) -> Self {
        let retention = ttl.saturating_sub(check_interval + ahead) / 5 * 4;
        let segment = retention / 4;
        let readable = retention + segment + check_interval + ahead;
        Self { retention, segment, readable, on_disk: readable + DELETE_DELAY }
    }

    /// The least bound, in whole minutes, that keeps records for so long on a broker with default settings.
    #[must_use]
    pub const fn least_ttl(kept: u64, ahead: u64) -> u64 {
        (kept.div_ceil(4) * 5 + CHECK_INTERVAL + ahead).div_ceil(MINUTE) * MINUTE
    }
}
