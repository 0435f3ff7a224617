//! The system clock, read only in this module.

use std::time::{SystemTime, UNIX_EPOCH};

use crowdfold_model::Millis;

/// Returns the milliseconds since the Unix epoch.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only place where the program reads the system clock")]
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
