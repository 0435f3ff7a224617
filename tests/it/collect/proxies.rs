//! Tests the choice of the client's address among the addresses of the peer and of forwarding headers.

use crowdfold_testkit::Kafka;

use super::client::JSON;
use super::support::{Collector, deploy, packed};
use crate::worker::support::now;

fn beacon() -> String {
    format!(r#"{{"session":"s-1","ts":{},"ip":"192.0.2.66"}}"#, now())
}

fn version_2(source: [u8; 4]) -> Vec<u8> {
    let head = [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[0x21, 0x11, 0, 12]].concat();
    [&head, &source[..], &[127, 0, 0, 1, 0x12, 0x67, 1, 187]].concat()
}

#[test]
fn forwarded_address_from_a_trusted_proxy_is_used() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.trusted_proxies", "[\"127.0.0.1\", \"10.0.0.0/8\"]");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let mut proxy = collector.connect();
    let mut expected = Vec::new();
    for (name, value, address) in [
        ("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("x-forwarded-for", "[2001:db8::9]:4711", "2001:db8::9"),
        ("forwarded", "for=198.51.100.1, for=\"[2001:db8::7]:80\";proto=https, for=10.0.0.1", "2001:db8::7"),
        ("forwarded", "for=_hidden", ""),
        ("x-other", "203.0.113.9", ""),
    ] {
        let headers = [JSON[0], (name, value)];
        assert_eq!(proxy.post("/v1/beacons", &headers, beacon()), 204);
        expected.push(address);
    }
    let addresses: Vec<_> = packed(&deployment).into_iter().map(|request| request.address.unwrap()).collect();
    assert_eq!(addresses, expected);
    collector.await_count("spoofed_total", 0);
}

#[test]
fn forwarded_address_from_an_untrusted_peer_is_ignored_and_counted() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    for (name, value) in [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")] {
        assert_eq!(client.post("/v1/beacons", &[JSON[0], (name, value)], beacon()), 204);
    }
    assert!(packed(&deployment).iter().all(|request| request.address.as_deref() == Some("127.0.0.1")));
    collector.await_count("spoofed_total", 2);
}

#[test]
fn address_in_a_proxy_protocol_header_is_used_only_from_trusted_proxies() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.trusted_proxies", "[\"127.0.0.1/32\"]");
    deployment.set("collect.proxy_protocol", "true");
    deployment.set("collect.read_timeout", "\"3s\"");
    let mut deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    for header in [version_2([203, 0, 113, 9]), b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 443\r\n".to_vec()] {
        let mut client = collector.connect();
        client.write(header);
        // The client behind the proxy is not a trusted proxy, so its `x-forwarded-for` header is ignored.
        let headers = [JSON[0], ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(client.post("/v1/beacons", &headers, beacon()), 204);
        assert_eq!(client.post("/v1/beacons", JSON, beacon()), 204);
    }
    // A connection without a PROXY header, or with an incomplete one, is closed.
    let mut client = collector.connect();
    client.send("POST", "/v1/beacons", JSON, beacon().as_bytes());
    assert!(client.answer().is_none());
    let mut client = collector.connect();
    client.write("PROXY TCP4 203.0.113.9");
    assert!(client.answer().is_none());
    let addresses: Vec<_> = packed(&deployment).into_iter().map(|request| request.address.unwrap()).collect();
    assert_eq!(addresses, ["203.0.113.9"; 4]);
    collector.await_count("connections_ended_total{how=\"handshake\"}", 2);
    drop(collector);
    // If the peer is not a trusted proxy, the collector reads a PROXY header as HTTP, which is invalid.
    deployment.set("collect.trusted_proxies", "[\"127.0.0.2/32\"]");
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    client.write(version_2([203, 0, 113, 9]));
    client.send("POST", "/v1/beacons", JSON, beacon().as_bytes());
    assert!(client.answer().is_none_or(|answer| answer.status == 400));
    assert_eq!(collector.connect().post("/v1/beacons", JSON, beacon()), 204);
    assert_eq!(packed(&deployment).len(), 5);
}
