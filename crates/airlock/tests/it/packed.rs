//! Compares the outcomes of packed records with the outcomes of the single requests in these records.

mod random;

use std::borrow::Cow;
use std::sync::Arc;

use crowdfold_airlock::{Format, Record, Settings};
use crowdfold_beacon::{Body, CONTENT_TYPE, Fields, Http, Packer, Parsed, Reader};
use crowdfold_model::{Custom, CustomDimensions, CustomSource, CustomValues, Reason, Timestamp};
use serde_json::{Value, json};

use crate::seen::{Outcome, admit, admit_record, airlock};

const PLAYERS: &str = include_str!("../data/players.ndjson");

/// Packs a captured request in the same way as the collector.
fn pack(packer: &mut Packer, reader: &mut Reader, line: &str) {
    let request: Value = serde_json::from_str(line).expect("a line of JSON");
    let text = |value: &Value| value.as_str().map(|text| Cow::<str>::Owned(text.to_owned()));
    let header = |name: &str| text(&request["headers"][name]);
    let whole = text(&request["path"]).unwrap_or_default();
    let (path, _) = whole.split_once('?').unwrap_or((&whole, ""));
    let (endpoint, tenant) = if path.is_empty() { (0, None) } else { Http::endpoint_of(path) };
    let http = Http {
        received_at: request["received_at_ms"].as_u64().map(Timestamp::from_millis),
        address: text(&request["client_ip"]),
        tenant: tenant.map(Cow::Borrowed),
        user_agent: header("user-agent"),
        brands: header("sec-ch-ua"),
        platform: header("sec-ch-ua-platform"),
        platform_version: header("sec-ch-ua-platform-version"),
        mobile: header("sec-ch-ua-mobile"),
        model: header("sec-ch-ua-model"),
        gpc: header("sec-gpc").as_deref() == Some("1"),
        dnt: header("dnt").as_deref() == Some("1"),
        endpoint,
        ..Http::default()
    };
    let body = text(&request["body"]).unwrap_or_default();
    let query = text(&request["query"]).unwrap_or_default();
    let names = ["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"];
    let headers = names.map(header);
    let body = match &headers {
        _ if !body.is_empty() && header("content-type").as_deref() == Some("text/plain") => {
            Body::Json(body.as_bytes())
        }
        _ if !body.is_empty() => Body::Events(body.as_bytes()),
        headers if headers.iter().any(Option::is_some) => {
            Body::Headers(headers.each_ref().map(|part| part.as_deref().map(str::as_bytes)))
        }
        _ => Body::Query(query.strip_prefix("CMCD=").expect("a query with CMCD first").as_bytes()),
    };
    pack_body(packer, reader, &http, &body);
}

/// Packs the readable beacons of a request.
fn pack_body(packer: &mut Packer, reader: &mut Reader, http: &Http<'_>, body: &Body<'_>) {
    let mut parsed = Parsed::default();
    parsed.add_all(reader, http, body);
    assert!(parsed.is_empty() || packer.push(http, &parsed, 0..parsed.len()));
}

/// Returns the fields of JSON beacons of an airlock with these settings.
fn fields_of(settings: &Settings) -> Arc<Fields> {
    Arc::new(Fields::with_custom(&settings.fields, &settings.custom_sources).expect("valid fields"))
}

/// Returns the outcomes of the readable beacons of captured requests, and the outcomes of one packed record with the
/// same requests.
fn both(lines: &[&str], settings: &Settings, timestamp: Option<Timestamp>) -> [Vec<Outcome>; 2] {
    let captures = Settings { format: Format::Capture, ..settings.clone() };
    let mut captures = airlock(captures);
    let one_by_one = lines.iter().flat_map(|line| admit(&mut captures, line.as_bytes(), timestamp));
    let one_by_one = one_by_one.filter(|(_, outcome)| *outcome != Err(Reason::Malformed)).collect();
    let fields = fields_of(settings);
    let mut packer = Packer::new(&fields);
    let mut reader = Reader::new(fields);
    lines.iter().for_each(|line| pack(&mut packer, &mut reader, line));
    let record = Record { payload: &packer.take(), content_type: Some(CONTENT_TYPE.as_bytes()), timestamp };
    [one_by_one, admit_record(&mut airlock(settings.clone()), &record)]
}

#[test]
fn requests_of_real_players_have_the_same_outcomes_when_packed() {
    let lines: Vec<_> = PLAYERS.lines().collect();
    for timestamp in [None, Some(Timestamp::from_millis(1_795_312_600_000))] {
        let [captured, packed] = both(&lines, &Settings::default(), timestamp);
        assert_eq!(captured.len(), 170);
        assert_eq!(packed, captured);
    }
}

#[test]
fn opt_out_of_a_packed_record_of_an_unsupported_version_takes_effect() {
    let fields = fields_of(&Settings::default());
    let (mut packer, mut reader) = (Packer::new(&fields), Reader::new(fields));
    let http = Http { gpc: true, received_at: Some(Timestamp::from_millis(5_000)), ..Http::default() };
    pack_body(&mut packer, &mut reader, &http, &Body::Events(b"e=t,sid=\"a\",ts=1,v=3\n"));
    let record =
        Record { payload: &packer.take(), content_type: Some(CONTENT_TYPE.as_bytes()), timestamp: None };
    let mut rejections = Vec::new();
    airlock(Settings::default()).admit(&record, &mut |_, outcome| {
        let rejection = outcome.err().expect("a rejection");
        rejections.push((rejection.reason, rejection.opts_out.is_some()));
    });
    assert_eq!(rejections, [(Reason::Malformed, true)]);
}

