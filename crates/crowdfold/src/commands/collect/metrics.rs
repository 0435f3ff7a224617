//! The collector's metrics.

use crowdfold_collector::Counted;
use crowdfold_worker::telemetry::Counters;
use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Registers the help texts of the collector's metrics.
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

/// Copies the collector's counts to the metrics.
pub(super) fn write(counters: &Counters, counted: &Counted, held: usize) {
    for (status, exact) in &counted.requests {
        counter!("crowdfold_collect_requests_total", "status" => status.to_string())
            .absolute(counters.floor(*exact));
    }
    for (outcome, exact) in &counted.beacons {
        counter!("crowdfold_collect_beacons_total", "outcome" => outcome.name())
            .absolute(counters.floor(*exact));
    }
    for (how, exact) in &counted.ended {
        counter!("crowdfold_collect_connections_ended_total", "how" => *how).absolute(counters.floor(*exact));
    }
    counters.ignored(&counted.ignored);
    counter!("crowdfold_collect_spoofed_total").absolute(counters.floor(counted.spoofed));
    gauge!("crowdfold_collect_connections").set(counters.floor(counted.connections as u64) as f64);
    gauge!("crowdfold_collect_bytes_held").set(held as f64);
}
