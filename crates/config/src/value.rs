//! The values that a layer can contain.

use std::fmt;

use toml::de::{DeInteger, DeValue};

/// A value, without its origin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
    List(Vec<Value>),
    /// A value of a type that no setting has. The string is the name of that type.
    Other(&'static str),
    /// The value of an environment variable or a flag. Its type is determined by the setting that reads it.
    Untyped(String),
}

impl Value {
    /// Converts a TOML value.
    pub(crate) fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => whole(number),
            DeValue::Float(number) => number.as_str().parse().map_or(Self::Other("a number"), Self::Real),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Array(items) => {
                Self::List(items.iter().map(|item| Self::from_toml(item.get_ref())).collect())
            }
            DeValue::Table(_) => Self::Other("a section"),
        }
    }

    /// Converts an untyped value with `parse`. If `parse` returns `None`, the value becomes a string.
    pub(crate) fn resolve(&mut self, parse: impl FnOnce(&str) -> Option<Self>) {
        if let Self::Untyped(text) = self {
            *self = parse(text).unwrap_or_else(|| Self::Text(std::mem::take(text)));
        }
    }

    /// Parses a value in TOML.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        DeValue::parse(text.trim()).ok().map(|value| Self::from_toml(value.get_ref()))
    }

    /// Returns the name of the type for error messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Untyped(_) => "a string",
            Self::Whole(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }
}

fn whole(number: &DeInteger<'_>) -> Value {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_or(Value::Other("a number of more than 64 bits"), Value::Whole)
}

/// Formats the value as TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Untyped(text) => write!(f, "{}", toml::Value::String(text.clone())),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Other(kind) => f.write_str(kind),
        }
    }
}
