//! Restricts access to the process, because its memory contains raw beacons. Core dumps are disabled, and other
//! processes may not read the memory.

use std::io::Write as _;
use std::panic;

use crate::error::CrowdfoldError;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Disables core dumps, and access to the memory of this process by other processes of the same user. The message of a
/// panic may quote parsed data, so the location in the code is printed instead.
pub fn harden() {
    // The hard limit is set too. Otherwise, the soft limit could be raised again.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if setrlimit(Resource::Core, none).is_err() || undumpable.is_err() {
        tracing::warn!(
            "core dumps could not be disabled; disable them from outside with LimitCORE=0 or ulimit -c 0"
        );
    }
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        // If stderr cannot be written to, the error is ignored, because there is no other place to report it.
        let _ = writeln!(std::io::stderr(), "crowdfold: internal error at {location}; report this as a bug");
    }));
}

/// The number of files that must be open in addition to the connections of players: for Kafka clients, clients of
/// `metrics.listen`, and standard streams.
const OTHER_FILES: u64 = 256;

/// Raises the limit of open files to the number that `connections` connections of players need.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] with the needed number, if the system allows fewer open files. Without this check,
/// Kafka clients and listeners would fail later, when the limit is reached.
pub(crate) fn open_files(connections: u64) -> Result<(), CrowdfoldError> {
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
    Err(CrowdfoldError::Usage(format!(
        "the system allows {most} open files, but {wanted} are needed; raise ulimit -n (LimitNOFILE of systemd) to \
         {wanted}{connections}"
    )))
}
