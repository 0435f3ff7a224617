//! Tests of JSON beacons that are posted to the collector: the responses, the records in the topic, and the counts.

use crowdfold_testkit::Kafka;
use crowdfold_testkit::envelope::Mode;
use serde_json::json;

use super::client::{EVENTS, JSON};
use super::support::{Collector, by_partition, deploy, packed, session_in};
use crate::worker::support::now;

#[test]
fn body_of_every_content_type_is_written_to_the_partition_of_its_session() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let beacon = |session: &str| json!({"ts": now(), "session": session, "event": "heartbeat"}).to_string();
    let one = |partition| beacon(&session_in(&deployment, partition, 0));
    let bodies = [
        ("application/json; charset=utf-8", one(0)),
        ("application/json", format!("[{}, {}]", one(1), one(1))),
        ("application/x-ndjson", format!("{}\n{}\n", one(2), one(2))),
        ("text/plain;charset=UTF-8", one(3)),
        ("", format!("\n{}", one(0))),
    ];
    for (content_type, body) in &bodies {
        let typed = [("content-type", *content_type), ("user-agent", "A player"), ("cookie", "id=secret")];
        let headers = if content_type.is_empty() { &typed[1..] } else { &typed[..] };
        assert_eq!(player.post("/v1/beacons", headers, body), 204, "{content_type}");
    }
    let packed = packed(&deployment);
    for (beacon, partition) in packed.iter().zip([0, 0, 1, 1, 2, 2, 3]) {
        assert_eq!(beacon.session, session_in(&deployment, partition, 0));
        assert_eq!((beacon.mode, beacon.content["event"].as_str()), (Mode::Json, Some("heartbeat")));
        assert!(beacon.content["ts"].as_u64().is_some_and(|ts| ts <= now()));
        assert_eq!(beacon.address.as_deref(), Some("127.0.0.1"));
        assert_eq!((beacon.user_agent.as_deref(), beacon.tenant.as_deref()), (Some("A player"), None));
    }
    assert_eq!(packed.len(), 7);
    collector.await_count("beacons_total{outcome=\"accepted\"}", 7);
    collector.await_count("requests_total{status=\"204\"}", 5);
    collector.await_count("bytes_held", 0);
    let (status, log) = collector.0.terminate();
    assert!(status.success() && !log.contains("session-"), "{status}: {log}");
}

