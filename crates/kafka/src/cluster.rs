//! Metadata of topics and partitions, read by a client outside any group that also sees uncommitted offsets.

mod groups;

use std::time::Duration;

use crowdfold_model::Timestamp;
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataBroker, MetadataPartition};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::acl::{Operation, Right};
use crate::admin_calls::{describe_acls, largest};
use crate::client::{Context, Principal};
use crate::error::code;
use crate::{ClientSettings, KafkaError};

/// The time-out of a broker's response.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

/// The time-out of the first request. librdkafka waits for all of it, and an unreachable broker should be reported
/// soon.
const METADATA: Duration = Duration::from_secs(5);
const SLICE: Duration = Duration::from_millis(500);

impl ConsumerContext for Context<()> {}

/// A connection for metadata requests. It can be shared between threads; every call waits for a response.
pub struct Cluster {
    client: BaseConsumer<Context<()>>,
    settings: ClientSettings,
}

/// The metadata of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
}

/// The replicas of a partition, by broker id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The leader; `None` if there is none.
    pub leader: Option<i32>,
    /// The replicas, alive or not.
    pub replicas: Vec<i32>,
}

impl Topic {
    /// Returns the number of partitions.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.partitions.len() as u32
    }
}

impl Cluster {
    /// Creates a connection without sending a request.
    ///
    /// # Errors
    /// librdkafka rejects the properties.
    pub fn open(client: &ClientSettings) -> Result<Self, KafkaError> {
        let fixed = [("isolation.level", "read_uncommitted"), ("enable.auto.commit", "false")];
        let config = client.config(&[], &fixed)?;
        Ok(Self { client: config.create_with_context(Context::default())?, settings: client.clone() })
    }

