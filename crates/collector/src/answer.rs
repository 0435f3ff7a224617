//! The responses to players, and the CORS headers with which browsers let a page send beacons.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    HeaderValue, ORIGIN, RETRY_AFTER, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};

/// A response. Its body is a short error message that never contains anything of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 204: accepted, or there is nothing to report.
    Taken,
    /// 204 to a preflight.
    Preflight,
    /// 400.
    Unreadable(&'static str),
    /// 404.
    Nowhere,
    /// 405, with the supported methods.
    Not(&'static str),
    /// 408: the body did not arrive in time.
    Slow,
    /// 410: stop reporting, at least for this session.
    Gone,
    /// 413.
    TooLong,
    /// 415.
    Unsupported(&'static str),
    /// 429: retry after this many seconds.
    TooMany(u64),
    /// 503: retry later.
    Busy,
    /// 500: an internal error.
    Fault,
}

/// The number of seconds after which to retry when Kafka is slow.
const AGAIN: u64 = 5;

/// The headers that a page may send. Browsers do not send others across origins.
const HEADERS: &str = "content-type, content-encoding, cmcd-object, cmcd-request, cmcd-session, cmcd-status";
const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// The time for which browsers may cache a preflight, s; the longest that any browser supports.
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

    /// Converts the response to HTTP.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from_static(self.word().as_bytes())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        // browsers would cache a 204 and a 410, but a tracking pixel must be requested each time
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

/// The origins whose pages may report.
pub(crate) enum Origins {
    Any,
    These(Vec<String>),
}

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") { Self::Any } else { Self::These(origins.to_vec()) }
    }

    /// Adds the headers that let the browser accept the response for the requesting page.
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
                    // requests of sendBeacon always include credentials, which are ignored
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
