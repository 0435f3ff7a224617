//! The limits on the memory of the collector, and on the request rate of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The memory limit for data that was received but not yet written.
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    /// Returns the number of reserved bytes.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Reserves this many bytes. Returns `None` if the sum would exceed the limit.
    pub(crate) fn share(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let mut share = self.nothing();
        share.grow(bytes).then_some(share)
    }

    /// Creates an empty reservation.
    pub(crate) fn nothing(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

/// A reservation of bytes, which is released when it is dropped.
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Reserves more bytes. Returns false and reserves nothing if the sum would exceed the limit.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.budget.limit);
        let grown = self.budget.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Reserves more bytes regardless of the limit. This function is for data that is copied from a buffer, because the
    /// reservation of the buffer will be released soon.
    pub(crate) fn carry(&mut self, bytes: usize) {
        self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The limit of the request rate of a connection. The limit is a token bucket, which has space for the tokens of one
/// second.
pub(crate) struct Rate {
    /// The time between two tokens in nanoseconds; 0 means no limit.
    interval: u64,
    /// The time at which the bucket is full again if no further token is taken, in nanoseconds since the connection
    /// began.
    full_at: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

impl Rate {
    /// Creates a limit in requests per second; 0 means no limit.
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = SECOND.checked_div(u64::from(per_second)).unwrap_or(0);
        Self { interval, full_at: AtomicU64::new(0) }
    }

    /// Takes a token from the bucket. `now` is in nanoseconds since the connection began.
    ///
    /// # Errors
    /// If the bucket is empty, returns the number of seconds until the next token.
    pub(crate) fn take(&self, now: u64) -> Result<(), u64> {
        if self.interval == 0 {
            return Ok(());
        }
        let next = |full_at: u64| {
            let next = full_at.max(now) + self.interval;
            (next <= now + SECOND).then_some(next)
        };
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken
            .map(drop)
            .map_err(|full_at| (full_at + self.interval).saturating_sub(now + SECOND).div_ceil(SECOND).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_stay_within_the_memory_limit_and_are_released_when_dropped() {
        let budget = Budget::new(100);
        let mut first = budget.share(60).unwrap();
        assert!(budget.share(41).is_none());
        assert!(first.grow(40) && !first.grow(1));
        assert_eq!(budget.held(), 100);
        // the memory of a packed record is reserved while the reservation of its body still exists
        let mut packed = budget.nothing();
        packed.carry(90);
        drop(first);
        assert_eq!(budget.held(), 90);
        drop(packed);
        assert_eq!(budget.held(), 0);
        assert!(budget.share(usize::MAX).is_none());
    }

    #[test]
    fn rate_allows_the_requests_of_one_second_immediately_and_then_refills() {
        let rate = Rate::new(4);
        let taken = (0..10).filter(|_| rate.take(0).is_ok()).count();
        assert_eq!(taken, 4);
        assert_eq!(rate.take(0), Err(1));
        assert_eq!(rate.take(SECOND / 4 - 1), Err(1));
        assert_eq!(rate.take(SECOND / 4), Ok(()));
        assert_eq!(rate.take(SECOND / 4), Err(1));
        assert_eq!((0..10).filter(|_| rate.take(100 * SECOND).is_ok()).count(), 4);
        let unbounded = Rate::new(0);
        assert!((0..100_000).all(|_| unbounded.take(0).is_ok()));
    }
}
