//! `[kafka]`: the cluster and who we are to it.

use super::layers::Layers;
use super::problem::Problem;
use super::properties::Properties;

/// `[kafka]`.
#[derive(Clone, Debug)]
pub struct Kafka {
    /// `host:port`, one or more.
    pub brokers: Vec<String>,
    /// What the names of topics, groups and transactions begin with.
    pub prefix: String,
    /// What tells this worker from its peers, the same after a restart.
    pub instance: String,
    /// Properties of librdkafka.
    pub properties: Properties,
    /// Those that the client which erases has over them.
    pub eraser: Properties,
}

impl Kafka {
    pub(super) fn read(layers: &Layers, host: &str) -> Result<Self, Problem> {
        Ok(Self {
            brokers: brokers(layers)?,
            prefix: name(layers, "kafka.prefix", layers.text("kafka.prefix")?, 100)?,
            instance: match layers.optional("kafka.instance")? {
                Some(instance) => name(layers, "kafka.instance", instance, 100)?,
                None => name(layers, "kafka.instance", host, 100).map_err(|_| {
                    layers.refuse("kafka.instance", "the host's name does not serve: set a name")
                })?,
            },
            properties: Properties::read(layers, "kafka.properties")?,
            eraser: Properties::read(layers, "kafka.eraser")?,
        })
    }
}

fn brokers(layers: &Layers) -> Result<Vec<String>, Problem> {
    const KEY: &str = "kafka.brokers";
    let brokers = layers.words_or_line(KEY)?;
    if brokers.is_empty() {
        return Err(layers.refuse(KEY, "is empty: name at least one host:port"));
    }
    match brokers.iter().find(|broker| !is_broker(broker)) {
        Some(broker) => {
            Err(layers.refuse(KEY, format!("found \"{}\", want host:port", broker.escape_debug())))
        }
        None => Ok(brokers),
    }
}

fn is_broker(broker: &str) -> bool {
    let Some((host, port)) = broker.rsplit_once(':') else { return false };
    let strange = |letter: char| letter == ',' || letter.is_whitespace() || letter.is_control();
    port.parse::<u16>().is_ok_and(|port| port != 0) && !host.is_empty() && !host.contains(strange)
}

/// What Kafka lets a topic be called, which is also safe in the ids of groups and transactions.
fn name(layers: &Layers, key: &str, name: &str, most: usize) -> Result<String, Problem> {
    if is_name(name) && name.len() <= most {
        return Ok(name.into());
    }
    let what = format!(
        "found \"{}\", want 1 to {most} letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
        name.escape_debug()
    );
    Err(layers.refuse(key, what))
}

/// Whether Kafka takes it as a topic's name.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= 249
        && name.bytes().all(letter)
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}
