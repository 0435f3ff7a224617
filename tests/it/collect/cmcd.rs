//! Tests that the collector accepts CMCD in its three forms (events, query, headers), as real players send it.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;

use crowdfold_testkit::Kafka;
use crowdfold_testkit::envelope::{Body, Mode, json_of, reader};
use serde_json::Value;

use super::client::Client;
use super::support::{Collector, Packed, deploy, packed};

/// Captured requests of hls.js, dash.js and Shaka Player in a browser.
const PLAYERS: &str = include_str!("../../data/captures/players.ndjson");

/// Returns the values of the beacons in a request that the collector forwards. Beacons without a session id are not
/// forwarded.
fn beacons(form: &str, content: &str) -> Vec<String> {
    let parts: Vec<_> = content.split('|').map(str::as_bytes).collect();
    let body = match form {
        "events" => Body::Events(content.as_bytes()),
        "query" => Body::Query(content.as_bytes()),
        _ => Body::Headers(std::array::from_fn(|at| parts.get(at).copied())),
    };
    let mut beacons = Vec::new();
    reader().read_body(&body, &mut |beacon| beacons.extend(beacon.map(json_of).ok()));
    beacons.retain(|beacon| beacon.get("session").is_some());
    beacons.iter().map(Value::to_string).collect()
}

/// Sends a captured request to the collector. A media request is sent with its query and headers, as a CDN would mirror
/// it. An event is sent as the player sent it. Returns the status of the response, and the form and the content that
/// the record in the topic must have.
fn send(client: &mut Client, line: &str) -> (u16, &'static str, String) {
    let request: Value = serde_json::from_str(line).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |name: &str| text(&request["headers"][name]);
    let headers: Vec<(String, String)> = request["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .filter(|(name, _)| !matches!(name.as_str(), "host" | "content-length"))
        .collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (body, query) = (text(&request["body"]), text(&request["query"]));
    if !body.is_empty() {
        return (client.post("/v1/cmcd/acme", &headers, &body), "events", body);
    }
    let target = format!("/v1/cmcd/acme{}?{query}", text(&request["path"]));
    let status = client.get(&target, &headers);
    let parts = ["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"].map(named);
    if parts.iter().any(|part| !part.is_empty()) {
        return (status, "headers", parts.join("|"));
    }
    (status, "query", query.strip_prefix("CMCD=").unwrap().to_owned())
}

#[test]
fn cmcd_of_real_players_is_written_to_the_topic() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.max_requests_per_connection_second", "0");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    let mut expected = BTreeMap::<String, usize>::new();
    let (mut taken, mut refusing) = (0, 0);
    let mut forms = BTreeMap::<&str, usize>::new();
    for line in PLAYERS.lines() {
        let (status, form, content) = send(&mut client, line);
        let request: Value = serde_json::from_str(line).unwrap();
        let is_withdrawal = ["sec-gpc", "dnt"].iter().any(|signal| request["headers"][signal] == "1");
        let sent = beacons(form, &content);
        let counted = sent.len();
        if is_withdrawal {
            let accepted = if form == "events" { 410 } else { 204 };
            assert_eq!(status, if counted > 0 { accepted } else { 400 });
            refusing += counted as u64;
            continue;
        }
        sent.into_iter().for_each(|beacon| *expected.entry(beacon).or_default() += 1);
        // A request without a session id is refused.
        assert_eq!(status, if counted > 0 { 204 } else { 400 }, "{form}: {content}");
        taken += counted;
        *forms.entry(form).or_default() += counted;
    }
    // If a session opts out, the collector forwards only the opt-out, as a JSON beacon.
    let (withdrawals, packed): (Vec<_>, Vec<_>) =
        packed(&deployment).into_iter().partition(|beacon| beacon.mode == Mode::Json);
    assert!(!withdrawals.is_empty() && withdrawals.iter().all(|request| request.user_agent.is_none()));
    let mut seen = BTreeMap::<String, usize>::new();
    for Packed { content, tenant, address, user_agent, .. } in &packed {
        *seen.entry(content.to_string()).or_default() += 1;
        assert_eq!((tenant.as_deref(), address.as_deref()), (Some("acme"), Some("127.0.0.1")));
        assert!(user_agent.as_deref().is_some_and(|agent| agent.starts_with("Mozilla/5.0")));
    }
    assert!(seen == expected, "{} beacons are in the topic, but {} are expected", seen.len(), expected.len());
    assert!(packed.len() == taken && taken > 120, "{} of {taken} beacons are in the topic", packed.len());
    assert!(refusing > 0);
    collector.await_count("beacons_total{outcome=\"opted_out\"}", refusing);
    assert!(forms.len() == 3 && forms.values().all(|count| *count > 5), "{forms:?}");
    // The mirrored requests of all players must have the same endpoint.
    let mut endpoints: Vec<_> = packed.iter().map(|request| request.endpoint).collect();
    endpoints.dedup();
    assert_eq!(endpoints.len(), 1);
}

#[test]
fn cmcd_headers_take_precedence_over_the_query_and_the_tenant_is_optional() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    let headers = [("cmcd-session", "sid=\"in-headers\""), ("cmcd-request", "bl=300")];
    assert_eq!(client.get("/v1/cmcd?CMCD=sid%3D%22in-query%22", &headers), 204);
    assert_eq!(client.ask("HEAD", "/v1/cmcd/blip/1.m4s?CMCD=sid%3D%22s%22", &[], b"").status, 204);
    for kind in ["text/cmcd", "application/cmcd"] {
        let typed = [("content-type", kind)];
        assert_eq!(client.post("/v1/cmcd", &typed, "e=ps,sta=p,ts=1,v=2,sid=\"a\"\n"), 204);
        // Each body contains an unknown version or no session id, or is not readable.
        for body in ["sid=\"a\",v=3\n", "e=t,ts=1,v=2\n", "\u{e9}\n", "\n", ""] {
            assert_eq!(client.post("/v1/cmcd/acme", &typed, body), 400, "{body}");
        }
    }
    for kind in ["application/json", "text/plain", "application/octet-stream"] {
        let answer = client.ask("POST", "/v1/cmcd/acme", &[("content-type", kind)], b"sid=\"a\"");
        assert_eq!((answer.status, answer.body.contains("application/cmcd")), (415, true), "{kind}");
    }
    // An opt-out takes effect with every version.
    let leaving = [("content-type", "application/cmcd"), ("sec-gpc", "1")];
    assert_eq!(client.post("/v1/cmcd", &leaving, "e=t,ts=1,sid=\"leaving\",v=3\n"), 410);
    assert_eq!(client.get("/v1/cmcd/acme/1.m4s?x=1", &[]), 400);
    let packed = packed(&deployment);
    let seen: Vec<_> =
        packed.iter().map(|beacon| (&*beacon.session, beacon.mode, beacon.tenant.as_deref())).collect();
    assert_eq!(seen.iter().filter(|one| **one == ("a", Mode::Event, None)).count(), 2);
    assert!(seen.contains(&("in-headers", Mode::Request, None)));
    assert!(seen.contains(&("s", Mode::Request, Some("blip"))));
    assert!(seen.contains(&("leaving", Mode::Json, None)));
    assert_eq!(seen.len(), 5);
}
