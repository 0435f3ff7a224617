//! Tests with lists of identifiers that must be found, lists of labels in which nothing must be found, and random
//! values.

use super::{Hit, Identifier, Scanner, Writing, scan};
use Identifier as I;
use Writing as W;

mod addresses;
mod clean;
mod encodings;
mod properties;

pub(super) fn base64(bytes: &[u8]) -> String {
    encode(bytes, 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

pub(super) fn base32(bytes: &[u8]) -> String {
    encode(bytes, 5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

/// Encodes bytes without padding, with `width` bits for each character.
fn encode(bytes: &[u8], width: usize, letters: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |bits: &[u8]| {
        let number = (0..width).fold(0, |number, at| number << 1 | bits.get(at).copied().unwrap_or(0));
        letters[usize::from(number)] as char
    };
    bits.chunks(width).map(letter).collect()
}

#[track_caller]
fn check(text: &str, expect: &[Hit]) {
    assert_eq!(scan(text), expect, "{text}");
}

/// Asserts that nothing is found in any of the texts.
#[track_caller]
fn none(texts: &[&str]) {
    let found: Vec<_> =
        texts.iter().map(|text| (text, scan(text))).filter(|(_, hits)| !hits.is_empty()).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Asserts that an unencoded identifier of the kind is found in each text.
#[track_caller]
fn each(kind: Identifier, texts: &[&str]) {
    let missed: Vec<_> = texts.iter().filter(|text| !scan(text).contains(&(kind, W::Plain))).collect();
    assert!(missed.is_empty(), "{kind:?} in {missed:?}");
}

#[test]
fn addresses_are_found_in_all_notations() {
    each(
        I::Address,
        &[
            "203.0.113.77",
            "from 203.0.113.77:443 on",
            "edge-203-0-113-77.example",
            "ip_203_0_113_77",
            "0313.0.0161.0115",
            "313.000.161.115",
            "0xcb.0x0.0x71.0x4d",
            "0xcb 0x0 0x71 0x4d",
            "0xCB00714D",
            "0x20010db8007700aa00000000000000c4",
            "2001:db8:77:aa::c4",
            "[2001:db8:77:aa::c4]:443",
            "fe80::1%eth0",
            "fe80::",
            "dead:beef::cafe",
            "2001:0DB8:0077:00AA:0000:0000:0000:00C4",
            "::ffff:203.0.113.77",
            "addr:2001:db8::7:1",
            "4.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.a.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "２０３．０．１１３．７７",
            "٢٠٣.٠.١١٣.٧٧",
        ],
    );
    check("77.311.0.302", &[(I::Address, W::Reversed)]);
    check("3405803853", &[(I::Digits, W::Plain)]);
    check("20010db8007700aa00000000000000c4", &[(I::Digits, W::Plain), (I::Hex, W::Plain)]);
    each(I::Hex, &["cb00714d", "id-CB00714D.x", "cb.0.71.4d", "cb-00-71-4d", "CB 00 71 4D", "cb:00:71:4d"]);
}

#[test]
fn addresses_are_found_with_other_separators() {
    each(
        I::Address,
        &[
            "203 0 113 77",
            "203/0/113/77",
            "203:0:113:77",
            "203+0+113+77",
            "203(0)113(77)",
            "203[.]0[.]113[.]77",
            "203(.)0(.)113(.)77",
            "203 . 0 . 113 . 77",
            "[203][0][113][77]",
            "06 12 34 56 78",
            "(203)(0)(113)(77)",
            "(203) (0) (113) (77)",
            "{203}{0}{113}{77}",
            "203, 0, 113, 77",
            "203 - 0 - 113 - 77",
            "203 / 0 / 113 / 77",
            "203..0..113..77",
            "203 dot 0 dot 113 dot 77",
            "203(dot)0(dot)113(dot)77",
            "203x0x113x77",
            "203&0&113&77",
            "host 10 9 8 7",
            "10/9/8/7",
            "203.0.113/77",
            "203.0.113-77",
            "203\u{b7}0\u{b7}113\u{b7}77",
            "203ꓸ0ꓸ113ꓸ77",
            "203\u{2044}0\u{2044}113\u{2044}77",
            "203.\u{200b}0.\u{200b}113.77",
            "203\u{a0}0\u{a0}113\u{a0}77",
            "2001-db8-77-aa--c4.ipv6-literal.example",
            "2001 db8 77 aa 0 0 0 c4",
            "2001_0db8_0077_00aa_0000_0000_0000_00c4",
            "2001/db8/77/aa//c4",
            "2001+db8+77+aa++c4",
            "2001 : db8 : 77 : aa :: c4",
        ],
    );
}

#[test]
fn hardware_addresses_are_found() {
    each(
        I::Mac,
        &[
            "00:1a:2b:3c:4d:5e",
            "00-1A-2B-3C-4D-5E",
            "00 1a 2b 3c 4d 5e",
            "00.1a.2b.3c.4d.5e",
            "00_1A_2B_3C_4D_5E",
            "00/1a/2b/3c/4d/5e",
            "001a.2b3c.4d5e",
            "001a2b3c4d5e",
            "stb-001A2B3C4D5E",
            "(f8e0 f8e079af57ab)",
        ],
    );
    check("bbb27941-6c1f-4e0a-9d3b-0123abcd4567", &[(I::Uuid, W::Plain)]);
    check(r#"{"ip":"203.0.113.77"}"#, &[(I::Address, W::Plain)]);
    check("bad address 203.0.113.77", &[(I::Address, W::Plain)]);
}

#[test]
fn e_mail_addresses_are_found() {
    each(
        I::Email,
        &[
            "for jane.doe+tv@mail.example",
            "jane＠mail.example",
            "jane(at)mail.example",
            "jane(at)host",
            "jane[at]mail.example",
            "jane (at) mail.example",
            "jane {AT} mail.example",
            "jane(at)mail(dot)example",
            "jane [at] mail [dot] example",
            "jane at mail dot example",
            "jane AT mail DOT example",
            "jane.doe at mail dot example",
            "jane-at-mail-dot-example",
            "jane_at_mail.example",
            "jane_at_mail_dot_example",
            "jane(a)mail.example",
        ],
    );
    check("elpmaxe.liam@enaj", &[(I::Email, W::Reversed)]);
}

#[test]
fn long_numbers_are_found() {
    each(
        I::Digits,
        &[
            "123456789",
            "1234567890123",
            "call 491701234567",
            "123 456 789",
            "123/456/789",
            "123:456:789",
            "123+456+789",
            "[12345][67890]",
            "4111 1111 1111 1111",
            "12345 67890",
            "1234-5678-9012",
            "3 405 803 853",
            "3.405.803.853",
            "490154203237518",
            "49-015420-323751-8",
        ],
    );
}

#[test]
fn phone_numbers_are_found() {
    each(
        I::Phone,
        &[
            "+49 151 12345678",
            "+49 30 901820",
            "+1 (415) 555-2671",
            "+1.415.555.2671",
            "+33.6.12.345.678",
            "tel:+1-202-555-0143",
            "+44 20 7946 0958",
            "(030) 1234567",
            "(415) 555-2671",
            "030/12345678",
            "0049 151 1234567",
            "0151-12345678",
            "415.555.2671",
            "tel 555-2671",
            "Tel. 9018 200",
            "phone: 555 0143",
            "+354 555 1234",
            "(123)(456)(789)",
        ],
    );
}

#[test]
fn identifiers_with_a_recognisable_form_are_found() {
    each(
        I::Uuid,
        &[
            "bbb27941-6c1f-4e0a-9d3b-0123abcd4567",
            "BBB27941-6C1F-4E0A-9D3B-0123ABCD4567",
            "urn:uuid:bbb27941-6c1f-4e0a-9d3b-0123abcd4567",
            "{bbb27941-6c1f-4e0a-9d3b-0123abcd4567}",
            "bbb27941_6c1f_4e0a_9d3b_0123abcd4567",
            "bbb27941 6c1f 4e0a 9d3b 0123abcd4567",
            "bbb27941/6c1f/4e0a/9d3b/0123abcd4567",
            "s-bbb27941-6c1f-4e0a-9d3b-0123abcd4567-x",
        ],
    );
    each(
        I::Ulid,
        &[
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01arz3ndektsv4rrffq69g5fav",
            "session 01HV7Z2M5R8K9QX3W4T6Y1BNCD",
            "s_01J9ZQ0E8T5V3W2X1Y0R9QPM7N",
        ],
    );
    each(
        I::Hash,
        &[
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
            "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
            "sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg",
            "sha1:2fd4e1c67a2d28fced",
        ],
    );
    each(
        I::Cookie,
        &[
            "GA1.2.123.456",
            "GA1.1.123.456",
            "GA1.2-2.123.456",
            "GA1.2.1234567890.1700000000",
            "_ga=GA1.2.123.456",
            "_ga",
            "_ga: 1.2",
            "_ga_ABC123",
            "_gid",
            "GS1.1.170.1.1.170",
            "GS2.1.s170.o1.g0",
            "__utma",
            "GA1-2-123-456",
            "ga1 2 123 456",
        ],
    );
    each(
        I::Jwt,
        &[
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhIjoxfQ.eyJiIjoyfQ.x",
        ],
    );
    each(
        I::UserAgent,
        &["Mozilla/5.0 (X11)", "okhttp/4.9.0 ExoPlayerLib/2.18", "AppleCoreMedia/1.0 (Apple TV; U)"],
    );
}

#[test]
fn coordinates_are_found() {
    each(
        I::Coordinates,
        &[
            "52.5200, 13.4050",
            "52.5200,13.4050",
            "52.520 13.405",
            "52.5200/13.4050",
            "52.5200:13.4050",
            "52.5200_13.4050",
            "-33.8688;151.2093",
            "+52.5200+013.4050/",
            "(48.8566 2.3522)",
            "13.4050 52.5200",
            "52.52,13.40",
            "52.5N 13.4E",
            "N52.52 E13.40",
            "geo:52.52,13.40",
            "lat=52.52 lon=13.40",
            "52,5200 13,4050",
            "52°31'12\"N 13°24'18\"E",
            "52° 31′ 12″ N, 13° 24′ 18″ E",
            "52 31 12 N 13 24 18 E",
            "33 51S 151 12E",
            "9F4MGC2M+F4",
        ],
    );
}

#[test]
fn configured_values_are_found_in_every_encoding() {
    let values = ["V1StGXR8_Z5jdHi6B-myT", "viewer-jane", "abc"].map(str::to_owned);
    let mut scanner = Scanner::new(&values);
    let mut finds = |text: &str, writing| {
        assert_eq!(scanner.scan(text), [(I::Known, writing)], "{text}");
        assert!(!scanner.is_clean(text), "{text}");
    };
    for value in &values[..2] {
        finds(value, W::Plain);
        finds(&format!("x-{value}"), W::Plain);
        finds(&value.to_uppercase(), W::Plain);
        finds(&value.chars().rev().collect::<String>(), W::Reversed);
        finds(&value.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>(), W::Percent);
        finds(&base64(value.as_bytes()), W::Base64);
        finds(&base32(value.as_bytes()), W::Base32);
    }
    // This value is shorter than `SHORTEST_KNOWN`.
    assert_eq!(scanner.scan("abc"), []);
    assert_eq!(scanner.scan("viewer-john"), []);
    assert_eq!(scan("V1StGXR8_Z5jdHi6B-myT"), []);
}
