//! A `serde` deserializer for the tree of settings. Its errors contain the key and the origin of the value.

use std::fmt;

use indexmap::map::IterMut;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{ConfigError, Origin};
use crate::layers::unknown_key;
use crate::tree::{Content, Node, Section, is_secret, join, not_a_section};
use crate::value::Value;

/// An error in a value, as the type of the setting reports it. The deserializer adds the key and the origin of the
/// value.
#[derive(Debug)]
pub(crate) enum ValueError {
    /// The value is invalid. The string describes valid values.
    Expected(String),
    /// A message. In the complete error, it follows the key.
    Message(String),
    /// The section has no such key. The list contains its known keys.
    Unknown(&'static [&'static str]),
    /// A value was given where a section is expected.
    NotASection,
    /// The complete error, after the key and the origin were added.
    Located(ConfigError),
}

impl ValueError {
    /// Adds the key and the origin of a node. If a node inside this node has already added its key and origin, nothing
    /// is added.
    fn locate(self, key: &str, node: &Node) -> Self {
        let message = match (self, &node.content) {
            (Self::Located(error), _) => return Self::Located(error),
            (Self::Unknown(known), _) => return Self::Located(unknown_key(&node.origin, key, known)),
            (Self::Message(message), _) => message,
            (Self::NotASection, Content::Value(value)) => not_a_section(key, value),
            (Self::NotASection, Content::Section(_)) => {
                "is written as a section; write it as a key with a value".into()
            }
            (Self::Expected(want), Content::Section(_)) => {
                format!("is written as a section; set it to {want}")
            }
            (Self::Expected(want), Content::Value(value)) if is_secret(key) => {
                format!("is {}; set it to {want}", value.kind())
            }
            (Self::Expected(want), Content::Value(value)) => format!("is {value}; set it to {want}"),
        };
        Self::Located(ConfigError::new(&node.origin, key, message))
    }
}

impl From<ValueError> for ConfigError {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::Located(error) => error,
            other => Self::on_line(&Origin::Default { line: 1 }, other.to_string()),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(want) => write!(f, "set it to {want}"),
            Self::Message(message) => f.write_str(message),
            Self::Unknown(known) => write!(f, "known here: {}", known.join(", ")),
            Self::NotASection => f.write_str("a section is expected"),
            Self::Located(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ValueError {}

/// These functions never quote the value, because it may be a secret. [`ValueError::locate`] quotes values that are not
/// secret.
impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        Self::Expected(one_of(variants))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::Unknown(known)
    }
}

/// Formats words as a list such as `"a", "b" or "c"`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The deserializer of one node. The value of an environment variable or a flag is a string without a type. It is
/// parsed as the type that the setting requires.
pub(crate) struct NodeDeserializer<'a> {
    key: &'a str,
    content: &'a mut Content,
}

/// The deserializer of the whole tree.
pub(crate) struct RootDeserializer<'a>(pub(crate) &'a mut Section);

impl NodeDeserializer<'_> {
    /// Parses a value without a type with `parse`, and passes the result to the visitor.
    fn visit<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        parse: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<V::Value, ValueError> {
        match self.content {
            Content::Section(section) => visitor.visit_map(SectionAccess::new(self.key, section)),
            Content::Value(value) => {
                value.resolve(parse);
                visit_value(value, visitor)
            }
        }
    }
}

fn visit_value<'de, V: Visitor<'de>>(value: &Value, visitor: V) -> Result<V::Value, ValueError> {
    match value {
        Value::Text(text) | Value::Untyped(text) => visitor.visit_str(text),
        Value::Whole(number) => visitor.visit_i64(*number),
        Value::Real(number) => visitor.visit_f64(*number),
        Value::Flag(flag) => visitor.visit_bool(*flag),
        Value::List(items) => visitor.visit_seq(ListAccess(items.iter())),
        // No setting has a value of this type, so every visitor refuses it.
        Value::Other(_) => visitor.visit_unit(),
    }
}

/// Parses a list in TOML, or words separated by commas.
fn list(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('[') {
        return Value::parse(text).filter(|value| matches!(value, Value::List(_)));
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    Some(Value::List(words.map(|word| Value::Text(word.into())).collect()))
}

macro_rules! deserialize_as {
    ($($method:ident)* => $parse:expr) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            self.visit(visitor, $parse)
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = ValueError;

    deserialize_as!(deserialize_str deserialize_string deserialize_char => |_| None);
    deserialize_as!(deserialize_seq => list);
    deserialize_as!(
        deserialize_any =>
        |text| Value::parse(text).filter(|value| matches!(value, Value::Whole(_) | Value::List(_)))
    );
    deserialize_as!(
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 =>
        |text| Value::parse(text).filter(|value| matches!(value, Value::Whole(_)))
    );
    deserialize_as!(
        deserialize_f32 deserialize_f64 =>
        |text| Value::parse(text).filter(|value| matches!(value, Value::Whole(_) | Value::Real(_)))
    );

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if let Content::Value(value) = self.content {
            value.resolve(|text| text.trim().parse().ok().map(Value::Flag));
            if let Value::Flag(flag) = value {
                return visitor.visit_bool(*flag);
            }
        }
        Err(ValueError::Expected("true or false".into()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if let Content::Value(value) = self.content {
            value.resolve(|_| None);
            if let Value::Text(text) = value {
                let text: de::value::StrDeserializer<'_, ValueError> = text.as_str().into_deserializer();
                return visitor.visit_enum(text);
            }
        }
        Err(ValueError::Expected(one_of(variants)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.content {
            Content::Section(section) => visitor.visit_map(SectionAccess::new(self.key, section)),
            Content::Value(_) => Err(ValueError::NotASection),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> Deserializer<'de> for RootDeserializer<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_map(SectionAccess::new("", self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Iterates over the keys of a section.
struct SectionAccess<'a> {
    section: &'a str,
    entries: IterMut<'a, String, Node>,
    /// The key and the node of the entry whose name was read last.
    current: Option<(String, &'a mut Node)>,
}

impl<'a> SectionAccess<'a> {
    fn new(key: &'a str, section: &'a mut Section) -> Self {
        Self { section: key, entries: section.0.iter_mut(), current: None }
    }
}

impl<'de> MapAccess<'de> for SectionAccess<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        let Some((name, node)) = self.entries.next() else { return Ok(None) };
        let key = join(self.section, name);
        let name: de::value::StrDeserializer<'_, ValueError> = name.as_str().into_deserializer();
        let name = seed.deserialize(name).map_err(|error| error.locate(&key, node))?;
        self.current = Some((key, node));
        Ok(Some(name))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ValueError> {
        let Some((key, node)) = self.current.take() else {
            return Err(ValueError::Message("a value was read before its name".into()));
        };
        let deserializer = NodeDeserializer { key: &key, content: &mut node.content };
        seed.deserialize(deserializer).map_err(|error| error.locate(&key, node))
    }
}

/// Iterates over the items of a list.
struct ListAccess<'a>(std::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for ListAccess<'_> {
    type Error = ValueError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ValueError> {
        self.0.next().map(|item| seed.deserialize(ItemDeserializer(item))).transpose()
    }
}

/// The deserializer of one item of a list.
struct ItemDeserializer<'a>(&'a Value);

impl<'de> Deserializer<'de> for ItemDeserializer<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visit_value(self.0, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
