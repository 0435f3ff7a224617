//! Starts a real Apache Kafka cluster on the loopback interface, with one or three brokers. Each broker is also a KRaft
//! controller (combined mode).

mod certificates;
mod hanging;
mod jars;
mod process;
mod properties;
mod secured;

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tempfile::TempDir;

use crate::random;
pub(crate) use certificates::execute as openssl;
pub use certificates::{Authority, Certificate};
use jars::Jars;
use process::Broker;
pub use secured::Security;

/// The properties of a test cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of brokers, 1 or 3. Topics are replicated to all of them. With three brokers, `min.insync.replicas`
    /// is 2.
    pub brokers: u32,
    /// Broker properties that override those of the testkit.
    pub properties: BTreeMap<String, String>,
    /// The users of a secured broker, or `None` for a cluster without authentication. A secured broker has an
    /// authorizer, and listeners with TLS and SASL in addition to the open listener. Only a cluster of one broker can
    /// be secured.
    pub users: Option<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { brokers: 1, properties: BTreeMap::new(), users: None }
    }
}

impl Options {
    /// Adds a broker property.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Returns the options for one secured broker with these users.
    #[must_use]
    pub fn secured(users: &[&str]) -> Self {
        Self { users: Some(users.iter().map(ToString::to_string).collect()), ..Self::default() }
    }

    /// Sets a long session timeout, for clusters whose brokers are never stopped by a test. On a busy machine, a
    /// heartbeat may be late. With the default timeout, the controller would then exclude the broker.
    #[must_use]
    pub fn never_stopped(self) -> Self {
        self.with("broker.session.timeout.ms", "3600000")
    }
}

/// A running cluster. When this value is dropped, or when the test process ends for any reason, the brokers stop and
/// their files are deleted. Brokers are numbered from 1. Topics are not created automatically.
pub struct Kafka {
    brokers: Vec<Mutex<Broker>>,
    bootstrap: String,
    jars: Jars,
    security: Option<Security>,
    // This field is the last one, because the last field is dropped last, and brokers write to this directory until
    // they end.
    dir: TempDir,
}

