//! The errors of release policies. They name fields of the settings. A crate that knows the names of the settings in a
//! configuration writes its own message with [`PolicyError::field`] and [`PolicyError::problem`].

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crowdfold_model::Dimension;

use super::{DEFAULT_NOISE, MAX_NOISE, MIN_K};
use crate::families::FamilyError;
use crate::privacy::PrivacyError;

/// The field of the settings that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyField {
    /// [`PolicySettings::k`](super::PolicySettings::k).
    K,
    /// [`PolicySettings::breakdowns`](super::PolicySettings::breakdowns).
    Breakdowns,
    /// [`PolicySettings::detail`](super::PolicySettings::detail).
    Detail,
    /// [`PolicySettings::margin`](super::PolicySettings::margin).
    Margin,
    /// [`PolicySettings::noise`](super::PolicySettings::noise).
    Noise,
    /// [`PolicySettings::min_networks`](super::PolicySettings::min_networks).
    MinNetworks,
    /// [`PrivacySettings::epsilon`](crate::PrivacySettings::epsilon).
    Epsilon,
    /// [`PrivacySettings::delta`](crate::PrivacySettings::delta).
    Delta,
    /// [`PrivacySettings::window`](crate::PrivacySettings::window).
    Window,
}

impl Display for PolicyField {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::K => "k",
            Self::Breakdowns => "the list of breakdowns",
            Self::Detail => "the breakdown of the detail table",
            Self::Margin => "the margin",
            Self::Noise => "the noise",
            Self::MinNetworks => "the minimum number of networks",
            Self::Epsilon => "epsilon",
            Self::Delta => "delta",
            Self::Window => "the window length",
        })
    }
}

/// The error of a release policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// k is 0.
    ZeroK,
    /// k is below [`MIN_K`], and small values are not allowed.
    SmallK {
        /// The configured k.
        k: u64,
    },
    /// A breakdown is invalid, or two breakdowns share a family.
    Families(FamilyError),
    /// The detail table is the table of a breakdown that does not exist.
    UnknownBreakdown {
        /// The configured index, from 0.
        index: usize,
        /// The number of breakdowns.
        count: usize,
    },
    /// A breakdown other than that of the detail table contains a dimension of the family `error`.
    ErrorOutsideDetail {
        /// The dimension of the family `error`.
        dimension: Dimension,
        /// The breakdown, as in the configuration.
        breakdown: String,
    },
    /// The margin is 0, and a small k is not allowed.
    NoMargin,
    /// The margin is more than half of k.
    WideMargin {
        /// The configured margin.
        margin: u64,
        /// The configured k.
        k: u64,
    },
    /// The noise is out of range.
    NoiseOutOfRange {
        /// The configured noise.
        noise: u64,
    },
    /// The minimum number of networks is out of range.
    MinNetworksOutOfRange {
        /// The configured minimum.
        networks: u32,
    },
    /// A minimum number of networks is configured, but no noise of `differential-privacy` can hide this condition.
    MinNetworksUnderNoise {
        /// The configured minimum.
        networks: u32,
    },
    /// The privacy budget is invalid.
    Privacy(PrivacyError),
}

impl PolicyError {
    /// Returns the field that must change.
    #[must_use]
    pub const fn field(&self) -> PolicyField {
        match self {
            Self::ZeroK | Self::SmallK { .. } => PolicyField::K,
            Self::Families(_) | Self::ErrorOutsideDetail { .. } => PolicyField::Breakdowns,
            Self::UnknownBreakdown { .. } => PolicyField::Detail,
            Self::NoMargin | Self::WideMargin { .. } => PolicyField::Margin,
            Self::NoiseOutOfRange { .. } => PolicyField::Noise,
            Self::MinNetworksOutOfRange { .. } | Self::MinNetworksUnderNoise { .. } => {
                PolicyField::MinNetworks
            }
            Self::Privacy(error) => error.field(),
        }
    }

    /// Describes the error and the fix. The field is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::ZeroK => "is 0, but a row must cover at least one session; set it to 50".into(),
            Self::SmallK { k } => {
                format!("is {k}, but a row must cover at least {MIN_K} sessions; raise k to {MIN_K} or more")
            }
            Self::Families(error) => error.problem(),
            Self::UnknownBreakdown { index, count } => {
                format!("is number {index}, but there are {count} breakdowns; name one of them")
            }
            Self::ErrorOutsideDetail { dimension, breakdown } => format!(
                "contains {dimension} in breakdown [{breakdown}], which is not the detail table, but sessions with a \
                 code are nearly the sessions that failed; remove {dimension}"
            ),
            Self::NoMargin => {
                "is 0, so that small groups can be computed to within a few sessions; set it to 1 or more"
                    .into()
            }
            Self::WideMargin { margin, k } => {
                format!(
                    "is {margin}, above half of k, which is {k}; set the margin to a value from 1 to {}",
                    k / 2
                )
            }
            Self::NoiseOutOfRange { noise } => {
                format!("is {noise}; set it to a value from 1 to {MAX_NOISE}, such as {DEFAULT_NOISE}")
            }
            Self::MinNetworksOutOfRange { networks } => format!(
                "is {networks}, but a row has 64 bits for its networks; set it to a value from 1 to 64, or remove it"
            ),
            Self::MinNetworksUnderNoise { networks } => format!(
                "is {networks}, but one session can decide whether a row meets it, and no noise hides that; set it to 0"
            ),
            Self::Privacy(error) => error.problem(),
        }
    }
}

impl Display for PolicyError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.field(), self.problem())
    }
}

impl Error for PolicyError {}

impl From<FamilyError> for PolicyError {
    fn from(error: FamilyError) -> Self {
        Self::Families(error)
    }
}

impl From<PrivacyError> for PolicyError {
    fn from(error: PrivacyError) -> Self {
        Self::Privacy(error)
    }
}