#[test]
fn tenants_opt_out_headers_and_json_bodies_are_the_same_when_packed() {
    let request = |path: &str, headers: Value, body: &str| {
        json!({"received_at_ms": 5_000, "client_ip": "203.0.113.9", "path": path, "headers": headers, "body": body})
            .to_string()
    };
    let (plain, cmcd) = ("text/plain", "application/cmcd");
    let lines = [
        request("/v1/cmcd/acme", json!({"content-type": cmcd, "sec-gpc": "1"}), "e=t,sid=\"a\",ts=1,v=2\n"),
        request(
            "/v1/cmcd/acme/x",
            json!({"content-type": cmcd, "dnt": "1"}),
            "e=t,sid=\"a\",sn=1,ts=1,v=2\ne=t,sid=\"\n",
        ),
        request("/v1/cmcd/nobody", json!({"content-type": cmcd, "sec-gpc": "0"}), "e=t,sid=\"a\",ts=1,v=2\n"),
        request("/collect", json!({"content-type": plain}), r#"[{"session":"b","ts":4,"opt_out":true},7]"#),
        request("/collect", json!({"content-type": plain}), r#"{"session":"c","ts":70,"content":"a@b"}"#),
        request(
            "/collect",
            json!({"content-type": plain, "user-agent": "Mozilla/5.0 (Windows NT 10.0)",
                "sec-ch-ua": "\"Chromium\";v=\"147\", \"Google Chrome\";v=\"147\"", "sec-ch-ua-mobile": "?0",
                "sec-ch-ua-platform": "\"Windows\"", "sec-ch-ua-platform-version": "\"19.0.0\""}),
            r#"{"session":"d","ts":1}"#,
        ),
    ];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let settings = Settings { tenants: vec!["default".into(), "acme".into()], ..Settings::default() };
    let [captured, packed] = both(&lines, &settings, None);
    assert_eq!(packed, captured);
    let good = packed.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    // A beacon is still valid if its time is too late.
    assert_eq!((packed.len(), good), (7, 5), "{packed:?}");
    assert!(
        packed.iter().all(|(time, _)| *time == Some(Timestamp::from_millis(5_000))),
        "the time of receipt in the request replaces the timestamp of the record"
    );
}

/// In CMCD, `st=v` means `vod` and `sf=h` means `hls`. In JSON, these texts are not in the closed lists.
#[test]
fn equal_texts_of_json_and_cmcd_in_one_record_keep_their_own_meaning() {
    let request = |kind: &str, body: &str| {
        json!({"received_at_ms": 5_000, "client_ip": "203.0.113.9", "headers": {"content-type": kind}, "body": body})
            .to_string()
    };
    let json = request("text/plain", r#"{"session":"a","ts":4,"stream":"v","format":"h"}"#);
    let cmcd = request("application/cmcd", "e=ps,sid=\"a\",sta=p,ts=4,v=2,st=v,sf=h\n");
    for lines in [[&json, &cmcd], [&cmcd, &json]] {
        let [captured, packed] = both(&lines.map(String::as_str), &Settings::default(), None);
        assert_eq!(packed, captured);
        assert_ne!(packed[0].1, packed[1].1);
    }
}

#[test]
fn custom_dimensions_are_the_same_when_packed() {
    let request = |kind: &str, body: &str| {
        json!({"received_at_ms": 5_000, "client_ip": "203.0.113.9", "headers": {"content-type": kind}, "body": body})
            .to_string()
    };
    let lines = [
        request("text/plain", r#"{"session":"a","ts":4,"trial":{"arm":"b"}}"#),
        request("application/cmcd", "e=ps,sid=\"b\",sta=p,ts=4,v=2,com.example-arm=\"A\"\n"),
        json!({"received_at_ms": 5_000, "query": "CMCD=br%3D300%2Ccom.example-arm%3D%22c%22%2Csid%3D%22c%22"}).to_string(),
        request("text/plain", r#"{"session":"d","ts":4}"#),
    ];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let values = CustomValues::Closed(vec!["A".into(), "B".into()]);
    let arm = Custom::dimension("arm", 0, None, &values).expect("a source below the limit");
    let source = CustomSource {
        json: Some(vec!["trial".into(), "arm".into()]),
        cmcd: Some("com.example-arm".into()),
        log: None,
    };
    let settings = Settings {
        custom_sources: vec![source],
        custom: CustomDimensions::new(vec![arm], []),
        ..Settings::default()
    };
    let [captured, packed] = both(&lines, &settings, None);
    assert_eq!(packed, captured);
    let arms = packed.iter().map(|(_, outcome)| outcome.as_ref().expect("a beacon").word(arm));
    assert_eq!(arms.collect::<Vec<_>>(), ["B", "A", "other", "unknown"]);
}