impl Kafka {
    /// Returns the broker that all tests of this process share. Tests must not stop it, and must use names of topics
    /// and groups from [`crate::unique`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Options::default().never_stopped()))
    }

    /// Starts a cluster that is not shared, and waits until it is ready.
    ///
    /// # Panics
    /// If Java or Maven is missing, or if a broker does not start.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let jars = Jars::fetch();
        let mut attempt = 1;
        loop {
            match Self::try_start(&options, jars.clone()) {
                Ok(kafka) => return kafka,
                // Another process has taken the port after the check that it was free.
                Err(error) if attempt < 3 && error.contains("Address already in use") => attempt += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn try_start(options: &Options, jars: Jars) -> Result<Self, String> {
        assert!(matches!(options.brokers, 1 | 3), "a test cluster has one broker or three");
        let dir = tempfile::Builder::new()
            .prefix("crowdfold-kafka-")
            .tempdir()
            .expect("the creation of a temporary directory");
        let ports: Vec<_> = (0..options.brokers).map(|_| (free_port(), free_port())).collect();
        let bootstrap: Vec<_> = ports.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        // The id of a cluster must consist of 16 bytes in base64, which are 22 characters.
        let cluster = format!("crowdfold{:012x}A", random() >> 16);
        let mut brokers = Vec::new();
        let security = options.users.as_ref().map(|users| {
            assert!(options.brokers == 1, "a secured test cluster has one broker");
            Security::new(dir.path(), users)
        });
        let mut overrides = security
            .as_ref()
            .map_or_else(BTreeMap::new, |security| security.properties(ports[0].0, ports[0].1));
        overrides.extend(options.properties.clone());
        let format = security.as_ref().map(Security::format_arguments).unwrap_or_default();
        let flags = security.as_ref().map(Security::flags).unwrap_or_default();
        for id in 1..=options.brokers {
            let home = dir.path().join(format!("broker-{id}"));
            std::fs::create_dir(&home).expect("the creation of a directory");
            let text = properties::server(id, &ports, &home, &overrides);
            std::fs::write(home.join("server.properties"), text).expect("the creation of a file");
            brokers.push(Broker::new(home));
        }
        for broker in &mut brokers {
            broker.format(&jars, &cluster, &format)?;
            broker.launch(&jars, dir.path(), &flags);
        }
        for broker in &mut brokers {
            broker.await_ready()?;
        }
        let brokers = brokers.into_iter().map(Mutex::new).collect();
        Ok(Self { brokers, bootstrap: bootstrap.join(","), jars, security, dir })
    }

    /// Returns the value of `bootstrap.servers` for clients.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Returns the credentials and the listeners of a secured broker.
    ///
    /// # Panics
    /// If the cluster was not started with [`Options::secured`].
    #[must_use]
    pub fn security(&self) -> &Security {
        self.security.as_ref().expect("a cluster started with Options::secured")
    }

    /// Kills broker `id` (SIGKILL).
    pub fn kill(&self, id: u32) {
        self.broker(id).end();
    }

    /// Shuts broker `id` down (SIGTERM). If it is the last running one of three brokers, it does not stop, because it
    /// waits for a quorum of controllers.
    pub fn stop(&self, id: u32) {
        self.broker(id).stop();
    }

    /// Restarts broker `id` after [`Kafka::kill`] or [`Kafka::stop`], with the same port and files. In a cluster of one
    /// broker, this function also ends the transactions that were left open when the broker was killed.
    pub fn restart(&self, id: u32) {
        let log = {
            let mut broker = self.broker(id);
            let flags = self.security.as_ref().map(Security::flags).unwrap_or_default();
            broker.launch(&self.jars, self.dir.path(), &flags);
            broker.await_ready().unwrap_or_else(|error| panic!("{error}"));
            broker.log_text()
        };
        if self.brokers.len() == 1 {
            hanging::end_transactions(self, &log);
        }
    }

    /// Suspends broker `id` (SIGSTOP). Its connections stay open, but it does not respond.
    pub fn pause(&self, id: u32) {
        self.broker(id).signal(rustix::process::Signal::STOP);
    }

    /// Resumes broker `id` (SIGCONT).
    pub fn resume(&self, id: u32) {
        self.broker(id).signal(rustix::process::Signal::CONT);
    }

    /// Returns the time for which broker `id` has waited for a CPU (see [`cpu_wait`](crate::cpu_wait)).
    #[must_use]
    pub fn cpu_wait(&self, id: u32) -> Duration {
        self.broker(id).cpu_wait()
    }

    /// Returns the data directory of broker `id`. It contains one directory of log segments for each partition.
    #[must_use]
    pub fn log_dir(&self, id: u32) -> PathBuf {
        self.broker(id).home().join("data")
    }

    /// Creates a topic with these topic settings. It is replicated to all brokers.
    ///
    /// # Panics
    /// If the broker does not create it.
    pub fn create_topic(&self, name: &str, partitions: u32, settings: &[(&str, &str)]) {
        let replicas = TopicReplication::Fixed(self.brokers.len() as i32);
        self.create(NewTopic::new(name, partitions as i32, replicas), settings);
    }

    /// Creates a topic with one partition on each of these brokers and no further replicas. While a broker is stopped,
    /// its partition has no leader.
    ///
    /// # Panics
    /// If the broker does not create it.
    pub fn create_topic_on(&self, name: &str, brokers: &[u32]) {
        let assignments: Vec<_> = brokers.iter().map(|broker| [*broker as i32]).collect();
        let assignments: Vec<_> = assignments.iter().map(<[i32; 1]>::as_slice).collect();
        self.create(NewTopic::new(name, brokers.len() as i32, TopicReplication::Variable(&assignments)), &[]);
    }

    fn create<'a>(&self, mut topic: NewTopic<'a>, settings: &[(&'a str, &'a str)]) {
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(120)));
        let made =
            futures_executor::block_on(self.admin().create_topics([&topic], &options)).expect("a response");
        for result in made {
            result.unwrap_or_else(|(name, error)| panic!("cannot create topic {name}: {error}"));
        }
        self.await_leaders(topic.name, topic.num_partitions as usize);
    }

    /// Waits until a broker reports a leader for each partition. The wait is necessary because the controller creates a
    /// topic before the brokers know about it.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a process in real time")]
    fn await_leaders(&self, topic: &str, partitions: usize) {
        let admin = self.admin();
        let start = Instant::now();
        let known = || {
            let metadata = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(10)).ok()?;
            let led =
                metadata.topics().first()?.partitions().iter().filter(|partition| partition.leader() >= 0);
            (led.count() == partitions).then_some(())
        };
        while known().is_none() {
            assert!(
                start.elapsed() < Duration::from_secs(300),
                "no broker knows the leaders of topic {topic}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Deletes a topic.
    ///
    /// # Panics
    /// If the broker does not delete it.
    pub fn delete_topic(&self, name: &str) {
        let deleted = futures_executor::block_on(self.admin().delete_topics(&[name], &AdminOptions::new()));
        for result in deleted.expect("a response") {
            result.unwrap_or_else(|(name, error)| panic!("cannot delete topic {name}: {error}"));
        }
    }

    /// Deletes the records of a partition before an offset.
    ///
    /// # Panics
    /// If the broker does not delete them.
    pub fn delete_before(&self, topic: &str, partition: u32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition as i32, Offset::Offset(offset)).expect("a valid offset");
        let deleted = futures_executor::block_on(self.admin().delete_records(&list, &AdminOptions::new()));
        for element in deleted.expect("a response").elements() {
            element.error().unwrap_or_else(|error| panic!("cannot delete records of {topic}: {error}"));
        }
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).create().expect("an admin client")
    }

    /// Runs a tool of Kafka by its Java class, such as `org.apache.kafka.tools.GetOffsetShell`, and returns its output.
    /// `arguments` must contain `--bootstrap-server`.
    ///
    /// # Panics
    /// If the tool fails.
    #[must_use]
    pub fn tool(&self, class: &str, arguments: &[&str]) -> String {
        self.try_tool(class, arguments).unwrap_or_else(|output| panic!("{class} failed:\n{output}"))
    }

    /// Runs a tool of Kafka, and returns its output. If the tool fails, its output is the error.
    fn try_tool(&self, class: &str, arguments: &[&str]) -> Result<String, String> {
        run(self.jars.java().arg("-Dlog4j2.level=ERROR").arg(class).args(arguments))
    }

    fn broker(&self, id: u32) -> MutexGuard<'_, Broker> {
        let broker = (id as usize).checked_sub(1).and_then(|index| self.brokers.get(index));
        let broker = broker.unwrap_or_else(|| panic!("there is no broker {id}"));
        broker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a command ends, and returns its standard output. If it fails, all of its output is the error.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(text)
}

/// Returns a port that is not in use. It is below the range from which the system chooses ports for outgoing
/// connections, so no such connection can use it.
fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    loop {
        let port = 20_000 + (random() % 12_000) as u16;
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
}

/// Returns true if a file contains `text`.
fn mentions(file: &Path, text: &str) -> bool {
    std::fs::read(file).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
}
