//! Rejections. A beacon that is not admitted is replaced by its rejection.

use crowdfold_model::Reason;
use std::fmt;

use crate::SessionHash;

/// The reason why a beacon was not admitted. It contains no content of the beacon, except the opt-out of its session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The first reason that applies, in the documented order.
    pub reason: Reason,
    /// The session that the beacon opts out. The value is `None` if the beacon contains no opt-out, or if its session
    /// or tenant is invalid.
    pub opts_out: Option<SessionHash>,
}

/// Formats only the reason, because a session hash must not be printed.
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
