//! Waits until a condition holds.

use std::time::{Duration, Instant};

/// The time limit of [`eventually`]. It is long, because on a busy machine the work of a second may take minutes. Its
/// only purpose is to end tests that hang.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// The pause between two calls of the condition.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `step` repeatedly until it returns `Some`, and returns the value. If it panics, the message contains `what`,
/// which describes the condition.
///
/// # Panics
/// If `step` returns `None` for longer than [`TIMEOUT`].
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
#[track_caller]
pub fn eventually<T>(what: &str, mut step: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = step() {
            return value;
        }
        assert!(start.elapsed() < TIMEOUT, "{what}: not within {} s", TIMEOUT.as_secs());
        std::thread::sleep(PAUSE);
    }
}
