//! Tests of the records that players send.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeSet;

use crowdfold_loadgen::{Faults, Limit, LoadgenError, Mix, Outcome, Players, PlayersConfig, Truth, write};
use serde_json::Value;

fn bytes(config: &PlayersConfig, records: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let limit = Limit { records: Some(records), ..Limit::default() };
    assert_eq!(write(Players::new(config.clone()).unwrap(), limit, &mut out, None).unwrap(), records);
    out
}

/// Returns the 64-bit FNV-1a hash of these bytes.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn same_seed_gives_the_same_bytes() {
    let config = PlayersConfig { faults: Faults::some(), ..PlayersConfig::default() };
    let once = bytes(&config, 20_000);
    assert_eq!(once, bytes(&config, 20_000));
    assert_ne!(once, bytes(&PlayersConfig { seed: 2, ..config }, 20_000));
    // If the bytes change, figures that were measured with the old bytes are no longer valid. In that case, mention the
    // change in the CHANGELOG.
    assert_eq!(fingerprint(&once), 0x0870_31d4_8ce2_2607, "{:#x}", fingerprint(&once));
}

#[test]
fn beacons_are_json_in_time_order_with_documentation_addresses() {
    let config = PlayersConfig {
        faults: Faults { duplicate: 50, late: 50, ..Faults::default() },
        ..PlayersConfig::default()
    };
    let mut previous = config.start_ms;
    for report in Players::new(config).unwrap().take(30_000) {
        assert!(report.sent_ms >= previous);
        previous = report.sent_ms;
        let beacon: Value = serde_json::from_slice(&report.payload).unwrap();
        assert_eq!(beacon["session"].as_str(), report.session());
        let ts = beacon["ts"].as_u64().unwrap();
        assert!(ts <= report.sent_ms && (report.outcome != Outcome::Placed || ts == report.sent_ms));
        let ip = beacon["ip"].as_str().unwrap();
        let ranges = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
        assert!(ranges.iter().any(|range| ip.starts_with(range)), "{ip}");
        ip.parse::<std::net::Ipv4Addr>()
            .map(drop)
            .or_else(|_| ip.parse::<std::net::Ipv6Addr>().map(drop))
            .unwrap();
    }
}

#[test]
fn number_of_live_sessions_stays_near_the_requested_number() {
    let config = PlayersConfig { sessions: 2_000, ..PlayersConfig::default() };
    let (start, mut windows) = (config.start_ms, vec![BTreeSet::new(); 20]);
    for report in Players::new(config).unwrap() {
        let Some(window) = windows.get_mut(((report.sent_ms - start) / 30_000) as usize) else {
            break;
        };
        window.insert(report.session().map(ToString::to_string));
    }
    // Half a minute contains more sessions than are live at one time, because sessions end and others begin in it.
    for window in windows {
        assert!((1_950..2_500).contains(&window.len()), "{}", window.len());
    }
}

#[test]
fn average_beacon_has_between_290_and_440_bytes() {
    for (mix, least, most) in [(Mix::lean(), 290, 340), (Mix::default(), 340, 460)] {
        let average = bytes(&PlayersConfig { mix, ..PlayersConfig::default() }, 10_000).len() / 10_000;
        assert!((least..most).contains(&average), "{average}");
    }
}

#[test]
fn lean_heartbeat_has_seventeen_fields() {
    let config = PlayersConfig { mix: Mix::lean(), ..PlayersConfig::default() };
    let first = Players::new(config).unwrap().next().unwrap();
    let beacon: Value = serde_json::from_slice(&first.payload).unwrap();
    let fields = beacon
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| !matches!(name.as_str(), "switches" | "dropped_frames"));
    assert_eq!((beacon["event"].as_str(), fields.count()), (Some("heartbeat"), 17));
}

#[test]
fn beacons_are_sent_at_the_requested_rate() {
    for rate in [150, 400, 1_000, 2_500] {
        let heartbeat_ms = PlayersConfig::heartbeat_for(3_000, rate);
        let config = PlayersConfig { sessions: 3_000, heartbeat_ms, ..PlayersConfig::default() };
        let (from, until) = (config.start_ms + 300_000, config.start_ms + 900_000);
        let sent =
            Players::new(config).unwrap().take_while(|r| r.sent_ms < until).filter(|r| r.sent_ms >= from);
        let (sent, wanted) = (sent.count() as f64 / 600.0, f64::from(rate));
        assert!((sent - wanted).abs() < 0.02 * wanted, "{sent} instead of {rate}");
    }
}

