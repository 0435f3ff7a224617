use super::*;
use crate::{SessionHasher, Settings};
use crowdfold_model::Dimension;

const NOW: u64 = 1_795_308_528_421;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn settings() -> Settings {
    Settings { tenants: vec!["acme".into(), "blip".into(), "kids".into()], ..Settings::default() }
}

fn airlock(settings: Settings) -> Airlock {
    Airlock::new(&Arc::new(Shared::new(settings, SessionHasher::fixed(1)).unwrap()), None)
}

fn outcomes(airlock: &mut Airlock, payload: &[u8]) -> Vec<(Option<Timestamp>, Result<Observation, Reason>)> {
    let mut all = Vec::new();
    let record = Record { payload, content_type: None, timestamp: Some(at(NOW)) };
    airlock
        .admit(&record, &mut |time, outcome| all.push((time, outcome.map_err(|rejection| rejection.reason))));
    all
}

fn admitted(airlock: &mut Airlock, payload: &str) -> Observation {
    let mut all = outcomes(airlock, payload.as_bytes());
    assert_eq!(all.len(), 1, "{payload}");
    all.remove(0).1.unwrap_or_else(|reason| panic!("{reason:?}: {payload}"))
}

#[track_caller]
fn check(settings: Settings, payload: &str, expect: Result<(), Reason>) {
    let all = outcomes(&mut airlock(settings), payload.as_bytes());
    let got: Vec<_> = all.into_iter().map(|(_, outcome)| outcome.map(drop)).collect();
    assert_eq!(got, [expect], "{payload}");
}

