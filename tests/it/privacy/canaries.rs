//! Whoever somebody is, in any writing, is in no byte that leaves.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use crowdfold_players::Faults;
use crowdfold_testkit::Kafka;
use crowdfold_testkit::oracle::Record;

use crate::worker::support::{Deployment, Seen, Worker, window_ago};

/// Of one person each: what must not be found.
const ADDRESSES: [&str; 3] = ["203.0.113.77", "2001:db8:77:aa::c4", "::ffff:198.51.100.201"];
const MAIL: &str = "jane.c4n4ry@mail.example";
const AGENT: &str = "Mozilla/5.0 (Zanzibar; C4n4ryOS 7_7) C4n4ryKit/77.7 C4n4ryBrowser/12.34";
const SESSION: &str = "c4n4ry-5e55-10n0-";

/// Ways to write some bytes.
fn writings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let mut writings =
        vec![bytes.to_vec(), bytes.iter().rev().copied().collect(), percent.to_lowercase().into_bytes()];
    writings.extend([percent.into_bytes(), hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    // however many bytes stand before it, these letters of base64 depend on it alone
    for shift in 0..3 {
        let whole = base64(&[&vec![0; shift][..], bytes].concat());
        let whole = whole[(shift * 8).div_ceil(6)..(shift + bytes.len()) * 8 / 6].to_owned();
        writings.push(whole.replace('+', "-").replace('/', "_").into_bytes());
        writings.push(whole.into_bytes());
    }
    writings
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |bits: &[u8]| {
        let number = (0..6).fold(0, |number, at| number << 1 | bits.get(at).copied().unwrap_or(0));
        LETTERS[number as usize] as char
    };
    bits.chunks(6).map(letter).collect()
}

/// All that must not be found, with what it is.
fn canaries() -> Vec<(String, Vec<u8>)> {
    let mut canaries = Vec::new();
    let mut add =
        |name: &str, bytes: &[u8]| canaries.extend(writings(bytes).into_iter().map(|w| (name.to_owned(), w)));
    for address in ADDRESSES {
        add(address, address.as_bytes());
        let parsed: std::net::Ipv6Addr = match address.parse() {
            Ok(address) => address,
            Err(_) => address.parse::<std::net::Ipv4Addr>().unwrap().to_ipv6_mapped(),
        };
        match parsed.to_ipv4_mapped() {
            Some(v4) => {
                let octets = v4.octets();
                let dotted = |octets: [u8; 4]| octets.map(|octet| octet.to_string()).join(".");
                add(address, dotted(octets).as_bytes());
                add(address, octets.map(|octet| format!("{octet:x}")).join(".").as_bytes());
                add(address, octets.map(|octet| format!("{octet:03o}")).join(".").as_bytes());
                add(address, u32::from(v4).to_string().as_bytes());
                add(address, dotted([octets[3], octets[2], octets[1], octets[0]]).as_bytes());
                // as bytes four are too few to be told from chance in binary, but not in text
                add(address, format!("{:08x}", u32::from(v4)).as_bytes());
                add(address, format!("{:08X}", u32::from(v4)).as_bytes());
            }
            None => add(address, &parsed.octets()),
        }
    }
    for text in [MAIL, "jane.c4n4ry", AGENT, "Zanzibar", "C4n4ryOS", "C4n4ryKit", SESSION] {
        add(text, text.as_bytes());
        add(text, text.to_lowercase().as_bytes());
        add(text, text.to_uppercase().as_bytes());
    }
    canaries.retain(|(_, writing)| writing.len() >= 6);
    canaries
}

fn assert_clean(what: &str, bytes: &[u8], canaries: &[(String, Vec<u8>)]) {
    for (name, canary) in canaries {
        let found = bytes.windows(canary.len()).position(|window| window == &canary[..]);
        let around = |at: usize| {
            String::from_utf8_lossy(&bytes[at.saturating_sub(60)..bytes.len().min(at + 80)]).into_owned()
        };
        assert_eq!(found.map(around), None, "{what} holds {name} as {}", String::from_utf8_lossy(canary));
    }
}

fn assert_clean_records(topic: &str, records: &[Seen], canaries: &[(String, Vec<u8>)]) {
    assert!(!records.is_empty(), "{topic} is empty");
    for record in records {
        assert_clean(topic, &record.key, canaries);
        assert_clean(topic, &record.value, canaries);
        for (name, value) in &record.headers {
            assert_clean(topic, name.as_bytes(), canaries);
            assert_clean(topic, value, canaries);
        }
    }
}

#[test]
fn a_scan_finds_what_is_there() {
    let canaries = canaries();
    for leak in [
        "from 203.0.113.77 on".to_owned(),
        "3405803853".into(),
        "CB00714D".into(),
        "%32%30%33%2E%30%2E%31%31%33%2E%37%37".into(),
        "77.311.0.302".into(),
        base64(b"\x01\x02from 203.0.113.77 on"),
        base64(b"x jane.c4n4ry@mail.example"),
        "198.51.100.201".into(),
    ] {
        let found = canaries
            .iter()
            .any(|(_, canary)| leak.as_bytes().windows(canary.len()).any(|at| at == &canary[..]));
        assert!(found, "{leak} is not found");
    }
    assert_clean("an innocent text", br#"{"os":"Windows","sessions":83,"start":1795308480000}"#, &canaries);
}

/// Thirty sessions that tell who they are wherever one can, among players who do not.
#[test]
fn no_address_id_agent_or_mail_leaves_in_any_writing() {
    let mut way = Deployment::new(Kafka::shared());
    way.rules.drilldowns =
        [&["device", "os", "firmware"][..], &["player"], &["stream", "content"], &["cdn", "connection"]]
            .map(|names| names.iter().map(ToString::to_string).collect())
            .to_vec();
    let way = way.with_topics();
    let start = window_ago(2_000, 60_000);
    let mut log = way.players_with(22, 100, start, 20_000, Faults::some());
    for number in 0..30 {
        let session = format!("{SESSION}{number:04}");
        let address = ADDRESSES[number % ADDRESSES.len()];
        let partition = way.partition_of(&session) as usize;
        for second in 0..15 {
            let ts = start + 2_000 + second * 1_000;
            // each of the free texts in turn, and fields that are nobody's
            let free = match second % 5 {
                0 => format!(r#""content":"for {MAIL}","cdn":"edge-{address}.example""#),
                1 => format!(r#""player":"{address}","firmware":"{address}""#),
                2 => format!(r#""content":"{session}@x.example","connection":"{MAIL}""#),
                3 => format!(
                    r#""referrer":"https://{MAIL}/?ip={address}","headers":{{"x-forwarded-for":"{address}"}}"#
                ),
                // a tenant that there is not: a rejection
                _ => format!(r#""tenant":"{MAIL}""#),
            };
            let payload = format!(
                r#"{{"ts":{ts},"session":"{session}","ip":"{address}","user_agent":"{AGENT}","event":"heartbeat","playing_ms":1000,{free}}}"#
            );
            let at = log[partition].partition_point(|record| record.timestamp <= Some(ts));
            log[partition].insert(at, Record { timestamp: Some(ts), payload: payload.into_bytes() });
        }
    }
    way.produce(&log);
    let worker = Worker::start_with(&way, "a", &["--log-level", "trace", "--log-format", "json"]);
    way.await_settled(start + 22_000, 60);

    let canaries = canaries();
    for topic in ["partials", "rollups", "rejections"] {
        assert_clean_records(topic, &way.records(topic, "read_uncommitted"), &canaries);
    }
    // they did leave, as what they may be: the scan is not clean because nothing came through
    let rows = way.rows("read_committed");
    let redacted = rows.iter().filter(|row| row.json.to_string().contains("redacted"));
    assert!(redacted.count() > 0, "nobody was redacted");
    for stage in ["combine", "merge"] {
        for (_, metadata) in way.committed(stage).into_iter().flatten() {
            assert_clean("metadata", metadata.as_bytes(), &canaries);
        }
    }
    for page in ["/metrics", "/readyz", "/healthz"] {
        assert_clean(page, worker.get(page).1.as_bytes(), &canaries);
    }
    let (status, told) = worker.terminate(10);
    assert!(status.success());
    assert!(told.len() > 10_000, "the log is short");
    assert_clean("the log", told.as_bytes(), &canaries);
}
