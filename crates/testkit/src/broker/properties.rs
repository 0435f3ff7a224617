//! Writes the `server.properties` of a broker.

use std::collections::BTreeMap;
use std::path::Path;

/// Returns the properties of broker `id`. With them, the broker needs few resources, and starts and fails over fast.
/// `ports` contains the client port and the controller port of each broker of the cluster. `overrides` replace
/// properties.
pub(super) fn server(
    id: u32,
    ports: &[(u16, u16)],
    home: &Path,
    overrides: &BTreeMap<String, String>,
) -> String {
    let brokers = ports.len();
    let in_sync = if brokers > 1 { 2 } else { 1 };
    // In a cluster of one broker, a short session timeout is useless, because no other broker can take over.
    let session = if brokers > 1 { 3_000 } else { 9_000 };
    let voters: Vec<_> =
        ports.iter().zip(1..).map(|((_, port), id)| format!("{id}@127.0.0.1:{port}")).collect();
    let (port, controller) = ports[id as usize - 1];
    let mut text = format!(
        "process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={brokers}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={brokers}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={brokers}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={brokers}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms={session}
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.initial.task.delay.ms=500
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=2097152
",
        voters = voters.join(","),
        data = home.join("data").display(),
    );
    // If a key occurs several times, Kafka uses the last value.
    for (key, value) in overrides {
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}