    /// Returns a topic, within five seconds. Never creates it, whatever the broker allows.
    ///
    /// # Errors
    /// No broker responds; the topic does not exist; it may not be described.
    pub fn topic(&self, name: &str) -> Result<Topic, KafkaError> {
        let metadata = self.metadata(Some(name))?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name);
        let Some(found) = found else { return Err(KafkaError::NoTopic { topic: name.into() }) };
        if let Some(error) = found.error().filter(IsError::is_error) {
            return Err(match RDKafkaErrorCode::from(error) {
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                    KafkaError::NoTopic { topic: name.into() }
                }
                code => KafkaError::coded(format!("describe topic {name}"), code)
                    .forbids(&self.principal(), || Right::of_topic(Operation::Describe, name)),
            });
        }
        let mut partitions: Vec<_> = found.partitions().iter().collect();
        partitions.sort_by_key(|partition| partition.id());
        let partition = |partition: &MetadataPartition| Partition {
            leader: Some(partition.leader()).filter(|leader| *leader >= 0),
            replicas: partition.replicas().to_vec(),
        };
        Ok(Topic { name: name.into(), partitions: partitions.into_iter().map(partition).collect() })
    }

    /// Returns the principal of this connection.
    pub(crate) fn principal(&self) -> Principal {
        self.settings.principal()
    }

    /// Verifies that each of these topics may be written, as far as the cluster reports it. A topic that is visible
    /// through another permission may still not be writable.
    ///
    /// # Errors
    /// No broker responds; the permission to write a topic is missing.
    pub(crate) fn writable(&self, topics: &[String]) -> Result<(), KafkaError> {
        if topics.is_empty() {
            return Ok(());
        }
        match describe_acls::not_to_write(self.client.client(), topics) {
            Ok(lacked) => lacked.first().map_or(Ok(()), |topic| {
                let right = Right::of_topic(Operation::Write, topic);
                Err(KafkaError::Forbidden { principal: self.principal(), right })
            }),
            // the broker does not support the request
            Err(RDKafkaErrorCode::UnsupportedFeature) => Ok(()),
            Err(code) => Err(KafkaError::coded("query the topics that may be written to", code)),
        }
    }

    /// Returns the ids of all brokers.
    ///
    /// # Errors
    /// No broker responds.
    pub fn brokers(&self) -> Result<Vec<i32>, KafkaError> {
        // no topic can have this name, so the response lists only the brokers, however many topics there are
        let metadata = self.metadata(Some("/"))?;
        let mut ids: Vec<_> = metadata.brokers().iter().map(MetadataBroker::id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Returns the addresses and client ids of a group's members with this static name (`group.instance.id`). A broker
    /// uses the name as the prefix of the member id.
    ///
    /// # Errors
    /// No broker responds, or the group may not be described.
    pub fn members_named(&self, group: &str, instance: &str) -> Result<Vec<String>, KafkaError> {
        let what = || format!("describe group {group}");
        let groups =
            self.client.fetch_group_list(Some(group), ANSWER).map_err(|error| self.failed(what(), &error))?;
        let members = groups.groups().iter().flat_map(|group| group.members());
        let is_named = |id: &str| id.strip_prefix(instance).is_some_and(|rest| rest.starts_with('-'));
        let named = members.filter(|member| is_named(member.id()));
        let show =
            |host: &str, client: &str| format!("{} (client.id {client})", host.trim_start_matches('/'));
        Ok(named.map(|member| show(member.client_host(), member.client_id())).collect())
    }

    /// Returns the first readable offset of each requested partition; `None` if it has no leader.
    ///
    /// # Errors
    /// No broker responds.
    pub fn log_starts(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, ANSWER, |_| Offset::Beginning)
    }

    /// Returns the offset after the last record, committed or not, of each requested partition; `None` if it has no
    /// leader. A partition with an unknown end does not count as idle.
    ///
    /// # Errors
    /// No broker responds.
    pub fn log_ends(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, ANSWER, |_| Offset::End)
    }

    /// Returns the same as [`Cluster::log_ends`] within a shorter time, because a broker that has just died remains the
    /// leader of its partitions for a while and delays the response.
    ///
    /// # Errors
    /// A broker does not respond within `time_limit`, though others do.
    pub fn log_ends_within(
        &self,
        topic: &str,
        partitions: &[u32],
        time_limit: Duration,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, time_limit, |_| Offset::End)
    }

    /// Returns, for each requested partition, the first offset whose record has the given timestamp (ms since the
    /// epoch) or a later one; `None` if there is none or the partition has no leader.
    pub(crate) fn first_since(
        &self,
        topic: &str,
        partitions: &[u32],
        times: &[i64],
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, ANSWER, |index| Offset::Offset(times[index]))
    }

    /// Returns the largest timestamp of each requested partition; `None` if no record has one or
    /// the partition has no leader. It includes segments that are not yet deleted, even if their records can no longer
    /// be read.
    ///
    /// # Errors
    /// No broker responds, or a broker does not support the request.
    pub(crate) fn largest_timestamps(
        &self,
        topic: &str,
        partitions: &[u32],
    ) -> Result<Vec<Option<Timestamp>>, KafkaError> {
        retry_until_ready(ANSWER, || {
            let what = || format!("query the largest timestamps of topic {topic}");
            let failed = |code| KafkaError::coded(what(), code);
            let known = self.topic(topic)?.partitions;
            let is_led = |p: &u32| known.get(*p as usize).is_some_and(|known| known.leader.is_some());
            let led: Vec<u32> = partitions.iter().copied().filter(is_led).collect();
            if led.is_empty() {
                return Ok(vec![None; partitions.len()]);
            }
            let listed = largest::timestamps(self.client.client(), topic, &led).map_err(failed)?;
            let time = |partition: &u32| match listed.iter().find(|listed| listed.partition == *partition) {
                Some(listed) => listed.time.map_err(failed),
                None => Ok(None),
            };
            partitions.iter().map(time).collect()
        })
        .map_err(|error| error.forbids(&self.principal(), || Right::of_topic(Operation::Describe, topic)))
    }

    /// Returns offsets by logical position or by time (ListOffsets uses one field for both), index by index.
    fn list_offsets(
        &self,
        topic: &str,
        partitions: &[u32],
        time_limit: Duration,
        at: impl Fn(usize) -> Offset,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        retry_until_ready(time_limit, || self.try_list_offsets(topic, partitions, time_limit, &at))
    }

    fn try_list_offsets(
        &self,
        topic: &str,
        partitions: &[u32],
        time_limit: Duration,
        at: impl Fn(usize) -> Offset,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        let what = || format!("query the offsets of topic {topic}");
        // a partition without a leader would delay the response for all
        let known = self.topic(topic)?.partitions;
        let led = |partition: u32| known.get(partition as usize).is_some_and(|known| known.leader.is_some());
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for (index, partition) in partitions.iter().enumerate().filter(|(_, partition)| led(**partition)) {
            let added = asked.add_partition_offset(topic, *partition as i32, at(index));
            added.map_err(|error| KafkaError::of(what(), &error))?;
        }
        if asked.count() == 0 {
            return Ok(vec![None; partitions.len()]);
        }
        let listed =
            self.client.offsets_for_times(asked, time_limit).map_err(|error| self.failed(what(), &error))?;
        let listed = listed.elements();
        let offset = |partition: &u32| {
            let element = listed.iter().find(|element| element.partition() == *partition as i32)?;
            match (element.error(), element.offset()) {
                (Ok(()), Offset::Offset(offset)) => Some(offset),
                _ => None,
            }
        };
        Ok(partitions.iter().map(offset).collect())
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, KafkaError> {
        let what = || topic.map_or("describe the cluster".into(), |topic| format!("describe topic {topic}"));
        // librdkafka waits for a broker that refuses us as for an unreachable one, so check for errors in between
        let mut waited = Duration::ZERO;
        loop {
            waited += SLICE;
            match self.client.fetch_metadata(topic, SLICE).map_err(|error| self.failed(what(), &error)) {
                Err(KafkaError::Unreachable { .. }) if waited < self.time_limit() => {}
                other => return other,
            }
        }
    }

    /// Returns the time to wait for a response. It is longer if no error was reported yet, because a TLS handshake with
    /// a busy broker may be in progress.
    fn time_limit(&self) -> Duration {
        if self.client.context().last_error().is_some() { METADATA } else { ANSWER }
    }

    /// Returns whether a cluster is unreachable or has refused the request, as an error.
    fn failed(&self, what: String, error: &rdkafka::error::KafkaError) -> KafkaError {
        use RDKafkaErrorCode as C;
        match code(error) {
            code @ (C::BrokerTransportFailure
            | C::AllBrokersDown
            | C::OperationTimedOut
            | C::Resolve
            | C::SSL
            | C::Authentication
            | C::TimedOutQueue) => {
                // librdkafka's error messages are still in the queue
                for _ in 0..100 {
                    let served = self.client.context().served();
                    let _ = self.client.poll(Duration::ZERO);
                    if self.client.context().served() == served {
                        break;
                    }
                }
                self.settings.away(self.client.context().last_error(), || code.to_string())
            }
            code => KafkaError::Kafka { what, code },
        }
    }
}

/// Repeats a request while leaders move, because not every broker knows a new topic immediately.
fn retry_until_ready<T>(
    time_limit: Duration,
    ask: impl Fn() -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let mut turns = time_limit.as_millis() / 200;
    loop {
        match ask() {
            Err(KafkaError::Kafka { code, .. }) if is_moving(code) && turns > 0 => turns -= 1,
            other => return other,
        }
        std::thread::sleep(ANSWER / 100);
    }
}

/// Returns true for error codes of a partition whose leader has moved or is about to.
const fn is_moving(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(
        code,
        C::NotLeaderForPartition
            | C::LeaderNotAvailable
            | C::ReplicaNotAvailable
            | C::UnknownPartition
            | C::UnknownTopicOrPartition
            | C::FencedLeaderEpoch
            | C::UnknownLeaderEpoch
            | C::OffsetNotAvailable
    )
}
