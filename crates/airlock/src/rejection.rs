//! The rejections of beacons.

use crowdfold_model::Reason;
use std::fmt;

use crate::SessionHash;

/// A rejected beacon: the reason, and nothing of its content except an opt-out of its session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The reason.
    pub reason: Reason,
    /// The session that opts out, if the beacon contains an opt-out and its session is readable.
    pub opts_out: Option<SessionHash>,
}

/// Formats only the reason, because a session hash is never printed.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, opts_out: None }
    }
}
