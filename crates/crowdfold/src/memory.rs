//! Estimates the memory that the configuration allows, and compares it with the memory limit of the process.

use std::fs;
use std::path::{Path, PathBuf};

use crowdfold_worker::Config;

/// The measured memory of a session, in bytes. The measured session is of the largest kind, which has an open session
/// summary and CMCD states.
const SESSION: u64 = 1_200;

/// The assumed memory of librdkafka's queues, interned strings and the program itself, in bytes.
const REST: u64 = 256 << 20;

/// Returns the maximum memory of the sessions of a worker that has all partitions, in bytes. It follows from
/// `sessions.max_per_partition`.
fn most(config: &Config) -> u64 {
    let sessions =
        (config.sessions.max_per_partition as u64).saturating_mul(config.topics.beacon_partitions.into());
    sessions.saturating_mul(SESSION).saturating_add(REST)
}

/// Returns the sentence about memory that `check` prints.
pub(crate) fn of_sessions(config: &Config) -> String {
    format!(
        "Memory: sessions.max_per_partition = {} allows up to {} in a worker that has all {} partitions.",
        config.sessions.max_per_partition,
        show(most(config)),
        config.topics.beacon_partitions,
    )
}

/// Returns the memory limit of the control group of this process, in bytes. Returns `None` if there is no limit.
fn own_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limit(Path::new("/sys/fs/cgroup"), &groups)
}

/// Logs a warning if `--memory`, the memory for sorting in bytes, exceeds the limit of the process's control group.
pub(crate) fn warn_of_sorting(memory: usize) {
    let memory = memory as u64;
    if let Some(limit) = own_limit().filter(|limit| memory > *limit) {
        tracing::warn!(
            "--memory allows {}, but the kernel kills the process above the control group's limit of {}; lower \
             --memory so that records are sorted in temporary files",
            show(memory),
            show(limit),
        );
    }
}

/// Logs a warning if `sessions.max_per_partition` allows more memory than the limit of the process's control group.
pub(crate) fn warn(config: &Config) {
    if let Some(warning) = own_limit().and_then(|limit| warning(config, limit)) {
        tracing::warn!("{warning}");
    }
}

/// Returns the warning if the configuration allows more memory than a limit in bytes.
fn warning(config: &Config, limit: u64) -> Option<String> {
    let most = most(config);
    (most > limit).then(|| {
        format!(
            "sessions.max_per_partition = {} allows up to {} of memory with all {} partitions, but the kernel kills \
             the worker above the control group's limit of {}; lower sessions.max_per_partition, raise the limit, or \
             share the partitions among more workers",
            config.sessions.max_per_partition,
            show(most),
            config.topics.beacon_partitions,
            show(limit),
        )
    })
}

/// Returns the smallest memory limit, in bytes, of a control group and its parents. Returns `None` if none of them has
/// a limit. `groups` is the content of `/proc/self/cgroup`.
fn limit(root: &Path, groups: &str) -> Option<u64> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, name): (PathBuf, _) = match controllers {
            "" => (root.into(), "memory.max"),
            named if named.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // In a container, the path may be valid only on the host, or point outside of the visible tree. In both cases,
        // only the limit of the root is read.
        let path = if path.contains("..") { "" } else { path };
        let own = root.join(path.trim_start_matches('/'));
        files.extend(
            own.ancestors().take_while(|above| above.starts_with(&root)).map(|above| above.join(name)),
        );
    }
    let read = |file: PathBuf| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // In version 1 of control groups, a number near 2^63 means "no limit".
    files.into_iter().filter_map(read).filter(|limit| *limit < 1 << 60).min()
}

/// Formats a number of bytes in MiB or GiB.
fn show(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{} MiB", bytes.div_ceil(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crowdfold_config::Sources;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn smallest_limit_of_a_control_group_and_its_parents_applies() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(limit(root, "0::/a/b\n"), None);
        write(&root.join("memory.max"), "max\n");
        write(&root.join("a/memory.max"), "1000000\n");
        write(&root.join("a/b/memory.max"), "2000000\n");
        assert_eq!(limit(root, "0::/\n"), None);
        assert_eq!(limit(root, "0::/a\n"), Some(1_000_000));
        assert_eq!(limit(root, "0::/a/b\n"), Some(1_000_000));
        // This path is valid only on the host. A container may see such a path.
        assert_eq!(limit(root, "0::/../../a\n"), None);
        write(&root.join("memory.max"), "3000000\n");
        assert_eq!(limit(root, "0::/docker/4711\n"), Some(3_000_000));
        assert_eq!(limit(root, ""), None);
        assert_eq!(limit(root, "nonsense\n1:cpu:/\n"), None);
    }

    #[test]
    fn limit_of_a_control_group_of_version_1_is_read() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("memory/memory.limit_in_bytes"), "9223372036854771712\n");
        write(&dir.path().join("memory/x/memory.limit_in_bytes"), "4000000\n");
        let groups = "5:cpu,cpuacct:/x\n4:memory:/x\n";
        assert_eq!(limit(dir.path(), groups), Some(4_000_000));
        assert_eq!(limit(dir.path(), "4:memory:/\n"), None);
    }

    #[test]
    fn memory_above_the_limit_is_a_warning_that_names_the_key_and_the_ways_out() {
        let mut config = Config::load(&Sources { host: "here".into(), ..Sources::default() }).unwrap();
        (config.sessions.max_per_partition, config.topics.beacon_partitions) = (1_000_000, 8);
        let needed = 8_000_000 * SESSION + REST;
        assert_eq!(warning(&config, needed), None);
        assert_eq!(
            warning(&config, needed - 1).unwrap(),
            "sessions.max_per_partition = 1000000 allows up to 9.2 GiB of memory with all 8 partitions, but the kernel \
             kills the worker above the control group's limit of 9.2 GiB; lower sessions.max_per_partition, raise the \
             limit, or share the partitions among more workers"
        );
    }

    #[test]
    fn bytes_are_shown_with_a_unit() {
        assert_eq!(
            [1, 5 << 20, (1 << 30) - 1, 1 << 30, 10_050_000_000].map(show),
            ["1 MiB", "5 MiB", "1024 MiB", "1.0 GiB", "9.4 GiB"]
        );
    }
}
