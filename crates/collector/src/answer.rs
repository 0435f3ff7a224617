//! What is said to players, and what browsers must hear so that a page may report.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    HeaderValue, ORIGIN, RETRY_AFTER, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};

/// An answer. Its body is a word on what is wrong, and never anything of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 204: taken, or there is nothing to say.
    Taken,
    /// 204 to a preflight.
    Preflight,
    /// 400.
    Unreadable(&'static str),
    /// 404.
    Nowhere,
    /// 405, with the methods there are.
    Not(&'static str),
    /// 408: the body did not come in time.
    Slow,
    /// 410: stop reporting, for this session at least.
    Gone,
    /// 413.
    TooLong,
    /// 415.
    Unsupported(&'static str),
    /// 429: come again after so many seconds.
    TooMany(u64),
    /// 503: come again.
    Busy,
    /// 500: a fault of ours.
    Fault,
}

/// After how many seconds to come again where Kafka is behind.
const AGAIN: u64 = 5;

/// What a page may send: what is not in the list, browsers do not even try.
const HEADERS: &str = "content-type, content-encoding, cmcd-object, cmcd-request, cmcd-session, cmcd-status";
const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// How long browsers may remember that a page may, s: as long as the most patient of them does.
const REMEMBERED: &str = "86400";

impl Answer {
    const fn status(self) -> StatusCode {
        match self {
            Self::Taken | Self::Preflight => StatusCode::NO_CONTENT,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::Nowhere => StatusCode::NOT_FOUND,
            Self::Not(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Gone => StatusCode::GONE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Unreadable(word) | Self::Unsupported(word) => word,
            Self::Nowhere => "unknown path; the paths are /v1/beacons, /v1/cmcd and /v1/cmcd/{tenant}\n",
            Self::TooLong => "the body is too large\n",
            Self::TooMany(_) => "too many requests on this connection\n",
            Self::Busy => "come again\n",
            _ => "",
        }
    }

    /// As it is sent.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from_static(self.word().as_bytes())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        // browsers keep a 204 and a 410 otherwise, and a pixel is to be asked for each time
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Preflight => {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
            }
            Self::Not(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::TooMany(seconds) => drop(headers.insert(RETRY_AFTER, seconds.into())),
            Self::Busy => drop(headers.insert(RETRY_AFTER, AGAIN.into())),
            _ => {}
        }
        response
    }
}

/// Which pages may report.
pub(crate) enum Origins {
    Any,
    These(Vec<String>),
}

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") { Self::Any } else { Self::These(origins.to_vec()) }
    }

    /// Tells the browser whether the page that asked may see the answer.
    pub(crate) fn allow(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        match self {
            Self::Any => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::These(origins) => {
                answer.insert(VARY, HeaderValue::from_static("origin"));
                let known = asked.get(ORIGIN).filter(|origin| {
                    origins.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
                });
                if let Some(origin) = known {
                    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                    // what sendBeacon sends always has credentials; they are never looked at
                    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &[&str], asked: Option<&'static str>) -> (Option<String>, bool) {
        let origins = Origins::new(&origins.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut headers = HeaderMap::new();
        headers.extend(asked.map(|asked| (ORIGIN, HeaderValue::from_static(asked))));
        let mut answer = HeaderMap::new();
        origins.allow(&headers, &mut answer);
        let origin =
            answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().unwrap().to_owned());
        (origin, answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS))
    }

    #[test]
    fn cors_headers_allow_only_listed_origins() {
        assert_eq!(allowed(&["*"], Some("https://a.example")), (Some("*".into()), false));
        assert_eq!(allowed(&["*"], None), (Some("*".into()), false));
        let two = ["https://a.example", "https://b.example:8443"];
        assert_eq!(allowed(&two, Some("https://b.example:8443")), (Some(two[1].into()), true));
        assert_eq!(allowed(&two, Some("https://b.example")), (None, false));
        assert_eq!(allowed(&two, None), (None, false));
    }

    #[test]
    fn busy_responses_contain_retry_after() {
        for (answer, after) in [(Answer::Busy, "5"), (Answer::TooMany(3), "3")] {
            assert_eq!(answer.response().headers()[RETRY_AFTER], after);
        }
        assert_eq!(Answer::Not("POST").response().headers()[ALLOW], "POST");
    }
}
