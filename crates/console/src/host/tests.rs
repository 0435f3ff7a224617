use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue};

use super::is_allowed;

#[test]
fn only_loopback_names_and_configured_hosts_are_allowed() {
    let hosts = ["stats.example.com".to_owned()];
    for (host, expected) in [
        ("127.0.0.1:8090", true),
        ("127.0.0.1", true),
        ("127.8.8.8:1", true),
        ("[::1]:8090", true),
        ("[::1]", true),
        ("localhost:8090", true),
        ("LOCALHOST", true),
        ("stats.example.com", true),
        ("Stats.Example.Com:443", true),
        ("other.example.com", false),
        ("localhost.example.com:8090", false),
        ("127.0.0.1.example.com", false),
        ("192.0.2.1:8090", false),
        ("0.0.0.0:8090", false),
        ("[2001:db8::1]:8090", false),
        ("[::1", false),
        ("", false),
    ] {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        assert_eq!(is_allowed(&headers, &hosts), expected, "{host}");
        assert!(
            is_allowed(&headers, &[]) == (expected && !host.to_lowercase().starts_with("stats")),
            "{host}"
        );
    }
    assert!(is_allowed(&HeaderMap::new(), &[]));
    let two = ["localhost", "other.example.com"].map(HeaderValue::from_static);
    let mut headers = HeaderMap::new();
    for value in two {
        headers.append(HOST, value);
    }
    assert!(!is_allowed(&headers, &[]), "a second header could have another meaning for a proxy");
}
