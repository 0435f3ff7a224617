use super::*;
use crowdfold_model::Timestamp;

fn read_with<'a>(line: &'a str, log: &LogFields) -> Capture<'a> {
    match read_capture(line.as_bytes(), 0, log) {
        Some((capture, end)) if end == line.len() => capture,
        _ => panic!("malformed: {line}"),
    }
}

fn read(line: &str) -> Capture<'_> {
    read_with(line, &LogFields::default())
}

#[test]
fn known_keys_are_read_and_others_are_skipped() {
    let capture = read(
        r#"{"received_at_ms":1795312455204,"client_ip":"203.0.113.9","method":"POST","path":"/collect","query":"x=1",
        "headers":{"User-Agent":"UA","SEC-CH-UA":"b","sec-ch-ua-platform":"p","sec-ch-ua-platform-version":"v",
        "sec-ch-ua-mobile":"?1","sec-ch-ua-model":"m","Sec-GPC":"1","dnt":0,"Content-Type":"text/cmcd",
        "CMCD-Session":"sid=1","x-forwarded-for":"198.51.100.1","referer":"http://x","cookie":["a"]},
        "body":"a=1\n","player":"dash","session_label":"s"}"#,
    );
    let http = &capture.http;
    assert_eq!(http.received_at, Some(Timestamp::from_millis(1_795_312_455_204)));
    assert_eq!(http.address.as_deref(), Some("203.0.113.9"));
    assert_eq!(http.user_agent.as_deref(), Some("UA"));
    assert_eq!(http.brands.as_deref(), Some("b"));
    assert_eq!(http.platform.as_deref(), Some("p"));
    assert_eq!(http.platform_version.as_deref(), Some("v"));
    assert_eq!(http.mobile.as_deref(), Some("?1"));
    assert_eq!(http.model.as_deref(), Some("m"));
    assert!(http.gpc && !http.dnt && http.tenant.is_none());
    assert_eq!(capture.content_type.as_deref(), Some("text/cmcd"));
    assert_eq!(capture.cmcd[2].as_deref(), Some("sid=1"));
    assert_eq!(capture.body.as_deref(), Some("a=1\n"));
    assert_eq!(capture.query.as_deref(), Some("x=1"));
}

