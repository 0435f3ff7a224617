//! Benchmarks the airlock: from the bytes of records to observations.
//!
//! Items are beacons, so the time per beacon in nanoseconds is 1000 / (Mitem/s). The benchmark also counts allocations.
//! Ordinary records cause none.

use crowdfold_model::Timestamp;
use std::fmt::Write;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Format, Placement, Record, SessionHasher, Settings, Shared};
use crowdfold_testkit::envelope::{Body, CONTENT_TYPE, Http, Packer, pack, reader};
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const NOW: u64 = 1_795_308_528_421;
const RECORDS: usize = 8_192;

fn main() {
    divan::main();
}

/// A generator of random numbers that gives the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize * bound) >> 31
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        // An element near the beginning is returned more often than the others.
        let (a, b) = (self.below(of.len()), self.below(of.len()));
        of[a.min(b)]
    }

    fn session(&mut self) -> String {
        let n = self.below(4_000) as u64;
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let tail = mixed >> 16;
        format!("{:08x}-{:04x}-4{:03x}-9{:03x}-{tail:012x}", mixed >> 32, n & 0xffff, n % 4_096, n / 7)
    }
}

const BROWSERS: [&str; 5] = ["Chrome", "Safari", "Edge", "Firefox", "Samsung Internet"];
const SYSTEMS: [&str; 6] = ["Windows", "iOS", "Android", "macOS", "Tizen", "webOS"];
const PLAYERS: [&str; 3] = ["hls.js", "dash.js", "shaka"];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Roku/DVP-14.5 (14.5.0.4215-88)",
];

/// Returns a heartbeat with 17 fields and about 330 bytes.
fn beacon(dice: &mut Dice) -> String {
    format!(
        r#"{{"ts":{},"tenant":"{}","session":"{}","ip":"203.0.113.{}","event":"heartbeat","browser":"{}","os":"{}","device":"desktop","player":"{}","player_version":"1.{}.4","content":"movie-{:04}","cdn":"cdn-{}","stream":"vod","format":"hls","bandwidth_kbps":{},"bitrate_kbps":{},"playing_ms":{},"stalled_ms":0}}"#,
        NOW - dice.below(10_000) as u64,
        dice.one(&["acme", "blip", "tiny"]),
        dice.session(),
        dice.below(256),
        dice.one(&BROWSERS),
        dice.one(&SYSTEMS),
        dice.one(&PLAYERS),
        dice.below(9),
        dice.below(2_000),
        dice.one(&["a", "b", "c"]),
        500 + dice.below(20_000),
        400 + dice.below(8_000),
        9_000 + dice.below(1_000),
    )
}

/// Returns a beacon without the fields browser, system and device. Their values are then determined from its user
/// agent.
fn with_agent(dice: &mut Dice) -> String {
    format!(
        r#"{{"ts":{},"tenant":"acme","session":"{}","ip":"203.0.113.{}","user_agent":"{}","event":"heartbeat","content":"movie-{:04}","cdn":"cdn-a","bitrate_kbps":{},"playing_ms":{}}}"#,
        NOW - dice.below(10_000) as u64,
        dice.session(),
        dice.below(256),
        dice.one(&AGENTS),
        dice.below(2_000),
        400 + dice.below(8_000),
        9_000 + dice.below(1_000),
    )
}

/// Returns a line that dash.js sends in CMCD event mode.
fn event(dice: &mut Dice) -> String {
    format!(
        r#"ab=(800;v 64;a),bl=(5300;v 1300;a),br=({};v 64;a),cid="movie-{:04}",d=2000,dl=1600,e=rr,lab=(250;v 64;a),mtp=({};v 13700;a),nor=("chunk-stream2-00003.mp4"),ot=a,pb=(800;v 64;a),rc=200,rtp=500,sf=d,sid="{}",sn={},st=v,sta=p,tab=(800;v 64;a),tb=(800;v 64;a),ts={},ttlb=313,url="https://media.example/out/chunk-stream2-00002.mp4",v=2"#,
        400 + dice.below(8_000),
        dice.below(2_000),
        500 + dice.below(20_000),
        dice.session(),
        dice.below(500),
        NOW - dice.below(10_000) as u64,
    )
}

/// Returns a line of a CDN log: a request for media with CMCD in its query.
fn capture(dice: &mut Dice) -> String {
    let cmcd = format!(
        r#"bl=2000,br={},cid="movie-{:04}",d=2000,dl=0,mtp={},ot=v,sf=h,sid="{}",st=v,su,tb=8000"#,
        400 + dice.below(8_000),
        dice.below(2_000),
        500 + dice.below(20_000),
        dice.session(),
    );
    let query: String = cmcd.bytes().fold(String::new(), |mut query, byte| {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => query.push(byte as char),
            _ => write!(query, "%{byte:02X}").expect("a write to a string"),
        }
        query
    });
    format!(
        r#"{{"received_at_ms":{},"client_ip":"203.0.113.{}","method":"GET","path":"/media/chunk-stream0-00001.mp4","query":"CMCD={query}","headers":{{"user-agent":"{}","referer":"https://player.example/page"}},"body":""}}"#,
        NOW - dice.below(10_000) as u64,
        dice.below(256),
        dice.one(&AGENTS),
    )
}

