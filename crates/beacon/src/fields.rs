//! The fields of a JSON beacon, and the keys under which a producer sends them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

use crowdfold_model::{Custom, CustomSource, Dimension, Metric};

pub use self::set::FieldSet;
use crate::paths::{Branch, PathInUse, Tree};
use crate::{Number, Text};

/// A field of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A string field.
    Text(Text),
    /// A number field.
    Number(Number),
    /// The field `fatal`, which is true if the error ended playback.
    Fatal,
    /// The field `opt_out`, which is true if the session opts out.
    OptOut,
}

impl Field {
    /// The number of fields.
    pub const COUNT: usize = Text::COUNT + Number::COUNT + 2;

    /// Returns the index of the field among all fields. The order is string fields, number fields, `fatal`, `opt_out`.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Text(text) => text.index(),
            Self::Number(number) => Text::COUNT + number.index(),
            Self::Fatal => Self::COUNT - 2,
            Self::OptOut => Self::COUNT - 1,
        }
    }

    /// Returns the bit that represents the field in sets of fields.
    pub(crate) const fn bit(self) -> u64 {
        1 << self.index()
    }

    /// Returns all fields that a beacon can have.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().chain(&OF_CMCD).map(|(_, field)| *field).chain(Self::custom())
    }

    /// Returns the name and the meaning of each field of a JSON beacon that is neither a dimension nor a metric.
    pub fn plain() -> impl Iterator<Item = (&'static str, &'static str)> {
        PLAIN.into_iter().map(|(name, _, meaning)| (name, meaning))
    }

    /// Returns the field of JSON beacons with this name of crowdfold.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Returns the fields of custom dimensions, by their source.
    pub fn custom() -> impl Iterator<Item = Self> {
        (0..Custom::MOST_SOURCES as u8).map(|source| Self::Text(Text::Custom(source)))
    }

    /// Returns crowdfold's name of the field. All custom dimensions have the same name, which no other field has.
    #[must_use]
    pub fn name(self) -> &'static str {
        if matches!(self, Self::Text(Text::Custom(_))) {
            return CUSTOM_DIMENSION;
        }
        let mut names = NAMES.iter().chain(&OF_CMCD);
        names.find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }
}

/// The fields that are neither dimensions nor metrics. Each has its meaning.
const PLAIN: [(&str, Field, &str); 11] = [
    ("ts", Field::Number(Number::Ts), "Time of the report on the player's clock. Required."),
    (
        "tenant",
        Field::Text(Text::Tenant),
        "One of the configured tenants. If it is absent, the tenant in the path of the request counts, then the default \
         tenant.",
    ),
    (
        "session",
        Field::Text(Text::Session),
        "Id of the playback, at most 128 bytes. Required. It is replaced by a keyed hash, and never kept.",
    ),
    (
        "ip",
        Field::Text(Text::Ip),
        "IP address of the player, used if the record does not contain the client address of an HTTP request. Country, \
         region, autonomous system and network are looked up with the masked address; then the address is dropped.",
    ),
    ("event", Field::Text(Text::Event), "`attempt`, `play`, `heartbeat`, `error` or `end`."),
    (
        "user_agent",
        Field::Text(Text::UserAgent),
        "Complete user agent. If it is absent, the header `User-Agent` of the request counts.",
    ),
    (
        "error",
        Field::Text(Text::Error),
        "Class of an error: `network`, `manifest`, `media`, `drm`, `timeout` or `other`. Any other value counts as \
         `other`, and so does the event `error` without a class.",
    ),
    ("height", Field::Number(Number::Height), "Height of the picture in pixels. It determines `quality`."),
    ("buffer_ms", Field::Number(Number::Buffer), "Buffered media in milliseconds. No row contains it."),
    ("fatal", Field::Fatal, "True if the error ended playback."),
    ("opt_out", Field::OptOut, "True if the session must not be counted."),
];

/// The fields that only CMCD beacons have.
const OF_CMCD: [(&str, Field); 2] =
    [("state", Field::Text(Text::State)), ("sequence", Field::Number(Number::Sequence))];

/// The name of the fields of custom dimensions in counts.
const CUSTOM_DIMENSION: &str = "custom_dimension";

