//! The section `[kafka]`: the cluster, and properties of librdkafka.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::error::ConfigError;
use crate::fields::{self, TextOrList};

const MASK: &str = "********";

/// The value of a property may be a secret if the name of the property contains one of these words.
const SECRETS: [&str; 7] =
    ["password", "passphrase", "secret", ".pem", "token", "oauthbearer.config", "jaas"];

/// The section `[kafka]`: the Kafka cluster and its clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// The addresses of the brokers for the first connection, as `host:port`.
    #[serde(deserialize_with = "brokers")]
    pub brokers: Vec<String>,
    /// The prefix of the names of topics, consumer groups and transactional ids.
    #[serde(deserialize_with = "name")]
    pub prefix: String,
    /// The name of this worker. It must be the same after a restart. The name of the host replaces an empty name.
    #[serde(deserialize_with = "name")]
    pub instance: String,
    /// The section `[kafka.properties]`: properties of all clients.
    pub properties: Properties,
    /// The section `[kafka.eraser]`: properties of the client that erases counted beacons. They take precedence over
    /// `properties`.
    pub eraser: Properties,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: vec!["localhost:9092".into()],
            prefix: "crowdfold".into(),
            instance: String::new(),
            properties: Properties::default(),
            eraser: Properties::default(),
        }
    }
}

/// Properties of librdkafka, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, Property>);

impl Properties {
    /// Returns the names and the values of the properties, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.0.iter().map(|(name, property)| (name.as_str(), property))
    }

    /// Returns true if there is no property.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names and the values of the properties. Reads values that are in files. `section` is the name of the
    /// section, for error messages.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read.
    pub fn resolve(&self, section: &str) -> Result<Vec<(String, String)>, ConfigError> {
        let resolve = |(name, property): (&str, &Property)| {
            Ok((name.to_owned(), property.resolve(&format!("{section}.{name}"))?))
        };
        self.iter().map(resolve).collect()
    }
}

/// The value of a property of librdkafka. The implementation of `Debug` does not show the value, because it may be a
/// secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Property(String);

impl Property {
    /// Returns the path of the file that contains the value, or `None` if the value is not in a file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.strip_prefix("file:").map(Path::new)
    }

    /// Returns the value, or `None` if it is in a file.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.file().is_none().then_some(self.0.as_str())
    }

    /// Returns the value for display. The value is masked if the name of the property shows that it may be a secret. If
    /// the value is in a file, returns the path of the file.
    pub(crate) fn shown(&self, name: &str) -> &str {
        let is_secret = SECRETS.iter().any(|part| name.contains(part));
        if is_secret && self.file().is_none() { MASK } else { &self.0 }
    }

    fn resolve(&self, key: &str) -> Result<String, ConfigError> {
        let Some(path) = self.file() else { return Ok(self.0.clone()) };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => Err(ConfigError::unreadable(path, Some(key), &error)),
        }
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PropertyVisitor)
    }
}

struct PropertyVisitor;

impl Visitor<'_> for PropertyVisitor {
    type Value = Property;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number, true or false")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Property, E> {
        Ok(Property(text.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Property, E> {
        Ok(Property(number.to_string()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Property, E> {
        Ok(Property(flag.to_string()))
    }
}

fn brokers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let want = "a list of strings, or one string with commas";
    let brokers = match deserializer.deserialize_seq(fields::TextOrListVisitor { want })? {
        TextOrList::List(brokers) => brokers,
        TextOrList::Text(line) => {
            let brokers = line.split(',').map(str::trim).filter(|broker| !broker.is_empty());
            brokers.map(str::to_owned).collect()
        }
    };
    if brokers.is_empty() {
        return Err(D::Error::custom("is empty; name at least one host:port"));
    }
    match brokers.iter().find(|broker| !is_host_and_port(broker)) {
        None => Ok(brokers),
        Some(broker) => {
            Err(D::Error::custom(format!("contains \"{}\"; write host:port", broker.escape_debug())))
        }
    }
}

/// Returns true if an address consists of a host and a port.
pub(super) fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let strange = |letter: char| letter == ',' || letter.is_whitespace() || letter.is_control();
    port.parse::<u16>().is_ok_and(|port| port != 0) && !host.is_empty() && !host.contains(strange)
}

/// Reads a name that is valid as a part of the names of topics, groups and transactional ids.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const MOST: usize = 100;
    let want = "a name of 1 to 100 letters, digits, `.`, `_` or `-`, starting with a letter or digit";
    fields::parsed(deserializer, want, |name| (is_topic(name) && name.len() <= MOST).then(|| name.to_owned()))
}

/// Returns true if Kafka accepts the name of a topic.
pub(crate) fn is_topic(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= 249
        && name.bytes().all(letter)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}
