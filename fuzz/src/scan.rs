//! The target `scan`: texts for the scanner. A text must not cause a panic, and its findings must not depend on earlier
//! texts.

use crowdfold_scan::{Scanner, scan};

/// Asserts that a text has the same findings when it is scanned twice with the same scanner.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let found = scan(&text);
    let mut scanner = Scanner::default();
    assert_eq!(scanner.is_clean(&text), found.is_empty());
    assert_eq!(scanner.scan(&text), found);
    assert_eq!(scanner.scan(&text), found);
}

/// Returns one text for most kinds of identifiers.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "203.0.113.77",
        "203[.]0[.]113[.]77",
        "2001:db8:77:aa::c4",
        "00:1a:2b:3c:4d:5e",
        "jane(at)mail.example",
        "+49 151 12345678",
        "bbb27941-6c1f-4e0a-9d3b-0123abcd4567",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "GA1.2.123.456",
        "52°31'12\"N 13°24'18\"E",
        "%32%30%33%2E%30%2E%31%31%33%2E%37%37",
        "GIYDGLRQFYYTCMZOG43Q====",
        "match-2026-11-21",
        "T-KTM2AKUC-1410.5",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
