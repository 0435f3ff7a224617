//! The assertions of one beacon.

use super::Attempts;
use super::assertion::Kind;
use crate::oracle::Millis;
use crate::oracle::beacon::Beacon;
use crate::oracle::numbers::two_digits;

/// The assertions of one beacon.
#[derive(Clone)]
pub(in crate::oracle) struct BeaconAssertions {
    /// The timestamp of the record.
    pub(super) asserted_at: Millis,
    /// The time of the beacon by the player's clock.
    pub(super) at: Millis,
    pub(super) window: Millis,
    pub(super) line: usize,
    pub(super) start: bool,
    pub(in crate::oracle) frame: bool,
    pub(super) idle: bool,
    pub(super) fatal: bool,
    pub(super) end: bool,
}

impl BeaconAssertions {
    /// Returns the assertions of a beacon in a record with the timestamp `now`. The beacon belongs to the window that
    /// begins at `window`.
    pub(in crate::oracle) fn of(beacon: &Beacon, now: Millis, window: Millis) -> Self {
        Self {
            asserted_at: now,
            at: beacon.ts,
            window,
            line: beacon.line(),
            start: beacon.reports_start(),
            frame: beacon.reports_frame(),
            idle: beacon.reports_idle(),
            fatal: beacon.reports_fatal(),
            end: beacon.reports_end(),
        }
    }

    /// Returns the time from the last start on the same line to this beacon, rounded to two digits. Returns `None` if
    /// no start is live, if a live first frame follows it in the log or by time, or if the time exceeds `idle`.
    pub(in crate::oracle) fn since_start(
        &self,
        session: &Attempts,
        idle: Millis,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> Option<u64> {
        let holds = |asserted_at| holds(Some(asserted_at));
        let line = &session.0[self.line];
        line.held(Kind::is_start, &holds)?;
        let last = line.last(Kind::is_start)?;
        let start = &line.0[last];
        let frame = line.held(Kind::is_frame, &holds);
        if frame.is_some_and(|frame| frame > last || line.0[frame].at > start.at) {
            return None;
        }
        self.at.checked_sub(start.at).filter(|took| *took <= idle).map(two_digits)
    }
}