#[test]
fn invalid_values_are_counted_by_field() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let beacon = |partition, rest: &str| {
        format!(r#"{{"session":"{}","ts":{}{rest}}}"#, session_in(&deployment, partition, 0), now())
    };
    let records = [
        beacon(0, r#","height":"1080p","event":"video_start""#),
        beacon(1, r#","height":null,"stalls":-1,"opt_out":true"#),
        beacon(2, r#","height":1080,"event":"play""#),
    ];
    let records = records.map(|record| format!(r#"{{"key":"k","value":{record}}}"#)).join(",");
    assert_eq!(player.post("/v1/beacons", JSON, format!(r#"{{"records":[{records}]}}"#)), 204);
    collector.await_count("beacons_total{outcome=\"accepted\"}", 2);
    collector.await_count("beacons_total{outcome=\"opted_out\"}", 1);
    for (field, count) in [("height", 2), ("stalls", 1), ("event", 1), ("ts", 0)] {
        collector.await_metric(&format!("crowdfold_fields_ignored_total{{field=\"{field}\"}}"), count);
    }
}

#[test]
fn mapped_path_that_occurs_in_none_of_ten_thousand_beacons_is_logged() {
    let mut deployment = deploy(Kafka::shared()).with_topics();
    deployment.set("source.fields", "{ cdn = \"net.cdn\", startup_ms = \"qoe.start\" }");
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let session = session_in(&deployment, 0, 0);
    let beacon = format!(r#"{{"session":"{session}","ts":{},"net":{{"cdn":"a"}}}},"#, now());
    let body = format!("[{}]", beacon.repeat(500).trim_end_matches(','));
    for _ in 0..19 {
        assert_eq!(player.post("/v1/beacons", JSON, &body), 204);
    }
    // The second reading of a body with an opt-out is not counted.
    let leaving = session_in(&deployment, 1, 0);
    let opt_out = format!(r#"{{"session":"{leaving}","ts":{},"opt_out":true}}"#, now());
    let leaves = format!("[{}{opt_out}]", beacon.repeat(498));
    assert_eq!(player.post("/v1/beacons", JSON, leaves), 204);
    collector.await_count("beacons_total{outcome=\"accepted\"}", 9_998);
    assert_eq!(collector.0.metric("crowdfold_absent_paths"), Some(0));
    assert_eq!(player.post("/v1/beacons", JSON, beacon.trim_end_matches(',')), 204);
    collector.await_metric("crowdfold_absent_paths", 1);
    let (_, log) = collector.0.terminate();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("the path is absent")).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains(r#"source.fields.startup_ms = "qoe.start""#),
        "{log}"
    );
    assert!(!log.contains(&session), "{log}");
}

#[test]
fn valid_beacons_of_a_body_are_divided_by_partition_and_invalid_beacons_are_dropped() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let beacon = |partition, nth, rest: &str| {
        format!(r#"{{"session":"{}","ts":{}{rest}}}"#, session_in(&deployment, partition, nth), now())
    };
    let (a, b, c) = (beacon(2, 0, ""), beacon(2, 1, ",\"tenant\":\"blip\""), beacon(3, 0, ",\"x\":[1,{}]"));
    let leaving = session_in(&deployment, 1, 0);
    let unfit = [
        "{\"ts\":1}".to_owned(),
        format!("{{\"session\":\"{}\",\"ts\":1}}", "x".repeat(129)),
        "{\"session\":\"undefined\",\"ts\":1}".into(),
        beacon(0, 0, ",\"tenant\":\"nobody\""),
        "{\"session\":7,\"ts\":nan}".into(),
    ];
    // If any beacon of a body opts its session out, no other beacon of this session in the body is forwarded,
    // regardless of their order.
    let leaves = [
        beacon(1, 0, ",\"user_agent\":\"secret\""),
        beacon(1, 0, ",\"opt_out\":true,\"ip\":\"203.0.113.9\",\"content\":\"secret\""),
        beacon(1, 0, ""),
    ];
    let body = [
        &a, &leaves[0], &unfit[0], &b, &unfit[1], &leaves[1], &unfit[2], &c, &leaves[2], &unfit[3], &unfit[4],
    ];
    let array = format!("[{}]", body.map(String::as_str).join(" ,\n"));
    assert_eq!(player.post("/v1/beacons", JSON, &array), 204);
    let first = packed(&deployment);
    let value = |beacon: &str| {
        let mut value: serde_json::Value = serde_json::from_str(beacon).unwrap();
        value.as_object_mut().unwrap().remove("x");
        value
    };
    assert_eq!(by_partition(&first)[&2], [&value(&a), &value(&b)]);
    assert_eq!(by_partition(&first)[&3], [&value(&c)]);
    let withdrawal = first.iter().find(|beacon| beacon.partition == 1).unwrap();
    assert_eq!((first.len(), &withdrawal.address, &withdrawal.user_agent), (4, &None, &None));
    let content = &withdrawal.content;
    let at = content["ts"].as_u64().unwrap();
    assert_eq!(*content, json!({"session": leaving, "ts": at, "opt_out": true}));
    collector.await_count("beacons_total{outcome=\"accepted\"}", 3);
    collector.await_count("beacons_total{outcome=\"opted_out\"}", 3);
    collector.await_count("beacons_total{outcome=\"malformed\"}", 1);
    collector.await_count("beacons_total{outcome=\"no_session\"}", 2);
    collector.await_count("beacons_total{outcome=\"too_large\"}", 1);
    collector.await_count("beacons_total{outcome=\"unknown_tenant\"}", 1);
    // A body without a valid beacon is refused.
    for (body, status) in
        [(&unfit[0], 400), (&unfit[3], 410), (&unfit[4], 400), (&String::new(), 400), (&"[]".into(), 400)]
    {
        assert_eq!(player.post("/v1/beacons", JSON, body), status, "{body}");
    }
    assert_eq!(packed(&deployment).len(), 4);
}

#[test]
fn only_the_opt_out_of_a_request_with_an_opt_out_header_is_written() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let beacons =
        format!(r#"[{{"session":"s-1","ts":{},"ip":"203.0.113.9"}},{{"session":"s-2","ts":"soon"}}]"#, now());
    for signal in ["sec-gpc", "dnt"] {
        let typed = |kind| [("content-type", kind), (signal, "1"), ("user-agent", "A player")];
        assert_eq!(player.post("/v1/beacons", &typed("application/json"), &beacons), 204);
        // The status 410 makes players stop sending CMCD events for the session.
        assert_eq!(player.post("/v1/cmcd/acme", &typed("application/cmcd"), "sid=\"s-3\",nor=/x,v=2\n"), 410);
        assert_eq!(player.get("/v1/cmcd/acme/x?CMCD=br%3D5%2Csid%3D%22s-4%22", &[(signal, "1")]), 204);
        // These requests contain no session id.
        assert_eq!(player.post("/v1/beacons", &typed("application/json"), r#"{"ts":1}"#), 400);
        assert_eq!(player.post("/v1/cmcd/acme", &typed("application/cmcd"), "e=t,v=2\n"), 400);
    }
    let packed = packed(&deployment);
    assert_eq!(packed.len(), 8);
    let mut sessions = Vec::new();
    for request in &packed {
        assert_eq!((&request.address, &request.user_agent, request.mode), (&None, &None, Mode::Json));
        let mut content = request.content.clone();
        assert!(content["ts"].as_u64().is_some_and(|at| at > 0));
        content.as_object_mut().unwrap().remove("ts");
        let session = content["session"].as_str().unwrap().to_owned();
        let expected = match session.as_str() {
            "s-1" | "s-2" => json!({"session": session, "opt_out": true}),
            _ => json!({"session": session, "tenant": "acme", "opt_out": true}),
        };
        assert_eq!(content, expected);
        sessions.push(session);
    }
    sessions.sort_unstable();
    assert_eq!(sessions, ["s-1", "s-1", "s-2", "s-2", "s-3", "s-3", "s-4", "s-4"]);
    collector.await_count("beacons_total{outcome=\"opted_out\"}", 8);
    collector.await_count("beacons_total{outcome=\"no_session\"}", 4);
    collector.await_count("beacons_total{outcome=\"accepted\"}", 0);
}

#[test]
fn cors_headers_are_sent_to_allowed_origins_only() {
    let mut deployment = deploy(Kafka::shared());
    let deployment = {
        deployment.set("collect.origins", "[\"https://player.example\"]");
        deployment.with_topics()
    };
    let collector = Collector::start(&deployment);
    let mut page = collector.connect();
    for target in ["/v1/beacons", "/v1/cmcd/acme", "/v1/cmcd/acme/seg.m4s"] {
        let asked = [
            ("origin", "https://player.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,cmcd-session"),
        ];
        let answer = page.ask("OPTIONS", target, &asked, b"");
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://player.example"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("content-type") && headers.contains("cmcd-session"), "{headers}");
        assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
        assert!(answer.header("access-control-max-age").unwrap().parse::<u32>().unwrap() > 600);
    }
    // The response to a refused request has the CORS headers if its origin is allowed. A response to another origin
    // does not have them.
    let answer = page.ask("POST", "/v1/beacons", &[("origin", "https://player.example")], b"{}");
    assert_eq!((answer.status, answer.header("vary")), (400, Some("origin")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://player.example"));
    let answer = page.ask("OPTIONS", "/v1/beacons", &[("origin", "https://other.example")], b"");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    for (method, target, status) in [
        ("GET", "/v1/beacons", 405),
        ("PUT", "/v1/cmcd/acme", 405),
        ("GET", "/", 404),
        ("POST", "/v1/cmcd/nobody", 410),
        ("GET", "/v1/cmcd/nobody/x?CMCD=sid%3D%22s%22", 410),
    ] {
        assert_eq!(page.ask(method, target, &[], b"").status, status, "{method} {target}");
    }
}

/// Each byte that is not UTF-8 is replaced by a character of three bytes. Therefore the beacons of a body may be larger
/// than the body, and larger than the largest record. Long strings in JSON are shortened, but not those in CMCD.
#[test]
fn body_whose_beacons_are_larger_than_a_record_is_divided_or_refused() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.max_body_bytes", "524288");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let mut player = collector.connect();
    let with = |start: String, invalid: usize, end: &str| {
        [start.as_bytes(), &vec![0xff; invalid], end.as_bytes()].concat()
    };
    let beacon = |nth, invalid: usize| {
        let session = session_in(&deployment, 1, nth);
        with(format!(r#"{{"session":"{session}","ts":{},"user_agent":""#, now()), invalid, "\"}\n")
    };
    let event = |nth, invalid: usize| {
        let session = session_in(&deployment, 1, nth);
        with(format!("e=t,sid=\"{session}\",ts={},cid=\"", now()), invalid, "\"\n")
    };
    // No record can contain this event. The string of the JSON beacon is shortened.
    assert_eq!(player.post("/v1/cmcd", EVENTS, event(0, 500_000)), 413);
    assert_eq!(player.post("/v1/beacons", JSON, beacon(0, 500_000)), 204);
    collector.await_count("requests_total{status=\"413\"}", 1);
    collector.await_count("beacons_total{outcome=\"too_large\"}", 1);
    assert_eq!(packed(&deployment).len(), 1);
    // The beacons of these bodies are small enough, but one record cannot contain all of them.
    for (beacons, size) in [(50, 10_000), (450, 1_000)] {
        let body: Vec<_> = (0..beacons).flat_map(|number| beacon(number % 2, size)).collect();
        assert_eq!(player.post("/v1/beacons", JSON, body), 204, "{beacons}");
    }
    let events: Vec<_> = (0..5).flat_map(|number| event(number % 2, 100_000)).collect();
    assert_eq!(player.post("/v1/cmcd", EVENTS, events), 204);
    let sessions: Vec<_> = packed(&deployment)[1..].iter().map(|beacon| beacon.session.clone()).collect();
    let expected: Vec<_> =
        [50, 450, 5].into_iter().flat_map(|beacons| (0..beacons).map(|number| number % 2)).collect();
    assert_eq!(sessions, expected.iter().map(|nth| session_in(&deployment, 1, *nth)).collect::<Vec<_>>());
    // An event that is too large neither affects the others nor hides an opt-out.
    let mixed = [event(0, 490_000), event(1, 1_000)].concat();
    assert_eq!(player.post("/v1/cmcd", EVENTS, mixed), 204);
    let leaving = [EVENTS[0], ("sec-gpc", "1")];
    let mixed = [event(2, 1_000), event(2, 490_000)].concat();
    assert_eq!(player.post("/v1/cmcd", &leaving, mixed), 410);
    let last = &packed(&deployment)[506..];
    assert_eq!(
        last.iter().map(|beacon| &*beacon.session).collect::<Vec<_>>(),
        [session_in(&deployment, 1, 1), session_in(&deployment, 1, 2)]
    );
    assert_eq!(last[1].content["opt_out"], true);
    collector.await_count("requests_total{status=\"413\"}", 1);
    collector.await_count("beacons_total{outcome=\"too_large\"}", 2);
    collector.await_count("beacons_total{outcome=\"accepted\"}", 1 + 505 + 1);
    collector.await_count("beacons_total{outcome=\"opted_out\"}", 2);
    collector.await_count("bytes_held", 0);
}
