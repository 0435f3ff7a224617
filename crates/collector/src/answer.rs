//! The responses to requests, and the CORS headers that allow the pages of other origins to send beacons.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    HeaderValue, ORIGIN, RETRY_AFTER, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};

/// A response. Its body is a short error message, or empty. It never contains a part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Status 204: the beacons of the request were accepted.
    Accepted,
    /// Status 204: the response to a preflight. Before a browser sends a request to another origin, it asks for
    /// permission with a preflight.
    Preflight,
    /// Status 400: the request contains no valid beacon, or its body cannot be decoded. The string is the body of the
    /// response.
    BadRequest(&'static str),
    /// Status 404: the path does not exist.
    NotFound,
    /// Status 405: the path does not support the method. The string lists the supported methods.
    MethodNotAllowed(&'static str),
    /// Status 408: the body did not arrive in time.
    TimedOut,
    /// Status 410: the player should stop sending beacons, because the tenant does not exist or the session opted
    /// out.
    Gone,
    /// Status 413: the body is too large.
    TooLarge,
    /// Status 415: the content type or the encoding is not supported. The string is the body of the response.
    Unsupported(&'static str),
    /// Status 429: the connection exceeds its request rate. The player should retry after this number of seconds.
    TooManyRequests(u64),
    /// Status 503: Kafka is slow or memory is short. The player should retry later.
    Unavailable,
    /// Status 500: an internal error.
    InternalError,
}

/// The number of seconds after which a player should retry a request that was answered with 503.
const RETRY_SECONDS: u64 = 5;

/// The request headers that a page of another origin may set.
const HEADERS: &str = "content-type, content-encoding, cmcd-object, cmcd-request, cmcd-session, cmcd-status";
/// The methods that a page of another origin may use.
const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// The time for which browsers may cache the response to a preflight, in seconds. No browser supports a longer time.
const PREFLIGHT_MAX_AGE: &str = "86400";

impl Answer {
    const fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Preflight => StatusCode::NO_CONTENT,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Gone => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the body of the response.
    const fn message(self) -> &'static str {
        match self {
            Self::BadRequest(message) | Self::Unsupported(message) => message,
            Self::NotFound => "unknown path; the paths are /v1/beacons, /v1/cmcd and /v1/cmcd/{tenant}\n",
            Self::TooLarge => "the body is too large\n",
            Self::TooManyRequests(_) => "too many requests on this connection\n",
            Self::Unavailable => "the server is busy; retry later\n",
            _ => "",
        }
    }

    /// Converts the response to HTTP.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from_static(self.message().as_bytes())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        // without this header, a browser may cache a response with status 204 or 410; it would then not send the next
        // beacon of a tracking pixel
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Preflight => {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_MAX_AGE));
            }
            Self::MethodNotAllowed(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::TooManyRequests(seconds) => drop(headers.insert(RETRY_AFTER, seconds.into())),
            Self::Unavailable => drop(headers.insert(RETRY_AFTER, RETRY_SECONDS.into())),
            _ => {}
        }
        response
    }
}

/// The origins whose pages may send beacons.
pub(crate) enum Origins {
    Any,
    These(Vec<String>),
}

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") { Self::Any } else { Self::These(origins.to_vec()) }
    }

    /// Adds the CORS headers to a response, if the origin of the request is allowed.
    pub(crate) fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        match self {
            Self::Any => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::These(origins) => {
                answer.insert(VARY, HeaderValue::from_static("origin"));
                let known = request.get(ORIGIN).filter(|origin| {
                    origins.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
                });
                if let Some(origin) = known {
                    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                    // browsers require this header because `navigator.sendBeacon` always sends credentials; the
                    // collector ignores the credentials
                    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &[&str], request: Option<&'static str>) -> (Option<String>, bool) {
        let origins = Origins::new(&origins.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut headers = HeaderMap::new();
        headers.extend(request.map(|request| (ORIGIN, HeaderValue::from_static(request))));
        let mut answer = HeaderMap::new();
        origins.allow(&headers, &mut answer);
        let origin =
            answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().unwrap().to_owned());
        (origin, answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS))
    }

    #[test]
    fn cors_headers_allow_listed_origins_only() {
        assert_eq!(allowed(&["*"], Some("https://a.example")), (Some("*".into()), false));
        assert_eq!(allowed(&["*"], None), (Some("*".into()), false));
        let two = ["https://a.example", "https://b.example:8443"];
        assert_eq!(allowed(&two, Some("https://b.example:8443")), (Some(two[1].into()), true));
        assert_eq!(allowed(&two, Some("https://b.example")), (None, false));
        assert_eq!(allowed(&two, None), (None, false));
    }

    #[test]
    fn busy_and_rate_limited_responses_contain_retry_after() {
        for (answer, after) in [(Answer::Unavailable, "5"), (Answer::TooManyRequests(3), "3")] {
            assert_eq!(answer.response().headers()[RETRY_AFTER], after);
        }
        assert_eq!(Answer::MethodNotAllowed("POST").response().headers()[ALLOW], "POST");
    }
}
