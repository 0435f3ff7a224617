use hyper::header::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn proxies() -> Proxies {
    Proxies::new(&["10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1/32"].map(|net| net.parse().unwrap()))
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

/// Returns the client's address, and true if an untrusted peer sent a forwarding header.
fn client(peer: &str, lines: &[(&str, &str)]) -> (String, bool) {
    let proxies = proxies();
    let peer = proxies.peer(peer.parse().unwrap());
    let client = proxies.client(&peer, &headers(lines));
    (client.address().to_owned(), client.spoofed)
}

#[test]
fn address_of_an_untrusted_peer_is_used_despite_forwarding_headers() {
    assert_eq!(client("203.0.113.9:1", &[]), ("203.0.113.9".into(), false));
    assert_eq!(client("[::ffff:203.0.113.9]:1", &[]), ("203.0.113.9".into(), false));
    for name in ["x-forwarded-for", "forwarded"] {
        assert_eq!(
            client("203.0.113.9:1", &[(name, "for=198.51.100.7, 198.51.100.7")]),
            ("203.0.113.9".into(), true)
        );
    }
    // headers that are not supported are ignored
    assert_eq!(client("203.0.113.9:1", &[("true-client-ip", "198.51.100.7")]), ("203.0.113.9".into(), false));
}

#[test]
fn rightmost_untrusted_hop_is_the_client() {
    let listed = |value: &str| client("10.1.2.3:1", &[("x-forwarded-for", value)]).0;
    assert_eq!(listed("203.0.113.9"), "203.0.113.9");
    // the trusted proxy appends its hop on the right, so all hops that the client wrote are on the left of that hop
    assert_eq!(listed("1.2.3.4, 198.51.100.1, 203.0.113.9, 10.0.0.7"), "203.0.113.9");
    assert_eq!(listed("1.2.3.4, 10.0.0.9, 10.0.0.7"), "1.2.3.4");
    assert_eq!(listed("10.0.0.9, 10.0.0.7"), "10.0.0.9");
    assert_eq!(listed("1.2.3.4,unknown"), "");
    assert_eq!(listed("1.2.3.4, garbage, 10.0.0.7"), "");
    assert_eq!(listed(""), "");
    let forwarded = |value: &str| client("[2001:db8:1::9]:1", &[("forwarded", value)]).0;
    assert_eq!(forwarded("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
    assert_eq!(forwarded(r#"for=1.2.3.4, For="[2001:db8:2::9]:4711";by=x, for=10.0.0.7"#), "2001:db8:2::9");
    assert_eq!(forwarded(r#"for=1.2.3.4;host="a,b;for=5.6.7.8", for=10.0.0.7"#), "1.2.3.4");
    assert_eq!(forwarded("for=1.2.3.4, for=_hidden"), "");
    assert_eq!(forwarded("for=1.2.3.4, proto=https"), "");
    // several headers with the same name form one list
    let lines =
        [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.0.0.7")];
    assert_eq!(client("127.0.0.1:1", &lines).0, "203.0.113.9");
}

#[test]
fn client_is_unknown_if_a_trusted_proxy_sends_no_forwarding_header() {
    assert_eq!(client("127.0.0.1:1", &[]), (String::new(), false));
}

#[test]
fn client_is_unknown_if_the_two_forwarding_headers_differ() {
    let both =
        |listed, forwarded| client("127.0.0.1:1", &[("x-forwarded-for", listed), ("forwarded", forwarded)]).0;
    assert_eq!(both("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
    assert_eq!(both("203.0.113.9", "for=198.51.100.1"), "");
    assert_eq!(both("203.0.113.9", "for=unknown"), "");
}

#[test]
fn hop_may_have_a_port_and_brackets_and_an_invalid_hop_is_refused() {
    for (hop, expected) in [
        ("203.0.113.9", Some("203.0.113.9")),
        (" 203.0.113.9:4711 ", Some("203.0.113.9")),
        ("\"203.0.113.9\"", Some("203.0.113.9")),
        ("2001:db8::9", Some("2001:db8::9")),
        ("[2001:db8::9]", Some("2001:db8::9")),
        ("[2001:db8::9]:443", Some("2001:db8::9")),
        ("\"[2001:db8::9]:_port\"", Some("2001:db8::9")),
        ("::ffff:203.0.113.9", Some("203.0.113.9")),
        ("[203.0.113.9]", None),
        ("203.0.113.9:port", None),
        ("203.0.113.9:", None),
        ("203.0.113", None),
        ("0313.0.0.1", None),
        ("fe80::1%eth0", None),
        ("[2001:db8::9]x", None),
        ("unknown", None),
        ("_gazonk", None),
        ("", None),
    ] {
        assert_eq!(address_in(hop).map(|address| address.to_string()).as_deref(), expected, "{hop}");
    }
}

proptest! {
    /// The client is the hop that the trusted proxy appends. The hops that the client itself writes into the header
    /// have no effect.
    #[test]
    fn hop_of_the_trusted_proxy_is_used_whatever_the_client_wrote(
        written in proptest::collection::vec("[ -~]{0,40}", 0..4),
        name in prop_oneof![Just("x-forwarded-for"), Just("forwarded")],
    ) {
        let mut lines: Vec<(&str, &str)> = written.iter().map(|value| (name, value.as_str())).collect();
        lines.push((name, if name == "forwarded" { "for=203.0.113.9" } else { "203.0.113.9" }));
        prop_assert_eq!(client("127.0.0.1:1", &lines).0, "203.0.113.9");
    }
}
