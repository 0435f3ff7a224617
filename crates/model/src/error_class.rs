//! Classes of errors.

/// The class of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorClass {
    /// The transfer of data failed.
    Network,
    /// A playlist or a manifest could not be loaded or read.
    Manifest,
    /// Decoding failed, or the media element reported an error.
    Media,
    /// A licence or a key for decryption could not be loaded.
    Drm,
    /// An operation timed out.
    Timeout,
    /// The error belongs to no other class.
    Other,
}

impl ErrorClass {
    /// The number of classes.
    pub const COUNT: usize = 6;
    /// All classes, in the order of the enumeration.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Network, Self::Manifest, Self::Media, Self::Drm, Self::Timeout, Self::Other];

    /// Returns the name of the class in beacons and rollups.
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

    /// Returns the description of the count of this class in rollups.
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

    /// Returns the name of the count of this class in rollups, such as `errors.network`.
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
