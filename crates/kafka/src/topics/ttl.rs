//! Computes how long a record exists, from the settings of topics and brokers. The rules below were measured on Kafka
//! 4.3.
//!
//! Kafka stores a partition in segments (files), and deletes only whole segments. It deletes a segment when its largest
//! timestamp is older than `retention.ms`. This includes the active segment. Therefore the maximum time for which a
//! record of a busy partition can be read is a sum. The first term is the time for which its segment receives more
//! records, up to `segment.ms`. The second term is the retention. The third term is the time until the next check of
//! the broker (`log.retention.check.interval.ms`). The file remains on disk for another `file.delete.delay.ms`. If
//! producers set the timestamps, a timestamp in the future keeps its segment longer, by at most the time that the
//! broker allows it to be ahead (`message.timestamp.after.max.ms`).

use std::fmt;

use crowdfold_model::Span;

#[cfg(test)]
mod tests;

/// The maximum times for which a record can exist after it was written. [`Span::MAX`] means without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The maximum time for which a record can be read.
    pub readable: Span,
    /// The maximum time until every running replica has deleted the record from its disk.
    pub on_disk: Span,
}

/// The settings that determine how long a record exists. Each value is the largest of all brokers that have a replica.
/// [`Span::MAX`] means without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The time for which a segment is kept after its largest timestamp (`retention.ms`).
    pub retention: Span,
    /// The time after which a new segment begins (`segment.ms`).
    pub segment: Span,
    /// The interval at which a broker checks for old segments (`log.retention.check.interval.ms`).
    pub check: Span,
    /// The time for which a deleted file stays on disk (`file.delete.delay.ms`).
    pub delete_delay: Span,
    /// The maximum time by which a timestamp may be ahead of the broker's clock (`message.timestamp.after.max.ms`).
    /// Zero if the broker sets the timestamps.
    pub ahead: Span,
}

impl Times {
    /// Returns the maximum times for which a record can exist, which are sums of these settings.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        let readable =
            self.retention.saturating_add(self.segment).saturating_add(self.check).saturating_add(self.ahead);
        Bounds { readable, on_disk: readable.saturating_add(self.delete_delay) }
    }
}

/// Formats the terms of the sum [`Bounds::readable`], such as `retention 44m + segment 11m + check 5m`.
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

/// Returns values for `retention.ms` and `segment.ms` with which a record can be read for at most `ttl`. Returns
/// `None` if there are no such values, because `check` and `ahead` (see [`Times`]) are too long.
pub(super) const fn settings(ttl: Span, check: Span, ahead: Span) -> Option<(Span, Span)> {
    let Some(rest) = ttl.checked_sub(check) else { return None };
    let Some(rest) = rest.checked_sub(ahead) else { return None };
    // the segment is a quarter of the retention, so retention + retention / 4 = rest
    let retention = rest.as_millis() / 5 * 4;
    if retention < 4 { None } else { Some((Span::from_millis(retention), Span::from_millis(retention / 4))) }
}
