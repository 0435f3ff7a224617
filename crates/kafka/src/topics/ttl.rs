//! The arithmetic of a broker's time-to-live. As measured on Kafka 4.3:
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

/// The longest time for which a record can exist. [`Span::MAX`] means forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until it can no longer be read.
    pub readable: Span,
    /// Until it is deleted from the disk of every live replica.
    pub on_disk: Span,
}

/// The settings that determine how long a record exists; the largest over the brokers that hold it. [`Span::MAX`]
/// means forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `retention.ms`.
    pub retention: Span,
    /// `segment.ms`.
    pub segment: Span,
    /// `log.retention.check.interval.ms`.
    pub check: Span,
    /// `file.delete.delay.ms`.
    pub delete_delay: Span,
    /// `message.timestamp.after.max.ms`; zero if the broker's clock sets timestamps.
    pub ahead: Span,
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
            parts.into_iter().filter(|(name, time)| *name != "ahead" || !time.is_zero()).enumerate()
        {
            f.write_str(if at > 0 { " + " } else { "" })?;
            if time == Span::MAX { write!(f, "{name} forever")? } else { write!(f, "{name} {time}")? }
        }
        Ok(())
    }
}

/// Returns `retention.ms` and `segment.ms` with which a record can be read for at most `ttl`. `None` if the broker
/// checks too rarely or lets timestamps be too far ahead.
pub(super) const fn settings(ttl: Span, check: Span, ahead: Span) -> Option<(Span, Span)> {
    let Some(rest) = ttl.checked_sub(check) else { return None };
    let Some(rest) = rest.checked_sub(ahead) else { return None };
    // retention + retention / 4 = rest
    let retention = rest.as_millis() / 5 * 4;
    if retention < 4 { None } else { Some((Span::from_millis(retention), Span::from_millis(retention / 4))) }
}
