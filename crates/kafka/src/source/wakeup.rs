//! The signal with which a thread of librdkafka wakes up the reading thread.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A signal that a queue is no longer empty. The signal remains set until a thread waits for it.
#[derive(Default)]
pub(crate) struct Wakeup {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Wakeup {
    pub(crate) fn notify(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    pub(crate) fn wait(&self, timeout: Duration) {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_set, timeout, |is_set| !*is_set);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
