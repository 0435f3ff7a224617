//! The target `admit`: the whole airlock. No word of an accepted beacon contains an address, an e-mail address or a
//! long number.

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Format, LineTime, Record, SessionHasher, Settings, Shared};
use crowdfold_model::{Dimension, Timestamp};

thread_local! {
    static AIRLOCK: RefCell<Airlock> = RefCell::new(airlock());
}

/// The content types. The first byte of an input selects one of them.
const FORMS: [Option<&[u8]>; 4] = [
    Some(b"application/json"),
    Some(b"application/cmcd"),
    // A captured request has no content type.
    None,
    Some(b"application/vnd.crowdfold.beacon"),
];

fn airlock() -> Airlock {
    let settings = Settings {
        format: Format::Capture,
        tenants: vec!["acme".into(), "kids".into()],
        ..Settings::default()
    };
    Airlock::new(&Arc::new(Shared::new(settings, SessionHasher::fixed(1)).unwrap()), None)
}

/// Passes a record to the airlock, and asserts that the words of its beacons contain no identifiers. The first byte
/// selects the content type.
pub fn check(data: &[u8]) {
    let Some((form, payload)) = data.split_first() else { return };
    let content_type = FORMS[usize::from(*form) % FORMS.len()];
    AIRLOCK.with_borrow_mut(|airlock| {
        for timestamp in [None, Some(Timestamp::from_millis(1_795_308_528_421))] {
            words_of(airlock, &Record { payload, content_type, timestamp }, &mut |dimension, word| {
                assert!(word.chars().count() <= 64, "the value of {dimension} is too long");
                assert!(!reports(word), "the value of {dimension} contains an identifier: {word}");
            });
        }
        if content_type.is_none() {
            assert_same_time(airlock, payload);
        }
        airlock.sweep(std::iter::empty());
    });
}

/// Asserts that `line_time` returns the earliest time of the beacons in a line.
fn assert_same_time(airlock: &mut Airlock, line: &[u8]) {
    let mut earliest: Option<Timestamp> = None;
    airlock.admit(&Record { payload: line, content_type: None, timestamp: None }, &mut |time, _| {
        earliest = earliest.into_iter().chain(time).min();
    });
    match airlock.line_time(line, &(Timestamp::EPOCH..=Timestamp::MAX)).0 {
        LineTime::At(time) => assert_eq!(earliest, Some(time)),
        LineTime::Unknown | LineTime::Unreadable => assert_eq!(earliest, None),
    }
}

/// Calls `each` with every word of every accepted beacon.
pub(crate) fn words_of(airlock: &mut Airlock, record: &Record<'_>, each: &mut impl FnMut(Dimension, &str)) {
    let mut admitted = Vec::new();
    airlock.admit(record, &mut |_, outcome| admitted.push(outcome));
    assert!(!admitted.is_empty(), "a record without an outcome");
    for observation in admitted.iter().flatten() {
        for dimension in Dimension::ALL {
            each(dimension, airlock.dictionary().word(observation.dimension(dimension)));
        }
    }
}

/// Returns the runs of characters of a kind in a word, each with the text before it and the text after it.
fn runs_of(word: &str, is_inside: fn(char) -> bool) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let start = rest.find(is_inside)?;
        let length = rest[start..].find(|character| !is_inside(character)).unwrap_or(rest.len() - start);
        let (run, after) = rest[start..].split_at(length);
        let before = &word[..word.len() - after.len() - length];
        rest = after;
        Some((before, run, after))
    })
}

/// Returns true if a word contains an identifier. These rules do not depend on the rules of the airlock.
fn reports(word: &str) -> bool {
    let digits = word.split(|character: char| !character.is_ascii_digit()).any(|run| run.len() >= 9);
    let mut runs = word.split(|character: char| !(character.is_ascii_digit() || character == '.'));
    let v4 = runs.any(|run| {
        let parts: Vec<_> = run.split('.').collect();
        parts.windows(4).any(|four| four.join(".").parse::<Ipv4Addr>().is_ok())
    });
    let v6 = runs_of(word, |character| character.is_ascii_hexdigit() || character == ':').any(
        |(before, run, after)| {
            // If a name ends with an address, as `list::1` ends with `::1`, it contains no address.
            let is_part = before.ends_with(|character: char| character.is_alphanumeric() || character == '_')
                || after.starts_with(|character: char| character.is_alphanumeric() || character == '_');
            run.parse::<Ipv6Addr>().is_ok() && (run.len() >= 6 || !is_part)
        },
    );
    digits || v4 || v6 || word.contains('@')
}

pub fn seeds() -> Vec<Vec<u8>> {
    // The first user agent compiles the regular expressions. This call does it now, so that it does not count towards
    // the time limit of an input.
    check(b"\0{\"session\":\"s\",\"ts\":1,\"user_agent\":\"x\"}");
    let with =
        |form: u8, seeds: Vec<Vec<u8>>| seeds.into_iter().map(move |seed| [&[form], &seed[..]].concat());
    let mut seeds: Vec<_> = with(0, crate::json::seeds()).collect();
    seeds.extend(with(1, crate::cmcd::event_seeds()));
    seeds.extend(with(2, crate::capture::seeds()));
    seeds.extend(with(3, crate::envelope::seeds()));
    for content in
        ["203.0.113.9", "a@b.example", "123456789", "a-1.2.3.4-b", "2001:db8::1", "00:1b:44:11:3a:b7"]
    {
        let beacon = format!(
            r#"{{"ts":1,"session":"s","content":"{content}","cdn":"x {content}","firmware":"{content}"}}"#
        );
        seeds.extend(with(0, vec![beacon.into_bytes()]));
    }
    seeds
}
