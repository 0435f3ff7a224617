//! Waits for conditions.

use std::time::{Duration, Instant};

/// The time-out of [`eventually`]. On a busy machine, the work of a second may take minutes. The time-out only ends a
/// test that hangs.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// The pause between two calls.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `step` until it returns a value, and returns the value. `what` names the condition in the message of the
/// panic.
///
/// # Panics
/// If there is no value within [`TIMEOUT`].
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
#[track_caller]
pub fn eventually<T>(what: &str, mut step: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = step() {
            return value;
        }
        assert!(start.elapsed() < TIMEOUT, "not within {} s: {what}", TIMEOUT.as_secs());
        std::thread::sleep(PAUSE);
    }
}
