//! Searches bytes for the canaries (known identities) in many encodings.

use std::net::{Ipv4Addr, Ipv6Addr};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// The addresses that no output may contain.
pub(super) const ADDRESSES: [&str; 3] = ["203.0.113.77", "2001:db8:77:aa::c4", "::ffff:198.51.100.201"];
pub(super) const MAIL: &str = "jane.c4n4ry@mail.example";
pub(super) const AGENT: &str = "Mozilla/5.0 (Zanzibar; C4n4ryOS 7_7) C4n4ryKit/77.7 C4n4ryBrowser/12.34";
pub(super) const SESSION: &str = "c4n4ry-5e55-10n0-";

/// The minimum length of a searched pattern, in bytes. Shorter patterns occur by chance.
const LEAST: usize = 6;

/// An identity, and the ways in which it can be written, before they are encoded.
pub(super) struct Canary {
    pub(super) name: &'static str,
    pub(super) spellings: Vec<String>,
}

/// Returns all canaries.
pub(super) fn canaries() -> Vec<Canary> {
    let texts = [MAIL, "jane.c4n4ry", AGENT, "Zanzibar", "C4n4ryOS", "C4n4ryKit", SESSION];
    let texts = texts.map(|text| Canary { name: text, spellings: vec![text.into()] });
    ADDRESSES.into_iter().map(address).chain(texts).collect()
}

/// Returns the ways in which an address can be written: with dots in decimal, octal and hexadecimal, as one number, and
/// in reverse order as in DNS.
fn address(name: &'static str) -> Canary {
    let mut spellings = vec![name.to_owned()];
    let v6 = name.parse::<Ipv6Addr>().unwrap_or_else(|_| name.parse::<Ipv4Addr>().unwrap().to_ipv6_mapped());
    if let Some(v4) = v6.to_ipv4_mapped() {
        let octets = v4.octets();
        let joined = |octets: [u8; 4], how: fn(u8) -> String| octets.map(how).join(".");
        let [a, b, c, d] = octets;
        spellings.extend([
            v4.to_string(),
            joined(octets, |octet| format!("{octet:03}")),
            joined(octets, |octet| format!("{octet:o}")),
            joined(octets, |octet| format!("{octet:04o}")),
            joined(octets, |octet| format!("0{octet:o}")),
            joined(octets, |octet| format!("{octet:x}")),
            joined(octets, |octet| format!("{octet:#x}")),
            joined([d, c, b, a], |octet| octet.to_string()),
            u32::from(v4).to_string(),
            format!("{:08x}", u32::from(v4)),
            format!("{:08x}", u32::from_be_bytes([d, c, b, a])),
            format!("{:x}:{:x}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        ]);
    } else {
        let groups = v6.segments();
        let hex = format!("{:032x}", u128::from(v6));
        spellings.extend([
            v6.to_string(),
            groups.map(|group| format!("{group:x}")).join(":"),
            groups.map(|group| format!("{group:04x}")).join(":"),
            hex.chars().rev().map(String::from).collect::<Vec<_>>().join("."),
            u128::from(v6).to_string(),
            hex,
        ]);
    }
    Canary { name, spellings }
}

/// Returns those encodings of a string in which the case of letters does not matter: unchanged, reversed, escaped and
/// hexadecimal.
fn plain(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let hex = |before: &str| bytes.iter().map(|byte| format!("{before}{byte:02x}")).collect::<String>();
    // This is the usual encoding of URLs: only special characters are escaped.
    let url = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (*byte as char).to_string(),
        byte => format!("%{byte:02x}"),
    };
    let escaped = [hex("%"), bytes.iter().map(url).collect(), hex(""), hex("\\x"), hex("\\u00")];
    let backwards = bytes.iter().rev().copied().collect();
    [bytes.to_vec(), backwards].into_iter().chain(escaped.map(String::into_bytes)).collect()
}

/// Returns the base64 encodings of a string within other bytes. There are three encodings, because the result depends
/// on the position of the string modulo three. Each of them contains only the letters that the bytes around the string
/// do not affect.
fn base64s(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let aligned = (0..3).map(|shift| {
        let whole = base64(&[&vec![0; shift][..], bytes].concat());
        whole[(shift * 8).div_ceil(6)..(shift + bytes.len()) * 8 / 6].to_owned()
    });
    aligned
        .flat_map(|text| [text.replace('+', "-").replace('/', "_"), text])
        .map(String::into_bytes)
        .collect()
}

/// Encodes bytes as base64, without padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |bits: &[u8]| {
        let number = (0..6).fold(0, |number, at| number << 1 | bits.get(at).copied().unwrap_or(0));
        LETTERS[number as usize] as char
    };
    bits.chunks(6).map(letter).collect()
}

/// Finds all encodings of all canaries in bytes.
pub(super) struct Scan {
    plain: (AhoCorasick, Vec<&'static str>),
    exact: (AhoCorasick, Vec<&'static str>),
}

impl Scan {
    pub(super) fn new() -> Self {
        Self { plain: automaton(plain, true), exact: automaton(base64s, false) }
    }

    /// Returns the name of a canary in these bytes, and its encoded form. Returns `None` if there is no canary.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(&'static str, String)> {
        [&self.plain, &self.exact].into_iter().find_map(|(automaton, names)| {
            let found = automaton.find(bytes)?;
            let written = String::from_utf8_lossy(&bytes[found.range()]).into_owned();
            Some((names[found.pattern().as_usize()], written))
        })
    }

    #[track_caller]
    pub(super) fn assert_clean(&self, what: &str, bytes: &[u8]) {
        if let Some((name, written)) = self.find(bytes) {
            panic!("{what} contains {name} as {written}");
        }
    }
}

fn automaton(writings: fn(&str) -> Vec<Vec<u8>>, whatever_case: bool) -> (AhoCorasick, Vec<&'static str>) {
    let (mut patterns, mut names) = (Vec::new(), Vec::new());
    for Canary { name, spellings } in canaries() {
        for writing in spellings.iter().flat_map(|text| writings(text)).filter(|w| w.len() >= LEAST) {
            patterns.push(writing);
            names.push(name);
        }
    }
    let mut builder = AhoCorasickBuilder::new();
    (builder.ascii_case_insensitive(whatever_case).build(patterns).unwrap(), names)
}
