//! The settings of the collector.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crowdfold_beacon::CONTENT_TYPE;
use crowdfold_kafka::WriterSettings;
use crowdfold_model::{CustomSource, Partitioner};
use ipnet::IpNet;

/// The event after which the collector responds to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// Every in-sync replica has stored the beacons of the request.
    Written,
    /// The beacons of the request are in memory. They are lost if the process is killed.
    Queued,
}

/// The collector's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address and the port to listen on.
    pub listen: SocketAddr,
    /// The origins whose web pages may send beacons. `*` means all origins.
    pub origins: Vec<String>,
    /// The networks of proxies that are trusted to forward the address of the client.
    pub trusted_proxies: Vec<IpNet>,
    /// True if trusted proxies send a header of the PROXY protocol at the beginning of each connection.
    pub proxy_protocol: bool,
    /// The event after which the collector responds to a request.
    pub acknowledge: Acknowledge,
    /// The maximum time for which a record waits for more beacons before it is sent.
    pub linger: Duration,
    /// The size at which a record is sent, in bytes.
    pub record: usize,
    /// The maximum time to wait for Kafka to acknowledge a record.
    pub time_limit: Duration,
    /// The maximum size of data that was received but not yet written, in bytes.
    pub memory: usize,
    /// The maximum number of concurrent connections.
    pub connections: usize,
    /// The maximum size of the body of a request, in bytes, before and after decompression.
    pub body: usize,
    /// The maximum number of requests per second on one connection; 0 means no limit.
    pub rate: u32,
    /// The maximum time for a TLS handshake, for receiving the head of a request, and for receiving its body.
    pub slow: Duration,
    /// The time after which a connection without requests is closed.
    pub idle: Duration,
    /// The names of all tenants.
    pub tenants: Vec<String>,
    /// True if the header `Sec-GPC: 1` opts a session out.
    pub gpc: bool,
    /// True if the header `DNT: 1` opts a session out.
    pub dnt: bool,
    /// Alternative names for the fields of JSON beacons.
    pub fields: BTreeMap<String, Vec<String>>,
    /// The locations of the values of custom dimensions.
    pub custom_sources: Vec<CustomSource>,
    /// The maximum number of beacons in one request. Further beacons of the request are rejected as `too_large`.
    pub max_beacons: usize,
    /// The function that selects the partition of a session. The worker must use the same function.
    pub partitioner: Partitioner,
}

impl Settings {
    /// Returns the settings of the Kafka producer that writes to `topic`. `longest` is the maximum time for which the
    /// producer retries a record with [`Acknowledge::Queued`].
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