#[test]
fn first_applicable_reason_rejects_the_beacon() {
    let long = "x".repeat(129);
    let cases = [
        (r#"{"ts":nan,"session":""}"#.to_owned(), Err(Reason::Malformed)),
        (r#"{"ts":-1,"session":""}"#.to_owned(), Err(Reason::NoSession)),
        (r#"{"session":"\ud800","ts":1}"#.to_owned(), Err(Reason::NoSession)),
        (r#"{"session":"s","ts":-1,"tenant":"nobody"}"#.to_owned(), Err(Reason::NoTime)),
        (r#"{"session":"s","ts":"yesterday"}"#.to_owned(), Err(Reason::NoTime)),
        (r#"{"tenant":"nobody"}"#.to_owned(), Err(Reason::NoSession)),
        (r#"{"session":"null","ts":1}"#.to_owned(), Err(Reason::NoSession)),
        (format!(r#"{{"session":"{long}"}}"#), Err(Reason::TooLarge)),
        (format!(r#"{{"session":"{}","ts":1}}"#, "x".repeat(128)), Ok(())),
        (r#"{"session":"s","tenant":"nobody"}"#.to_owned(), Err(Reason::NoTime)),
        (format!(r#"{{"session":"s","tenant":"nobody","ts":{}}}"#, NOW + 60_001), Err(Reason::UnknownTenant)),
        (format!(r#"{{"session":"s","ts":{}}}"#, NOW + 60_001), Ok(())),
        (format!(r#"{{"session":"s","ts":{}}}"#, NOW + 60_000), Ok(())),
        (r#"{"session":"s","tenant":"nobody","ts":1}"#.to_owned(), Err(Reason::UnknownTenant)),
        (r#"{"session":"s","tenant":"ACME","ts":1}"#.to_owned(), Err(Reason::UnknownTenant)),
        (r#"{"session":"s","tenant":"","ts":1}"#.to_owned(), Ok(())),
        (r#"{"session":"s","tenant":null,"ts":1}"#.to_owned(), Ok(())),
    ];
    for (payload, expect) in cases {
        check(settings(), &payload, expect);
    }
}

#[test]
fn session_is_admitted_only_in_its_own_partition() {
    let shared = Arc::new(Shared::new(settings(), SessionHasher::fixed(1)).unwrap());
    let home = (murmur2_positive("abc") % 4) as usize;
    for partition in 0..4 {
        let placement = Placement { partition, of: 4 };
        let mut airlock = Airlock::new(&shared, Some(placement));
        let outcome = outcomes(&mut airlock, br#"{"session":"abc","ts":1}"#).remove(0).1;
        let expect = if partition as usize == home { Ok(()) } else { Err(Reason::Misplaced) };
        assert_eq!(outcome.map(drop), expect);
    }
}

fn murmur2_positive(key: &str) -> u32 {
    crowdfold_model::murmur2(key.as_bytes()) & 0x7fff_ffff
}

#[test]
fn record_beyond_a_limit_is_rejected_once_as_too_large() {
    let short = Settings { max_record: 30, ..settings() };
    check(short.clone(), r#"[{"ts":1},{"ts":1},{"ts":1},{}]"#, Err(Reason::TooLarge));
    assert_eq!(outcomes(&mut airlock(short), br#"[{"ts":1},{"ts":1},{"ts":1}]  "#).len(), 3);
}

#[test]
fn event_time_is_the_earlier_time_of_beacon_and_record() {
    let mut airlock = airlock(settings());
    let event_time = |airlock: &mut Airlock, ts: u64| {
        admitted(airlock, &format!(r#"{{"session":"s","ts":{ts}}}"#)).event_time()
    };
    assert_eq!(event_time(&mut airlock, NOW - 5), at(NOW - 5));
    assert_eq!(event_time(&mut airlock, NOW + 5), at(NOW));
}

#[test]
fn time_more_than_ten_years_off_is_replaced_by_the_record_time() {
    const LIMIT: u64 = 3_652 * 86_400_000;
    let mut airlock = airlock(settings());
    let mut admit = |ts: u64| {
        let beacon = format!(r#"{{"session":"s","event":"play","ts":{ts}}}"#);
        let observation = admitted(&mut airlock, &beacon);
        let ignored =
            airlock.take_ignored().map(|ignored| ignored.by_field().find(|(_, count)| *count > 0).unwrap());
        (observation.event_time(), observation.identity().is_some(), ignored)
    };
    assert_eq!(admit(NOW - LIMIT), (at(NOW - LIMIT), true, None));
    for far in [NOW - LIMIT - 1, 0, 7, NOW + LIMIT + 1, 4_102_444_800_000] {
        assert_eq!(admit(far), (at(NOW), false, Some(("ts", 1))), "{far}");
    }
}

#[test]
fn unusable_values_and_unknown_events_are_counted() {
    let mut airlock = airlock(settings());
    let payload = format!(
        r#"[{{"session":"s","ts":{NOW},"height":"1080p","event":"video_start"}},{{"session":true,"height":null}},
        {{"session":"s","ts":{NOW},"event":"HeartBeat"}},{{"session":"s","ts":{NOW},"event":"ps","stalls":0}}]"#
    );
    assert_eq!(airlock.take_ignored(), None);
    outcomes(&mut airlock, payload.as_bytes());
    let counted = airlock.take_ignored().unwrap();
    let counted: Vec<_> = counted.by_field().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted, [("session", 1), ("event", 2), ("height", 2)]);
    assert_eq!(airlock.take_ignored(), None);
}

/// Returns the outcome of a beacon. Also returns true if the beacon opts its session out.
fn consent(airlock: &mut Airlock, payload: &str) -> (Result<(), Reason>, bool) {
    let mut all = Vec::new();
    let record = Record { payload: payload.as_bytes(), content_type: None, timestamp: Some(at(NOW)) };
    airlock.admit(&record, &mut |_, outcome| {
        let opts_out = outcome.as_ref().map_or_else(|seen| seen.opts_out.is_some(), Observation::opt_out);
        all.push((outcome.map(drop).map_err(|rejection| rejection.reason), opts_out));
    });
    assert_eq!(all.len(), 1, "{payload}");
    all.remove(0)
}

#[test]
fn opt_out_does_not_depend_on_other_fields() {
    let mut airlock = airlock(settings());
    for (rest, expect, opts_out) in [
        (r#""ts":1795308528421"#, Ok(()), true),
        (r#""ts":1795308528421,"bitrate_kbps":-1,"cdn":{}"#, Ok(()), true),
        (r#""ts":-1"#, Err(Reason::NoTime), true),
        (r#""x":1"#, Err(Reason::NoTime), true),
        (r#""ts":1795308628421"#, Ok(()), true),
        (r#""ts":1795308528421,"tenant":"nobody""#, Err(Reason::UnknownTenant), false),
        (r#""ts":-1,"tenant":"nobody""#, Err(Reason::NoTime), false),
    ] {
        for opt_out in ["true", "1", "\"true\"", "\"yes\""] {
            let payload = format!(r#"{{"session":"s",{rest},"opt_out":{opt_out}}}"#);
            assert_eq!(consent(&mut airlock, &payload), (expect, opts_out), "{payload}");
            let without = format!(r#"{{"session":"s",{rest},"opt_out":false}}"#);
            assert_eq!(consent(&mut airlock, &without), (expect, false), "{without}");
        }
    }
    let without_id = r#"{"session":"null","ts":1795308528421,"opt_out":true}"#;
    assert_eq!(consent(&mut airlock, without_id), (Err(Reason::NoSession), false));
}

#[test]
fn opt_out_of_another_partition_is_ignored() {
    let shared = Arc::new(Shared::new(settings(), SessionHasher::fixed(1)).unwrap());
    let home = murmur2_positive("abc") % 4;
    for partition in 0..4 {
        let mut airlock = Airlock::new(&shared, Some(Placement { partition, of: 4 }));
        let (_, opts_out) = consent(&mut airlock, r#"{"session":"abc","opt_out":true}"#);
        assert_eq!(opts_out, partition == home);
    }
}

#[test]
fn line_without_a_record_timestamp_has_the_time_of_its_beacon() {
    let mut all = Vec::new();
    let payload =
        br#"[{"session":"s","ts":7},{"session":"","ts":8},{"session":"s"},{"session":"s","ts":-1},{"ts":}]"#;
    let record = Record { payload, content_type: None, timestamp: None };
    let mut take = |time, outcome: Result<Observation, Rejection>| {
        all.push((time, outcome.map(|seen| seen.event_time()).map_err(|rejection| rejection.reason)));
    };
    airlock(settings()).admit(&record, &mut take);
    let expect = [
        (Some(at(7_000)), Ok(at(7_000))),
        (Some(at(8_000)), Err(Reason::NoSession)),
        (None, Err(Reason::NoTime)),
        (None, Err(Reason::NoTime)),
        (None, Err(Reason::Malformed)),
    ];
    assert_eq!(all, expect);
}

#[test]
fn line_is_sorted_by_the_earliest_plausible_time_of_its_beacons() {
    let json = |line: &str| airlock(settings()).line_time(line.as_bytes(), &(Timestamp::EPOCH..=at(NOW))).0;
    assert_eq!(json(r#"{"session":"s","ts":7}"#), LineTime::At(at(7_000)));
    assert_eq!(json(r#"[{"session":"s","ts":9},{"session":"s"},{"ts":8},7]"#), LineTime::At(at(8_000)));
    assert_eq!(json(r#"{"session":"s"}"#), LineTime::Unknown);
    let ahead = NOW + 1;
    assert_eq!(json(&format!(r#"{{"session":"s","ts":{ahead}}}"#)), LineTime::Unknown);
    assert_eq!(
        json(&format!(r#"[{{"session":"s","ts":{ahead}}},{{"session":"s","ts":{NOW}}}]"#)),
        LineTime::At(at(NOW))
    );
    for line in ["", "[]", "GET /favicon.ico", &format!(r#"{{"ts":7,"content":"{}"}}"#, "x".repeat(1 << 20))]
    {
        assert_eq!(json(line), LineTime::Unreadable);
    }
    let mut capture = airlock(Settings { format: Format::Capture, ..settings() });
    let line = br#"{"received_at_ms":5,"path":"/v1/beacons","body":"[{\"ts\":3,\"session\":\"s\"}]"}"#;
    assert_eq!(
        capture.line_time(line, &(Timestamp::EPOCH..=at(NOW))).0,
        LineTime::At(at(5)),
        "the time of receipt is used instead of the beacon's time"
    );
    assert_eq!(
        capture.line_time(br#"{"received_at_ms":6,"path":"/v1/beacons"}"#, &(Timestamp::EPOCH..=at(NOW))).0,
        LineTime::At(at(6)),
        "no beacon"
    );
    let line = br#"{"path":"/v1/beacons","body":"[{\"ts\":3,\"session\":\"s\"}]"}"#;
    assert_eq!(capture.line_time(line, &(Timestamp::EPOCH..=at(NOW))).0, LineTime::At(at(3_000)));
}

#[test]
fn fields_of_a_beacon_become_dimension_values() {
    let mut airlock = airlock(settings());
    let observation = admitted(
        &mut airlock,
        r#"{"ts":1,"session":"s","tenant":"blip","browser":"chrome","browser_version":"147.0.1","os":"BEOS",
        "os_version":"11.2","device":"TV","firmware":"T-KTSU2EUC-1560.5","player":"hls.js","player_version":"1.7.4",
        "app":"Example TV","app_version":"3.12.0","content":"a@b.example","stream":"vod","format":"HLS","cdn":"cdn-a","connection":"wifi","country":"de",
        "region":"BY","asn":64500,"error_code":"1001","bitrate_kbps":3200}"#,
    );
    assert_eq!(observation.tenant().0, 1);
    let expect = [
        ("country", "DE"),
        ("region", "BY"),
        ("asn", "AS64500"),
        ("network", "unknown"),
        ("device", "tv"),
        ("os", "other"),
        ("browser", "Chrome"),
        ("os_version", "11"),
        ("browser_version", "147"),
        ("firmware", "T-KTSU2EUC-1560.5"),
        ("player", "hls.js"),
        ("player_version", "1.7"),
        ("app", "Example TV"),
        ("app_version", "3.12"),
        ("stream", "vod"),
        ("format", "hls"),
        ("content", "redacted"),
        ("cdn", "cdn-a"),
        ("connection", "wifi"),
        ("quality", "720p"),
        ("error_code", "1001"),
    ];
    let word = |name: &str| {
        let dimension = Dimension::named(name).expect("a dimension of the table");
        airlock.dictionary().word(observation.dimension(dimension)).to_string()
    };
    let got = expect.map(|(name, _)| (name, word(name)));
    assert_eq!(got, expect.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn quality_depends_on_the_bitrate_only_if_the_height_is_absent() {
    let mut airlock = airlock(settings());
    for (fields, expect) in [
        (r#""height":1080,"bitrate_kbps":100"#, "1080p"),
        (r#""height":0,"bitrate_kbps":100"#, "240p"),
        (r#""bitrate_kbps":3499"#, "720p"),
        (r#""bandwidth_kbps":3499"#, "unknown"),
    ] {
        let observation = admitted(&mut airlock, &format!(r#"{{"ts":1,"session":"s",{fields}}}"#));
        assert_eq!(
            &**airlock.dictionary().word(observation.dimension(Dimension::Quality)),
            expect,
            "{fields}"
        );
    }
}

#[test]
fn content_id_is_dropped_if_keep_content_is_false() {
    let mut airlock = airlock(Settings { keep_content: false, ..settings() });
    let observation = admitted(&mut airlock, r#"{"ts":1,"session":"s","content":"c"}"#);
    assert_eq!(observation.dimension(Dimension::Content), Symbol::NONE);
}

#[test]
fn beacons_of_child_directed_tenants_and_contents_are_excluded() {
    let child = Settings {
        child_directed_tenants: vec!["kids".into()],
        child_directed_content: vec!["a@b".into()],
        keep_content: false,
        ..settings()
    };
    let mut airlock = airlock(child);
    let marked = |airlock: &mut Airlock, fields: &str| {
        let observation = admitted(airlock, &format!(r#"{{"ts":1,"session":"s"{fields}}}"#));
        (observation.excluded(), observation.opt_out())
    };
    assert_eq!(marked(&mut airlock, ""), (false, false));
    assert_eq!(marked(&mut airlock, r#","tenant":"kids""#), (true, false));
    assert_eq!(marked(&mut airlock, r#","content":"a@b""#), (true, false));
    assert_eq!(marked(&mut airlock, r#","content":"a@c""#), (false, false));
    assert_eq!(marked(&mut airlock, r#","opt_out":true"#), (false, true));
}

#[test]
fn sweep_removes_unused_words() {
    let mut airlock = airlock(settings());
    let kept = admitted(&mut airlock, r#"{"ts":1,"session":"s","cdn":"kept","content":"gone"}"#);
    airlock.sweep([kept.dimension(Dimension::Cdn)].into_iter());
    assert_eq!(airlock.dictionary().len(), 4);
    let again = admitted(&mut airlock, r#"{"ts":1,"session":"s","cdn":"fresh","content":"kept"}"#);
    let word = |dimension| airlock.dictionary().word(again.dimension(dimension)).to_string();
    assert_eq!((word(Dimension::Cdn), word(Dimension::Content)), ("fresh".into(), "kept".into()));
    assert_eq!(again.dimension(Dimension::Content), kept.dimension(Dimension::Cdn));
}

#[test]
fn content_type_is_needed_only_if_it_affects_the_form() {
    let asks = |format, payload: &[u8]| {
        airlock(Settings { format, ..Settings::default() }).needs_content_type(payload)
    };
    assert!(!asks(Format::Json, b"{}") && !asks(Format::Json, b"[{}]"));
    for payload in [&b"e=ps,sid=\"s\",ts=1,v=2"[..], b"CMCD=sid%3D%22s%22", b"", b" {}"] {
        assert!(asks(Format::Json, payload));
    }
    assert!(asks(Format::Cmcd, b"{}") && asks(Format::Capture, b"{}"));
}
