//! The HTTP context of beacons: the parts of a request that are read, except its content.

use std::borrow::Cow;

use crowdfold_model::Timestamp;

use crate::Amount;

/// The HTTP context of beacons: the parts of a request that are read, except its content. All beacons of a request have
/// the same context.
#[derive(Default)]
pub struct Http<'a> {
    /// The time at which the request was received.
    pub received_at: Option<Timestamp>,
    /// True if the request has a time of receipt that cannot be used.
    pub time_ignored: bool,
    /// The IP address of the client.
    pub address: Option<Cow<'a, str>>,
    /// The tenant from the path of the request.
    pub tenant: Option<Cow<'a, str>>,
    /// The country of the client, if a CDN determined it. Packed records do not contain it.
    pub country: Option<Cow<'a, str>>,
    /// The region of the client, if a CDN determined it. Packed records do not contain it.
    pub region: Option<Cow<'a, str>>,
    /// The autonomous system of the client, if a CDN determined it. Packed records do not contain it.
    pub asn: Option<Cow<'a, str>>,
    /// The time to the first byte of the response, if a log contains it. Packed records do not contain it.
    pub ttfb: Option<Amount>,
    /// True if the time to the first byte was present but could not be used.
    pub ttfb_ignored: bool,
    /// The values of custom dimensions in a log, each with the index of its source. Packed records do not contain them.
    pub custom: Vec<(usize, Cow<'a, str>)>,
    /// The complete user agent.
    pub user_agent: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua`, which lists the brands and versions of the browser.
    pub brands: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-platform`.
    pub platform: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-platform-version`.
    pub platform_version: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-mobile`.
    pub mobile: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-model`.
    pub model: Option<Cow<'a, str>>,
    /// True if the request has the header `Sec-GPC: 1` (Global Privacy Control).
    pub gpc: bool,
    /// True if the request has the header `DNT: 1` (Do Not Track).
    pub dnt: bool,
    /// A number that identifies the path of the request ([`Http::endpoint_of`]).
    pub endpoint: u32,
    /// The number of the user agent and the client hints among those that the packed record lists. It is `None` if they
    /// are not listed, or if the request does not come from a packed record.
    pub listed_client: Option<u16>,
}

/// The prefix of paths that contain a tenant.
const ENDPOINT: &str = "/v1/cmcd/";

impl Http<'static> {
    /// A context without values.
    pub(crate) const NONE: &'static Self = &Self {
        received_at: None,
        time_ignored: false,
        address: None,
        tenant: None,
        country: None,
        region: None,
        asn: None,
        ttfb: None,
        ttfb_ignored: false,
        custom: Vec::new(),
        user_agent: None,
        brands: None,
        platform: None,
        platform_version: None,
        mobile: None,
        model: None,
        gpc: false,
        dnt: false,
        endpoint: 0,
        listed_client: None,
    };
}

impl Http<'_> {
    /// Returns the endpoint number and the tenant of a path without its query. Equal paths have equal endpoint numbers.
    /// A path such as `/v1/cmcd/{tenant}` contains a tenant. A CDN that mirrors requests appends further parts after
    /// the tenant. These parts do not affect the endpoint number.
    #[must_use]
    pub fn endpoint_of(path: &str) -> (u32, Option<&str>) {
        let tenant = path.strip_prefix(ENDPOINT).map(|rest| rest.split('/').next().unwrap_or_default());
        let endpoint = tenant.map_or(path, |tenant| &path[..ENDPOINT.len() + tenant.len()]);
        // The hash is FNV-1a, which is sufficient to distinguish the few endpoints of one player.
        let number = endpoint
            .bytes()
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (number, tenant)
    }

    /// Returns true if the request has at least one client hint.
    #[must_use]
    pub const fn has_hints(&self) -> bool {
        self.brands.is_some()
            || self.platform.is_some()
            || self.platform_version.is_some()
            || self.mobile.is_some()
            || self.model.is_some()
    }
}

/// Returns true if the value of an opt-out header (`Sec-GPC`, `DNT`) is set. Browsers send `1`. Proxies join repeated
/// headers with commas. Loggers may write `?1` (structured fields), `1.0` or `true`, also in quotes.
#[must_use]
pub fn is_signal_set(value: &str) -> bool {
    const SET: [&str; 4] = ["1", "?1", "1.0", "true"];
    value.split(',').any(|part| {
        let part = part.trim_matches(|edge: char| edge.is_whitespace() || matches!(edge, '"' | '\'' | '\\'));
        SET.iter().any(|set| set.eq_ignore_ascii_case(part))
    })
}
