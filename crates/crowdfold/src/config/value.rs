//! Values as a configuration may hold them.

use std::fmt;

use toml::de::{DeInteger, DeValue};

/// A value, out of its file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
    List(Vec<Value>),
    /// A kind of value that no key takes, or a number that does not fit: what to call it.
    Strange(&'static str),
}

impl Value {
    /// The value, without its location.
    pub(super) fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => whole(number),
            DeValue::Float(number) => number.as_str().parse().map_or(Self::Strange("a number"), Self::Real),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(_) => Self::Strange("a date or time"),
            DeValue::Array(items) => {
                Self::List(items.iter().map(|item| Self::from_toml(item.get_ref())).collect())
            }
            DeValue::Table(_) => Self::Strange("a section"),
        }
    }

    /// An environment variable's text, read as what `like` is. Lists are TOML, or words between commas.
    pub(super) fn from_environment(text: &str, like: Option<&Self>) -> Self {
        match like {
            None | Some(Self::Text(_) | Self::Strange(_)) => Self::Text(text.into()),
            Some(Self::List(_)) if !text.trim_start().starts_with('[') => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Self::List(words.map(|word| Self::Text(word.into())).collect())
            }
            Some(_) => DeValue::parse(text.trim())
                .map_or_else(|_| Self::Text(text.into()), |value| Self::from_toml(value.get_ref())),
        }
    }

    /// Reads the text of an environment variable as a TOML number or list, or as a word.
    pub(super) fn word_or_else(text: &str) -> Self {
        let value = DeValue::parse(text.trim()).map(|value| Self::from_toml(value.get_ref()));
        match value {
            Ok(value @ (Self::Whole(_) | Self::List(_))) => value,
            _ => Self::Text(text.into()),
        }
    }

    /// What kind of value it is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Whole(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Strange(kind) => kind,
        }
    }
}

fn whole(number: &DeInteger<'_>) -> Value {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_or(Value::Strange("a number beyond all bounds"), Value::Whole)
}

/// As TOML writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", toml::Value::String(text.clone())),
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
            Self::Strange(kind) => f.write_str(kind),
        }
    }
}
