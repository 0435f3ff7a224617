//! Tests of encoded identifiers.

use super::*;

pub(super) fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

const WRAPPED: [(&str, Identifier); 6] = [
    ("203.0.113.77", I::Address),
    ("2001:db8:77:aa::c4", I::Address),
    ("jane.c4n4ry@mail.example", I::Email),
    ("bbb27941-6c1f-4e0a-9d3b-0123abcd4567", I::Uuid),
    ("Mozilla/5.0 (Zanzibar; C4n4ryOS 7_7) C4n4ryKit/77.7", I::UserAgent),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", I::Jwt),
];

#[test]
fn encoded_identifiers_are_found() {
    for (text, kind) in WRAPPED {
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
        for shift in 0..5 {
            let wrapped = base32(&[&b"\x01\x02\x03\x04"[..shift], text.as_bytes()].concat());
            for wrapped in [wrapped.clone(), wrapped.to_lowercase(), format!("id-{wrapped}")] {
                assert!(scan(&wrapped).contains(&(kind, W::Base32)), "{text} {wrapped}");
            }
        }
        assert!(scan(&percent(&base64(text.as_bytes()))).iter().any(|(found, _)| *found == kind), "{text}");
    }
}

#[test]
fn base32_in_the_extended_alphabet_is_decoded() {
    // The extended alphabet begins with the digits.
    let extended = encode(b"203.0.113.77", 5, b"0123456789ABCDEFGHIJKLMNOPQRSTUV");
    assert!(scan(&extended).contains(&(I::Address, W::Base32)), "{extended}");
}

#[test]
fn base64_and_base32_are_found_by_their_padding() {
    let bytes: Vec<u8> = (0..40_u8).map(|at| at.wrapping_mul(73) ^ 0x5a).collect();
    for length in 4..40 {
        let (short, long) = (base64(&bytes[..length]), base32(&bytes[..length]));
        let padding = |text: &str, of: usize| "=".repeat(text.len().next_multiple_of(of) - text.len());
        for (text, of) in [(&short, 4), (&long, 8)] {
            let padding = padding(text, of);
            let padded = format!("{text}{padding}");
            let found = scan(&padded).contains(&(I::Encoded, W::Plain));
            assert_eq!(found, !padding.is_empty(), "{padded}");
            let url = format!("a b {}", padded.replace('+', "-").replace('/', "_"));
            assert_eq!(scan(&url).contains(&(I::Encoded, W::Plain)), !padding.is_empty(), "{url}");
        }
    }
    for text in ["a=b", "content=movie", "session=", "x==", "=", "====", "Zg=x", "abcdefg==", "abcdefgh="] {
        check(text, &[]);
    }
}

#[test]
fn unpadded_encodings_without_identifiers_are_clean() {
    for text in [
        "V1StGXR8_Z5jdHi6B-myT",
        "dQw4w9WgXcQ",
        "ywBxTQ",
        "SGVsbG8gV29ybGQh",
        "JBSWY3DPEBLW64TMMQQQ",
        "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is",
        "k7Hq-2zT_fW9pLx0",
        "eyJ",
        "eyJabc",
    ] {
        check(text, &[]);
    }
}
