//! Creates packed records, as the collector writes them, and CMCD.

use std::collections::BTreeMap;

use crowdfold_model::Timestamp;
use crowdfold_testkit::envelope::{Body, FULL, Http, Packer, Parsed, browser, reader};

use crate::{GROUP, START, Timed};

/// The number of lines in a request with CMCD events.
const LINES: usize = 8;

/// Packs requests with one beacon each.
pub(crate) fn requests(beacons: &[Timed]) -> Vec<Timed> {
    pack(beacons.iter().map(|(time, beacon)| (*time, beacon.as_slice())), &Body::Json)
}

/// Packs requests with all beacons of a session each.
pub(crate) fn batches(beacons: &[Timed]) -> Vec<Timed> {
    let mut sessions: BTreeMap<&[u8], (Timestamp, Vec<u8>)> = BTreeMap::new();
    for (time, beacon) in beacons {
        let key = br#""session":""#;
        let at = beacon.windows(key.len()).position(|bytes| bytes == key).map_or(0, |at| at + key.len());
        let session = beacon[at..].split(|byte| *byte == b'"').next().unwrap_or_default();
        let (last, body) = sessions.entry(session).or_insert((*time, Vec::new()));
        *last = *time;
        body.extend_from_slice(beacon);
    }
    pack(sessions.values().map(|(time, body)| (*time, body.as_slice())), &Body::Json)
}

/// Packs bodies with CMCD events.
pub(crate) fn bodies(bodies: &[Timed]) -> Vec<Timed> {
    pack(bodies.iter().map(|(time, body)| (*time, body.as_slice())), &Body::Events)
}

/// Returns the bodies of requests with CMCD events, as hls.js sends them.
pub(crate) fn events(group: usize) -> Vec<Timed> {
    let body = |number: usize| {
        let session = number % 1_000;
        let time = START + ((group * GROUP + number * LINES) as u64) * 10;
        let line = |nth: usize| {
            format!(
                "bl=(12300),br=(3200),cid=\"movie-{:04}\",e=t,mtp=(5400),pt=20000,sf=h,\
                 sid=\"6f1c1f8e-0000-4000-8000-{session:012x}\",sn={},st=v,sta=p,ts={},v=2\n",
                session % 50,
                number * LINES + nth,
                time + nth as u64,
            )
        };
        (Timestamp::from_millis(time + LINES as u64), (0..LINES).map(line).collect::<String>().into_bytes())
    };
    (0..GROUP / LINES).map(body).collect()
}

fn pack<'a>(
    bodies: impl Iterator<Item = (Timestamp, &'a [u8])>,
    form: &dyn Fn(&'a [u8]) -> Body<'a>,
) -> Vec<Timed> {
    let mut packer = Packer::default().with_fixed_keys();
    let (mut reader, mut parsed) = (reader(), Parsed::default());
    let (mut records, mut last) = (Vec::new(), Timestamp::EPOCH);
    for (number, (time, body)) in bodies.enumerate() {
        last = last.max(time);
        let http = Http { received_at: Some(time), ..browser(number) };
        parsed.clear();
        parsed.add_all(&mut reader, &http, &form(body));
        assert!(packer.push(&http, &parsed, 0..parsed.len()), "the request is short");
        if packer.len() >= FULL {
            records.push((last, packer.take()));
        }
    }
    if !packer.is_empty() {
        records.push((last, packer.take()));
    }
    records
}
