//! Determines the handler of a request from its method and path.

use crowdfold_beacon::Http;
use hyper::Method;

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Route<'a> {
    /// A request with JSON beacons in its body.
    Beacons,
    /// A request with CMCD in its body (event mode).
    Events(Endpoint<'a>),
    /// A request with CMCD in its headers or its query (request mode).
    Request(Endpoint<'a>),
    /// The preflight request of a browser.
    Preflight,
    /// The path does not exist.
    Nowhere,
    /// The path exists, but it does not support the method. The string lists the supported methods.
    Not(&'static str),
}

/// A CMCD endpoint, which the path identifies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Endpoint<'a> {
    /// The number of the endpoint. If a session reports to several endpoints, the worker distinguishes them by this
    /// number.
    pub(crate) number: u32,
    /// The tenant in the path. `None` means the default tenant.
    pub(crate) tenant: Option<&'a str>,
}

const BEACONS: &str = "/v1/beacons";
const CMCD: &str = "/v1/cmcd";

/// Returns the route of a request with this method and path. The path does not include the query.
pub(crate) fn route<'a>(method: &Method, path: &'a str) -> Route<'a> {
    let endpoint = || {
        let (number, tenant) = Http::endpoint_of(path);
        Endpoint { number, tenant: tenant.filter(|tenant| !tenant.is_empty()) }
    };
    let is_cmcd = path == CMCD || path.strip_prefix(CMCD).is_some_and(|rest| rest.starts_with('/'));
    match *method {
        Method::OPTIONS if is_cmcd || path == BEACONS => Route::Preflight,
        Method::POST if path == BEACONS => Route::Beacons,
        _ if path == BEACONS => Route::Not("POST, OPTIONS"),
        Method::POST if is_cmcd => Route::Events(endpoint()),
        Method::GET | Method::HEAD if is_cmcd => Route::Request(endpoint()),
        _ if is_cmcd => Route::Not("GET, HEAD, POST, OPTIONS"),
        _ => Route::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
        match route(method, path) {
            Route::Events(endpoint) | Route::Request(endpoint) => endpoint.tenant,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn route_depends_on_path_and_method_and_an_unknown_path_has_no_route() {
        assert_eq!(route(&Method::POST, "/v1/beacons"), Route::Beacons);
        assert_eq!(route(&Method::GET, "/v1/beacons"), Route::Not("POST, OPTIONS"));
        assert_eq!(tenant(&Method::POST, "/v1/cmcd/acme"), Some("acme"));
        assert_eq!(tenant(&Method::POST, "/v1/cmcd"), None);
        assert_eq!(tenant(&Method::POST, "/v1/cmcd/"), None);
        assert_eq!(tenant(&Method::GET, "/v1/cmcd/acme/movie/1.m4s"), Some("acme"));
        assert_eq!(tenant(&Method::HEAD, "/v1/cmcd/acme"), Some("acme"));
        assert_eq!(route(&Method::OPTIONS, "/v1/cmcd/acme"), Route::Preflight);
        assert_eq!(route(&Method::OPTIONS, "/v1/beacons"), Route::Preflight);
        assert_eq!(route(&Method::PUT, "/v1/cmcd/acme"), Route::Not("GET, HEAD, POST, OPTIONS"));
        for path in ["/", "", "*", "/v1", "/v1/cmcdx", "/v1/beacons/", "/v2/cmcd/acme", "/V1/CMCD/acme"] {
            assert_eq!(route(&Method::POST, path), Route::Nowhere, "{path}");
        }
    }

    #[test]
    fn all_paths_of_a_tenant_have_the_same_endpoint() {
        assert_eq!(
            route(&Method::GET, "/v1/cmcd/acme/a/1.m4s"),
            route(&Method::GET, "/v1/cmcd/acme/b/2.m4s")
        );
        assert_ne!(route(&Method::GET, "/v1/cmcd/acme"), route(&Method::GET, "/v1/cmcd/blip"));
    }
}
