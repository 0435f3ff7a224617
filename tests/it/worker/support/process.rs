//! Runs the program as a process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crowdfold_testkit::{TIMEOUT, binary, binary_with, cpu_wait, eventually, unique};

use super::Deployment;

/// Returns the path of the program that is built with fault points.
pub(crate) fn armed_binary() -> PathBuf {
    binary_with("crowdfold", "crowdfold-fault-points", "fault-points")
}

/// A running `crowdfold run`, which is killed when it is dropped.
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    pub(crate) fn start(deployment: &Deployment<'_>, instance: &str) -> Self {
        Self::start_with(deployment, instance, &[])
    }

    pub(crate) fn start_with(deployment: &Deployment<'_>, instance: &str, arguments: &[&str]) -> Self {
        let config = deployment.config(instance);
        let arguments: Vec<_> = ["run"].iter().chain(arguments).copied().collect();
        Self::spawn(Command::new(binary("crowdfold")), &config, deployment.dir.path(), &arguments)
    }

    /// Starts `crowdfold collect`.
    pub(crate) fn collect(deployment: &Deployment<'_>, instance: &str) -> Self {
        let config = deployment.config(instance);
        Self::spawn(Command::new(binary("crowdfold")), &config, deployment.dir.path(), &["collect"])
    }

    /// Returns the host and port at which a collector receives reports.
    pub(crate) fn intake_address(&self) -> String {
        self.address_after("receiving beacons at http")
    }

    /// Starts `crowdfold console`.
    pub(crate) fn console(deployment: &Deployment<'_>, instance: &str) -> Self {
        let config = deployment.config(instance);
        Self::spawn(Command::new(binary("crowdfold")), &config, deployment.dir.path(), &["console"])
    }

    /// Returns the host and port of a console.
    pub(crate) fn page_address(&self) -> String {
        self.address_after("the page is at http")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the program with fault points, and activates one of them, such as `combine.6.sent:3:kill`.
    pub(crate) fn start_armed(deployment: &Deployment<'_>, instance: &str, fault: &str) -> Self {
        let mut command = Command::new(armed_binary());
        command.env("CROWDFOLD_TEST", "1").env("CROWDFOLD_FAULT", fault);
        Self::spawn(command, &deployment.config(instance), deployment.dir.path(), &["run"])
    }

    /// Starts `crowdfold run` through another program.
    pub(crate) fn start_by(command: Command, deployment: &Deployment<'_>, instance: &str) -> Self {
        Self::spawn(command, &deployment.config(instance), deployment.dir.path(), &["run"])
    }

    /// Resumes the program after a fault point suspended it.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends a signal by its short name.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Sends SIGTERM. Returns the exit status, the log, and the time until the exit minus the time that the worker
    /// waited for a CPU.
    #[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
    pub(crate) fn time_to_terminate(mut self) -> (ExitStatus, String, Duration) {
        let (start, before) = (Instant::now(), cpu_wait(self.id()));
        let mut waited = Duration::ZERO;
        self.signal("TERM");
        let status = eventually("the worker exits", || {
            waited = waited.max(cpu_wait(self.id()).saturating_sub(before));
            self.child.try_wait().unwrap()
        });
        (status, self.log(), start.elapsed().saturating_sub(waited))
    }

    fn spawn(mut command: Command, config: &Path, dir: &Path, arguments: &[&str]) -> Self {
        let log = dir.join(unique("log"));
        let child = command
            .args(arguments)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until the log contains these words.
    pub(crate) fn await_log(&self, words: &str) {
        eventually(&format!("the log contains {words:?}"), || self.log().contains(words).then_some(()));
    }

    /// Waits until the address of the worker's pages is in the log. Returns the address.
    pub(crate) fn address(&self) -> String {
        self.address_after("metrics and health at http")
    }

    fn address_after(&self, words: &str) -> String {
        eventually("the log contains the address", || {
            let log = self.log();
            let (_, rest) = log.split_once(words)?.1.split_once("://")?;
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter))?;
            Some(rest[..end].to_owned())
        })
    }

    /// Returns the number of partitions of beacons that were assigned to the worker last, according to its log.
    pub(crate) fn partitions(&self) -> usize {
        let log = self.log();
        let last = log.lines().rfind(|line| line.contains("assigned stage=\"combine\""));
        let list = last.and_then(|line| line.split_once("partitions=[")?.1.split_once(']'));
        list.map_or(0, |(list, _)| list.split(',').filter(|number| !number.is_empty()).count())
    }

    /// Waits until the worker has logged more than it had logged before, or has exited.
    pub(crate) fn await_further_log(&mut self, before: &str) {
        eventually("the worker logs something", || {
            (!self.is_running() || self.log().len() > before.len()).then_some(())
        });
    }

    /// Requests one of the worker's pages. Returns the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.get_at(&self.address(), path)
    }

    /// Requests a page at an address. Returns the status and the body.
    pub(crate) fn get_at(&self, address: &str, path: &str) -> (u16, String) {
        get(address, path).unwrap()
    }

    /// Returns the value of a metric. `name` includes the labels, as the page prints them.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let (_, page) = self.get("/metrics");
        let value =
            page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok())?;
        Some(value as u64)
    }

    pub(crate) fn await_ready(&self) {
        eventually("the worker is ready", || (self.get("/readyz").0 == 200).then_some(()));
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills the process (SIGKILL).
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM. Returns the exit status and the log. The timeout is that of [`Worker::wait`].
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.wait();
        (status, self.log())
    }

    /// Waits until the program exits. Returns the exit status.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        // If this fails, the log is printed when the worker is dropped.
        eventually("the worker exits", || self.child.try_wait().unwrap())
    }
}

/// Requests a page of any program. Returns the status and the body.
pub(crate) fn get(address: &str, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
}

/// Sends a signal to a child process by its short name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The log of the worker usually shows why a test failed.
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            eprintln!(
                "the last lines of the worker's log:\n{}",
                lines[lines.len().saturating_sub(30)..].join("\n")
            );
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
