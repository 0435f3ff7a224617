//! The admin client.

use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, NewTopic, OwnedResourceSpecifier,
    ResourceSpecifier, TopicReplication,
};

use super::configs::Configs;
use crate::client::Context;
use crate::cluster::ANSWER;
use crate::{ClientSettings, Cluster, Error, Topic};

/// Describes and makes topics. Every call waits for an answer.
pub struct Admin {
    client: AdminClient<Context<()>>,
    pub(super) cluster: Cluster,
}

impl Admin {
    /// A client. Nothing is asked yet.
    ///
    /// # Errors
    /// When the properties are not ones librdkafka takes.
    pub fn open(client: &ClientSettings) -> Result<Self, Error> {
        let cluster = Cluster::open(client)?;
        Ok(Self { client: client.config(&[], &[])?.create_with_context(Context::default())?, cluster })
    }

    /// The topic, or nothing where there is none.
    pub(super) fn find(&self, topic: &str) -> Result<Option<Topic>, Error> {
        match self.cluster.topic(topic) {
            Ok(topic) => Ok(Some(topic)),
            Err(Error::NoTopic { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The settings of all live brokers.
    pub(super) fn brokers(&self) -> Result<Vec<ConfigResource>, Error> {
        let describe = |id: i32| self.describe(ResourceSpecifier::Broker(id), format!("broker {id}"));
        self.cluster.brokers()?.into_iter().map(describe).collect()
    }

    /// The settings of a topic, and of those of the live brokers that hold a replica of it.
    pub(super) fn configs<'a>(
        &self,
        topic: &Topic,
        brokers: &'a [ConfigResource],
    ) -> Result<Configs<'a>, Error> {
        let holds = |broker: &&ConfigResource| match broker.specifier {
            OwnedResourceSpecifier::Broker(id) => {
                topic.partitions.iter().any(|partition| partition.replicas.contains(&id))
            }
            _ => false,
        };
        let brokers = brokers.iter().filter(holds).collect();
        let name = &topic.name;
        let topic = self.describe(ResourceSpecifier::Topic(name), format!("topic {name}"))?;
        Ok(Configs { topic, brokers })
    }

    fn describe(&self, which: ResourceSpecifier<'_>, named: String) -> Result<ConfigResource, Error> {
        let what = format!("describe the configuration of {named}");
        let told = block_on(self.client.describe_configs([&which], &options()));
        let told = told.map_err(|error| Error::of(&what, &error))?.pop();
        let told = told.ok_or_else(|| Error::Forbidden { what: what.clone() })?;
        let told = told.map_err(|code| Error::coded(&what, code))?;
        // rust-rdkafka drops the error of a single resource; what is left of it is that nothing is told
        if told.entries.is_empty() { Err(Error::Forbidden { what }) } else { Ok(told) }
    }

    pub(super) fn create(
        &self,
        topic: &str,
        partitions: u32,
        replication: u32,
        settings: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<(), Error> {
        let settings: Vec<_> = settings.collect();
        let replicas = TopicReplication::Fixed(replication as i32);
        let mut made = NewTopic::new(topic, partitions as i32, replicas);
        for (key, value) in &settings {
            made = made.set(key.as_ref(), value.as_ref());
        }
        let what = format!("make topic {topic}");
        let results = block_on(self.client.create_topics([&made], &options()));
        for result in results.map_err(|error| Error::of(&what, &error))? {
            result.map_err(|(_, code)| Error::coded(&what, code))?;
        }
        Ok(())
    }

    /// Replaces all settings of a topic.
    pub(super) fn alter<'a>(
        &self,
        topic: &'a str,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Error> {
        let alter = settings
            .fold(AlterConfig::new(ResourceSpecifier::Topic(topic)), |alter, (key, value)| {
                alter.set(key, value)
            });
        let what = format!("alter the configuration of topic {topic}");
        let results = block_on(self.client.alter_configs([&alter], &options()));
        for result in results.map_err(|error| Error::of(&what, &error))? {
            result.map_err(|(_, code)| Error::coded(&what, code))?;
        }
        Ok(())
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER)).operation_timeout(Some(ANSWER - Duration::from_secs(1)))
}
