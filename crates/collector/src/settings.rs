//! The collector's settings, as validated by the configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crowdfold_beacon::CONTENT_TYPE;
use crowdfold_kafka::WriterSettings;
use crowdfold_model::Partitioner;
use ipnet::IpNet;

/// The time at which a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// After every in-sync replica has the contents.
    Written,
    /// After the contents are in memory; they are lost if the process ends.
    Queued,
}

/// The collector's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The listening address.
    pub listen: SocketAddr,
    /// Origins whose pages may report; `*` means any.
    pub origins: Vec<String>,
    /// Peers that are trusted to forward client addresses.
    pub trusted_proxies: Vec<IpNet>,
    /// True if trusted proxies begin each connection with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// The time at which a request is answered.
    pub acknowledge: Acknowledge,
    /// The time for which a record waits for more beacons.
    pub linger: Duration,
    /// The size at which a record is sent, bytes.
    pub record: usize,
    /// The time-out of a record's acknowledgement.
    pub time_limit: Duration,
    /// The maximum size of data that was received but not yet written, bytes.
    pub memory: usize,
    /// The maximum number of concurrent connections.
    pub connections: usize,
    /// The largest body, bytes, also when decompressed.
    pub body: usize,
    /// The maximum number of requests per second on one connection; 0 means no limit.
    pub rate: u32,
    /// The time-out of a handshake, of the head of a request, and of a body.
    pub slow: Duration,
    /// The time for which a connection is kept without a request.
    pub idle: Duration,
    /// The complete list of tenants.
    pub tenants: Vec<String>,
    /// `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// `DNT: 1` opts out.
    pub dnt: bool,
    /// Other names of the fields of JSON beacons (`[source.fields]`).
    pub fields: BTreeMap<String, Vec<String>>,
    /// The maximum number of beacons of one request; the next one is `too_large`.
    pub max_beacons: usize,
    /// The partitioner that the worker expects for sessions.
    pub partitioner: Partitioner,
}

impl Settings {
    /// Returns the settings for writing records to `topic`. `longest` is how long a record that was acknowledged before
    /// it was written is retried.
    #[must_use]
    pub fn writer(&self, topic: &str, longest: Duration) -> WriterSettings {
        WriterSettings {
            topic: topic.into(),
            content_type: CONTENT_TYPE,
            time_limit: match self.acknowledge {
                Acknowledge::Written => self.time_limit,
                Acknowledge::Queued => longest,
            },
            memory: self.memory,
        }
    }
}
