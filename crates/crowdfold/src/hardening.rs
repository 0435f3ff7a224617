//! What the process denies itself: raw beacons are in its memory.

use std::io::Write as _;
use std::panic;

use crate::failure::Failure;
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
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        // nothing is left to do when even stderr is gone
        let _ = writeln!(
            std::io::stderr(),
            "crowdfold: a fault of the program at {location}: report this as a bug"
        );
    }));
}

/// Open files besides the connections of players: clients of Kafka, the pages of `metrics.listen`, standard streams.
const OTHER_FILES: u64 = 256;

/// Raises the limit of open files to what this many connections need, as far as the system allows.
///
/// # Errors
/// [`Failure::Usage`] with the number that is needed, where the system allows fewer. librdkafka and the listeners would
/// otherwise fail later, one by one.
pub(crate) fn open_files(connections: u64) -> Result<(), Failure> {
    let wanted = connections.saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(wanted.min(most)), maximum: limit.maximum };
    if most >= wanted && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let connections = match connections {
        0 => String::new(),
        some => format!(" for Kafka and {some} connections, or lower collect.max_connections"),
    };
    Err(Failure::Usage(format!(
        "the system allows {most} open files, and {wanted} are needed; raise ulimit -n (LimitNOFILE of systemd) to \
         {wanted}{connections}"
    )))
}
