use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Hit, Identifier, Writing, scan};
use Identifier as I;
use Writing as W;

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |bits: &[u8]| {
        let number = (0..6).fold(0, |number, at| number << 1 | bits.get(at).copied().unwrap_or(0));
        LETTERS[number as usize] as char
    };
    bits.chunks(6).map(letter).collect()
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[track_caller]
fn check(text: &str, expect: &[Hit]) {
    assert_eq!(scan(text), expect, "{text}");
}

#[test]
fn addresses_in_all_notations() {
    for text in [
        "203.0.113.77",
        "from 203.0.113.77:443 on",
        "edge-203-0-113-77.example",
        "ip_203_0_113_77",
        "0313.0.0161.0115",
        "313.000.161.115",
        "0xcb.0x0.0x71.0x4d",
        "0xCB00714D",
        "0x20010db8007700aa00000000000000c4",
        "2001:db8:77:aa::c4",
        "[2001:db8:77:aa::c4]:443",
        "fe80::1%eth0",
        "2001:0DB8:0077:00AA:0000:0000:0000:00C4",
        "::ffff:203.0.113.77",
        "addr:2001:db8::7:1",
        "4.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.a.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "２０３．０．１１３．７７",
        "٢٠٣.٠.١١٣.٧٧",
    ] {
        assert!(scan(text).contains(&(I::Address, W::Plain)), "{text}: {:?}", scan(text));
    }
    check("77.311.0.302", &[(I::Address, W::Reversed)]);
    check("3405803853", &[(I::Digits, W::Plain)]);
    check("cb00714d", &[(I::Hex, W::Plain)]);
    check("id-CB00714D.x", &[(I::Hex, W::Plain)]);
    check("cb.0.71.4d", &[(I::Hex, W::Plain)]);
    check("20010db8007700aa00000000000000c4", &[(I::Digits, W::Plain), (I::Hex, W::Plain)]);
}

#[test]
fn mails_numbers_uuids_agents_and_hardware() {
    check("for jane.doe+tv@mail.example", &[(I::Email, W::Plain)]);
    check("elpmaxe.liam@enaj", &[(I::Email, W::Reversed)]);
    check("1234567890123", &[(I::Digits, W::Plain)]);
    check("bbb27941-6c1f-4e0a-9d3b-0123abcd4567", &[(I::Uuid, W::Plain)]);
    check("00:1a:2b:3c:4d:5e", &[(I::Mac, W::Plain)]);
    check("Mozilla/5.0 (X11)", &[(I::UserAgent, W::Plain)]);
    check("okhttp/4.9.0 ExoPlayerLib/2.18", &[(I::UserAgent, W::Plain)]);
    check("AppleCoreMedia/1.0 (Apple TV; U)", &[(I::UserAgent, W::Plain)]);
}

#[test]
fn what_is_wrapped_is_found() {
    for (text, kind) in [
        ("203.0.113.77", I::Address),
        ("2001:db8:77:aa::c4", I::Address),
        ("jane.c4n4ry@mail.example", I::Email),
        ("bbb27941-6c1f-4e0a-9d3b-0123abcd4567", I::Uuid),
        ("Mozilla/5.0 (Zanzibar; C4n4ryOS 7_7) C4n4ryKit/77.7", I::UserAgent),
    ] {
        assert!(scan(&percent(text)).contains(&(kind, W::Percent)), "{text}");
        assert!(scan(&percent(&percent(text))).contains(&(kind, W::Percent)), "{text} twice");
        assert!(scan(&hexadecimal(text)).contains(&(kind, W::Hex)), "{text}");
        assert!(scan(&hexadecimal(text).to_uppercase()).contains(&(kind, W::Hex)), "{text}");
        for shift in 0..3 {
            let wrapped = base64(&[&b"\x01\x02\x03"[..shift], text.as_bytes()].concat());
            assert!(scan(&wrapped).contains(&(kind, W::Base64)), "{text} {wrapped}");
            let unpadded = format!("x{}", wrapped.replace('+', "-").replace('/', "_"));
            assert!(scan(&unpadded).contains(&(kind, W::Base64)), "{text} {unpadded}");
        }
        assert!(scan(&percent(&base64(text.as_bytes()))).iter().any(|(found, _)| *found == kind), "{text}");
    }
}

#[test]
fn what_the_worker_lets_out_is_clean() {
    for text in [
        "Windows",
        "Samsung Internet",
        "app",
        "US",
        "AS64496",
        "movie-0042",
        "edge-7.cdn.example",
        "4.7",
        "1.2.3",
        "low-latency",
        "5g",
        "2160p",
        "unknown",
        "other",
        "redacted",
        "*",
        "crowdfold.rollup/1",
        "16.4",
        "live/sports",
        "Shaka 4.7 (Tizen)",
        "hls.js 1.4.12",
        "S01E03 + extras & more",
        "country.asn",
        "acme",
        "12:30:45",
        "std::list",
        "2026-11-22T00:48:00Z",
        "beef-and-wine",
        "fade to black",
        "version 20261126",
        "Quad::Core",
        "café 12",
        "a-very-long-name-of-a-show-that-goes-on-and-on-and-on-season-12",
        "Deutschland/Köln",
    ] {
        check(text, &[]);
    }
}

proptest! {
    #[test]
    fn every_address_is_found_wherever_it_stands(bits in any::<u32>(), before in "[a-z ]{0,5}", after in "[a-z ]{0,5}") {
        let octets = bits.to_be_bytes().map(|octet| octet.to_string()).join(".");
        let text = format!("{before}{octets}{after}");
        prop_assert!(scan(&text).contains(&(I::Address, W::Plain)), "{}", text);
    }

    #[test]
    fn every_v6_address_is_found(bits in any::<u128>()) {
        let text = std::net::Ipv6Addr::from_bits(bits).to_string();
        prop_assert!(scan(&text).iter().any(|(kind, _)| *kind == I::Address), "{}", text);
    }

    #[test]
    fn whatever_comes_is_looked_at(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&text);
        let _ = scan(&String::from_utf8_lossy(&bytes));
        let _ = scan(&percent(&text));
    }

    #[test]
    fn innocent_words_are_clean(text in "[g-z]{1,12}( [g-z]{1,12}){0,4}") {
        prop_assert_eq!(scan(&text), []);
    }
}
