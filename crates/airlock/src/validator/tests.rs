use std::sync::Arc;

use crate::{Airlock, Format, Observation, Record, Rejection, SessionHasher, Settings, Shared};
use crowdfold_model::{Dimension, Reason, Timestamp, ValueMetric};

const NOW: u64 = 1_795_312_455_204;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn settings() -> Settings {
    Settings { format: Format::Capture, tenants: vec!["acme".into(), "blip".into()], ..Settings::default() }
}

struct Bench(Airlock);

impl Bench {
    fn new(settings: Settings) -> Self {
        Self(Airlock::new(&Arc::new(Shared::new(settings, SessionHasher::fixed(1)).unwrap()), None))
    }

    fn all(
        &mut self,
        payload: &str,
        content_type: Option<&str>,
    ) -> Vec<(Option<Timestamp>, Result<Observation, Reason>)> {
        let mut all = Vec::new();
        let content_type = content_type.map(str::as_bytes);
        let record = Record { payload: payload.as_bytes(), content_type, timestamp: None };
        let mut take =
            |time, outcome: Result<_, Rejection>| all.push((time, outcome.map_err(|error| error.reason)));
        self.0.admit(&record, &mut take);
        all
    }

    fn capture(&mut self, rest: &str) -> Result<Observation, Reason> {
        let mut all = self.all(&format!(r#"{{"received_at_ms":{NOW},{rest}}}"#), None);
        assert_eq!(all.len(), 1, "{rest}");
        assert_eq!(all[0].0, Some(at(NOW)));
        all.remove(0).1
    }

    fn words(&self, observation: &Observation, dimensions: &[Dimension]) -> String {
        let word =
            |dimension: &Dimension| self.0.dictionary().word(observation.dimension(*dimension)).to_string();
        dimensions.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

const CLIENT: [Dimension; 5] =
    [Dimension::Device, Dimension::Os, Dimension::OsVersion, Dimension::Browser, Dimension::BrowserVersion];
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";

#[test]
fn cmcd_request_has_the_time_of_its_record() {
    let mut bench = Bench::new(settings());
    let observation =
        bench.capture(r#""query":"CMCD=sid%3D%22s%22%2Csf%3Dh%2Cst%3Dll%2Cbr%3D3200""#).unwrap();
    assert_eq!(observation.event_time(), at(NOW));
    assert_eq!(observation.identity(), None);
    let reported = bench.words(&observation, &[Dimension::Format, Dimension::Stream, Dimension::Quality]);
    assert_eq!(reported, "hls low-latency 720p");
    let numbered = bench.capture(r#""query":"CMCD=sid%3D%22s%22%2Csn%3D3""#).unwrap();
    assert!(numbered.identity().is_some());
}

#[test]
fn cmcd_event_without_time_or_session_is_rejected() {
    let mut bench = Bench::new(settings());
    let mut event = |line: &str| {
        let headers = r#""headers":{"content-type":"application/cmcd"}"#;
        bench
            .capture(&format!(r#"{headers},"path":"/c","body":"{}\n""#, line.replace('"', "\\\"")))
            .map(|seen| seen.event_time())
    };
    assert_eq!(event(r#"e=t,sid="s",ts=1795312400005,v=2"#), Ok(at(1_795_312_400_005)));
    assert_eq!(event(r#"e=t,sid="s",v=2"#), Err(Reason::NoTime));
    assert_eq!(event("e=t,ts=1795312400005,v=2"), Err(Reason::NoSession));
    assert_eq!(event(r#"e=t,sid="s",ts=1795312400005,v=3"#), Err(Reason::Malformed));
    assert_eq!(event(r#"e=t,ts=1795312400005,v=3"#), Err(Reason::Malformed));
}

#[test]
fn identity_is_equal_for_repetitions_and_depends_on_the_endpoint() {
    let mut bench = Bench::new(settings());
    let mut identity = |path: &str, line: &str| {
        let body = line.replace('"', "\\\"");
        let rest = format!(r#""path":"{path}","headers":{{"content-type":"text/cmcd"}},"body":"{body}""#);
        bench.capture(&rest).unwrap().identity().unwrap()
    };
    let first = identity("/a", r#"e=t,sid="s",sn=1,ts=1795312400005"#);
    assert_eq!(identity("/a", r#"e=t,sid="s",sn=1,ts=1795312400005,sta=p"#), first);
    assert_ne!(identity("/b", r#"e=t,sid="s",sn=1,ts=1795312400005"#), first);
}

#[test]
fn time_far_ahead_of_its_record_is_replaced_by_the_record_time() {
    let mut bench = Bench::new(settings());
    let mut event = |ts: u64| {
        let headers = r#""headers":{"content-type":"application/cmcd"}"#;
        let body = format!(r#"e=t,sid=\"s\",ts={ts},v=2"#);
        let seen = bench.capture(&format!(r#"{headers},"path":"/c","body":"{body}\n""#)).unwrap();
        (seen.event_time(), seen.own_time(), seen.clock_ahead(), seen.identity().unwrap())
    };
    let (most, ahead, other) = (event(NOW + 60_000), event(NOW + 60_001), event(NOW + 7_200_000));
    assert_eq!((most.0, most.1, most.2), (at(NOW), at(NOW + 60_000), false));
    assert_eq!((ahead.0, ahead.1, ahead.2), (at(NOW), at(NOW), true));
    assert_eq!((other.0, other.1, other.2), (at(NOW), at(NOW), true));
    assert_ne!(ahead.3, other.3, "the two beacons are not repetitions of each other");
}

#[test]
fn line_of_a_cmcd_file_has_the_time_that_it_contains() {
    let mut bench = Bench::new(Settings { format: Format::Cmcd, ..settings() });
    let all = bench.all("e=t,sid=\"s\",ts=1795312400005\nsid=\"s\"\n", None);
    assert_eq!(all[0].0, Some(at(1_795_312_400_005)));
    assert_eq!(all[0].1.as_ref().map(Observation::event_time).ok(), Some(at(1_795_312_400_005)));
    assert_eq!((all[1].0, all[1].1.as_ref().err()), (None, Some(&Reason::NoTime)));
    assert_eq!(bench.all("CMCD=sid%3D%22s%22", None)[0].1.as_ref().err(), Some(&Reason::NoTime));
}

#[test]
fn content_type_overrides_the_configured_form() {
    let mut bench = Bench::new(settings());
    assert!(bench.all(r#"{"session":"s","ts":5}"#, Some("application/json"))[0].1.is_ok());
    assert!(bench.all("sid=\"s\",ts=1795312400005", Some("text/cmcd"))[0].1.is_ok());
    assert_eq!(
        bench.all("sid=\"s\",ts=1795312400005", Some("image/png"))[0].1.as_ref().err(),
        Some(&Reason::Malformed)
    );
}

#[test]
fn tenant_of_a_beacon_overrides_the_tenant_of_the_path() {
    let mut bench = Bench::new(settings());
    let mut tenant = |path: &str, body: &str| {
        let body = body.replace('"', "\\\"");
        bench.capture(&format!(r#""path":"{path}","body":"{body}""#)).map(|seen| seen.tenant().0)
    };
    assert_eq!(tenant("/v1/cmcd/blip", r#"{"session":"s","ts":5}"#), Ok(1));
    assert_eq!(tenant("/v1/cmcd/blip", r#"{"session":"s","ts":5,"tenant":"acme"}"#), Ok(0));
    assert_eq!(tenant("/v1/cmcd/blip", r#"{"session":"s","ts":5,"tenant":""}"#), Ok(1));
    assert_eq!(tenant("/v1/cmcd/nobody", r#"{"session":"s","ts":5}"#), Err(Reason::UnknownTenant));
    assert_eq!(tenant("/elsewhere", r#"{"session":"s","ts":5}"#), Ok(0));
}

#[test]
fn enabled_opt_out_headers_opt_the_session_out() {
    let asked = |settings: Settings, header: &str| {
        let rest = format!(r#""headers":{{"{header}":"1"}},"query":"CMCD=sid%3D%22s%22""#);
        Bench::new(settings).capture(&rest).unwrap().opt_out()
    };
    assert!(asked(settings(), "sec-gpc"));
    assert!(asked(settings(), "DNT"));
    assert!(!asked(Settings { gpc: false, ..settings() }, "Sec-GPC"));
    assert!(!asked(Settings { dnt: false, ..settings() }, "dnt"));
    assert!(!asked(settings(), "x-other"));
}

#[test]
fn explicit_fields_override_the_user_agent() {
    let mut bench = Bench::new(Settings { format: Format::Json, ..settings() });
    for (reported, expect) in [
        ("", "desktop Windows unknown Chrome 147"),
        (r#","browser":"chrome""#, "desktop Windows unknown Chrome 147"),
        (r#","browser":"Edge""#, "desktop Windows unknown Edge unknown"),
        (r#","browser":"Edge","browser_version":"9.1""#, "desktop Windows unknown Edge 9"),
        (r#","os":"Xbox","device":"console""#, "console Xbox unknown Chrome 147"),
        (r#","os":"","device":"toaster""#, "desktop Windows unknown Chrome 147"),
        (r#","os":"BeOS","os_version":"5""#, "desktop Windows unknown Chrome 147"),
        (r#","browser":"Netscape","browser_version":"4""#, "desktop Windows unknown Chrome 147"),
        (r#","browser":"Google Chrome","os":"Windows 10""#, "desktop Windows unknown Chrome 147"),
        (
            r#","browser":"Mobile Safari","os":"iPhone OS","device":"smartphone""#,
            "phone iOS unknown Safari unknown",
        ),
        (r#","os_version":"XP""#, "desktop Windows other Chrome 147"),
    ] {
        let all = bench.all(&format!(r#"{{"session":"s","ts":5,"user_agent":"{CHROME}"{reported}}}"#), None);
        assert_eq!(bench.words(all[0].1.as_ref().ok().unwrap(), &CLIENT), expect, "{reported}");
    }
}

#[test]
fn user_agents_are_interned_again_after_a_sweep() {
    let mut bench = Bench::new(settings());
    let rest = format!(r#""headers":{{"user-agent":"{CHROME}"}},"query":"CMCD=sid%3D%22s%22""#);
    for _ in 0..2 {
        let observation = bench.capture(&rest).unwrap();
        assert_eq!(bench.words(&observation, &CLIENT), "desktop Windows unknown Chrome 147");
        bench.0.sweep(std::iter::empty());
        // The words of this record get the symbols of the removed words.
        let other = r#""query":"CMCD=sid%3D%22s%22%2Ccid%3D%22c%22%2Csf%3Dh%2Cst%3Dv%2Cbr%3D1""#;
        assert!(bench.capture(other).is_ok());
    }
}

#[test]
fn hints_override_the_user_agent() {
    let mut bench = Bench::new(settings());
    let hints = r#""sec-ch-ua":"\"Microsoft Edge\";v=\"146\"","sec-ch-ua-platform-version":"\"15.0.0\"""#;
    let rest = format!(r#""headers":{{"user-agent":"{CHROME}",{hints}}},"query":"CMCD=sid%3D%22s%22""#);
    let observation = bench.capture(&rest).unwrap();
    assert_eq!(bench.words(&observation, &CLIENT), "desktop Windows 11 Edge 146");
}

#[test]
fn bots_are_excluded_if_configured() {
    let excluded = |drop_bots, reported: &str| {
        let mut bench = Bench::new(Settings { drop_bots, format: Format::Json, ..settings() });
        let all = bench.all(&format!(r#"{{"session":"s","ts":5,{reported}}}"#), None);
        all[0].1.as_ref().ok().unwrap().excluded()
    };
    let googlebot =
        r#""user_agent":"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)""#;
    assert!(excluded(true, googlebot));
    assert!(excluded(true, r#""device":"Bot""#));
    assert!(!excluded(true, r#""device":"phone""#));
    assert!(!excluded(false, googlebot));
}

#[test]
fn address_of_the_http_client_takes_precedence_over_the_body() {
    let mut bench = Bench::new(Settings { address: crate::AddressPolicy::Truncate, ..settings() });
    let mut network = |client: &str| {
        let body = r#"{\"session\":\"s\",\"ts\":1,\"ip\":\"198.51.100.7\"}"#;
        let seen = bench.capture(&format!(r#"{client}"path":"/v1/beacons","body":"{body}""#)).unwrap();
        bench.words(&seen, &[Dimension::Network])
    };
    assert_eq!(network(r#""client_ip":"203.0.113.9","#), "203.0.113.0/24");
    // If a collector does not know the address of the client, it sends an empty address.
    assert_eq!(network(r#""client_ip":"","#), "unknown");
    assert_eq!(network(""), "198.51.100.0/24");
}

#[test]
fn first_valid_code_of_a_list_is_the_error_code() {
    let mut bench = Bench::new(settings());
    for (codes, expected) in [
        (r#""404""#, "404"),
        (r#"("404" "504")"#, "404"),
        (r#"("no code" "504" "1001")"#, "504"),
        (r#"("none" "jane@mail.example" "504")"#, "504"),
        (r#"("no code" "nor this")"#, "other"),
        (r#""no code""#, "other"),
        (r#"("none" "none")"#, "unknown"),
        (r#""unknown""#, "other"),
        (r#"("UNKNOWN" "504")"#, "504"),
        (r#"("other" "Unknown")"#, "other"),
        (r#""redacted""#, "redacted"),
    ] {
        let payload = format!(r#"e=e,ts={NOW},sid="s",v=2,ec={codes}"#);
        let mut all = bench.all(&payload, Some("application/cmcd"));
        let observation = all.remove(0).1.unwrap();
        assert_eq!(bench.words(&observation, &[Dimension::ErrorCode]), expected, "{codes}");
    }
}

#[test]
fn time_to_first_byte_in_a_log_counts_only_for_requests_for_media() {
    let log = [("query", "q"), ("ttfb_ms", "ms"), ("body", "b"), ("content_type", "c")];
    let log = log.map(|(ours, theirs)| (ours.to_owned(), vec![theirs.to_owned()])).into();
    let mut bench = Bench::new(Settings { log, ..settings() });
    let mut ttfb = |rest: &str| {
        let mut all = bench.all(&format!(r#"{{{rest}}}"#), None);
        assert_eq!(all.len(), 1, "{rest}");
        let observation = all.remove(0).1;
        observation.ok().and_then(|observation| observation.measures().value(ValueMetric::TtfbMs))
    };
    let query = |object: &str| format!(r#""q":"CMCD=sid%3D%22s%22%2Cts%3D{NOW}%2C{object}""#);
    for (object, expected) in
        [("ot%3Dv", Some(250)), ("ot%3Da", Some(250)), ("ot%3Dm", None), ("br%3D5", Some(250))]
    {
        assert_eq!(ttfb(&format!(r#"{},"ms":"250.4""#, query(object))), expected, "{object}");
    }
    for (value, expected) in
        [(r#""-""#, None), ("60001", None), ("-1", None), ("\"soon\"", None), ("61", Some(61))]
    {
        assert_eq!(ttfb(&format!(r#"{},"ms":{value}"#, query("ot%3Dv"))), expected, "{value}");
    }
    let body = format!(r#""c":"application/cmcd","b":"e=ps,sid=\"s\",ts={NOW},sta=p","ms":5"#);
    assert_eq!(ttfb(&body), None);
    let ignored = bench.0.take_ignored().unwrap();
    let ignored: Vec<_> = ignored.by_field().filter(|(_, count)| *count > 0).collect();
    assert_eq!(ignored, [("ttfb_ms", 3)]);
}