fn airlock(format: Format, guard: bool) -> Airlock {
    let settings = Settings {
        format,
        tenants: ["acme", "blip", "tiny"].map(str::to_owned).to_vec(),
        guard_key: guard.then_some([7; 32]),
        ..Settings::default()
    };
    let shared = Shared::new(settings, SessionHasher::fixed(1)).expect("valid settings");
    Airlock::new(&Arc::new(shared), Some(Placement { partition: 0, of: 1 }))
}

fn run(bencher: Bencher<'_, '_>, airlock: Airlock, records: &[impl AsRef<[u8]>], each: usize) {
    run_as(bencher, airlock, records, None, each);
}

fn run_as(
    bencher: Bencher<'_, '_>,
    mut airlock: Airlock,
    records: &[impl AsRef<[u8]>],
    content_type: Option<&[u8]>,
    each: usize,
) {
    let mut admit = || {
        let mut admitted = 0_usize;
        for payload in records {
            let record = Record {
                payload: payload.as_ref(),
                content_type,
                timestamp: Some(Timestamp::from_millis(NOW)),
            };
            airlock.admit(&record, &mut |time, outcome| {
                admitted += usize::from(outcome.is_ok());
                let _ = black_box((time, outcome));
            });
        }
        admitted
    };
    assert_eq!(admit(), records.len() * each, "every beacon is valid");
    let bytes: usize = records.iter().map(|record| record.as_ref().len()).sum();
    let bencher = bencher.counter(ItemsCount::new(records.len() * each)).counter(BytesCount::new(bytes));
    bencher.bench_local(admit);
}

fn made(make: fn(&mut Dice) -> String) -> Vec<String> {
    let mut dice = Dice(7);
    (0..RECORDS).map(|_| make(&mut dice)).collect()
}

fn joined(records: &[String], by: usize, separator: &str, around: (&str, &str)) -> Vec<String> {
    records.chunks(by).map(|some| format!("{}{}{}", around.0, some.join(separator), around.1)).collect()
}

#[divan::bench]
fn json(bencher: Bencher<'_, '_>) {
    run(bencher, airlock(Format::Json, false), &made(beacon), 1);
}

#[divan::bench]
fn json_guarded(bencher: Bencher<'_, '_>) {
    run(bencher, airlock(Format::Json, true), &made(beacon), 1);
}

#[divan::bench]
fn json_user_agents(bencher: Bencher<'_, '_>) {
    run(bencher, airlock(Format::Json, false), &made(with_agent), 1);
}

#[divan::bench]
fn json_arrays_of_16(bencher: Bencher<'_, '_>) {
    let records = joined(&made(beacon), 16, ",", ("[", "]"));
    run(bencher, airlock(Format::Json, false), &records, 16);
}

#[divan::bench]
fn json_lines_of_16(bencher: Bencher<'_, '_>) {
    let records = joined(&made(beacon), 16, "\n", ("", "\n"));
    run(bencher, airlock(Format::Json, false), &records, 16);
}

#[divan::bench]
fn cmcd_events(bencher: Bencher<'_, '_>) {
    let records = joined(&made(event), 4, "\n", ("", "\n"));
    run(bencher, airlock(Format::Cmcd, false), &records, 4);
}

#[divan::bench]
fn captured_queries(bencher: Bencher<'_, '_>) {
    run(bencher, airlock(Format::Capture, false), &made(capture), 1);
}

/// Reads the beacon of docs/reference/beacon.md repeatedly. A hostile record below may take at most three times as much
/// time per byte.
#[divan::bench]
fn ordinary(bencher: Bencher<'_, '_>) {
    let mut airlock = airlock(Format::Json, false);
    let record = Record {
        payload: ORDINARY.as_bytes(),
        content_type: None,
        timestamp: Some(Timestamp::from_millis(NOW)),
    };
    let count = LONG / ORDINARY.len();
    bencher.counter(BytesCount::new(count * ORDINARY.len())).bench_local(|| {
        for _ in 0..count {
            airlock.admit(&record, &mut |time, outcome| {
                let _ = black_box((time, outcome.is_ok()));
            });
        }
    });
}

const ORDINARY: &str = r#"{"ts":1795308528421,"tenant":"acme","session":"bbb27941-6c1f","ip":"203.0.113.9","event":"heartbeat",
 "os":"Windows","browser":"Chrome","device":"desktop","cdn":"cdn-a","content":"movie-0042",
 "bandwidth_kbps":5400,"bitrate_kbps":3200,"height":1080,"playing_ms":10000,"stalled_ms":0,"stalls":0}"#;

/// The minimum length of a hostile record in bytes. It equals the default of `collect.max_body_bytes`.
const LONG: usize = 64 << 10;

