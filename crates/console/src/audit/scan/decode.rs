//! Texts inside texts.

/// The shortest text that can hold something: `1.1.1.1`.
const SHORTEST: usize = 7;

/// What percent-encoding hides; `None` where there is none.
pub(super) fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let (mut at, mut turned) = (0, false);
    while at < bytes.len() {
        let pair =
            (bytes[at] == b'%').then(|| Some((digit(*bytes.get(at + 1)?)?, digit(*bytes.get(at + 2)?)?)));
        match pair.flatten() {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                (at, turned) = (at + 3, true);
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    turned.then(|| String::from_utf8_lossy(&decoded).into_owned())
}

/// The readable parts of what runs of base64 hide, wherever in its groups of four letters a run begins.
pub(super) fn base64(text: &str) -> Vec<String> {
    let letters = |sign: char| sign.is_ascii_alphanumeric() || "+/-_".contains(sign);
    let mut parts = Vec::new();
    for run in text.split(|sign| !letters(sign)).filter(|run| run.len() >= (SHORTEST * 4).div_ceil(3)) {
        for skipped in 0..4 {
            let mut decoded = Vec::with_capacity(run.len());
            let (mut bits, mut held) = (0_u32, 0);
            for value in run.bytes().skip(skipped).filter_map(letter) {
                bits = bits << 6 | value;
                held += 6;
                if held >= 8 {
                    held -= 8;
                    decoded.push((bits >> held) as u8);
                    bits &= (1 << held) - 1;
                }
            }
            parts.extend(readable(&decoded));
        }
    }
    parts
}

/// The readable parts of what runs of pairs of hexadecimal digits hide.
pub(super) fn hexadecimal(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for run in text.split(|sign: char| !sign.is_ascii_hexdigit()).filter(|run| run.len() >= 2 * SHORTEST) {
        for skipped in 0..2 {
            let digits: Vec<u8> = run.bytes().skip(skipped).filter_map(digit).collect();
            let decoded: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            parts.extend(readable(&decoded));
        }
    }
    parts
}

fn readable(bytes: &[u8]) -> impl Iterator<Item = String> {
    let parts = bytes.split(|byte| !(b' '..=b'~').contains(byte));
    parts.filter(|part| part.len() >= SHORTEST).map(|part| String::from_utf8_lossy(part).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn letter(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}
