//! `[kafka.properties]` and `[kafka.eraser]`: whatever librdkafka can be told, but for what exactly-once rests on.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::layers::{Entry, Layers};
use super::problem::{Origin, Problem};
use super::value::Value;

const MASK: &str = "********";

/// What the protocol sets itself, and why nobody else may.
const OURS: [(&str, &str); 20] = [
    ("client.id", "it is made from kafka.prefix and kafka.instance"),
    ("bootstrap.servers", "the cluster is kafka.brokers"),
    ("metadata.broker.list", "the cluster is kafka.brokers"),
    ("group.id", "it is made from kafka.prefix"),
    ("group.instance.id", "it is made from kafka.instance"),
    ("transactional.id", "it is made from kafka.instance"),
    ("group.protocol", "offsets and transactions rest on the classic protocol"),
    ("partition.assignment.strategy", "offsets and transactions rest on it"),
    ("enable.auto.commit", "offsets are committed in transactions alone"),
    ("auto.commit.enable", "offsets are committed in transactions alone"),
    ("auto.commit.interval.ms", "offsets are committed in transactions alone"),
    ("enable.auto.offset.store", "offsets are committed in transactions alone"),
    ("auto.offset.reset", "where to start is never guessed"),
    ("isolation.level", "only what is committed is counted"),
    ("enable.idempotence", "transactions rest on it"),
    ("acks", "transactions rest on it"),
    ("request.required.acks", "transactions rest on it"),
    ("partitioner", "sessions stay whole only in their own partition; see source.partitioner"),
    ("enable.partition.eof", "the worker rests on it"),
    ("statistics.interval.ms", "the worker sets it"),
];

/// Names with one of these in them hold secrets.
const SECRETS: [&str; 7] =
    ["password", "passphrase", "secret", ".pem", "token", "oauthbearer.config", "jaas"];

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Text(String),
    File(PathBuf),
}

/// A property of librdkafka. Its `Debug` masks what may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    section: &'static str,
    name: String,
    source: Source,
    origin: Origin,
}

impl Property {
    /// librdkafka's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was given.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The value to show: masked where it may be a secret, and for a file its name.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.source {
            Source::File(path) => format!("file:{}", path.display()),
            Source::Text(_) if is_secret(&self.name) => MASK.into(),
            Source::Text(text) => text.clone(),
        }
    }

    /// The value itself, out of its file where it names one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn resolve(&self) -> Result<String, Problem> {
        match &self.source {
            Source::Text(text) => Ok(text.clone()),
            Source::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => {
                    Err(Problem::unreadable(path, Some(&format!("{}.{}", self.section, self.name)), &error))
                }
            },
        }
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.name, self.shown())
    }
}

/// Properties of librdkafka, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<Property>);

impl Properties {
    /// Those of one section.
    pub(super) fn read(layers: &Layers, section: &'static str) -> Result<Self, Problem> {
        let properties = layers.under(section).map(|(name, entry)| property(section, name, entry));
        properties.collect::<Result<_, _>>().map(Self)
    }

    /// The properties.
    pub fn iter(&self) -> impl Iterator<Item = &Property> {
        self.0.iter()
    }

    /// Names and values, secrets read from their files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn resolve(&self) -> Result<Vec<(String, String)>, Problem> {
        self.0.iter().map(|property| Ok((property.name.clone(), property.resolve()?))).collect()
    }
}

fn property(section: &'static str, name: &str, entry: &Entry) -> Result<Property, Problem> {
    let refuse = |what: String| Problem::at(&entry.origin, &format!("{section}.{name}"), what);
    if let Some((_, why)) = OURS.iter().find(|(ours, _)| *ours == name) {
        return Err(refuse(format!("is set by crowdfold: {why}; take it out")));
    }
    let text = match &entry.value {
        Value::Text(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Real(_) | Value::List(_) | Value::Strange(_) => {
            let kind = entry.value.kind();
            return Err(refuse(format!("found {kind}, want a string, a whole number, true or false")));
        }
    };
    let source = match text.strip_prefix("file:") {
        Some(path) => Source::File(path.into()),
        None => Source::Text(text),
    };
    let property = Property { section, name: name.into(), source, origin: entry.origin.clone() };
    ask_librdkafka(&property).map_or(Ok(property), |what| Err(refuse(what.into())))
}

/// What librdkafka has against a property, without quoting its value.
fn ask_librdkafka(property: &Property) -> Option<&'static str> {
    let mut trial = ClientConfig::new();
    let text = match &property.source {
        Source::Text(text) => text,
        Source::File(_) => "x",
    };
    trial.set(&property.name, text);
    match trial.create_native_config() {
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Some("librdkafka has no such property: see its CONFIGURATION.md")
        }
        Err(_) if matches!(property.source, Source::Text(_)) => {
            Some("this build of librdkafka does not take the value: see its CONFIGURATION.md")
        }
        _ => None,
    }
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|part| name.contains(part))
}
