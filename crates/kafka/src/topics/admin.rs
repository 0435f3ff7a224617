//! The admin client for topics.

use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, NewTopic, OwnedResourceSpecifier,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

use super::configs::Configs;
use crate::acl::{Operation, Resource, Right};
use crate::client::Context;
use crate::cluster::RESPONSE_TIMEOUT;
use crate::{ClientSettings, Cluster, KafkaError, Topic};

/// A client that describes, creates and configures topics. Every call waits for a response.
pub struct Admin {
    pub(super) client: AdminClient<Context<()>>,
    pub(super) cluster: Cluster,
}

impl Admin {
    /// Creates a client without sending a request.
    ///
    /// # Errors
    /// Returns an error if librdkafka rejects the properties.
    pub fn open(client: &ClientSettings) -> Result<Self, KafkaError> {
        let cluster = Cluster::open(client)?;
        Ok(Self { client: client.config(&[], &[])?.create_with_context(Context::default())?, cluster })
    }

    /// Returns true if producers set a topic's timestamps (`CreateTime`), false if the broker does (`LogAppendTime`).
    ///
    /// # Errors
    /// Returns an error if a broker does not respond, or if this principal may not describe the topic's settings.
    pub fn is_create_time(&self, topic: &str) -> Result<bool, KafkaError> {
        let resource = Resource::Topic(topic.into());
        let topic = self.describe(ResourceSpecifier::Topic(topic), format!("topic {topic}"), resource)?;
        Ok(Configs { topic, brokers: Vec::new() }.is_create_time())
    }

    /// Returns the topic, or `None` if it does not exist.
    pub(super) fn find(&self, topic: &str) -> Result<Option<Topic>, KafkaError> {
        match self.cluster.topic(topic) {
            Ok(topic) => Ok(Some(topic)),
            Err(KafkaError::NoTopic { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the settings of all brokers that are running.
    pub(super) fn brokers(&self) -> Result<Vec<ConfigResource>, KafkaError> {
        let describe =
            |id: i32| self.describe(ResourceSpecifier::Broker(id), format!("broker {id}"), Resource::Cluster);
        self.cluster.brokers()?.into_iter().map(describe).collect()
    }

    /// Returns the settings of a topic, together with the settings of the brokers that have a replica of it.
    /// `brokers` contains the settings of all running brokers.
    pub(super) fn configs<'a>(
        &self,
        topic: &Topic,
        brokers: &'a [ConfigResource],
    ) -> Result<Configs<'a>, KafkaError> {
        let holds = |broker: &&ConfigResource| match broker.specifier {
            OwnedResourceSpecifier::Broker(id) => {
                topic.partitions.iter().any(|partition| partition.replicas.contains(&id))
            }
            _ => false,
        };
        let brokers = brokers.iter().filter(holds).collect();
        let name = &topic.name;
        let resource = Resource::Topic(name.clone());
        let topic = self.describe(ResourceSpecifier::Topic(name), format!("topic {name}"), resource)?;
        Ok(Configs { topic, brokers })
    }

    /// Requests the settings of a topic or a broker. `named` is its name in error messages. `resource` is the resource
    /// of the permission that the request needs.
    fn describe(
        &self,
        which: ResourceSpecifier<'_>,
        named: String,
        resource: Resource,
    ) -> Result<ConfigResource, KafkaError> {
        let what = format!("describe the configuration of {named}");
        let response = block_on(self.client.describe_configs([&which], &options()));
        let response = response.map_err(|error| KafkaError::of(&what, &error))?.pop();
        // rust-rdkafka drops the error of a single resource and returns the resource without settings; the usual cause
        // is a missing permission
        match response.transpose().map_err(|code| KafkaError::coded(&what, code)) {
            Ok(Some(response)) if !response.entries.is_empty() => Ok(response),
            Ok(_) => Err(KafkaError::coded(&what, RDKafkaErrorCode::TopicAuthorizationFailed)),
            Err(error) => Err(error),
        }
        .map_err(|error| {
            error.forbids(&self.cluster.principal(), || Right {
                resource,
                operation: Operation::DescribeConfigs,
            })
        })
    }

    /// Creates a topic with settings.
    pub(super) fn create(
        &self,
        topic: &str,
        partitions: u32,
        replication: u32,
        settings: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<(), KafkaError> {
        let settings: Vec<_> = settings.collect();
        let replicas = TopicReplication::Fixed(replication as i32);
        let mut made = NewTopic::new(topic, partitions as i32, replicas);
        for (key, value) in &settings {
            made = made.set(key.as_ref(), value.as_ref());
        }
        let what = format!("create topic {topic}");
        let results = block_on(self.client.create_topics([&made], &options()));
        for result in results.map_err(|error| KafkaError::of(&what, &error))? {
            result.map_err(|(_, code)| self.refusal(&what, code, Operation::Create, topic))?;
        }
        Ok(())
    }

    /// Replaces all settings of a topic. A setting that is not in `settings` returns to the broker's default.
    pub(super) fn alter<'a>(
        &self,
        topic: &'a str,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), KafkaError> {
        let alter = settings
            .fold(AlterConfig::new(ResourceSpecifier::Topic(topic)), |alter, (key, value)| {
                alter.set(key, value)
            });
        let what = format!("alter the configuration of topic {topic}");
        let results = block_on(self.client.alter_configs([&alter], &options()));
        for result in results.map_err(|error| KafkaError::of(&what, &error))? {
            result.map_err(|(_, code)| self.refusal(&what, code, Operation::AlterConfigs, topic))?;
        }
        Ok(())
    }

    fn refusal(&self, what: &str, code: RDKafkaErrorCode, operation: Operation, topic: &str) -> KafkaError {
        let right = || Right::of_topic(operation, topic);
        KafkaError::coded(what, code).forbids(&self.cluster.principal(), right)
    }
}

/// Returns the time-outs of admin requests.
pub(super) fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(RESPONSE_TIMEOUT))
        .operation_timeout(Some(RESPONSE_TIMEOUT - Duration::from_secs(1)))
}
