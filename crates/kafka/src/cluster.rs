//! Metadata and offsets of topics and partitions. The client belongs to no consumer group. The end offsets include the
//! records of open transactions.

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

/// The maximum time to wait for a broker's response.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum time to wait for metadata after librdkafka reported an error. This time is shorter than
/// [`RESPONSE_TIMEOUT`], because an unreachable broker should be reported soon.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// The duration of one metadata request. After each request, errors of the connection are checked.
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
    /// The name of the topic.
    pub name: String,
    /// The partitions, in the order of their numbers.
    pub partitions: Vec<Partition>,
}

/// The leader and the replicas of a partition, as broker ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The leader, or `None` if the partition has no leader.
    pub leader: Option<i32>,
    /// All replicas, including those on brokers that do not run.
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
    /// Returns an error if librdkafka rejects the properties.
    pub fn open(client: &ClientSettings) -> Result<Self, KafkaError> {
        let fixed = [("isolation.level", "read_uncommitted"), ("enable.auto.commit", "false")];
        let config = client.config(&[], &fixed)?;
        Ok(Self { client: config.create_with_context(Context::default())?, settings: client.clone() })
    }

    /// Returns the metadata of a topic. Never creates the topic, even if the brokers create topics automatically.
    ///
    /// # Errors
    /// Returns an error if no broker responds (after 5 to 10 seconds), if the topic does not exist, or if this
    /// principal may not describe it.
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

    /// Verifies that this principal may write to each of these topics. Succeeds if the brokers do not report
    /// permissions. In contrast, [`Cluster::topic`] succeeds for a topic that the principal may read but not write.
    ///
    /// # Errors
    /// Returns an error if no broker responds, or if the permission to write to a topic is missing.
    pub(crate) fn writable(&self, topics: &[String]) -> Result<(), KafkaError> {
        if topics.is_empty() {
            return Ok(());
        }
        match describe_acls::not_writable(self.client.client(), topics) {
            Ok(lacked) => lacked.first().map_or(Ok(()), |topic| {
                let right = Right::of_topic(Operation::Write, topic);
                Err(KafkaError::Forbidden { principal: self.principal(), right })
            }),
            // the brokers do not support the request
            Err(RDKafkaErrorCode::UnsupportedFeature) => Ok(()),
            Err(code) => Err(KafkaError::coded("query the topics that may be written to", code)),
        }
    }

    /// Returns the ids of all brokers.
    ///
    /// # Errors
    /// Returns an error if no broker responds.
    pub fn brokers(&self) -> Result<Vec<i32>, KafkaError> {
        // request one topic with an invalid name, so that the response is short: it contains the brokers, but not all
        // topics of the cluster
        let metadata = self.metadata(Some("/"))?;
        let mut ids: Vec<_> = metadata.brokers().iter().map(MetadataBroker::id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Returns the address and client id of each member of a group that has this static name (`group.instance.id`).
    /// The member id that a broker assigns begins with this name.
    ///
    /// # Errors
    /// Returns an error if no broker responds, or if this principal may not describe the group.
    pub fn members_named(&self, group: &str, instance: &str) -> Result<Vec<String>, KafkaError> {
        let what = || format!("describe group {group}");
        let groups = self
            .client
            .fetch_group_list(Some(group), RESPONSE_TIMEOUT)
            .map_err(|error| self.failed(what(), &error))?;
        let members = groups.groups().iter().flat_map(|group| group.members());
        let is_named = |id: &str| id.strip_prefix(instance).is_some_and(|rest| rest.starts_with('-'));
        let named = members.filter(|member| is_named(member.id()));
        let show =
            |host: &str, client: &str| format!("{} (client.id {client})", host.trim_start_matches('/'));
        Ok(named.map(|member| show(member.client_host(), member.client_id())).collect())
    }

    /// Returns the first readable offset of each requested partition, or `None` for a partition without a leader.
    ///
    /// # Errors
    /// Returns an error if no broker responds.
    pub fn log_starts(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, RESPONSE_TIMEOUT, |_| Offset::Beginning)
    }

    /// Returns the offset after the last record of each requested partition, or `None` for a partition without a
    /// leader. The last record may belong to an open transaction.
    ///
    /// # Errors
    /// Returns an error if no broker responds.
    pub fn log_ends(&self, topic: &str, partitions: &[u32]) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, RESPONSE_TIMEOUT, |_| Offset::End)
    }

    /// Returns the same as [`Cluster::log_ends`], but waits for at most `time_limit`. A broker that has just died
    /// remains the leader of its partitions for a while, which delays the response for all partitions.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond within `time_limit`.
    pub fn log_ends_within(
        &self,
        topic: &str,
        partitions: &[u32],
        time_limit: Duration,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, time_limit, |_| Offset::End)
    }

    /// Returns, for each requested partition, the first offset whose record has the timestamp in `times` (in
    /// milliseconds since the epoch) or a later timestamp. Returns `None` for a partition without such a record or
    /// without a leader.
    pub(crate) fn first_since(
        &self,
        topic: &str,
        partitions: &[u32],
        times: &[i64],
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        self.list_offsets(topic, partitions, RESPONSE_TIMEOUT, |index| Offset::Offset(times[index]))
    }

    /// Returns the largest timestamp of each requested partition, or `None` if no record has a timestamp or the
    /// partition has no leader. The timestamp of a record counts until its segment is deleted, even if the record can
    /// no longer be read.
    ///
    /// # Errors
    /// Returns an error if no broker responds, or if a broker does not support the request.
    pub(crate) fn largest_timestamps(
        &self,
        topic: &str,
        partitions: &[u32],
    ) -> Result<Vec<Option<Timestamp>>, KafkaError> {
        retry_until_ready(RESPONSE_TIMEOUT, || {
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

    /// Returns one offset for each requested partition (ListOffsets). The closure `at` receives the index of a
    /// partition in `partitions`. It returns `Offset::Beginning` or `Offset::End`, or it returns a timestamp as
    /// `Offset::Offset`, because ListOffsets has one field for offsets and timestamps.
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
        // a request that includes a partition without a leader is answered only after the time-out
        let known = self.topic(topic)?.partitions;
        let led = |partition: u32| known.get(partition as usize).is_some_and(|known| known.leader.is_some());
        let mut requested = TopicPartitionList::with_capacity(partitions.len());
        for (index, partition) in partitions.iter().enumerate().filter(|(_, partition)| led(**partition)) {
            let added = requested.add_partition_offset(topic, *partition as i32, at(index));
            added.map_err(|error| KafkaError::of(what(), &error))?;
        }
        if requested.count() == 0 {
            return Ok(vec![None; partitions.len()]);
        }
        let listed = self
            .client
            .offsets_for_times(requested, time_limit)
            .map_err(|error| self.failed(what(), &error))?;
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
        // librdkafka waits until the time-out even if the broker refuses the connection, so send requests with a short
        // time-out, and check for errors after each request
        let mut waited = Duration::ZERO;
        loop {
            waited += SLICE;
            match self.client.fetch_metadata(topic, SLICE).map_err(|error| self.failed(what(), &error)) {
                Err(KafkaError::Unreachable { .. }) if waited < self.time_limit() => {}
                other => return other,
            }
        }
    }

    /// Returns the maximum time to wait for metadata. The time is longer if librdkafka has not reported an error,
    /// because a TLS handshake with a busy broker may then be in progress.
    fn time_limit(&self) -> Duration {
        if self.client.context().last_error().is_some() { METADATA_TIMEOUT } else { RESPONSE_TIMEOUT }
    }

    /// Converts the error of a request. If no broker responded, the result is the error of the connection, which names
    /// the cause. Otherwise the result contains the error code.
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
                // poll until the queue is empty, because it may still contain the error messages that name the cause
                for _ in 0..100 {
                    let served = self.client.context().served();
                    let _ = self.client.poll(Duration::ZERO);
                    if self.client.context().served() == served {
                        break;
                    }
                }
                self.settings.unreachable(self.client.context().last_error(), || code.to_string())
            }
            code => KafkaError::Kafka { what, code },
        }
    }
}

/// Repeats a request while its error code reports that a partition has no leader yet, or that its leader is changing.
/// For a new topic, brokers report this until they know the topic.
fn retry_until_ready<T>(
    time_limit: Duration,
    request: impl Fn() -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let mut retries = time_limit.as_millis() / 200;
    loop {
        match request() {
            Err(KafkaError::Kafka { code, .. }) if is_moving(code) && retries > 0 => retries -= 1,
            other => return other,
        }
        std::thread::sleep(RESPONSE_TIMEOUT / 100);
    }
}

/// Returns true for error codes of a partition that has no leader yet, or whose leader is changing.
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
