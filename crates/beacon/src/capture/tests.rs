use super::*;

fn read(line: &str) -> Capture<'_> {
    read_capture(line.as_bytes()).unwrap_or_else(|Malformed| panic!("malformed: {line}"))
}

#[test]
fn what_is_looked_at_is_found_and_no_more() {
    let capture = read(
        r#"{"received_at_ms":1795312455204,"client_ip":"203.0.113.9","method":"POST","path":"/collect","query":"x=1",
        "headers":{"User-Agent":"UA","SEC-CH-UA":"b","sec-ch-ua-platform":"p","sec-ch-ua-platform-version":"v",
        "sec-ch-ua-mobile":"?1","sec-ch-ua-model":"m","Sec-GPC":"1","dnt":0,"Content-Type":"text/cmcd",
        "CMCD-Session":"sid=1","x-forwarded-for":"198.51.100.1","referer":"http://x","cookie":["a"]},
        "body":"a=1\n","player":"dash","session_label":"s"}"#,
    );
    let http = &capture.http;
    assert_eq!(http.received_at, Some(1_795_312_455_204));
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
fn signals_are_heard_as_texts_and_numbers() {
    let signals = |headers: &str| {
        let line = format!(r#"{{"headers":{{{headers}}}}}"#);
        let http = read_capture(line.as_bytes()).ok().map(|capture| (capture.http.gpc, capture.http.dnt));
        http.unwrap()
    };
    assert_eq!(signals(r#""sec-gpc":" 1 ","DNT":1"#), (true, true));
    assert_eq!(signals(r#""sec-gpc":"0","dnt":"null""#), (false, false));
    assert_eq!(signals(r#""sec-gpc":null"#), (false, false));
}

#[test]
fn paths_name_tenants_queries_and_endpoints() {
    let of = |path: &str| {
        let line = format!(r#"{{"path":"{path}"}}"#);
        let capture = read_capture(line.as_bytes()).ok().unwrap();
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
fn what_is_no_capture_is_malformed() {
    for line in [
        "7",
        "[]",
        "null",
        "{",
        r#"{"path":1.5}"#,
        r#"{"path":"a","path":"b"}"#,
        r#"{"headers":"x"}"#,
        r#"{"received_at_ms":"x"}"#,
        r#"{"received_at_ms":-1}"#,
        r#"{"received_at_ms":9007199254740992}"#,
        r#"{"headers":{"user-agent":["x"]}}"#,
    ] {
        assert!(read_capture(line.as_bytes()).is_err(), "{line}");
    }
}
