//! The arithmetic of a broker's time-to-live, in milliseconds. As measured on Kafka 4.3:
//!
//! A segment goes when its largest timestamp is older than `retention.ms`, the active one too. So the oldest record of a
//! busy partition waits until its segment rolls (`segment.ms` after its first record; jitter only shortens that), then
//! the retention, then the broker's next look (`log.retention.check.interval.ms`). On disk it stays for
//! `file.delete.delay.ms` more. With producers' timestamps one record from the future holds its segment as long as the
//! broker lets it be ahead (`message.timestamp.after.max.ms`).

use std::fmt;

use super::Span;

#[cfg(test)]
mod tests;

/// How long a record can be there at most, ms. [`u64::MAX`] is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until it can no longer be read.
    pub readable: u64,
    /// Until it is off the disk of every live replica.
    pub on_disk: u64,
}

/// What decides how long a record is there, ms; the largest over the brokers that hold it. [`u64::MAX`] is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `retention.ms`.
    pub retention: u64,
    /// `segment.ms`.
    pub segment: u64,
    /// `log.retention.check.interval.ms`.
    pub check: u64,
    /// `file.delete.delay.ms`.
    pub delete_delay: u64,
    /// `message.timestamp.after.max.ms`; 0 where the broker's clock stamps.
    pub ahead: u64,
}

impl Times {
    /// The sums.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        let readable =
            self.retention.saturating_add(self.segment).saturating_add(self.check).saturating_add(self.ahead);
        Bounds { readable, on_disk: readable.saturating_add(self.delete_delay) }
    }
}

/// The sum that makes [`Bounds::readable`]: `retention 44m + segment 11m + check 5m`.
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("retention", self.retention),
            ("segment", self.segment),
            ("check", self.check),
            ("ahead", self.ahead),
        ];
        for (at, (name, time)) in
            parts.into_iter().filter(|(name, time)| *name != "ahead" || *time > 0).enumerate()
        {
            f.write_str(if at > 0 { " + " } else { "" })?;
            if time == u64::MAX { write!(f, "{name} forever")? } else { write!(f, "{name} {}", Span(time))? }
        }
        Ok(())
    }
}

/// `retention.ms` and `segment.ms` such that a record can be read for `ttl` at most. `None` where the broker looks too
/// seldom, or lets timestamps be too far ahead, for that.
pub(super) const fn settings(ttl: u64, check: u64, ahead: u64) -> Option<(u64, u64)> {
    let Some(rest) = ttl.checked_sub(check) else { return None };
    let Some(rest) = rest.checked_sub(ahead) else { return None };
    // retention + retention / 4 = rest
    let retention = rest / 5 * 4;
    if retention < 4 { None } else { Some((retention, retention / 4)) }
}
