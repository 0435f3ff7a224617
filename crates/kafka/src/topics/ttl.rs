//! The arithmetic of a broker's time-to-live, in milliseconds. As measured on Kafka 4.3:
//!
//! A segment, including the active one, is deleted when its largest timestamp is older than `retention.ms`. So the
//! oldest record of a busy partition waits until its segment rolls (`segment.ms` after its first record; jitter only
//! shortens that), then for the retention, then for the broker's next check (`log.retention.check.interval.ms`). On
//! disk it remains for another `file.delete.delay.ms`. With producers' timestamps, one record dated in the future keeps
//! its segment for as long as the broker allows it to be ahead (`message.timestamp.after.max.ms`).

use std::fmt;

use crowdfold_model::Span;

#[cfg(test)]
mod tests;

/// The longest time for which a record can exist, ms. [`u64::MAX`] means forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until it can no longer be read.
    pub readable: u64,
    /// Until it is deleted from the disk of every live replica.
    pub on_disk: u64,
}

/// The settings that determine how long a record exists, ms; the largest over the brokers that hold it. [`u64::MAX`]
/// means forever.
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
    /// `message.timestamp.after.max.ms`; 0 if the broker's clock sets timestamps.
    pub ahead: u64,
}

impl Times {
    /// Returns the sums.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        let readable =
            self.retention.saturating_add(self.segment).saturating_add(self.check).saturating_add(self.ahead);
        Bounds { readable, on_disk: readable.saturating_add(self.delete_delay) }
    }
}

/// Formats the sum that makes [`Bounds::readable`]: `retention 44m + segment 11m + check 5m`.
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

/// Returns `retention.ms` and `segment.ms` with which a record can be read for at most `ttl`. `None` if the broker
/// checks too rarely or lets timestamps be too far ahead.
pub(super) const fn settings(ttl: u64, check: u64, ahead: u64) -> Option<(u64, u64)> {
    let Some(rest) = ttl.checked_sub(check) else { return None };
    let Some(rest) = rest.checked_sub(ahead) else { return None };
    // retention + retention / 4 = rest
    let retention = rest / 5 * 4;
    if retention < 4 { None } else { Some((retention, retention / 4)) }
}
