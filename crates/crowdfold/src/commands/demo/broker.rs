//! The Kafka cluster of the demo: librdkafka's mock cluster in this process, or a real cluster.

use anyhow::Context as _;
use crowdfold_config::{Properties, Topics};
use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{Cluster, KafkaError};
use crowdfold_model::Span;
use crowdfold_worker::{Config, clock, specs, wiring};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::CrowdfoldError;

/// The prefix of the demo's topics, groups and transactions.
const PREFIX: &str = "crowdfold-demo";

/// The maximum time by which event time may begin in the past on the mock cluster, which never deletes old records.
const MOCK_BACK: Span = Span::HOUR.times(3);

/// The maximum time by which event time may begin in the past on a real cluster, which deletes beacons within an hour.
const REAL_BACK: Span = Span::MINUTE.times(25);

/// The cluster that the demo uses. Dropping this value ends a mock cluster.
pub(super) struct Broker {
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
    /// The addresses of the brokers as `host:port`, separated by commas.
    pub(super) address: String,
}

impl Broker {
    /// Starts the mock cluster and creates the topics.
    ///
    /// # Errors
    /// Returns an error if the mock cluster cannot listen on a port.
    pub(super) fn mock(mut config: Config) -> Result<(Self, Config), CrowdfoldError> {
        const FAILED: &str = "the mock cluster cannot be started";
        let mock = MockCluster::new(1).context(FAILED)?;
        let address = mock.bootstrap_servers();
        config.kafka.brokers = address.split(',').map(Into::into).collect();
        config.kafka.prefix = PREFIX.into();
        // The configured client properties, such as authentication, belong to another cluster.
        config.kafka.properties = Properties::default();
        config.topics =
            Topics { beacon_partitions: 4, partial_partitions: 2, rollup_partitions: 2, replication: 1 };
        for spec in specs::all(&config) {
            mock.create_topic(&spec.topic, spec.partitions as i32, 1).context(FAILED)?;
        }
        Ok((Self { mock: Some(mock), address }, config))
    }

    /// Connects to the cluster and creates topics for the demo. If topics with the demo's prefix contain records,
    /// appends a number to the prefix: -2, -3 and so on.
    ///
    /// # Errors
    /// Returns an error if no broker responds, or if topics cannot be created.
    pub(super) fn real(mut config: Config) -> Result<(Self, Config), CrowdfoldError> {
        let address = config.kafka.brokers.join(",");
        let cluster = Cluster::open(&wiring::client(&config)?)?;
        let brokers = cluster.brokers()?.len();
        config.topics =
            Topics { beacon_partitions: 4, partial_partitions: 2, rollup_partitions: 2, replication: 1 };
        config.topics.replication = u32::try_from(brokers).unwrap_or(u32::MAX).clamp(1, 3);
        let mut runs = 1..;
        loop {
            let run = runs.next().unwrap_or(u32::MAX);
            config.kafka.prefix = if run == 1 { PREFIX.into() } else { format!("{PREFIX}-{run}") };
            if is_unused(&cluster, &config)? {
                break;
            }
        }
        let admin = Admin::open(&wiring::client(&config)?)?;
        let changes = admin.plan(&specs::all(&config), clock::now())?;
        admin.apply(&changes)?;
        Ok((Self { mock: None, address }, config))
    }

    /// Returns true if the cluster is a mock cluster.
    pub(super) const fn is_mock(&self) -> bool {
        self.mock.is_some()
    }

    /// Returns the maximum time by which event time may begin in the past on this cluster.
    pub(super) const fn most_behind(&self) -> Span {
        if self.is_mock() { MOCK_BACK } else { REAL_BACK }
    }
}

/// Returns true if the topics of this configuration are missing or empty. If topics contain records of an earlier run,
/// they cannot be used, because event time would go back.
fn is_unused(cluster: &Cluster, config: &Config) -> Result<bool, KafkaError> {
    for topic in specs::all(config).into_iter().map(|spec| spec.topic) {
        match cluster.topic(&topic) {
            Err(KafkaError::NoTopic { .. }) => {}
            Err(error) => return Err(error),
            Ok(found) => {
                let partitions: Vec<_> = (0..found.count()).collect();
                if cluster.log_ends(&topic, &partitions)?.iter().any(|end| *end != Some(0)) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}
