//! The shutdown flag, which all threads share.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The shutdown flag. A thread can wait until the flag is set.
#[derive(Debug, Default)]
pub struct Stop {
    /// True on shutdown.
    set: Mutex<bool>,
    /// The same flag for code that only polls it.
    flag: Arc<AtomicBool>,
    changed: Condvar,
}

impl Stop {
    /// Creates a flag that is set by SIGTERM, SIGINT or SIGHUP. A second SIGTERM or SIGINT ends the process
    /// immediately. A second SIGHUP does not end the process, because closing a terminal sends several SIGHUPs. If the
    /// process was started with SIGHUP ignored (`nohup`), the signal remains ignored.
    ///
    /// # Errors
    /// Returns an error if the signal handlers cannot be installed.
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

    /// Sets the flag, and wakes all threads that wait for it.
    pub fn now(&self) {
        self.flag.store(true, Ordering::Relaxed);
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Returns the flag for code that only polls it.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Returns true if the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the flag is set, for at most `time`. Returns true if the flag is set.
    pub fn sleep(&self, time: Duration) -> bool {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *self.changed.wait_timeout_while(set, time, |set| !*set).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Returns true if the process was started with a signal ignored. Returns false if the system does not report this
/// (only Linux does).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
