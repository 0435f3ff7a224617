//! The collector's metrics.

use crowdfold_collector::Counted;
use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::Counters;

/// Describes the metrics on `/metrics`.
pub(super) fn describe() {
    describe_counter!(
        "crowdfold_collect_requests_total",
        "requests by response status, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_collect_beacons_total",
        "beacons at the collector by outcome, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_collect_connections_ended_total",
        "connections that ended early, by reason, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_collect_spoofed_total",
        "requests in which an untrusted peer forwarded a client address, floored to a multiple of k"
    );
    describe_gauge!("crowdfold_collect_connections", "open connections, floored to a multiple of k");
    describe_gauge!("crowdfold_collect_bytes_held", "bytes received but not yet written");
}

impl Counters {
    /// Writes the collector's counts.
    pub(crate) fn collected(&self, counted: &Counted, held: usize) {
        for (status, exact) in &counted.requests {
            counter!("crowdfold_collect_requests_total", "status" => status.to_string())
                .absolute(self.floor(*exact));
        }
        for (outcome, exact) in &counted.beacons {
            counter!("crowdfold_collect_beacons_total", "outcome" => outcome.name())
                .absolute(self.floor(*exact));
        }
        for (how, exact) in &counted.ended {
            counter!("crowdfold_collect_connections_ended_total", "how" => *how).absolute(self.floor(*exact));
        }
        self.ignored(&counted.ignored);
        counter!("crowdfold_collect_spoofed_total").absolute(self.floor(counted.spoofed));
        gauge!("crowdfold_collect_connections").set(self.floor(counted.connections as u64) as f64);
        gauge!("crowdfold_collect_bytes_held").set(held as f64);
    }
}
