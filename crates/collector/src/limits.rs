//! What is bounded: bytes that are held, requests of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of all that was received and is not yet written.
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    /// Bytes held by now.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// A share of so many bytes; `None` where that is beyond the limit.
    pub(crate) fn share(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let mut share = self.nothing();
        share.grow(bytes).then_some(share)
    }

    /// A share of nothing yet.
    pub(crate) fn nothing(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

/// Bytes of the budget, given back when it is dropped.
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Takes more; `false`, and nothing taken, where that is beyond the limit.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.budget.limit);
        let grown = self.budget.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Takes more in any case: for what is taken already, and is given back elsewhere at once.
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

/// Requests of a connection, as a bucket of one second's tokens that fills all the time.
pub(crate) struct Rate {
    /// Time between two requests, ns; 0 is none.
    interval: u64,
    /// When the bucket would be full again, ns of a clock that begins with the connection.
    full_at: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

impl Rate {
    /// So many a second; 0 is any number.
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = SECOND.checked_div(u64::from(per_second)).unwrap_or(0);
        Self { interval, full_at: AtomicU64::new(0) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// None is left; after so many seconds there is one.
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
    fn a_budget_is_never_exceeded_and_all_of_it_comes_back() {
        let budget = Budget::new(100);
        let mut first = budget.share(60).unwrap();
        assert!(budget.share(41).is_none());
        assert!(first.grow(40) && !first.grow(1));
        assert_eq!(budget.held(), 100);
        // what is packed is carried over before the body it came from is given back
        let mut packed = budget.nothing();
        packed.carry(90);
        drop(first);
        assert_eq!(budget.held(), 90);
        drop(packed);
        assert_eq!(budget.held(), 0);
        assert!(budget.share(usize::MAX).is_none());
    }

    #[test]
    fn a_connection_has_a_second_of_tokens_and_gets_more_with_time() {
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
