use super::*;

fn shown(network: Network) -> String {
    match network {
        Network::V4(first, length) => format!("{first}/{length}"),
        Network::V6(first, length) => format!("{first}/{length}"),
    }
}

#[track_caller]
fn check(address: &str, expect: Option<&str>) {
    let network = Address::parse(address).map(|address| shown(address.network(Purpose::LookUp)));
    assert_eq!(network.as_deref(), expect, "{address}");
}

#[test]
fn network_contains_no_host_bits() {
    check("198.51.100.77", Some("198.51.100.0/24"));
    check("2001:db8:1:2::3", Some("2001:db8:1::/48"));
    check("::", Some("::/48"));
    check("::1", Some("::/48"));
    let v6 = Address::parse("2001:db8:aabb:ccdd::1").unwrap();
    assert_eq!(shown(v6.network(Purpose::Dimension)), "2001:db8::/32");
    assert_eq!(shown(v6.network(Purpose::Guard)), "2001:db8:aa00::/40");
    let v4 = Address::parse("198.51.100.77").unwrap();
    assert_eq!(shown(v4.network(Purpose::Guard)), "198.51.100.0/24");
    assert_eq!(shown(v4.network(Purpose::Dimension)), "198.51.100.0/24");
}

#[test]
fn ipv4_address_inside_an_ipv6_address_is_read_as_ipv4() {
    for disguise in [
        "::ffff:198.51.100.7",
        "::FFFF:c633:6407",
        "::198.51.100.7",
        "2002:c633:6407:1::9",
        "2001:0:53aa:64c:1234:5678:39cc:9bf8",
        "64:ff9b::198.51.100.7",
        "64:ff9b:1::198.51.100.7",
        "64:ff9b:1:2:3:4:198.51.100.7",
        "64:ff9b:1:c633:64:700::",
    ] {
        check(disguise, Some("198.51.100.0/24"));
    }
}

#[test]
fn port_brackets_and_white_space_around_an_address_are_ignored() {
    for text in
        ["198.51.100.7:443", "198.51.100.7:0", " 198.51.100.7", "198.51.100.7 ", "[::ffff:198.51.100.7]:1"]
    {
        check(text, Some("198.51.100.0/24"));
    }
    for text in ["[2001:db8:1::1]", "[2001:db8:1::1]:443", "\t2001:db8:1::1 "] {
        check(text, Some("2001:db8:1::/48"));
    }
    for text in [
        "198.51.100.7:",
        "198.51.100.7:65536",
        "198.51.100.7:+1",
        "[198.51.100.7]:443",
        "[2001:db8::1]:",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "2001:db8::1]:443",
        "198.51.100.7, 10.0.0.6",
        "[]",
        "[]:1",
        ":443",
        "host:443",
    ] {
        check(text, None);
    }
}

#[test]
fn text_in_another_form_is_not_an_address() {
    for text in [
        "",
        "fe80::1%eth0",
        "0306.063.0144.07",
        "198.051.100.7",
        "0xc6336407",
        "0xc6.0x33.0x64.0x07",
        "3325256711",
        "198.51.100",
        "198.51.100.256",
        "198.51.100.7/24",
        "2001:db8:::1",
        "2001:db8::1/48",
        "unknown",
        "198.51.100.7, 203.0.113.9",
    ] {
        check(text, None);
    }
}