#[test]
fn opt_out_header_may_be_a_string_or_a_number() {
    let signals = |headers: &str| {
        let line = format!(r#"{{"headers":{{{headers}}}}}"#);
        let http = read(&line).http;
        (http.gpc, http.dnt)
    };
    assert_eq!(signals(r#""sec-gpc":" 1 ","DNT":1"#), (true, true));
    assert_eq!(signals(r#""sec-gpc":"0","dnt":"null""#), (false, false));
    assert_eq!(signals(r#""sec-gpc":null"#), (false, false));
    for set in ["true", "\"true\"", "\"?1\"", "1.0", "[\"1\"]", "\"1, 1\"", r#""\"1\"""#] {
        assert_eq!(signals(&format!("\"sec-gpc\":{set}")), (true, false), "{set}");
    }
    for unset in ["false", "\"no\"", "\"yes\"", "\"?0\"", "0", "[]", "{}", "\"11\"", "\"\\ud83d\""] {
        assert_eq!(signals(&format!("\"sec-gpc\":{unset}")), (false, false), "{unset}");
    }
}

#[test]
fn headers_may_be_a_list() {
    for headers in [
        r#"[{"name":"Sec-GPC","value":"1"},{"name":"User-Agent","value":"a"},{"name":"Accept"}]"#,
        r#"[ {"value":1,"Key":"sec-gpc"} , {"key":"user-agent","value":["a"]}, 7, null ]"#,
        r#"[["Host","x"],["sec-gpc",true],["user-agent","a"],["one"],[],[1,2]]"#,
        r#"["Host","x","SEC-GPC","1","user\u002dagent","a","one"]"#,
        r#"{"sec-gpc":[{"key":"Sec-GPC","value":"1"}],"user-agent":[{"key":"User-Agent","value":"a"}]}"#,
        r#"{"sec-gpc":[{"value":"0"},{"value":"1"}],"user-agent":{"value":"b"},"User-Agent":"a"}"#,
    ] {
        let line = format!(r#"{{"headers":{headers},"query":"x=1"}}"#);
        let capture = read(&line);
        assert!(capture.http.gpc && !capture.http.dnt, "{headers}");
        assert_eq!(capture.http.user_agent.as_deref(), Some("a"), "{headers}");
        assert_eq!(capture.query.as_deref(), Some("x=1"), "{headers}");
    }
    for none in ["[]", "{}", "[{}]", "[[]]", r#"["sec-gpc"]"#, r#"[{"name":"sec-gpc","value":{}}]"#, "7"] {
        let line = format!(r#"{{"headers":{none},"query":"x=1"}}"#);
        let capture = read(&line);
        assert!(!capture.http.gpc && capture.query.is_some(), "{none}");
    }
}

#[test]
fn tenants_queries_and_endpoints_are_read_from_paths() {
    let of = |path: &str| {
        let line = format!(r#"{{"path":"{path}"}}"#);
        let capture = read(&line);
        let tenant = capture.http.tenant.as_deref().map(str::to_owned);
        (tenant, capture.query.as_deref().map(str::to_owned), capture.http.endpoint)
    };
    assert_eq!(of("/v1/cmcd/acme").0.as_deref(), Some("acme"));
    assert_eq!(of("/v1/cmcd/acme/x?y=1").0.as_deref(), Some("acme"));
    assert_eq!(of("/v1/cmcd/").0.as_deref(), Some(""));
    assert_eq!(of("/collect").0, None);
    assert_eq!(of("/m.mpd?CMCD=a").1.as_deref(), Some("CMCD=a"));
    assert_eq!(of("/collect?a").2, of("/collect?b").2);
    assert_ne!(of("/collect").2, of("/v1/cmcd/acme").2);
}

#[test]
fn text_that_is_not_a_json_object_is_not_a_capture() {
    for line in ["7", "[]", "null", "{", "{\"a\"}", "{\"a\":nan}", "{\"a\":1,}", "{\"a\":[}"] {
        assert!(read_capture(line.as_bytes(), 0, &LogFields::default()).is_none(), "{line}");
    }
}

#[test]
fn unusable_value_does_not_affect_other_fields() {
    let rest = r#""query":"CMCD=a","client_ip":"203.0.113.9"}"#;
    for odd in [
        r#""path":1.5"#,
        r#""path":"a","path":"b""#,
        r#""headers":"x""#,
        r#""headers":[{"user-agent":"x"}]"#,
        r#""headers":{"user-agent":{"x":["y"]},"referer":"\ud83d","cookie":1e999}"#,
        r#""received_at_ms":"soon""#,
        r#""received_at_ms":-1"#,
        r#""received_at_ms":9007199254740992"#,
        r#""un\u0000known":{"deep":[[[[[]]]]]}"#,
    ] {
        let line = format!("{{{odd},{rest}");
        let capture = read(&line);
        assert_eq!(capture.query.as_deref(), Some("CMCD=a"), "{odd}");
        assert_eq!(capture.http.address.as_deref(), Some("203.0.113.9"), "{odd}");
        assert_eq!(
            (capture.http.received_at, capture.http.time_ignored),
            (None, odd.contains("received")),
            "{odd}"
        );
    }
    let line = b"{\"query\":\"CMCD=a\",\"headers\":{\"user-agent\":\"x\xff\",\"a\xff\":\"\xff\"}}";
    let (capture, _) = read_capture(line, 0, &LogFields::default()).unwrap();
    assert_eq!(capture.http.user_agent.as_deref(), Some("x\u{fffd}"));
}

#[test]
fn last_value_of_a_key_and_first_element_of_a_list_count() {
    let capture =
        read(r#"{"path":"/a","path":"/b","headers":{"User-Agent":["UA","other"],"cmcd-session":["sid=1"]}}"#);
    assert_eq!(capture.path.as_deref(), Some("/b"));
    assert_eq!(capture.http.user_agent.as_deref(), Some("UA"));
    assert_eq!(capture.cmcd[2].as_deref(), Some("sid=1"));
}

#[test]
fn field_is_absent_if_its_last_value_is_unusable() {
    for none in ["null", "{}", "[]"] {
        let line = format!(
            r#"{{"path":"/a","path":{none},"client_ip":"203.0.113.9","client_ip":{none},"received_at_ms":5,"received_at_ms":{none},
            "headers":{{"user-agent":"x","User-Agent":{none},"sec-gpc":"1","sec-gpc":{none}}}}}"#
        );
        let capture = read(&line);
        let http = &capture.http;
        assert_eq!(
            (&capture.path, &http.address, &http.user_agent, http.received_at),
            (&None, &None, &None, None)
        );
        assert!(http.gpc, "{none}");
    }
    let log =
        log(&[("address", &["ip"]), ("country", &["geo"]), ("cmcd_sid", &["sid"]), ("cmcd_br", &["br"])]);
    let line = r#"{"ip":"203.0.113.9","geo":"DE","sid":"a","br":"3200","ip":"-","geo":"","sid":"null","br":"3 200!"}"#;
    let capture = read_with(line, &log);
    assert_eq!((&capture.http.address, &capture.http.country), (&None, &None));
    assert_eq!(capture.members, "sid=\"a\",br=3200,sid=?0,br=?0");
}

fn log(pairs: &[(&str, &[&str])]) -> LogFields {
    let path = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect();
    LogFields::new(&pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), path(theirs))).collect())
        .ok()
        .unwrap()
}

#[test]
fn log_fields_are_read_only_at_configured_paths() {
    let log = log(&[
        ("time", &["t"]),
        ("address", &["client", "ip"]),
        ("user_agent", &["client", "ua"]),
        ("sec_gpc", &["gpc"]),
        ("cmcd_sid", &["sid"]),
        ("cmcd_su", &["su"]),
        ("cmcd_br", &["br"]),
        ("country", &["geo"]),
    ]);
    let line = r#"{"t":"1764164321.123","client":{"ip":"203.0.113.9","ua":"A%20B","host":"x"},"gpc":1,"sid":"a","su":true,
        "br":3200,"geo":"-","client_ip":"198.51.100.1","query":"CMCD=sid%3D%22b%22","headers":{"user-agent":"C"}}"#;
    let capture = read_with(line, &log);
    let http = &capture.http;
    assert_eq!(http.received_at, Some(Timestamp::from_millis(1_764_164_321_123)));
    assert_eq!((http.address.as_deref(), http.user_agent.as_deref()), (Some("203.0.113.9"), Some("A B")));
    assert!(http.gpc && http.country.is_none() && capture.query.is_none());
    assert_eq!(capture.members, r#"sid="a",su,br=3200"#);
}

#[test]
fn null_or_dash_in_a_log_means_that_the_field_is_absent() {
    let names: Vec<_> = LogFields::names().collect();
    let each: Vec<_> = names.iter().map(|name| (name.as_str(), [name.as_str()])).collect();
    let pairs: Vec<_> = each.iter().map(|(name, path)| (*name, &path[..])).collect();
    let log = log(&pairs);
    for nothing in [
        "-",
        "",
        "null",
        "(null)",
        "undefined",
        "NULL",
        r#"\"-\""#,
        r#"\"\""#,
        "'null'",
        "%22-%22",
        "%28null%29",
        " - ",
    ] {
        let members: Vec<_> = names.iter().map(|name| format!(r#""{name}":"{nothing}""#)).collect();
        let line = format!("{{{}}}", members.join(","));
        let capture = read_with(&line, &log);
        let http = &capture.http;
        let texts = [
            &http.address,
            &http.tenant,
            &http.country,
            &http.region,
            &http.asn,
            &http.user_agent,
            &http.brands,
        ];
        assert!(texts.iter().all(|text| text.is_none()), "{nothing}");
        let hints =
            [&http.platform, &http.platform_version, &http.mobile, &http.model, &capture.content_type];
        assert!(hints.iter().all(|text| text.is_none()), "{nothing}");
        assert!(capture.members.is_empty() && capture.cmcd.iter().all(Option::is_none), "{nothing}");
        assert!(!http.gpc && !http.dnt, "{nothing}");
    }
}

#[test]
fn time_in_a_log_may_be_a_number_and_must_be_valid() {
    let log = log(&[("time", &["t"]), ("query", &["q"])]);
    let read = |t: &str| {
        let line = format!(r#"{{"t":{t}}}"#);
        let capture = read_with(&line, &log);
        (capture.http.received_at, capture.http.time_ignored)
    };
    for t in ["1764164321123", "1764164321.123", "\"1764164321.123\"", "\"2025-11-26T13:38:41.123Z\""] {
        assert_eq!(read(t), (Some(Timestamp::from_millis(1_764_164_321_123)), false), "{t}");
    }
    for t in ["null", "\"-\"", "\"\"", "\"NULL\"", "\"undefined\"", "\"(null)\""] {
        assert_eq!(read(t), (None, false), "{t}");
    }
    for t in ["\"soon\"", "-5", "true", "[]", "{}", "1e300"] {
        assert_eq!(read(t), (None, true), "{t}");
    }
}

#[test]
fn body_may_be_json_and_cmcd_may_be_an_object_or_an_array() {
    let bodies = [
        (r#""body":{"session":"a","x":[1]}"#, r#"{"session":"a","x":[1]}"#),
        (r#""body":[{"session":"a"}]"#, r#"[{"session":"a"}]"#),
        (r#""body":"e=t""#, "e=t"),
    ];
    for (line, body) in bodies {
        assert_eq!(read(&format!("{{{line}}}")).body.as_deref(), Some(body), "{line}");
    }
    for (value, expect) in [
        (r#"["sid=\"s\"","st=v"]"#, Some(r#"sid="s",st=v"#)),
        (r#"[null,"sid=\"s\"",{},7]"#, Some(r#"sid="s",7"#)),
        (r#"{"sid":"s"}"#, Some(r#"{"sid":"s"}"#)),
        ("[]", None),
        ("[null]", None),
    ] {
        let line = format!(r#"{{"headers":{{"cmcd-session":{value}}}}}"#);
        assert_eq!(read(&line).cmcd[2].as_deref(), expect, "{value}");
    }
    let line = r#"{"headers":{"dnt":["0",1],"sec-gpc":[false,true],"user-agent":["a","b"]}}"#;
    let http = read(line).http;
    assert_eq!((http.dnt, http.gpc, http.user_agent.as_deref()), (true, true, Some("a")));
}

#[test]
fn cmcd_is_read_from_the_path_if_the_query_contains_none() {
    let fields = log(&[("path", &["p"]), ("query", &["q"])]);
    for (path, query) in [
        ("/v/s.m4s?CMCD=bs", ""),
        ("/v/s.m4s?CMCD=bs", "token=1"),
        ("/v/s.m4s%3FCMCD%3Dbs", "-"),
        ("/v/s.m4s?CMCD=su", "CMCD=bs"),
    ] {
        let line = format!(r#"{{"p":"{path}","q":"{query}"}}"#);
        let capture = read_with(&line, &fields);
        assert!(matches!(capture.in_request(), Some(Body::Query(b"bs"))), "{path} {query}");
    }
    let durations = log(&[("ttfb_s", &["s"])]);
    for (duration, ttfb) in
        [("0.05s", true), ("0.05", true), (" 0.05 s ", true), ("50ms", false), ("s", false)]
    {
        let line = format!(r#"{{"s":"{duration}"}}"#);
        assert_eq!(read_with(&line, &durations).http.ttfb.is_some(), ttfb, "{duration}");
    }
}

#[test]
fn query_that_was_encoded_as_a_whole_is_read() {
    let fields = log(&[("query", &["q"])]);
    let inner = "CMCD=sid%3D%22a%26b%22%2Cbr%3D1";
    let whole = |text: &str| text.replace('%', "%25").replace('=', "%3D").replace('&', "%26");
    for query in [
        inner.to_owned(),
        whole(inner),
        whole(&whole(inner)),
        whole(&format!("x=1&{inner}&y=2")),
        format!("/v/a%20b.m4s?{inner}"),
        format!("x=%C3&amp;{inner}"),
    ] {
        let line = format!(r#"{{"q":"{query}"}}"#);
        let capture = read_with(&line, &fields);
        let Some(Body::Query(found)) = capture.in_request() else { panic!("{query}") };
        assert_eq!(found, &inner.as_bytes()[5..], "{query}");
    }
    assert!(read_with(r#"{"q":"x%3D1%25"}"#, &fields).in_request().is_none());
}

#[test]
fn date_and_time_of_day_may_be_separate_fields() {
    let joined = log(&[("time", &["date", "time"]), ("query", &["q"])]);
    let at = |line: &str| read_with(line, &joined).http.received_at;
    let expect = Some(Timestamp::from_millis(1_795_308_485_000));
    assert_eq!(at(r#"{"date":"2026-11-22","time":"00:48:05"}"#), expect);
    assert_eq!(at(r#"{"time":"00:48:05.000","q":"x","Date":"2026-11-22"}"#), expect);
    assert_eq!(at(r#"{"date":{"time":"2026-11-22T00:48:05Z"}}"#), expect);
    assert_eq!(at(r#"{"date":{"time":1795308485}}"#), expect);
    for none in [r#"{"date":"2026-11-22"}"#, r#"{"time":"00:48:05"}"#, r#"{"date":"-","time":"-"}"#] {
        let capture = read_with(none, &joined);
        assert_eq!((capture.http.received_at, capture.http.time_ignored), (None, false), "{none}");
    }
    assert!(read_with(r#"{"date":"22.11.","time":"0:48"}"#, &joined).http.time_ignored);
}

#[test]
fn plus_in_a_log_value_without_spaces_is_read_as_a_space() {
    let log = log(&[("user_agent", &["ua"]), ("region", &["r"]), ("cmcd_cid", &["c"]), ("query", &["q"])]);
    let line = r#"{"ua":"Mozilla/5.0+(Apple+TV;+U)","r":"New+York","c":"a+b","q":"CMCD=a+b"}"#;
    let capture = read_with(line, &log);
    assert_eq!(capture.http.user_agent.as_deref(), Some("Mozilla/5.0 (Apple TV; U)"));
    assert_eq!(capture.http.region.as_deref(), Some("New York"));
    assert_eq!((capture.members.as_str(), capture.query.as_deref()), ("cid=\"a+b\"", Some("CMCD=a+b")));
    let line = r#"{"ua":"Player (C++ build; a+b)"}"#;
    assert_eq!(read_with(line, &log).http.user_agent.as_deref(), Some("Player (C++ build; a+b)"));
}

#[test]
fn one_field_may_contain_the_complete_cmcd() {
    let log = log(&[("cmcd", &["c"]), ("query", &["q"])]);
    let of = |line: &str| {
        let capture = read_with(line, &log);
        capture.dictionary().map(|raw| String::from_utf8_lossy(raw).into_owned())
    };
    assert_eq!(of(r#"{"c":"sid%3D1"}"#).as_deref(), Some("sid%3D1"));
    assert_eq!(of(r#"{"c":"CMCD=sid%3D1","q":"CMCD=x"}"#).as_deref(), Some("sid%3D1"));
    assert_eq!(of(r#"{"c":"-","q":"a=b&CMCD=x"}"#).as_deref(), Some("x"));
    assert_eq!(of(r#"{"q":"a=b"}"#), None);
}

#[test]
fn unknown_names_and_equal_paths_in_source_log_are_refused() {
    let names: std::collections::BTreeSet<_> = LogFields::names().collect();
    assert_eq!(names.len(), LogFields::names().count());
    let each = names.iter().map(|name| (name.clone(), vec![name.clone()])).collect();
    assert!(LogFields::new(&each).is_ok());
    let refused = |name: &str, path: &[&str]| {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        LogFields::new(&[(name.to_owned(), path)].into()).err().unwrap().to_string()
    };
    assert!(refused("host", &["h"]).starts_with("the log field `host` is unknown"));
    assert!(refused("cmcd_nor", &["h"]).contains("`cmcd_nor`"));
    assert!(refused("time", &[]).starts_with("the log field `time` has an empty path"));
}
