//! Fault points are named places in the code. At a fault point, a test can kill or freeze the process, to imitate the
//! failure of a machine, or can make a step of a transaction fail.
//!
//! Released binaries are built without the feature `fault-points`; these functions then do nothing. The environment
//! variable `CROWDFOLD_FAULT` selects faults, separated by commas. For example, `combine.6.sent:3:kill` kills the
//! process (SIGKILL) after the combining stage has sent the records of a transaction for the third time.
//! `combine.6.sent:3:stop` freezes the process (SIGSTOP) until it receives SIGCONT. `combine.6.sent:3:err` makes every
//! third call of [`errs`] at this point return true. The name of a point consists of the name of the stage's thread, a
//! dot, and the name that the code passes to [`point`] or [`errs`].

/// True if this build has fault points.
pub const COMPILED_IN: bool = cfg!(feature = "fault-points");

/// Marks a fault point: kills or freezes the process if a test selected this point for the current thread.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub const fn point(_step: &str) {}

/// Returns true if a test selected this point and the step must fail this time.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
#[must_use]
pub const fn errs(_step: &str) -> bool {
    false
}

#[cfg(feature = "fault-points")]
pub use armed::{errs, point};

#[cfg(feature = "fault-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    struct Fault {
        point: String,
        action: Action,
        /// The pass at which the fault occurs, counted from 1. A fault `err` also occurs at each multiple of this
        /// number.
        nth: u64,
        /// The number of times that this point was passed.
        passed: AtomicU64,
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Action {
        Signal(Signal),
        Err,
    }

    impl Fault {
        fn is_at(&self, step: &str) -> bool {
            let thread = std::thread::current();
            let here = |(stage, wanted): (&str, &str)| wanted == step && thread.name() == Some(stage);
            self.point.split_once('.').is_some_and(here)
        }
    }

    /// Marks a fault point: kills or freezes the process if a test selected this point for the current thread.
    pub fn point(step: &str) {
        for fault in faults() {
            let Action::Signal(signal) = fault.action else { continue };
            if fault.is_at(step) && fault.passed.fetch_add(1, Ordering::SeqCst) + 1 == fault.nth {
                tracing::warn!("fault point {} was reached", fault.point);
                let _ = kill_process(getpid(), signal);
            }
        }
    }

    /// Returns true if a test selected this point and the step must fail this time.
    #[must_use]
    pub fn errs(step: &str) -> bool {
        faults().iter().any(|fault| {
            fault.action == Action::Err
                && fault.is_at(step)
                && (fault.passed.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(fault.nth)
        })
    }

    fn faults() -> &'static [Fault] {
        static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();
        FAULTS.get_or_init(from_environment)
    }

    #[expect(clippy::disallowed_methods, reason = "set by tests, not part of the program's configuration")]
    fn from_environment() -> Vec<Fault> {
        let text = std::env::var("CROWDFOLD_FAULT").unwrap_or_default();
        text.split(',').filter(|text| !text.is_empty()).map(parse).collect()
    }

    fn parse(text: &str) -> Fault {
        let words: Vec<_> = text.split(':').collect();
        let [point, nth, action] = words[..] else {
            panic!("CROWDFOLD_FAULT: {text} is not point:nth:action")
        };
        let action = match action {
            "kill" => Action::Signal(Signal::KILL),
            "stop" => Action::Signal(Signal::STOP),
            "err" => Action::Err,
            other => panic!("CROWDFOLD_FAULT: unknown action {other}; the actions are kill, stop and err"),
        };
        let nth = nth.parse().ok().filter(|nth| *nth > 0);
        let nth = nth
            .unwrap_or_else(|| panic!("CROWDFOLD_FAULT: the number in {text} is not a whole number above 0"));
        Fault { point: point.into(), action, nth, passed: AtomicU64::new(0) }
    }
}
