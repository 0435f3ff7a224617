//! What a cluster says of topics and logs, asked by a client that reads uncommitted and belongs to no group.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::client::Context;
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, Error};

/// How long a broker may take to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

impl ConsumerContext for Context<()> {}

/// A connection to ask by. Can be shared between threads; every call waits for an answer.
pub struct Cluster {
    client: BaseConsumer<Context<()>>,
    brokers: String,
}

/// What the cluster says of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// For each partition, by number, its replicas (ids of brokers).
    pub partitions: Vec<Vec<i32>>,
}

impl Topic {
    /// How many partitions it has.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.partitions.len() as u32
    }
}

impl Cluster {
    /// A connection. Nothing is asked yet.
    ///
    /// # Errors
    /// When the properties are not ones librdkafka takes.
    pub fn open(client: &ClientSettings) -> Result<Self, Error> {
        let fixed = [("isolation.level", "read_uncommitted"), ("enable.auto.commit", "false")];
        let config = client.config(&[], &fixed)?;
        Ok(Self { client: config.create_with_context(Context::default())?, brokers: client.brokers.clone() })
    }

    /// A topic, within ten seconds. Does not make it, whatever the broker allows.
    ///
    /// # Errors
    /// No broker answers; there is no such topic; it may not be described.
    pub fn topic(&self, name: &str) -> Result<Topic, Error> {
        let metadata = self.metadata(Some(name))?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name);
        let Some(found) = found else { return Err(Error::NoTopic { topic: name.into() }) };
        if let Some(error) = found.error().filter(IsError::is_error) {
            return Err(match RDKafkaErrorCode::from(error) {
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                    Error::NoTopic { topic: name.into() }
                }
                code => Error::coded(format!("describe topic {name}"), code),
            });
        }
        let mut partitions: Vec<_> =
            found.partitions().iter().map(|p| (p.id(), p.replicas().to_vec())).collect();
        partitions.sort();
        Ok(Topic {
            name: name.into(),
            partitions: partitions.into_iter().map(|(_, replicas)| replicas).collect(),
        })
    }

    /// The ids of all brokers.
    ///
    /// # Errors
    /// No broker answers.
    pub fn brokers(&self) -> Result<Vec<i32>, Error> {
        // a name that no topic can have: the answer is about brokers alone, however many topics there are
        let metadata = self.metadata(Some("/"))?;
        let mut ids: Vec<_> = metadata.brokers().iter().map(rdkafka::metadata::MetadataBroker::id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The first offset that can be read, for each partition asked; `None` where no leader says.
    ///
    /// # Errors
    /// No broker answers.
    pub fn log_starts(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, Error> {
        self.list_offsets(topic, partitions, Offset::Beginning)
    }

    /// The offset after the last record, committed or not, for each partition asked; `None` where no leader says, and
    /// a partition of which this is not known is not silent.
    ///
    /// # Errors
    /// No broker answers.
    pub fn log_ends(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, Error> {
        self.list_offsets(topic, partitions, Offset::End)
    }

    /// Offsets by logical position: a ListOffsets takes those where it takes timestamps.
    fn list_offsets(&self, topic: &str, partitions: &[u32], at: Offset) -> Result<Vec<Option<i64>>, Error> {
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        let what = || format!("ask for the ends of the log of topic {topic}");
        for partition in partitions {
            asked
                .add_partition_offset(topic, *partition as i32, at)
                .map_err(|error| Error::of(what(), &error))?;
        }
        let told =
            self.client.offsets_for_times(asked, ANSWER).map_err(|error| self.failed(what(), &error))?;
        let told = told.elements();
        let offset = |partition: &u32| {
            let element = told.iter().find(|element| element.partition() == *partition as i32)?;
            match (element.error(), element.offset()) {
                (Ok(()), Offset::Offset(offset)) => Some(offset),
                _ => None,
            }
        };
        Ok(partitions.iter().map(offset).collect())
    }

    fn metadata(&self, topic: Option<&str>) -> Result<rdkafka::metadata::Metadata, Error> {
        let what = || topic.map_or("describe the cluster".into(), |topic| format!("describe topic {topic}"));
        self.client.fetch_metadata(topic, ANSWER).map_err(|error| self.failed(what(), &error))
    }

    /// Tells a cluster that does not answer from one that says no.
    fn failed(&self, what: String, error: &rdkafka::error::KafkaError) -> Error {
        use RDKafkaErrorCode as C;
        match code(error) {
            code if is_forbidden(code) => Error::Forbidden { what },
            code @ (C::BrokerTransportFailure
            | C::AllBrokersDown
            | C::OperationTimedOut
            | C::Resolve
            | C::SSL
            | C::Authentication
            | C::TimedOutQueue) => {
                // librdkafka's reasons wait in the queue
                for _ in 0..100 {
                    let served = self.client.context().served();
                    let _ = self.client.poll(Duration::ZERO);
                    if self.client.context().served() == served {
                        break;
                    }
                }
                let reason = self.client.context().trouble().unwrap_or_else(|| code.to_string());
                Error::Unreachable { brokers: self.brokers.clone(), reason }
            }
            code => Error::Kafka { what, code },
        }
    }
}
