//! The settings of a topic that follow from its time-to-live, on a broker with default settings. `topics check` uses
//! the actual settings of the brokers instead.

use std::time::Duration;

use crowdfold_model::Span;

/// The default of a broker's `log.retention.check.interval.ms`.
const CHECK_INTERVAL: Duration = Duration::from_secs(300);
/// The default of a broker's `file.delete.delay.ms`.
const DELETE_DELAY: Duration = Duration::from_secs(60);

/// The settings of a topic that follow from its time-to-live, and the resulting times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The setting `retention.ms`, which is the minimum time for which a record is kept.
    pub retention: Duration,
    /// The setting `segment.ms`, after which a new segment begins.
    pub segment: Duration,
    /// The maximum time for which a record is readable.
    pub readable: Duration,
    /// The maximum time for which a record is on disk.
    pub on_disk: Duration,
}

impl Bounds {
    /// Returns the bounds on a broker with default settings. `ahead` is the maximum time by which a producer's
    /// timestamp may be ahead of the broker's clock. If the broker sets the timestamps, `ahead` is 0.
    #[must_use]
    pub fn of(ttl: Duration, ahead: Duration) -> Self {
        Self::at(ttl, ahead, CHECK_INTERVAL)
    }

    /// Returns the bounds on a broker that checks for old records continuously. No other broker allows a longer
    /// retention for this time-to-live.
    pub(crate) fn at_best(ttl: Duration, ahead: Duration) -> Self {
        Self::at(ttl, ahead, Duration::ZERO)
    }

    fn at(ttl: Duration, ahead: Duration, check_interval: Duration) -> Self {
        let retention = Span::from(ttl.saturating_sub(check_interval + ahead)) / 5 * 4;
        let (retention, segment) = (Duration::from(retention), Duration::from(retention / 4));
        let readable = retention + segment + check_interval + ahead;
        Self { retention, segment, readable, on_disk: readable + DELETE_DELAY }
    }

    /// Returns the shortest time-to-live, in whole minutes, with which a broker with default settings keeps records
    /// for at least the time `kept`.
    #[must_use]
    pub fn least_ttl(kept: Duration, ahead: Duration) -> Duration {
        let retention_and_segment = Span::from_millis(Span::from(kept).as_millis().div_ceil(4) * 5);
        let ttl = retention_and_segment + Span::from(CHECK_INTERVAL + ahead);
        Span::MINUTE.times(ttl.as_millis().div_ceil(Span::MINUTE.as_millis())).into()
    }
}
