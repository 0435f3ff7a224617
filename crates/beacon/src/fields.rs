//! The fields of a JSON beacon, and their keys in the beacons of a producer.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use crowdfold_model::{Dimension, Metric, Timestamp};
use thiserror::Error;

use crate::paths::{Branch, Taken, Tree};
use crate::{Number, Text};

/// A field of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A text.
    Text(Text),
    /// A number.
    Number(Number),
    /// True if the error ended playback.
    Fatal,
    /// True if the session opts out.
    OptOut,
}

impl Field {
    /// The number of fields.
    pub const COUNT: usize = Text::COUNT + Number::COUNT + 2;

    /// Returns the index of a field among all of them.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Text(text) => text.index(),
            Self::Number(number) => Text::COUNT + number.index(),
            Self::Fatal => Self::COUNT - 2,
            Self::OptOut => Self::COUNT - 1,
        }
    }

    /// Returns the bit of the field.
    pub(crate) const fn bit(self) -> u64 {
        1 << self.index()
    }

    /// Returns all fields that a beacon can have.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().chain(&OF_CMCD).map(|(_, field)| *field)
    }

    /// Returns our name of the field.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = NAMES.iter().chain(&OF_CMCD);
        names.find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }
}

/// The fields that are neither a dimension nor a metric.
const PLAIN: [(&str, Field); 11] = [
    ("ts", Field::Number(Number::Ts)),
    ("tenant", Field::Text(Text::Tenant)),
    ("session", Field::Text(Text::Session)),
    ("ip", Field::Text(Text::Ip)),
    ("event", Field::Text(Text::Event)),
    ("user_agent", Field::Text(Text::UserAgent)),
    ("error", Field::Text(Text::Error)),
    ("height", Field::Number(Number::Height)),
    ("buffer_ms", Field::Number(Number::Buffer)),
    ("fatal", Field::Fatal),
    ("opt_out", Field::OptOut),
];

/// The fields of CMCD that have no name in JSON beacons.
const OF_CMCD: [(&str, Field); 2] =
    [("state", Field::Text(Text::State)), ("sequence", Field::Number(Number::Sequence))];

/// Our names of all fields of JSON beacons: plain fields, dimensions and metrics.
pub(crate) static NAMES: LazyLock<Vec<(&str, Field)>> = LazyLock::new(|| {
    let dimensions = Dimension::ALL.into_iter().filter(|dimension| dimension.is_in_beacons());
    let dimensions = dimensions.map(|dimension| (dimension.name(), Field::Text(Text::Of(dimension))));
    let metrics = Metric::in_beacons().map(|metric| (metric.name(), Field::Number(metric.into())));
    PLAIN.into_iter().chain(dimensions).chain(metrics).collect()
});

