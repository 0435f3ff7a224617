//! Who may do what on the broker: the roles around a deployment, and the least rights of each.
//!
//! The one table of rights there is. What it holds was found out on a real broker: with any one of a combiner's or a
//! merger's rights taken away `run` fails, and with all of them it works (`tests/it/secured`).

#[cfg(test)]
mod tests;

use std::fmt;

/// A role around a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sends what players report.
    Collector,
    /// Reads beacons, writes partials and notes on rejections.
    Combiner,
    /// Reads partials, writes rollups.
    Merger,
    /// Deletes records of beacons that were counted.
    Eraser,
    /// Reads rollups, and nothing else.
    Reader,
    /// Makes topics and sets their time-to-live.
    Operator,
    /// Looks at what is published and how long everything is kept; cannot read what is personal.
    Auditor,
}

impl Role {
    /// All of them, in the order of the data's way.
    pub const ALL: [Self; 7] = [
        Self::Collector,
        Self::Combiner,
        Self::Merger,
        Self::Eraser,
        Self::Reader,
        Self::Operator,
        Self::Auditor,
    ];

    /// Its name, as `[principals]` has it.
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

/// What a right is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The topic of that name.
    Topic(String),
    /// The consumer group of that name.
    Group(String),
    /// All transactional ids that begin so: each worker has one of its own.
    TransactionalIds(String),
    /// The cluster itself.
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

/// What may be done, in Kafka's words. [`Operation::Read`], [`Operation::Write`] and [`Operation::Delete`] let a
/// principal describe, too; [`Operation::AlterConfigs`] lets it describe configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Fetch records; join a group and commit its offsets.
    Read,
    /// Send records; use a transactional id.
    Write,
    /// Make a topic.
    Create,
    /// Delete records, and the topic.
    Delete,
    /// See that it is there, its partitions and offsets; of the cluster, its ACLs.
    Describe,
    /// See its settings.
    DescribeConfigs,
    /// Change its settings.
    AlterConfigs,
}

impl Operation {
    /// Kafka's name for it.
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

    /// Whether who may do this may also describe.
    const fn lets_describe(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::Delete | Self::Describe)
    }
}

/// One thing that somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// About what.
    pub resource: Resource,
    /// What.
    pub operation: Operation,
}

impl Right {
    /// Whether who has this has the other.
    pub(crate) fn grants(&self, other: &Self) -> bool {
        let about = match (&self.resource, &other.resource) {
            (Resource::TransactionalIds(prefix), Resource::TransactionalIds(id)) => id.starts_with(prefix),
            (one, other) => one == other,
        };
        let lets = match other.operation {
            Operation::Describe => self.operation.lets_describe(),
            operation => self.operation == operation,
        };
        about && lets
    }

    /// About a topic.
    #[must_use]
    pub fn of_topic(operation: Operation, topic: &str) -> Self {
        Self { resource: Resource::Topic(topic.into()), operation }
    }

    /// To be a member of a consumer group.
    #[must_use]
    pub fn of_group(group: &str) -> Self {
        Self { resource: Resource::Group(group.into()), operation: Operation::Read }
    }
}

/// As a sentence goes on after "may not": `Write topic crowdfold.partials`.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation.name(), self.resource)
    }
}

/// What rights are about, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The beacons' topic.
    pub beacons: String,
    /// The partials' topic.
    pub partials: String,
    /// The rejections' topic.
    pub rejections: String,
    /// The topics of rollups: of one tenant, for its reader.
    pub rollups: Vec<String>,
    /// The combiners' consumer group.
    pub combine_group: String,
    /// What the combiners' transactional ids begin with.
    pub combine_transactions: String,
    /// The mergers' consumer group.
    pub merge_group: String,
    /// What the mergers' transactional ids begin with.
    pub merge_transactions: String,
}

impl Names {
    /// The least rights of a role: the table.
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
            // settings of topics and brokers: `run` proves the time-to-live before it starts, and again while it runs
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
            // this right also lets it delete the topic: so nobody else has it
            Role::Eraser => rights.add(beacons(), &[O::Delete]),
            Role::Reader => rights.add_each(rollups(), &[O::Read]),
            Role::Operator => {
                let all = [beacons(), partials(), rejections()].into_iter().chain(rollups());
                rights.add_each(all, &[O::Create, O::Describe, O::AlterConfigs]);
                rights.add(Resource::Cluster, &[O::DescribeConfigs]);
            }
            Role::Auditor => {
                // offsets and settings tell the age of what is personal; only what is published is read
                rights.add_each([beacons(), partials()], &[O::Describe, O::DescribeConfigs]);
                rights
                    .add_each(std::iter::once(rejections()).chain(rollups()), &[O::Read, O::DescribeConfigs]);
                // who may read what is the cluster's to tell
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
