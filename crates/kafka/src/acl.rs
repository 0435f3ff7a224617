//! The roles of a deployment, and the minimal permissions (ACLs) that each role needs on the Kafka cluster.
//!
//! All other code takes the permissions from this module, and so does `crowdfold topics acl`. `tests/it/secured`
//! verifies them on a real broker: `run` works with the permissions of a combiner or a merger, and fails if one of
//! these permissions is missing.

#[cfg(test)]
mod tests;

use std::fmt;

/// A role in a deployment. Each role can have its own principal (Kafka user).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Writes the beacons that players report.
    Collector,
    /// Reads beacons; writes partials and the notes on rejected beacons.
    Combiner,
    /// Reads partials; writes rollups.
    Merger,
    /// Deletes records of beacons that the combiner has counted.
    Eraser,
    /// Reads rollups only.
    Reader,
    /// Creates topics and sets their time-to-live.
    Operator,
    /// Audits the published topics and the retention of all topics; cannot read personal data.
    Auditor,
}

impl Role {
    /// All roles. The roles that process data come first, in the order of the data flow.
    pub const ALL: [Self; 7] = [
        Self::Collector,
        Self::Combiner,
        Self::Merger,
        Self::Eraser,
        Self::Reader,
        Self::Operator,
        Self::Auditor,
    ];

    /// Returns the name of this role.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::Combiner => "combiner",
            Self::Merger => "merger",
            Self::Eraser => "eraser",
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The resource of a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The topic with this name.
    Topic(String),
    /// The consumer group with this name.
    Group(String),
    /// All transactional ids that begin with this prefix. The workers of one stage share the prefix.
    TransactionalIds(String),
    /// The cluster as a whole.
    Cluster,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::TransactionalIds(prefix) => write!(f, "transactional ids {prefix}*"),
            Self::Cluster => f.write_str("the cluster"),
        }
    }
}

/// An operation of Kafka's ACLs. In Kafka, a principal that may [`Operation::Read`], [`Operation::Write`] or
/// [`Operation::Delete`] may also Describe, and one with [`Operation::AlterConfigs`] may also DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// On a topic, fetch records; on a group, join it and commit its offsets.
    Read,
    /// On a topic, send records; on a transactional id, use it.
    Write,
    /// Create a topic.
    Create,
    /// Delete records, or the whole topic.
    Delete,
    /// On a topic, read its metadata, such as its partitions and offsets; on the cluster, read ACLs.
    Describe,
    /// Read the settings of a topic or of the brokers.
    DescribeConfigs,
    /// Change the settings of a topic or of the brokers.
    AlterConfigs,
}

impl Operation {
    /// Returns Kafka's name of the operation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Create => "Create",
            Self::Delete => "Delete",
            Self::Describe => "Describe",
            Self::DescribeConfigs => "DescribeConfigs",
            Self::AlterConfigs => "AlterConfigs",
        }
    }

    /// Returns true if a principal that may perform this operation may also Describe.
    const fn implies_describe(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::Delete | Self::Describe)
    }
}

/// A permission: one operation on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// The resource on which the operation is allowed.
    pub resource: Resource,
    /// The allowed operation.
    pub operation: Operation,
}

impl Right {
    /// Returns true if a principal that has this permission also has `other`.
    pub(crate) fn grants(&self, other: &Self) -> bool {
        let about = match (&self.resource, &other.resource) {
            (Resource::TransactionalIds(prefix), Resource::TransactionalIds(id)) => id.starts_with(prefix),
            (one, other) => one == other,
        };
        let lets = match other.operation {
            Operation::Describe => self.operation.implies_describe(),
            operation => self.operation == operation,
        };
        about && lets
    }

    /// Creates a permission on a topic.
    #[must_use]
    pub fn of_topic(operation: Operation, topic: &str) -> Self {
        Self { resource: Resource::Topic(topic.into()), operation }
    }

    /// Creates the permission to join a consumer group.
    #[must_use]
    pub fn of_group(group: &str) -> Self {
        Self { resource: Resource::Group(group.into()), operation: Operation::Read }
    }
}

