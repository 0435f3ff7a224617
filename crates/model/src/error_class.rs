//! Classes of errors.

/// The closed classes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorClass {
    /// A transfer failed.
    Network,
    /// A playlist or manifest could not be fetched or read.
    Manifest,
    /// Decoding or the media element failed.
    Media,
    /// A licence or a key could not be fetched.
    Drm,
    /// Something took too long.
    Timeout,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// The number of variants.
    pub const COUNT: usize = 6;
    /// All variants in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Network, Self::Manifest, Self::Media, Self::Drm, Self::Timeout, Self::Other];

    /// The name in beacons and rollups.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Manifest => "manifest",
            Self::Media => "media",
            Self::Drm => "drm",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }

    /// Returns the description.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Network => "Sessions in which a transfer failed.",
            Self::Manifest => "Sessions in which a playlist or a manifest could not be loaded or read.",
            Self::Media => "Sessions in which decoding or the media element failed.",
            Self::Drm => "Sessions in which a licence or a key could not be loaded.",
            Self::Timeout => "Sessions in which an operation timed out.",
            Self::Other => "Sessions with any other error.",
        }
    }

    /// Returns the name of its field in rollups, `errors.network`.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Network => "errors.network",
            Self::Manifest => "errors.manifest",
            Self::Media => "errors.media",
            Self::Drm => "errors.drm",
            Self::Timeout => "errors.timeout",
            Self::Other => "errors.other",
        }
    }
}
