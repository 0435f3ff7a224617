//! The HTTP context of beacons.

use std::borrow::Cow;

use crowdfold_model::Timestamp;

/// The HTTP context of beacons, which CMCD does not contain. Nothing else of a request is read.
#[derive(Default)]
pub struct Http<'a> {
    /// The time of receipt.
    pub received_at: Option<Timestamp>,
    /// True if a time of receipt was present and unusable.
    pub time_ignored: bool,
    /// The address of the client.
    pub address: Option<Cow<'a, str>>,
    /// The tenant in the path.
    pub tenant: Option<Cow<'a, str>>,
    /// The country, if a CDN has located the client. It is not packed.
    pub country: Option<Cow<'a, str>>,
    /// The region, if a CDN has located the client. It is not packed.
    pub region: Option<Cow<'a, str>>,
    /// The autonomous system, if a CDN has located the client. It is not packed.
    pub asn: Option<Cow<'a, str>>,
    /// The complete user agent.
    pub user_agent: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua`: brands.
    pub brands: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-platform`.
    pub platform: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-platform-version`.
    pub platform_version: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-mobile`.
    pub mobile: Option<Cow<'a, str>>,
    /// The client hint `sec-ch-ua-model`.
    pub model: Option<Cow<'a, str>>,
    /// True for `Sec-GPC: 1`.
    pub gpc: bool,
    /// True for `DNT: 1`.
    pub dnt: bool,
    /// A number for the path of the request ([`Http::endpoint_of`]).
    pub endpoint: u32,
}

/// The prefix of the endpoints of tenants.
const ENDPOINT: &str = "/v1/cmcd/";

impl Http<'_> {
    /// Returns the endpoint number and the tenant of a path without its query. The same path always has the same
    /// number. The tenant is in paths such as `/v1/cmcd/{tenant}`. A path that continues after the tenant, as in
    /// mirrored requests of a CDN, has the same number.
    #[must_use]
    pub fn endpoint_of(path: &str) -> (u32, Option<&str>) {
        let tenant = path.strip_prefix(ENDPOINT).map(|rest| rest.split('/').next().unwrap_or_default());
        let endpoint = tenant.map_or(path, |tenant| &path[..ENDPOINT.len() + tenant.len()]);
        // The hash is FNV-1a. It only has to distinguish the few endpoints of one player.
        let number = endpoint
            .bytes()
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (number, tenant)
    }

    /// Returns true if there are client hints.
    #[must_use]
    pub const fn has_hints(&self) -> bool {
        self.brands.is_some()
            || self.platform.is_some()
            || self.platform_version.is_some()
            || self.mobile.is_some()
            || self.model.is_some()
    }
}