/// Formats the permission for messages such as "may not Write topic crowdfold.partials".
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation.name(), self.resource)
    }
}

/// The names of the topics, groups and transactional ids of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The beacons topic.
    pub beacons: String,
    /// The partials topic.
    pub partials: String,
    /// The rejections topic.
    pub rejections: String,
    /// The rollups topics. For the permissions of a reader of one tenant, the list contains only the topic of that
    /// tenant.
    pub rollups: Vec<String>,
    /// The consumer group of the combiners.
    pub combine_group: String,
    /// The prefix of the combiners' transactional ids.
    pub combine_transactions: String,
    /// The consumer group of the mergers.
    pub merge_group: String,
    /// The prefix of the mergers' transactional ids.
    pub merge_transactions: String,
}

impl Names {
    /// Returns the minimal permissions of a role.
    #[must_use]
    pub fn rights(&self, role: Role) -> Vec<Right> {
        use Operation as O;
        let beacons = || Resource::Topic(self.beacons.clone());
        let partials = || Resource::Topic(self.partials.clone());
        let rejections = || Resource::Topic(self.rejections.clone());
        let rollups = || self.rollups.iter().cloned().map(Resource::Topic);
        let mut rights = Rights::default();
        match role {
            Role::Collector => rights.add(beacons(), &[O::Write]),
            // combiner and merger may read the settings of topics and brokers, because `run` verifies the time-to-live
            // of the topics before the start and regularly afterwards
            Role::Combiner => {
                rights.add(beacons(), &[O::Read, O::DescribeConfigs]);
                rights.add(Resource::Group(self.combine_group.clone()), &[O::Read]);
                rights.add(partials(), &[O::Write, O::DescribeConfigs]);
                rights.add(rejections(), &[O::Write, O::DescribeConfigs]);
                rights.add(Resource::TransactionalIds(self.combine_transactions.clone()), &[O::Write]);
                rights.add(Resource::Cluster, &[O::DescribeConfigs]);
            }
            Role::Merger => {
                rights.add(partials(), &[O::Read, O::DescribeConfigs]);
                rights.add(Resource::Group(self.merge_group.clone()), &[O::Read]);
                rights.add_each(rollups(), &[O::Write, O::DescribeConfigs]);
                rights.add(Resource::TransactionalIds(self.merge_transactions.clone()), &[O::Write]);
                rights.add(Resource::Cluster, &[O::DescribeConfigs]);
            }
            // a principal with the permission Delete may also delete the whole topic, so no other role has this
            // permission
            Role::Eraser => rights.add(beacons(), &[O::Delete]),
            Role::Reader => rights.add_each(rollups(), &[O::Read]),
            Role::Operator => {
                let all = [beacons(), partials(), rejections()].into_iter().chain(rollups());
                rights.add_each(all, &[O::Create, O::Describe, O::AlterConfigs]);
                rights.add(Resource::Cluster, &[O::DescribeConfigs]);
            }
            Role::Auditor => {
                // for topics with personal data, the auditor may read only offsets and settings, which show the age of
                // the records; it may read the records of the rejections topic and the rollups topics only
                rights.add_each([beacons(), partials()], &[O::Describe, O::DescribeConfigs]);
                rights
                    .add_each(std::iter::once(rejections()).chain(rollups()), &[O::Read, O::DescribeConfigs]);
                // Describe on the cluster allows the auditor to list ACLs
                rights.add(Resource::Cluster, &[O::Describe, O::DescribeConfigs]);
            }
        }
        rights.0
    }
}

#[derive(Default)]
struct Rights(Vec<Right>);

impl Rights {
    fn add(&mut self, resource: Resource, operations: &[Operation]) {
        let right = |operation: &Operation| Right { resource: resource.clone(), operation: *operation };
        self.0.extend(operations.iter().map(right));
    }

    fn add_each(&mut self, resources: impl IntoIterator<Item = Resource>, operations: &[Operation]) {
        for resource in resources {
            self.add(resource, operations);
        }
    }
}
