//! What an HTTP request says around its beacons.

use std::borrow::Cow;

/// The HTTP context of beacons: what CMCD lacks. Everything else of a request is never looked at.
#[derive(Default)]
pub struct Http<'a> {
    /// When it was received, ms since the epoch.
    pub received_at: Option<u64>,
    /// A time of receipt was given, and is none.
    pub time_ignored: bool,
    /// Address of the client.
    pub address: Option<Cow<'a, str>>,
    /// Tenant named by the path.
    pub tenant: Option<Cow<'a, str>>,
    /// Country, where a CDN has located the client already. It, and the two below, are not packed.
    pub country: Option<Cow<'a, str>>,
    /// Region, likewise.
    pub region: Option<Cow<'a, str>>,
    /// Autonomous system, likewise.
    pub asn: Option<Cow<'a, str>>,
    /// Whole user agent.
    pub user_agent: Option<Cow<'a, str>>,
    /// Client hint `sec-ch-ua`: brands.
    pub brands: Option<Cow<'a, str>>,
    /// Client hint `sec-ch-ua-platform`.
    pub platform: Option<Cow<'a, str>>,
    /// Client hint `sec-ch-ua-platform-version`.
    pub platform_version: Option<Cow<'a, str>>,
    /// Client hint `sec-ch-ua-mobile`.
    pub mobile: Option<Cow<'a, str>>,
    /// Client hint `sec-ch-ua-model`.
    pub model: Option<Cow<'a, str>>,
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// `DNT: 1`.
    pub dnt: bool,
    /// A number for the path its beacons were sent to ([`Http::endpoint_of`]).
    pub endpoint: u32,
}

/// Tenants' own endpoints begin so.
const ENDPOINT: &str = "/v1/cmcd/";

impl Http<'_> {
    /// What the path of a request (without its query) tells: a number for the endpoint, the same for the same path, and
    /// the tenant, where the path is `/v1/cmcd/{tenant}`. What follows the tenant, as where requests of a CDN are
    /// mirrored, is the same endpoint.
    #[must_use]
    pub fn endpoint_of(path: &str) -> (u32, Option<&str>) {
        let tenant = path.strip_prefix(ENDPOINT).map(|rest| rest.split('/').next().unwrap_or_default());
        let endpoint = tenant.map_or(path, |tenant| &path[..ENDPOINT.len() + tenant.len()]);
        // FNV-1a; it has to tell the few endpoints of one player apart.
        let number = endpoint
            .bytes()
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (number, tenant)
    }

    /// Whether there are client hints.
    #[must_use]
    pub const fn has_hints(&self) -> bool {
        self.brands.is_some()
            || self.platform.is_some()
            || self.platform_version.is_some()
            || self.mobile.is_some()
            || self.model.is_some()
    }
}