/// Reads one record repeatedly. Its outcomes are ignored.
fn hostile(bencher: Bencher<'_, '_>, payload: &str) {
    let mut airlock = airlock(Format::Json, false);
    let record = Record {
        payload: payload.as_bytes(),
        content_type: None,
        timestamp: Some(Timestamp::from_millis(NOW)),
    };
    bencher.counter(BytesCount::new(payload.len())).bench_local(|| {
        airlock.admit(&record, &mut |time, outcome| {
            let _ = black_box((time, outcome.is_ok()));
        });
    });
}

/// Returns a text of at least [`LONG`] bytes that consists of numbered items.
fn filled(write: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(LONG + 64);
    let mut nth = 0;
    while text.len() < LONG {
        text.push_str(&write(nth));
        nth += 1;
    }
    text
}

/// Reads one object with many unknown keys. No key occurs twice.
#[divan::bench]
fn hostile_unknown_keys(bencher: Bencher<'_, '_>) {
    let keys = filled(|nth| format!(r#""k{nth}":1,"#));
    hostile(bencher, &format!(r#"{{{keys}"session":"s"}}"#));
}

/// Reads many objects with one unknown key each. No key occurs twice.
#[divan::bench]
fn hostile_items_with_one_unknown_key(bencher: Bencher<'_, '_>) {
    let items = filled(|nth| format!(r#"{{"k{nth}":1}},"#));
    hostile(bencher, &format!("[{items}{{}}]"));
}

#[divan::bench]
fn hostile_empty_items(bencher: Bencher<'_, '_>) {
    hostile(bencher, &format!("[{}{{}}]", filled(|_| "{},".into())));
}

#[divan::bench]
fn hostile_items_that_are_not_objects(bencher: Bencher<'_, '_>) {
    hostile(bencher, &format!("[{}1]", filled(|_| "1,".into())));
}

#[divan::bench]
fn hostile_envelopes(bencher: Bencher<'_, '_>) {
    hostile(bencher, &filled(|_| r#"{"a":[{}]}"#.into()));
}

#[divan::bench]
fn hostile_nesting(bencher: Bencher<'_, '_>) {
    hostile(bencher, &format!(r#"{{"x":{}1{},"session":"s"}}"#, "[".repeat(LONG / 2), "]".repeat(LONG / 2)));
}

#[divan::bench]
fn hostile_lines_with_unclosed_brackets(bencher: Bencher<'_, '_>) {
    hostile(bencher, &filled(|_| "{\"a\":[\n".into()));
}

#[divan::bench]
fn hostile_unusable_values(bencher: Bencher<'_, '_>) {
    let values =
        filled(|_| r#""height":"1080p","cdn":{},"stalls":-1,"fatal":"maybe","content":"\ud83d","#.into());
    hostile(bencher, &format!(r#"{{{values}"session":"s"}}"#));
}

/// The number of requests in one packed record.
const PACKED: usize = 64;

/// Benchmarks packed records. Each request has one JSON beacon, and the HTTP context that `http` returns.
fn packed(bencher: Bencher<'_, '_>, http: fn(&mut Dice) -> Http<'static>) {
    let mut dice = Dice(9);
    let mut packer = Packer::default();
    let mut reader = reader();
    let pack = |some: &[String]| {
        for body in some {
            let packed = pack(&mut packer, &mut reader, &http(&mut dice), &Body::Json(body.as_bytes()));
            assert!(packed, "a request below the maximum length");
        }
        packer.take()
    };
    let records: Vec<Vec<u8>> = made(beacon).chunks(PACKED).map(pack).collect();
    run_as(bencher, airlock(Format::Json, false), &records, Some(CONTENT_TYPE.as_bytes()), PACKED);
}

/// Benchmarks requests without an HTTP context. The difference from the benchmark `json` is the cost of the envelope.
#[divan::bench]
fn packed_without_context(bencher: Bencher<'_, '_>) {
    packed(bencher, |_| Http { received_at: Some(Timestamp::from_millis(NOW)), ..Http::default() });
}

/// Benchmarks requests of players without client hints.
#[divan::bench]
fn packed_requests(bencher: Bencher<'_, '_>) {
    packed(bencher, requested);
}

fn requested(dice: &mut Dice) -> Http<'static> {
    Http {
        received_at: Some(Timestamp::from_millis(NOW)),
        address: Some(format!("203.0.113.{}", dice.below(256)).into()),
        user_agent: Some(dice.one(&AGENTS).to_owned().into()),
        endpoint: 7,
        ..Http::default()
    }
}

/// Benchmarks requests of Chromium, which always sends three client hints.
#[divan::bench]
fn packed_requests_with_hints(bencher: Bencher<'_, '_>) {
    packed(bencher, |dice| Http {
        brands: Some("\"Chromium\";v=\"147\", \"Google Chrome\";v=\"147\", \"Not.A/Brand\";v=\"8\"".into()),
        mobile: Some("?0".into()),
        platform: Some("\"Windows\"".into()),
        ..requested(dice)
    });
}
