//! What the process denies itself: raw beacons are in its memory.

use std::io::Write as _;
use std::panic;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// No core dumps, no reading of our memory by other processes of the same user, and panics without their message, which
/// may quote what was being parsed.
pub fn harden() {
    // the hard limit too, so that nothing can raise it again
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if setrlimit(Resource::Core, none).is_err() || undumpable.is_err() {
        tracing::warn!(
            "core dumps could not be switched off: do it outside, with LimitCORE=0 or ulimit -c 0"
        );
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // nothing is left to do when even stderr is gone
        let _ =
            writeln!(std::io::stderr(), "crowdfold: a fault of the program at {place}: report this as a bug");
    }));
}

/// Besides connections: clients of Kafka, pages, files.
const OTHER_FILES: u64 = 256;

/// Lets the process have as many files open as so many connections need, as far as the system allows.
pub(crate) fn open_files(connections: u64) {
    let wanted = connections.saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(wanted.min(most)), maximum: limit.maximum };
    let enough = limit.current.is_none_or(|current| current >= wanted);
    if !enough && (setrlimit(Resource::Nofile, raised).is_err() || most < wanted) {
        tracing::warn!(
            "the system allows {most} open files, and {connections} connections need {wanted}: raise LimitNOFILE or \
             ulimit -n, or lower collect.connections"
        );
    }
}