/// The error of `[source.fields]` or `[source.log]`. It contains the table and the name, which come from the
/// configuration and not from a beacon.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FieldsError {
    /// The name is unknown.
    #[error("{0} contains an unknown name `{1}`; deploy/default.toml lists the names")]
    Unknown(&'static str, String),
    /// The path is empty.
    #[error("{0}.{1} is an empty path; set it to the object keys that lead to the value")]
    Empty(&'static str, String),
    /// Two fields have the same path, or the path of one is inside the other.
    #[error("{0}.{1} has the same path as another field; set a different path for each field")]
    Clash(&'static str, String),
}

const TABLE: &str = "source.fields";

/// The keys of our fields in the beacons of a producer, prepared for reading in one pass.
pub struct Fields {
    /// The nodes. The root is last, because a node is created after its children.
    nodes: Vec<Node>,
}

impl Fields {
    /// Returns the names of all fields.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Creates the keys of all fields. A field has our name, or in `renamed` a path of object keys in the producer's
    /// beacons. A renamed field is no longer found under our name.
    ///
    /// # Errors
    /// Returns an error if a name is unknown, if a path is empty, or if two fields have the same path.
    pub fn new(renamed: &BTreeMap<String, Vec<String>>) -> Result<Self, FieldsError> {
        let mut root = Tree::default();
        for (name, path) in renamed {
            let known = NAMES.iter().find(|(ours, _)| ours == name);
            let (_, field) = known.ok_or_else(|| FieldsError::Unknown(TABLE, name.clone()))?;
            if path.is_empty() {
                return Err(FieldsError::Empty(TABLE, name.clone()));
            }
            root.insert(path, *field).map_err(|Taken| FieldsError::Clash(TABLE, name.clone()))?;
        }
        for (name, field) in NAMES.iter().filter(|(name, _)| !renamed.contains_key(*name)) {
            // If another field is renamed to this name, the producer does not send this field.
            let _ = root.insert(&[(*name).to_owned()], *field);
        }
        let mut nodes = Vec::new();
        Node::make(root, &mut nodes);
        for at in 0..nodes.len() {
            let inside: Vec<_> = nodes[at].inside().collect();
            inside.into_iter().for_each(|inner| nodes[inner].outer = at);
        }
        Ok(Self { nodes })
    }

    /// Writes a JSON beacon with four fields at their paths, and nothing else.
    pub(crate) fn write_withdrawal(
        &self,
        session: &str,
        tenant: Option<&str>,
        time: Timestamp,
        into: &mut Vec<u8>,
    ) {
        self.write(self.root(), into, &|field, into| match field {
            Field::Text(Text::Session) => write_text(session, into),
            Field::Text(Text::Tenant) => tenant.is_some_and(|tenant| write_text(tenant, into)),
            Field::Number(Number::Ts) => write!(into, "{}", time.as_millis()).is_ok(),
            Field::OptOut => write!(into, "true").is_ok(),
            _ => false,
        });
    }

    /// Writes the object of a node with the fields for which `value` writes a value. Returns true if there are any.
    /// Otherwise nothing is written.
    fn write(&self, at: usize, into: &mut Vec<u8>, value: &impl Fn(Field, &mut Vec<u8>) -> bool) -> bool {
        let start = into.len();
        for (key, target) in self.nodes[at].slots.iter().flatten() {
            let before = into.len();
            into.push(if before == start { b'{' } else { b',' });
            write_text(key, into);
            into.push(b':');
            let written = match target {
                Target::Field(field) => value(*field, into),
                Target::Inside(inner) => self.write(*inner, into, value),
            };
            if !written {
                into.truncate(before);
            }
        }
        if into.len() > start {
            into.push(b'}');
        }
        into.len() > start
    }

    /// Returns the index of the node for the keys of the beacon itself.
    pub(crate) const fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }
}

/// Writes a text as JSON. Returns true on success.
fn write_text(text: &str, into: &mut Vec<u8>) -> bool {
    serde_json::to_writer(into, text).is_ok()
}

/// The targets of the keys of one object, in a small hash table. The hash uses the length and three bytes, which is
/// enough for the names of one schema.
pub(crate) struct Node {
    slots: Box<[Slot]>,
    /// The index of the parent node. The root is its own parent.
    pub(crate) outer: usize,
    /// The fields in this node and its children, one bit for each.
    pub(crate) fields: u64,
}

type Slot = Option<(Box<str>, Target)>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Field(Field),
    /// The index of the child node.
    Inside(usize),
}

impl Node {
    /// Adds the node of a tree after its children. Returns its index.
    fn make(tree: Tree<Field>, nodes: &mut Vec<Self>) -> usize {
        let size = (tree.branches.len() * 4).next_power_of_two();
        let mut slots: Box<[Slot]> = (0..size).map(|_| None).collect();
        let mut fields = 0;
        for (key, branch) in tree.branches {
            let target = match branch {
                Branch::Leaf(field) => {
                    fields |= field.bit();
                    Target::Field(field)
                }
                Branch::Tree(tree) => {
                    let inner = Self::make(tree, nodes);
                    fields |= nodes[inner].fields;
                    Target::Inside(inner)
                }
            };
            let mut slot = Self::slot(key.as_bytes(), size);
            while slots[slot].is_some() {
                slot = (slot + 1) % size;
            }
            slots[slot] = Some((key.into(), target));
        }
        let at = nodes.len();
        nodes.push(Self { slots, outer: at, fields });
        at
    }

    fn inside(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().flatten().filter_map(|(_, target)| match target {
            Target::Inside(inner) => Some(*inner),
            Target::Field(_) => None,
        })
    }

    fn slot(bytes: &[u8], size: usize) -> usize {
        let at = |index: usize| bytes.get(index).copied().unwrap_or(0) as usize;
        let mixed = at(0) + 7 * at(bytes.len() / 2) + 31 * at(bytes.len().wrapping_sub(1)) + 5 * bytes.len();
        mixed & (size - 1)
    }

    /// Returns the target of a key, or `None` for an unused key.
    pub(crate) fn target(&self, key: &[u8]) -> Option<Target> {
        let mut slot = Self::slot(key, self.slots.len());
        while let Some((name, target)) = &self.slots[slot] {
            if *name.as_bytes() == *key {
                return Some(*target);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        None
    }
}

#[cfg(test)]
mod tests;