#[test]
fn contents_have_the_requested_number_and_a_zipf_distribution() {
    let config = PlayersConfig { sessions: 20_000, contents: 50, ..PlayersConfig::default() };
    let mut truth = Truth::new(60_000, &[&["content"]]).unwrap();
    Players::new(config).unwrap().take(20_000).for_each(|report| truth.watch(&report));
    let (mut cells, _) = truth.finish();
    assert_eq!(cells.len(), 50);
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.sessions));
    let ratio = cells[0].sessions / cells[9].sessions;
    assert!((8..=13).contains(&ratio), "the first is played ten times as often as the tenth: {ratio}");
}

#[test]
fn truth_is_written_as_lines_of_cells_followed_by_the_ledger() {
    let config = PlayersConfig { sessions: 50, ..PlayersConfig::default() };
    let limit = Limit { until_ms: Some(config.start_ms + 200_000), records: None };
    let truth = Truth::new(60_000, &[vec!["os", "browser"], vec!["cdn"]]).unwrap();
    let (mut beacons, mut lines) = (Vec::new(), Vec::new());
    let sent = write(Players::new(config).unwrap(), limit, &mut beacons, Some((truth, &mut lines))).unwrap();
    assert_eq!(beacons.split(|byte| *byte == b'\n').count() as u64, sent + 1);

    let lines: Vec<Value> =
        lines.split_inclusive(|byte| *byte == b'\n').map(|l| serde_json::from_slice(l).unwrap()).collect();
    let (last, cells) = lines.split_last().unwrap();
    assert_eq!(
        (last["ledger"]["read"].as_u64(), last["ledger"]["placed"].as_u64()),
        (Some(sent), Some(sent))
    );
    let starts: Vec<_> = cells.iter().map(|cell| cell["window"]["start"].as_u64().unwrap()).collect();
    assert!(starts.is_sorted() && starts.first() != starts.last());
    let total = |breakdown: &str| -> u64 {
        let cells = cells.iter().filter(|cell| cell["breakdown"][0] == breakdown);
        cells.map(|cell| cell["beacons"].as_u64().unwrap()).sum()
    };
    assert_eq!((total("os"), total("cdn")), (sent, sent));
    assert!(
        cells.iter().all(|cell| cell["dimensions"].as_object().unwrap().len()
            == cell["breakdown"].as_array().unwrap().len())
    );
}

#[test]
fn invalid_configuration_is_refused_with_the_fix() {
    let refused = |config: PlayersConfig| Players::new(config).err().unwrap();
    let fine = PlayersConfig::default;
    assert_eq!(refused(PlayersConfig { sessions: 0, ..fine() }), LoadgenError::NoSessions);
    assert_eq!(refused(PlayersConfig { contents: 0, ..fine() }), LoadgenError::Contents(0));
    assert_eq!(refused(PlayersConfig { tenants: vec![], ..fine() }), LoadgenError::NoTenants);
    assert_eq!(
        refused(PlayersConfig { tenants: vec!["A\"".into()], ..fine() }),
        LoadgenError::Tenant("A\"".into())
    );
    let heartbeat_ms = PlayersConfig::heartbeat_for(1_000, 5_000);
    assert_eq!(refused(PlayersConfig { heartbeat_ms, ..fine() }), LoadgenError::Heartbeat(198));
    let faults = Faults { duplicate: 600, late: 600, ..Faults::default() };
    assert!(matches!(refused(PlayersConfig { faults, ..fine() }), LoadgenError::Share(_, 1_200, 1_000)));
    assert_eq!(Truth::new(1, &[&["network"]]).err().unwrap(), LoadgenError::Dimension("network".into()));
    assert_eq!(Truth::new(0, &[&["os"]]).err().unwrap(), LoadgenError::Window);
    assert_eq!(PlayersConfig::heartbeat_for(1_000, 0), u32::MAX);
}
