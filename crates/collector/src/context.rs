//! Reads the head of a request. All parts of a request that the collector reads are listed here, except the path
//! (`route`), the forwarding headers (`address`) and the origin (`answer`). The collector never reads cookies,
//! referrers or other headers.

use std::borrow::Cow;

use crowdfold_beacon::{Body, Http, is_signal_set};
use crowdfold_model::Timestamp;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderValue, USER_AGENT};

/// The maximum length of a header value, in bytes. User agents of real devices are shorter. A longer value is treated
/// as missing.
const LONGEST: usize = 1_024;

/// The headers of CMCD request mode, in the order of [`Body::Headers`].
pub(crate) const CMCD: [&str; 4] = ["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"];

/// Returns the HTTP context of a request. A header that is missing, empty, too long or not UTF-8 becomes `None`.
pub(crate) fn http<'a>(headers: &'a HeaderMap, address: &'a str, received_at: Timestamp) -> Http<'a> {
    let text = |name: &str| text(headers.get(name)?).map(Cow::Borrowed);
    Http {
        received_at: Some(received_at),
        address: Some(Cow::Borrowed(address)),
        user_agent: text(USER_AGENT.as_str()),
        brands: text("sec-ch-ua"),
        platform: text("sec-ch-ua-platform"),
        platform_version: text("sec-ch-ua-platform-version"),
        mobile: text("sec-ch-ua-mobile"),
        model: text("sec-ch-ua-model"),
        ..Http::default()
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// Returns true if the request has the header `Expect: 100-continue`. The client then sends the body only after the
/// response `100 Continue`.
pub(crate) fn waits(headers: &HeaderMap) -> bool {
    let is_continue =
        |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"100-continue");
    headers.get(EXPECT).is_some_and(is_continue)
}

/// Returns true if the request has the header `Sec-GPC: 1`.
pub(crate) fn gpc(headers: &HeaderMap) -> bool {
    is_set(headers, "sec-gpc")
}

/// Returns true if the request has the header `DNT: 1`.
pub(crate) fn dnt(headers: &HeaderMap) -> bool {
    is_set(headers, "dnt")
}

fn is_set(headers: &HeaderMap, name: &str) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(is_signal_set)
}

/// Returns the content type of a request, or `None` if it is missing or empty.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).filter(|value| !value.trim_ascii().is_empty())
}

/// The encoding of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
}

/// Returns the encoding of the body, or `None` if the encoding is not supported.
pub(crate) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let mut lines = headers.get_all(CONTENT_ENCODING).iter();
    let coding = lines.next().map_or(&b""[..], |value| value.as_bytes().trim_ascii());
    let is = |name: &[u8]| coding.eq_ignore_ascii_case(name);
    match lines.next() {
        None if coding.is_empty() || is(b"identity") => Some(Encoding::Plain),
        None if is(b"gzip") || is(b"x-gzip") => Some(Encoding::Gzip),
        _ => None,
    }
}

/// Returns the CMCD data of a request in request mode. If the headers contain a session, returns the headers. Otherwise
/// returns the query, if it contains CMCD.
pub(crate) fn cmcd<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<Body<'a>> {
    let parts = CMCD.map(|name| headers.get(name).map(HeaderValue::as_bytes));
    Body::in_request(parts, || Body::in_query(query?.as_bytes()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn cmcd_headers_with_a_session_take_precedence_over_the_query() {
        let none = HeaderMap::new();
        assert!(matches!(cmcd(&none, Some("x=1&CMCD=bs")), Some(Body::Query(b"bs"))));
        assert!(cmcd(&none, Some("x=1")).is_none() && cmcd(&none, None).is_none());
        let some = headers(&[("cmcd-session", "sid=\"s\"")]);
        let Some(Body::Headers(parts)) = cmcd(&some, Some("CMCD=bs")) else { panic!("no headers") };
        assert_eq!(parts, [None, None, Some(&b"sid=\"s\""[..]), None]);
        let nameless = headers(&[("cmcd-request", "mtp=5000"), ("cmcd-session", "@@@")]);
        assert!(matches!(cmcd(&nameless, Some("CMCD=bs")), Some(Body::Query(b"bs"))));
        assert!(matches!(cmcd(&nameless, None), Some(Body::Headers(_))));
    }

    #[test]
    fn headers_gpc_and_dnt_opt_out_if_one_of_their_values_is_set() {
        assert!(gpc(&headers(&[("sec-gpc", " 1")])) && dnt(&headers(&[("dnt", "1")])));
        assert!(!gpc(&headers(&[("sec-gpc", "0")])) && !dnt(&headers(&[("sec-gpc", "1")])));
        for set in ["?1", "1, 1", "true", "\"1\""] {
            assert!(gpc(&headers(&[("sec-gpc", set)])), "{set}");
        }
        for unset in ["", "null", "unspecified", "?0", "11", "-1"] {
            assert!(!dnt(&headers(&[("dnt", unset)])), "{unset}");
        }
        let mut repeated = headers(&[("dnt", "0")]);
        repeated.append("dnt", HeaderValue::from_static("1"));
        assert!(dnt(&repeated));
    }

    #[test]
    fn only_the_content_encodings_identity_and_gzip_are_accepted() {
        let of = |lines: &[_]| encoding(&headers(lines));
        assert_eq!(of(&[]), Some(Encoding::Plain));
        assert_eq!(of(&[("content-encoding", "identity")]), Some(Encoding::Plain));
        assert_eq!(of(&[("content-encoding", "GZIP")]), Some(Encoding::Gzip));
        assert_eq!(of(&[("content-encoding", "br")]), None);
        assert_eq!(of(&[("content-encoding", "gzip, gzip")]), None);
    }

    #[test]
    fn headers_that_are_too_long_or_not_utf_8_are_ignored() {
        let mut lines = headers(&[("sec-ch-ua-model", "TV")]);
        lines.insert("user-agent", HeaderValue::from_bytes(&[b'x'; 1_025]).unwrap());
        lines.insert("sec-ch-ua", HeaderValue::from_bytes(b"\xff").unwrap());
        let http = http(&lines, "203.0.113.9", Timestamp::EPOCH);
        assert!(http.user_agent.is_none() && http.brands.is_none());
        assert_eq!(http.model.as_deref(), Some("TV"));
    }
}
