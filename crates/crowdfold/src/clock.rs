//! The machine's clock, read in this module alone.

use std::time::{SystemTime, UNIX_EPOCH};

use crowdfold_model::Millis;

/// Milliseconds since the Unix epoch.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the program asks what time it is")]
pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
