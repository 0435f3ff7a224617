//! Tests of shortened IPv6 addresses, and of text that looks like them.

use super::*;

#[test]
fn shortened_ipv6_addresses_are_found() {
    each(
        I::Address,
        &[
            "8::1",
            "1::",
            "::1",
            "a::1",
            "1:2::",
            "::1:2",
            "ip 8::1",
            "ip:8::1",
            "from ::1 on",
            "it is ::1.",
            "[::1]:443",
            "(8::1)",
            "8::1/64",
            "1::%eth0",
            "fe80::1%eth0",
            "fe80::1%25eth0",
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "64:ff9b::1.2.3.4",
            "8\u{2236}\u{2236}1",
            "e.2001:db8:1:2:3:4:5:6",
            "2001:db8:1:2:3:4:5:6.edge",
            "4.....AF3a::b7",
        ],
    );
    check("8%3A%3A1", &[(I::Address, W::Percent)]);
    // An address with a typing error is not an identifier, because it belongs to no host. The scanner finds such a text
    // only if a part of it is a valid IPv6 address.
    none(&["2001:ub8::", "20g1:db8:0:1", "1:::2", "12345::x"]);
}

#[test]
fn times_ratios_and_names_with_colons_are_not_addresses() {
    none(&[
        "12:30:45",
        "12:30",
        "16:9",
        "2.39:1",
        "4:3 16:9 21:9",
        "a::b",
        "a::b::c",
        "A::B",
        "::",
        "::a",
        "std::list",
        "std::vec2",
        "v2::run",
        "list::1",
        "foo::8::1",
        "my_1::x",
        "ns1::A",
        "Player::V8",
        "1::x",
        "8::1st",
        "::1.5",
        "S01:E02",
    ]);
}
