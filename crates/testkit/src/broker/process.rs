//! Runs a broker as a process that is killed when the test process ends.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::jars::{Jars, run_class};
use super::mentions;

/// The shell script that starts a broker. It ends with `exec java`, so the process id of the child is the process id of
/// the broker.
///
/// Before `exec`, the shell starts a watcher process, which reads from a pipe. The test holds the other end of the
/// pipe. When the test closes the pipe or ends for any reason (panic, abort, kill -9), the watcher kills the broker and
/// deletes the files of the cluster. If the watcher reads the word `keep` first, it does not delete the files. The test
/// reaps the child only after the watcher has ended. Therefore the watcher cannot kill another process with the same
/// id.
const WATCHED: &str = r#"
log=$1 dir=$2; shift 2
exec 3<&0
(
  read -r word <&3
  kill -9 $$
  [ "$word" = keep ] || rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }
) 2>/dev/null &
exec java "$@" >"$log" 2>&1 </dev/null 3<&-
"#;

/// The time limit for the start of a broker, and for its shutdown.
const TIMEOUT: Duration = Duration::from_secs(300);

pub(super) struct Broker {
    home: PathBuf,
    child: Option<Child>,
}

impl Broker {
    /// Creates a broker that is not running yet. The directory `home` contains its `server.properties`.
    pub(super) const fn new(home: PathBuf) -> Self {
        Self { home, child: None }
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Formats the storage of the broker with Kafka's tool. `more` contains further arguments of the tool.
    pub(super) fn format(&self, jars: &Jars, cluster: &str, more: &[String]) -> Result<(), String> {
        let properties = self.home.join("server.properties").display().to_string();
        let mut arguments = vec!["kafka.tools.StorageTool", "format", "-t", cluster, "-c", &properties];
        arguments.extend(more.iter().map(String::as_str));
        run_class(jars, &arguments)
            .map(drop)
            .map_err(|output| format!("cannot format a broker's storage: {output}"))
    }

    pub(super) fn cpu_wait(&self) -> Duration {
        self.child.as_ref().map_or(Duration::ZERO, |child| crate::cpu_wait(child.id()))
    }

    /// Starts the broker without waiting until it is ready (see [`Broker::await_ready`]). When the test process ends,
    /// the directory `cluster` is deleted.
    pub(super) fn launch(&mut self, jars: &Jars, cluster: &Path, flags: &[String]) {
        assert!(self.child.is_none(), "the broker in {} is running", self.home.display());
        let mut command = Command::new("sh");
        command.args(["-c", WATCHED, "sh"]).arg(self.log()).arg(cluster);
        command.args(flags).args(jars.flags()).args(["-Dlog4j2.level=INFO", "kafka.Kafka"]);
        command.arg(self.home.join("server.properties"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // The broker has its own process group, so it does not receive the SIGINT of Ctrl-C. The watcher ends it
        // instead.
        command.process_group(0);
        std::fs::write(self.log(), "").expect("the creation of a log file");
        self.child = Some(command.spawn().expect("a shell"));
    }

    /// Waits until the broker reports in its log that it has started. An open port does not show that the broker is
    /// ready.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a process in real time")]
    pub(super) fn await_ready(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            if mentions(&self.log(), "Kafka Server started") {
                return Ok(());
            }
            if self.has_ended() {
                let log = self.log_text();
                let errors = log.lines().filter(|line| line.contains("ERROR") || line.contains("Exception"));
                let errors: Vec<_> = errors.take(8).collect();
                return Err(format!("a broker exited during its start:\n{}", errors.join("\n")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("a broker did not start within {} s", TIMEOUT.as_secs()))
    }

    /// Shuts the broker down (SIGTERM), and waits until it has ended.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a process in real time")]
    pub(super) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while !self.has_ended() {
            assert!(
                start.elapsed() < TIMEOUT,
                "a broker does not stop, because it waits for a quorum; use kill"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        self.end();
    }

    /// Kills the broker if it is running, and keeps its files.
    pub(super) fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(b"keep\n");
        }
        if let Some(mut watcher) = child.stdout.take() {
            let _ = watcher.read_to_end(&mut Vec::new());
        }
        let _ = child.wait();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap_or_else(|| panic!("the broker is not running"));
        kill_process(Pid::from_child(child), signal).expect("permission to signal a child process");
    }

    /// Returns true if the broker's process has ended. This function does not reap the process.
    fn has_ended(&self) -> bool {
        let Some(child) = &self.child else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(child)), options).is_ok_and(|status| status.is_some())
    }

    /// Returns the log of the broker since its last start.
    pub(super) fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}