/// Crowdfold's names of all fields of JSON beacons. The order is other fields, dimensions, metrics.
pub(crate) static NAMES: LazyLock<Vec<(&str, Field)>> = LazyLock::new(|| {
    let dimensions = Dimension::ALL.into_iter().filter(|dimension| dimension.is_in_beacons());
    let dimensions = dimensions.map(|dimension| (dimension.name(), Field::Text(Text::Of(dimension))));
    let metrics = Metric::in_beacons().map(|metric| (metric.name(), Field::Number(metric.into())));
    PLAIN.map(|(name, field, _)| (name, field)).into_iter().chain(dimensions).chain(metrics).collect()
});

/// The settings that name the fields of producers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldNames {
    /// The names of the fields of a JSON beacon.
    Beacon,
    /// The names of the fields of a log.
    Log,
}

impl Display for FieldNames {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Beacon => "the beacon field",
            Self::Log => "the log field",
        })
    }
}

/// The error for an invalid name or path of a field. Names and paths come from the settings, so they contain no part of
/// a beacon. A crate that knows the names of the settings in a configuration writes its own message with
/// [`FieldsError::field`] and [`FieldsError::problem`].
#[derive(Debug, PartialEq, Eq)]
pub enum FieldsError {
    /// There is no field of this name.
    Unknown(FieldNames, String),
    /// The path of the field is empty.
    Empty(FieldNames, String),
    /// Two fields have the same path, or one path is the beginning of the other.
    Clash(FieldNames, String),
    /// A custom dimension has the path of another field, or a path inside it.
    CustomClash(String),
}

impl FieldsError {
    /// Returns the field that must change, or `None` if it is the path of a custom dimension.
    #[must_use]
    pub fn field(&self) -> Option<(FieldNames, &str)> {
        match self {
            Self::Unknown(names, name) | Self::Empty(names, name) | Self::Clash(names, name) => {
                Some((*names, name))
            }
            Self::CustomClash(_) => None,
        }
    }

    /// Describes the error and the fix. The field is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Unknown(..) => "is unknown; use one of crowdfold's names".into(),
            Self::Empty(..) => "has an empty path; set it to the object keys that lead to the value".into(),
            Self::Clash(..) => {
                "has the same path as another field; set a different path for each field".into()
            }
            Self::CustomClash(path) => {
                format!(
                    "has the path {path}, which another field has too; set a different path for each field"
                )
            }
        }
    }
}

impl Display for FieldsError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some((names, name)) => write!(out, "{names} `{name}` {}", self.problem()),
            None => write!(out, "a custom dimension {}", self.problem()),
        }
    }
}

impl Error for FieldsError {}

/// The keys under which a producer sends the fields, in a form in which a beacon is read in one pass.
pub struct Fields {
    /// The objects of a beacon. A node is created after its children, so the beacon itself is the last node.
    nodes: Vec<Node>,
    /// The custom CMCD keys that contain custom dimensions.
    custom_cmcd: Vec<(Box<str>, Text)>,
    /// The name of each source of custom dimensions ([`Self::custom_names`]).
    custom_names: Vec<String>,
}

impl Fields {
    /// Returns crowdfold's names of all fields that a JSON beacon may have.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Creates the keys of all fields. A field has crowdfold's name as its key, unless `renamed` contains a path of
    /// object keys for it. A renamed field is not read under crowdfold's name.
    ///
    /// # Errors
    /// Returns an error if a name is unknown, if a path is empty, or if two fields have the same path.
    pub fn new(renamed: &BTreeMap<String, Vec<String>>) -> Result<Self, FieldsError> {
        Self::with_custom(renamed, &[])
    }

