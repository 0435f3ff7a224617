//! When to end, told to all threads at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A flag that can be waited for.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    set: Mutex<bool>,
    /// The same for who cannot wait for it.
    flag: Arc<AtomicBool>,
    changed: Condvar,
}

impl Stop {
    /// A flag that SIGTERM, SIGINT and SIGHUP set. A second signal does not wait for what the first one began, unless it
    /// is SIGHUP: a terminal that closes sends several. Under `nohup` SIGHUP stays ignored.
    ///
    /// # Errors
    /// When the system does not let signals be caught.
    pub(crate) fn at_signals() -> io::Result<Arc<Self>> {
        let stop = Arc::new(Self::default());
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        if !is_ignored(SIGHUP) {
            signals.add_signal(SIGHUP)?;
        }
        let handle = Arc::clone(&stop);
        thread::spawn(move || {
            let mut signals = signals.forever();
            signals.next();
            handle.now();
            tracing::info!("draining");
            if let Some(signal) = signals.find(|signal| *signal != SIGHUP) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
        Ok(stop)
    }

    /// Tells everybody to end.
    pub(crate) fn now(&self) {
        self.flag.store(true, Ordering::Relaxed);
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// A flag that is set when it is time to end.
    #[must_use]
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Whether to end.
    #[must_use]
    pub(crate) fn is_set(&self) -> bool {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, but not beyond the end; whether it has come.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *self.changed.wait_timeout_while(set, time, |set| !*set).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Returns whether the process was started with a signal ignored, where the system shows it.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
