//! Why a beacon was not let through.

use crowdfold_model::Reason;
use std::fmt;

use crate::SessionHash;

/// A beacon that was not let through: a reason, and nothing of its content except that its session opts out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The session that asks not to be counted, where the beacon says so and its session can be read.
    pub opts_out: Option<SessionHash>,
}

/// The reason alone: a session hash is never shown.
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