    /// Creates the keys of all fields, including those of custom dimensions. `custom` contains the sources of custom
    /// dimensions, by their index.
    ///
    /// # Errors
    /// Returns the errors of [`Self::new`]. Also returns an error if a custom dimension has the path of another field.
    pub fn with_custom(
        renamed: &BTreeMap<String, Vec<String>>,
        custom: &[CustomSource],
    ) -> Result<Self, FieldsError> {
        let mut root = Tree::default();
        for (name, path) in renamed {
            let field =
                Field::named(name).ok_or_else(|| FieldsError::Unknown(FieldNames::Beacon, name.clone()))?;
            if path.is_empty() {
                return Err(FieldsError::Empty(FieldNames::Beacon, name.clone()));
            }
            root.insert(path, field)
                .map_err(|PathInUse| FieldsError::Clash(FieldNames::Beacon, name.clone()))?;
        }
        for (name, field) in NAMES.iter().filter(|(name, _)| !renamed.contains_key(*name)) {
            // The insertion fails if a renamed field has this key. The producer then does not send the field with this
            // name.
            let _ = root.insert(&[(*name).to_owned()], *field);
        }
        let sources = || custom.iter().zip(0..).map(|(source, index)| (source, Text::Custom(index)));
        for (source, text) in sources() {
            let Some(path) = &source.json else { continue };
            let inserted = root.insert(path, Field::Text(text));
            inserted.map_err(|PathInUse| FieldsError::CustomClash(path.join(".")))?;
        }
        let custom_cmcd =
            sources().filter_map(|(source, text)| Some((source.cmcd.as_deref()?.into(), text))).collect();
        let mut nodes = Vec::new();
        Node::make(root, &mut nodes);
        for at in 0..nodes.len() {
            let inside: Vec<_> = nodes[at].inside().collect();
            inside.into_iter().for_each(|inner| nodes[inner].outer = at);
        }
        Ok(Self { nodes, custom_cmcd, custom_names: custom.iter().map(name_of).collect() })
    }

    /// Returns the custom dimension that a custom CMCD key contains.
    pub(crate) fn of_custom_cmcd(&self, key: &str) -> Option<Text> {
        self.custom_cmcd.iter().find(|(known, _)| **known == *key).map(|(_, text)| *text)
    }

    /// Returns the name of each source of custom dimensions, by its index. Two sources have the same name only if they
    /// are equal, also in another process with another configuration.
    pub(crate) fn custom_names(&self) -> &[String] {
        &self.custom_names
    }

    /// Returns the index of the node for the beacon itself.
    pub(crate) const fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }
}

/// Returns the name of a source of custom dimensions: its path in JSON beacons and its CMCD key, as JSON. The path in a
/// log has no effect, because beacons of the collector have none.
fn name_of(source: &CustomSource) -> String {
    serde_json::json!([source.json, source.cmcd]).to_string()
}

/// The targets of the keys of one object, in a small hash table. The hash consists of the length and three bytes of the
/// key. This is sufficient for the few keys of one schema.
pub(crate) struct Node {
    slots: Box<[Slot]>,
    /// The lengths of the keys, with one bit for each. The last bit is for all lengths from 63 on.
    lengths: u64,
    /// The index of the parent node. The node of the beacon itself has its own index here.
    pub(crate) outer: usize,
    /// The fields in this node and in all nodes inside it. Each field has one bit.
    pub(crate) fields: u64,
}

type Slot = Option<(Box<str>, Target)>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Field(Field),
    /// The index of the node for the nested object.
    Inside(usize),
}

impl Node {
    /// Appends the node of a tree to `nodes`, after the nodes of its subtrees. Returns the index of the node.
    fn make(tree: Tree<Field>, nodes: &mut Vec<Self>) -> usize {
        let size = (tree.branches.len() * 4).next_power_of_two();
        let mut slots: Box<[Slot]> = (0..size).map(|_| None).collect();
        let (mut fields, mut lengths) = (0, 0);
        for (key, branch) in tree.branches {
            lengths |= 1 << Self::length(key.as_bytes());
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
        nodes.push(Self { slots, lengths, outer: at, fields });
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

    /// Returns the index of the bit that represents the length of a key.
    #[inline(always)]
    fn length(key: &[u8]) -> usize {
        key.len().min(63)
    }

    /// Returns the target of a key, or `None` for an unknown key.
    #[inline]
    pub(crate) fn target(&self, key: &[u8]) -> Option<Target> {
        if self.lengths >> Self::length(key) & 1 == 0 { None } else { self.known(key) }
    }

    fn known(&self, key: &[u8]) -> Option<Target> {
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

mod set;

#[cfg(test)]
mod tests;
