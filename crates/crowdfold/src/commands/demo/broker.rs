//! The cluster the demo runs on: librdkafka's mock one in this process, or a real one.

use anyhow::Context as _;
use crowdfold_config::{Properties, Topics};
use crowdfold_kafka::topics::{Admin, PlanError};
use crowdfold_kafka::{Cluster, Error};
use crowdfold_model::Millis;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::config::Config;
use crate::failure::Failure;
use crate::{clock, specs, wiring};

/// What topics, groups and transactions of the demo are called.
const PREFIX: &str = "crowdfold-demo";

/// How far back event time may begin: on the mock cluster nothing is ever deleted by age.
const MOCK_BACK: Millis = 3 * 3_600_000;

/// On a real one the beacons are kept for less than an hour.
const REAL_BACK: Millis = 25 * 60_000;

/// A cluster; the mock one ends with it.
pub(super) struct Broker {
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
    /// `host:port`, comma-separated.
    pub(super) address: String,
}

impl Broker {
    /// Starts the mock cluster, with the topics.
    ///
    /// # Errors
    /// When it cannot listen.
    pub(super) fn mock(mut config: Config) -> Result<(Self, Config), Failure> {
        const FAILED: &str = "the mock cluster cannot be started";
        let mock = MockCluster::new(1).context(FAILED)?;
        let address = mock.bootstrap_servers();
        config.kafka.brokers = address.split(',').map(Into::into).collect();
        config.kafka.prefix = PREFIX.into();
        // they are for another cluster
        config.kafka.properties = Properties::default();
        config.topics =
            Topics { beacon_partitions: 4, partial_partitions: 2, rollup_partitions: 2, replication: 1 };
        for spec in specs::all(&config) {
            mock.create_topic(&spec.topic, spec.partitions as i32, 1).context(FAILED)?;
        }
        Ok((Self { mock: Some(mock), address }, config))
    }

    /// Finds the cluster, and makes topics of the demo's own on it: a run that finds others' there takes a number.
    ///
    /// # Errors
    /// When no broker answers, or topics cannot be made.
    pub(super) fn real(mut config: Config) -> Result<(Self, Config), Failure> {
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
        let changes = admin.plan(&specs::all(&config), clock::now()).map_err(|error| match error {
            PlanError::Request(error) => Failure::from(error),
            other => Failure::Usage(other.to_string()),
        })?;
        admin.apply(&changes)?;
        Ok((Self { mock: None, address }, config))
    }

    /// Whether it is the mock cluster.
    pub(super) const fn is_mock(&self) -> bool {
        self.mock.is_some()
    }

    /// How far back event time may begin, ms.
    pub(super) const fn most_behind(&self) -> Millis {
        if self.is_mock() { MOCK_BACK } else { REAL_BACK }
    }
}

/// Whether no run before this one left anything in these topics: event time would not go back for another.
fn is_unused(cluster: &Cluster, config: &Config) -> Result<bool, Error> {
    for topic in specs::all(config).into_iter().map(|spec| spec.topic) {
        match cluster.topic(&topic) {
            Err(Error::NoTopic { .. }) => {}
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
