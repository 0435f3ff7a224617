//! The system clock. The worker reads the time of day only through this module.

use std::time::{Instant, SystemTime};

use crowdfold_model::Timestamp;

/// Returns the current time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only place where the program reads the system clock")]
pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Returns the beginning of a measurement of elapsed time.
#[expect(clippy::disallowed_methods, reason = "the elapsed time is used only for metrics")]
pub(crate) fn begin() -> Instant {
    Instant::now()
}
