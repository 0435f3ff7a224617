//! The system clock. The other modules of this crate read it only through this function.

use std::time::SystemTime;

use crowdfold_model::Timestamp;

/// Returns the current time.
#[expect(clippy::disallowed_methods, reason = "requests are timestamped here")]
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
