//! The collector's settings, as checked by the configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crowdfold_beacon::CONTENT_TYPE;
use crowdfold_kafka::WriterSettings;
use crowdfold_model::Partitioner;
use ipnet::IpNet;

/// When a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// Once every in-sync replica has what it said.
    Written,
    /// Once it lies in memory: what is there is lost with the process.
    Queued,
}

/// The collector's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Origins whose pages may report; `*` is any.
    pub origins: Vec<String>,
    /// Peers that say truly for whom they speak.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether these begin each connection with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// When a request is answered.
    pub acknowledge: Acknowledge,
    /// How long a record waits for more.
    pub linger: Duration,
    /// How long a record gets before it is sent, bytes.
    pub record: usize,
    /// How long Kafka may take to take a record.
    pub patience: Duration,
    /// Bytes of all that was received and is not yet written.
    pub memory: usize,
    /// Connections at a time.
    pub connections: usize,
    /// The longest body, bytes, also once it is decompressed.
    pub body: usize,
    /// Requests a second of one connection; 0 is any number.
    pub rate: u32,
    /// How long a handshake, the head of a request or a body may take.
    pub slow: Duration,
    /// How long a connection is kept without a request.
    pub idle: Duration,
    /// The closed catalogue of tenants.
    pub tenants: Vec<String>,
    /// `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// `DNT: 1` opts out.
    pub dnt: bool,
    /// Other names of the fields of JSON beacons (`[source.fields]`).
    pub fields: BTreeMap<String, Vec<String>>,
    /// Most beacons of one request; what follows is one that is `too_large`.
    pub max_beacons: usize,
    /// How the worker expects sessions to be spread over partitions.
    pub partitioner: Partitioner,
}

impl Settings {
    /// How what is packed is written to `topic`. `longest` is how long a record is tried again that was acknowledged
    /// before it was written.
    #[must_use]
    pub fn writer(&self, topic: &str, longest: Duration) -> WriterSettings {
        WriterSettings {
            topic: topic.into(),
            content_type: CONTENT_TYPE,
            patience: match self.acknowledge {
                Acknowledge::Written => self.patience,
                Acknowledge::Queued => longest,
            },
            memory: self.memory,
        }
    }
}
