//! What an HTTP request says around its beacons.

use std::borrow::Cow;

/// The HTTP context of beacons: what CMCD lacks. Everything else of a request is never looked at.
#[derive(Default)]
pub struct Http<'a> {
    /// When it was received, ms since the epoch.
    pub received_at: Option<u64>,
    /// Address of the client.
    pub address: Option<Cow<'a, str>>,
    /// Tenant named by the path.
    pub tenant: Option<Cow<'a, str>>,
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
    /// A hash of the path its beacons were sent to.
    pub endpoint: u32,
}

impl Http<'_> {
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
