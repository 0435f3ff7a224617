//! The tree of sections and values into which the layers are merged.

use indexmap::IndexMap;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::error::{ConfigError, Origin};
use crate::value::Value;

/// A section or a value, and its origin.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

/// The content of a node.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Section(Section),
    Value(Value),
}

/// A section: its keys and their nodes. The order is that in which the keys were first set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section(pub(crate) IndexMap<String, Node>);

/// The sections that contain properties of librdkafka, whose names contain dots.
const PROPERTIES: [&str; 2] = ["kafka.properties", "kafka.eraser"];

/// Returns true if a section contains properties of librdkafka.
pub(crate) fn is_properties(key: &str) -> bool {
    PROPERTIES.contains(&key)
}

/// Returns true if the value of a key may be a secret, so that an error must not quote it.
pub(crate) fn is_secret(key: &str) -> bool {
    key == "audit.known" || PROPERTIES.iter().any(|section| key.starts_with(section))
}

type Entry<'t, 'a> = (&'t Spanned<DeString<'a>>, &'t Spanned<DeValue<'a>>);

/// Returns the entries of a table in the order of the file.
fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<Entry<'t, 'a>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

/// Returns the key of `name` in a section. The key of the root section is empty.
pub(crate) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.into() } else { format!("{section}.{name}") }
}

impl Section {
    /// Converts a TOML table. `origin` converts a position in the file to an origin.
    pub(crate) fn from_toml(table: &DeTable<'_>, key: &str, origin: &dyn Fn(usize) -> Origin) -> Self {
        let mut section = Self::default();
        for (name, value) in in_order(table) {
            let (name, origin_of_key) = (name.get_ref(), origin(name.span().start));
            match value.get_ref() {
                DeValue::Table(inner) if is_properties(key) => section.add_properties(name, inner, origin),
                DeValue::Table(inner) => {
                    let inner = Self::from_toml(inner, &join(key, name), origin);
                    section.insert(name, origin_of_key, Content::Section(inner));
                }
                value => section.insert(name, origin_of_key, Content::Value(Value::from_toml(value))),
            }
        }
        section
    }

    /// Adds properties of librdkafka. TOML parses `sasl.username = "x"` as nested tables, but the name of a property is
    /// one string with dots.
    fn add_properties(&mut self, prefix: &str, table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, value) in in_order(table) {
            let (key, position) = (join(prefix, name.get_ref()), name.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => self.add_properties(&key, inner, origin),
                value => self.insert(&key, origin(position), Content::Value(Value::from_toml(value))),
            }
        }
    }

    fn insert(&mut self, name: &str, origin: Origin, content: Content) {
        self.0.insert(name.into(), Node { origin, content });
    }

    /// Creates a section that contains one value, nested in the sections of the path.
    pub(crate) fn with_value(path: &[&str], origin: &Origin, value: Value) -> Self {
        let mut section = Self::default();
        if let Some((name, rest)) = path.split_first() {
            let content = if rest.is_empty() {
                Content::Value(value)
            } else {
                Content::Section(Self::with_value(rest, origin, value))
            };
            section.insert(name, origin.clone(), content);
        }
        section
    }

    /// Adds the values of a higher layer. A value replaces the value with the same key.
    ///
    /// # Errors
    /// Returns an error if one layer contains a section and the other layer a value for the same key.
    pub(crate) fn merge(&mut self, over: Self, key: &str) -> Result<(), ConfigError> {
        for (name, node) in over.0 {
            let key = join(key, &name);
            let Some(under) = self.0.get_mut(&name) else {
                self.0.insert(name, node);
                continue;
            };
            match (&mut under.content, node.content) {
                (Content::Section(under), Content::Section(over)) => under.merge(over, &key)?,
                (Content::Value(_), content @ Content::Value(_)) => {
                    *under = Node { origin: node.origin, content };
                }
                (Content::Section(_), Content::Value(value)) => {
                    return Err(ConfigError::new(&node.origin, &key, not_a_section(&key, &value)));
                }
                (Content::Value(_), Content::Section(_)) => {
                    return Err(ConfigError::new(
                        &node.origin,
                        &key,
                        "is written as a section; write it as a key with a value",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Returns the node of a key with dots. A single name in a section may also contain dots.
    pub(crate) fn find(&self, key: &str) -> Option<&Node> {
        let inside = || {
            self.0.iter().find_map(|(name, node)| match &node.content {
                Content::Section(section) => {
                    section.find(key.strip_prefix(name.as_str())?.strip_prefix('.')?)
                }
                Content::Value(_) => None,
            })
        };
        self.0.get(key).or_else(inside)
    }

    /// Returns the node at a path, for modification.
    pub(crate) fn find_mut(&mut self, path: &[&str]) -> Option<&mut Node> {
        let (name, rest) = path.split_first()?;
        let node = self.0.get_mut(*name)?;
        if rest.is_empty() {
            return Some(node);
        }
        match &mut node.content {
            Content::Section(section) => section.find_mut(rest),
            Content::Value(_) => None,
        }
    }

    /// Appends the keys of all sections and values in this section.
    pub(crate) fn list(&self, key: &str, keys: &mut Vec<String>) {
        for (name, node) in &self.0 {
            let key = join(key, name);
            if let Content::Section(section) = &node.content {
                section.list(&key, keys);
            }
            keys.push(key);
        }
    }
}

impl Node {
    /// Returns true if a layer above the defaults sets the value. For a section, returns true if such a layer sets a
    /// value in it.
    pub(crate) fn is_given(&self) -> bool {
        match &self.content {
            Content::Section(section) => section.0.values().any(Self::is_given),
            Content::Value(_) => !self.origin.is_default(),
        }
    }
}

/// Returns the message for a value that was given instead of a section. The message does not quote the value.
pub(crate) fn not_a_section(key: &str, value: &Value) -> String {
    format!("is set to {}, but it is a section; write [{key}] and its keys", value.kind())
}
