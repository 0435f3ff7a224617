//! The shutdown signal, shared by all threads.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A flag that can be waited for.
#[derive(Debug, Default)]
pub struct Stop {
    set: Mutex<bool>,
    /// The same flag for code that cannot wait for it.
    flag: Arc<AtomicBool>,
    changed: Condvar,
}

impl Stop {
    /// Creates a flag that SIGTERM, SIGINT and SIGHUP set. A second signal ends the process immediately, unless it is
    /// SIGHUP, because closing a terminal sends several. Under `nohup` SIGHUP remains ignored.
    ///
    /// # Errors
    /// Signal handlers cannot be installed.
    pub fn at_signals() -> io::Result<Arc<Self>> {
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

    /// Sets the flag.
    pub fn now(&self) {
        self.flag.store(true, Ordering::Relaxed);
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Returns a flag that is set on shutdown.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Returns true on shutdown.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, but not beyond the shutdown. Returns true on shutdown.
    pub fn sleep(&self, time: Duration) -> bool {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *self.changed.wait_timeout_while(set, time, |set| !*set).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Returns true if the process was started with a signal ignored, where the system reports it.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
