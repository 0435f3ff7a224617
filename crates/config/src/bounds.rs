//! The topic settings that follow from a time-to-live, on a broker with default settings. `topics check` uses the
//! broker's own.

use std::time::Duration;

use crowdfold_model::Span;

/// A broker's default `log.retention.check.interval.ms`.
const CHECK_INTERVAL: Duration = Duration::from_secs(300);
/// A broker's default `file.delete.delay.ms`.
const DELETE_DELAY: Duration = Duration::from_secs(60);

/// The topic settings that follow from a time-to-live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `retention.ms`: the time for which records are kept at least.
    pub retention: Duration,
    /// `segment.ms`.
    pub segment: Duration,
    /// The longest time for which records are readable.
    pub readable: Duration,
    /// The longest time for which records are on disk.
    pub on_disk: Duration,
}

impl Bounds {
    /// Returns the bounds on a broker with default settings. `ahead` is the most that a producer's timestamp may be
    /// ahead of the broker's clock, 0 if the broker sets it.
    #[must_use]
    pub fn of(ttl: Duration, ahead: Duration) -> Self {
        Self::at(ttl, ahead, CHECK_INTERVAL)
    }

    /// Returns the bounds on the broker that keeps records longest: it checks retention all the time.
    pub(crate) fn at_best(ttl: Duration, ahead: Duration) -> Self {
        Self::at(ttl, ahead, Duration::ZERO)
    }

    fn at(ttl: Duration, ahead: Duration, check_interval: Duration) -> Self {
        let retention = Span::from(ttl.saturating_sub(check_interval + ahead)) / 5 * 4;
        let (retention, segment) = (Duration::from(retention), Duration::from(retention / 4));
        let readable = retention + segment + check_interval + ahead;
        Self { retention, segment, readable, on_disk: readable + DELETE_DELAY }
    }

    /// Returns the shortest time-to-live, in whole minutes, that keeps records for the given time on a broker with
    /// default settings.
    #[must_use]
    pub fn least_ttl(kept: Duration, ahead: Duration) -> Duration {
        let retention_and_segment = Span::from_millis(Span::from(kept).as_millis().div_ceil(4) * 5);
        let ttl = retention_and_segment + Span::from(CHECK_INTERVAL + ahead);
        Span::MINUTE.times(ttl.as_millis().div_ceil(Span::MINUTE.as_millis())).into()
    }
}
