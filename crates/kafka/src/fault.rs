//! Steps of the protocol at which a test can end or freeze the process, as a machine that dies does: without a word.
//!
//! Only with the feature `fault-points`, which the released binary does not have: without it a point is nothing at all.
//! `CROWDFOLD_FAULT=combine.6.sent:3:kill` kills the process (SIGKILL) the third time that the combining stage has sent
//! the records of a transaction; `stop` freezes it (SIGSTOP) until somebody sends SIGCONT. Points are named after the
//! thread of the stage and the numbered steps of the protocol.

/// A step of the protocol, reached by the stage whose thread this is.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub const fn point(_step: &str) {}

#[cfg(feature = "fault-points")]
pub use armed::point;

#[cfg(feature = "fault-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    struct Fault {
        point: String,
        signal: Signal,
        /// How often the point is still to be passed.
        left: AtomicU64,
    }

    /// A step of the protocol, reached by the stage whose thread this is.
    pub fn point(step: &str) {
        static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
        let Some(fault) = FAULT.get_or_init(from_environment) else { return };
        let thread = std::thread::current();
        let reached = fault
            .point
            .split_once('.')
            .is_some_and(|(stage, wanted)| wanted == step && thread.name() == Some(stage));
        if reached && fault.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            tracing::warn!("fault point {} is reached", fault.point);
            let _ = kill_process(getpid(), fault.signal);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test's word, not the program's configuration")]
    fn from_environment() -> Option<Fault> {
        let text = std::env::var("CROWDFOLD_FAULT").ok()?;
        let mut words = text.split(':');
        let (point, nth, action) = (words.next()?, words.next()?, words.next()?);
        let signal = match action {
            "kill" => Signal::KILL,
            "stop" => Signal::STOP,
            other => panic!("CROWDFOLD_FAULT: {other} is neither kill nor stop"),
        };
        let left = nth.parse().unwrap_or_else(|_| panic!("CROWDFOLD_FAULT: {nth} is not a number"));
        Some(Fault { point: point.into(), signal, left: AtomicU64::new(left) })
    }
}
