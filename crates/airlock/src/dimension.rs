//! The dimensions a beacon can be told apart by.

use std::fmt;

/// One dimension of an observation. The tenant is not among them: tenants are separate universes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dimension {
    /// ISO country, from the masked address or from the producer.
    Country,
    /// Region of the country, from the masked address or from the producer.
    Region,
    /// Autonomous system, from the masked address or from the producer.
    Asn,
    /// Masked network; only where the address policy is `truncate`.
    Network,
    /// Class of device.
    Device,
    /// Operating system.
    Os,
    /// Browser.
    Browser,
    /// Major version of the operating system.
    OsVersion,
    /// Major version of the browser.
    BrowserVersion,
    /// Firmware, to three components.
    Firmware,
    /// Player.
    Player,
    /// Version of the player, major and minor.
    PlayerVersion,
    /// Kind of stream: vod, live, low-latency.
    Stream,
    /// Packaging: hls, dash, smooth, hesp.
    Format,
    /// Id of the content.
    Content,
    /// Content delivery network.
    Cdn,
    /// Kind of connection.
    Connection,
    /// Picture height, as a class.
    Quality,
}

impl Dimension {
    /// How many there are.
    pub const COUNT: usize = 18;

    /// All of them, family by family.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Country,
        Self::Region,
        Self::Asn,
        Self::Network,
        Self::Device,
        Self::Os,
        Self::Browser,
        Self::OsVersion,
        Self::BrowserVersion,
        Self::Firmware,
        Self::Player,
        Self::PlayerVersion,
        Self::Stream,
        Self::Format,
        Self::Content,
        Self::Cdn,
        Self::Connection,
        Self::Quality,
    ];

    /// The name in configurations and rollups.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::Asn => "asn",
            Self::Network => "network",
            Self::Device => "device",
            Self::Os => "os",
            Self::Browser => "browser",
            Self::OsVersion => "os_version",
            Self::BrowserVersion => "browser_version",
            Self::Firmware => "firmware",
            Self::Player => "player",
            Self::PlayerVersion => "player_version",
            Self::Stream => "stream",
            Self::Format => "format",
            Self::Content => "content",
            Self::Cdn => "cdn",
            Self::Connection => "connection",
            Self::Quality => "quality",
        }
    }

    /// The dimension of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
