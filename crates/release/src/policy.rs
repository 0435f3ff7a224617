//! What a row must be to leave.

use crowdfold_model::{Cell, Dimension, Millis};

use crate::families::{FamilyError, breakdown_name, check_breakdowns, check_families};
use crate::privacy::{Privacy, PrivacyError, PrivacySettings, Secret};

#[cfg(test)]
mod tests;

/// Below this, k is refused unless it is asked for by name.
pub const LEAST_K: u64 = 10;

/// The margin of a policy that names none, unless k is below twice as much.
const DEFAULT_MARGIN: u64 = 10;

/// Noise outside the detail table unless it is configured: a session is at most a quarter of a standard deviation.
const DEFAULT_NOISE: u64 = 8;

/// The greatest noise that may be configured.
const MOST_NOISE: u64 = 100;

/// `[release]` of the configuration, with `content.allow_below_place`, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// `release.k`: the least number of distinct sessions of a row.
    pub k: u64,
    /// `release.allow_small_k`: lets k be below 10.
    pub allow_small_k: bool,
    /// `release.breakdowns`: one table each, in this order.
    pub breakdowns: Vec<Vec<Dimension>>,
    /// `release.detail_breakdown`: which of them is the detail table.
    pub detail: Detail,
    /// `release.margin`; `None` is the smaller of 10 and k/2.
    pub margin: Option<u64>,
    /// `release.noise`: standard deviations of noise outside the detail table, in clamps.
    pub noise: u64,
    /// `release.min_networks`: the least number of network bits of a row, where the guard is on.
    pub guard_networks: Option<u32>,
    /// `content.allow_below_place`: lets content stand in one breakdown with region, asn or network.
    pub allow_below_place: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        use Dimension::{
            Asn, Browser, Cdn, Connection, Content, Country, Device, Format, Os, Player, PlayerVersion,
        };
        Self {
            k: 50,
            allow_small_k: false,
            breakdowns: vec![
                vec![Country, Asn],
                vec![Device, Os, Browser],
                vec![Player, PlayerVersion],
                vec![Dimension::Stream, Format, Content],
                vec![Cdn, Connection],
            ],
            detail: Detail::Last,
            margin: None,
            noise: DEFAULT_NOISE,
            guard_networks: None,
            allow_below_place: false,
        }
    }
}

/// The table that shows everything exactly, with percentiles and histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The table of the last breakdown.
    Last,
    /// There is none.
    None,
    /// The table of the breakdown with this index, from 0.
    Index(usize),
}

/// Why a release policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// k is 0.
    #[error("release.k is 0, but a row must cover at least one session; set it to 50")]
    NoCrowd,
    /// k is small, and nobody said it may be.
    #[error(
        "release.k is {k}, but a crowd is at least {LEAST_K} sessions; raise it to {LEAST_K} or more, or set \
         release.allow_small_k = true for trials"
    )]
    SmallK {
        /// What was asked for.
        k: u64,
    },
    /// The breakdowns do not go together.
    #[error(transparent)]
    Families(#[from] FamilyError),
    /// There is no such breakdown.
    #[error("release.detail_breakdown is number {index}, but there are {count} breakdowns; name one of them")]
    UnknownBreakdown {
        /// The index that was given, from 0.
        index: usize,
        /// The number of breakdowns.
        count: usize,
    },
    /// A margin that is off although k is not small.
    #[error(
        "release.margin is 0, so that small groups can be computed to within a few sessions; set 1 or more, or set \
         release.allow_small_k = true for trials"
    )]
    NoMargin,
    /// A margin that no row could keep.
    #[error("release.margin is {margin}, above half of release.k, which is {k}; set 1 to {}", k / 2)]
    WideMargin {
        /// The margin.
        margin: u64,
        /// k.
        k: u64,
    },
    /// Too little or too much noise.
    #[error("release.noise is {noise}; set 1 to {MOST_NOISE}, the default is {DEFAULT_NOISE}")]
    NoiseOutOfRange {
        /// The noise.
        noise: u64,
    },
    /// More networks than there are bits, or none.
    #[error(
        "release.min_networks is {networks}, but a row has 64 bits for its networks; set 1 to 64, or leave it out"
    )]
    GuardOutOfRange {
        /// What was asked for.
        networks: u32,
    },
    /// A condition that noise does not cover.
    #[error(
        "release.min_networks is {networks}, but one session can decide whether a row meets it, and no noise hides that; \
         set it to 0, or release.policy to \"threshold\""
    )]
    GuardUnderNoise {
        /// What was asked for.
        networks: u32,
    },
    /// The budget is none.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
}

/// The rules that rows must meet to be published. Policy `threshold`: rows are folded until each is a crowd, and
/// outside the detail table numbers carry noise. Policy `differential-privacy`: no folding, noise in every number, and
/// a threshold that hides whether one session is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    k: u64,
    breakdowns: Vec<Vec<Dimension>>,
    detail: Option<usize>,
    margin: u64,
    noise: u64,
    guard_networks: Option<u32>,
    /// Keys the noise outside the detail table, under `threshold`.
    secret: Option<Secret>,
    privacy: Option<Privacy>,
}

impl Policy {
    /// The policy `threshold`.
    ///
    /// # Errors
    /// Naming the key at fault and the mend.
    pub fn threshold(settings: PolicySettings) -> Result<Self, PolicyError> {
        check_families(&settings.breakdowns, settings.allow_below_place)?;
        Self::new(settings, None)
    }

    /// The policy `differential-privacy`. Releases nothing until it is [keyed](Self::keyed).
    ///
    /// # Errors
    /// Naming the key at fault and the mend.
    pub fn differential_privacy(
        settings: PolicySettings,
        budget: &PrivacySettings,
    ) -> Result<Self, PolicyError> {
        check_breakdowns(&settings.breakdowns, settings.allow_below_place)?;
        if let Some(networks) = settings.guard_networks {
            return Err(PolicyError::GuardUnderNoise { networks });
        }
        let privacy = Privacy::new(budget, settings.breakdowns.len())?;
        Self::new(settings, Some(privacy))
    }

    fn new(settings: PolicySettings, privacy: Option<Privacy>) -> Result<Self, PolicyError> {
        let PolicySettings { k, allow_small_k, breakdowns, detail, margin, noise, guard_networks, .. } =
            settings;
        if k == 0 {
            return Err(PolicyError::NoCrowd);
        }
        if k < LEAST_K && !allow_small_k {
            return Err(PolicyError::SmallK { k });
        }
        let detail = match detail {
            Detail::Last => breakdowns.len().checked_sub(1),
            Detail::None => None,
            Detail::Index(index) if index < breakdowns.len() => Some(index),
            Detail::Index(index) => {
                return Err(PolicyError::UnknownBreakdown { index, count: breakdowns.len() });
            }
        };
        let margin = match margin {
            None => DEFAULT_MARGIN.min(k / 2),
            Some(0) if !allow_small_k => return Err(PolicyError::NoMargin),
            Some(margin) if margin > k / 2 => return Err(PolicyError::WideMargin { margin, k }),
            Some(margin) => margin,
        };
        if !(1..=MOST_NOISE).contains(&noise) {
            return Err(PolicyError::NoiseOutOfRange { noise });
        }
        if let Some(networks) = guard_networks.filter(|networks| !(1..=64).contains(networks)) {
            return Err(PolicyError::GuardOutOfRange { networks });
        }
        Ok(Self { k, breakdowns, detail, margin, noise, guard_networks, secret: None, privacy })
    }

    /// Returns the policy with the secret that all workers share, which keys its noise. Without it `threshold`
    /// publishes session counts alone outside the detail table, and `differential-privacy` nothing.
    #[must_use]
    pub fn keyed(mut self, secret: Secret) -> Self {
        match &mut self.privacy {
            Some(privacy) => privacy.keyed(secret),
            None => self.secret = Some(secret),
        }
        self
    }

    /// The secret that keys the noise outside the detail table, under `threshold`.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// The same for windows of another length and sessions that are remembered for another time, ms: the noise is
    /// reckoned anew.
    ///
    /// # Errors
    /// Where a day is not a whole number of such windows, or they are too many for the budget.
    pub fn for_windows(mut self, window: Millis, idle: Millis) -> Result<Self, PolicyError> {
        if let Some(privacy) = &mut self.privacy {
            privacy.fit(window, idle, self.breakdowns.len())?;
        }
        Ok(self)
    }

    /// What a row must show, where the policy has noise: τ + k − 1; else k.
    #[must_use]
    pub const fn least_shown(&self) -> u64 {
        match &self.privacy {
            None => self.k,
            Some(privacy) => privacy.tau().saturating_add(self.k).saturating_sub(1),
        }
    }

    /// Budget and noise, under `differential-privacy`.
    #[must_use]
    pub const fn privacy(&self) -> Option<&Privacy> {
        self.privacy.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn put_privacy(&mut self, privacy: Privacy) {
        self.privacy = Some(privacy);
    }

    /// Its name in rollups.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.privacy {
            None => "threshold",
            Some(_) => "differential-privacy",
        }
    }

    /// The least number of distinct sessions of a row.
    #[must_use]
    pub const fn k(&self) -> u64 {
        self.k
    }

    /// One table each, in this order.
    #[must_use]
    pub fn breakdowns(&self) -> &[Vec<Dimension>] {
        &self.breakdowns
    }

    /// The index of the breakdown whose table shows everything exactly, from 0; under `differential-privacy`, of the
    /// one that carries histograms.
    #[must_use]
    pub const fn detail(&self) -> Option<usize> {
        self.detail
    }

    /// b: the least number of values that a small rest inside a star row may have had, by the row's own arithmetic.
    #[must_use]
    pub const fn margin(&self) -> u64 {
        self.margin
    }

    /// s: standard deviations of the noise outside the detail table, in clamps.
    #[must_use]
    pub const fn noise(&self) -> u64 {
        self.noise
    }

    /// Returns true if tables other than the detail table show numbers with noise: under `threshold`, with a secret.
    #[must_use]
    pub const fn is_noisy(&self) -> bool {
        self.secret.is_some()
    }

    /// The least number of network bits of a row, where the guard is on.
    #[must_use]
    pub const fn guard_networks(&self) -> Option<u32> {
        self.guard_networks
    }

    /// Whether a group may be a row. Monotone: whatever is added to a crowd, it stays one.
    #[must_use]
    pub const fn is_crowd(&self, cell: &Cell) -> bool {
        cell.sessions >= self.k
            && match self.guard_networks {
                Some(networks) => cell.networks.count_ones() >= networks,
                None => true,
            }
    }

    /// A number that changes whenever the same cells would be released otherwise. The same in every process and on
    /// every machine: mergers keep it in their offsets' metadata.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let breakdowns: Vec<_> = self.breakdowns.iter().map(|breakdown| breakdown_name(breakdown)).collect();
        let mut text = format!(
            "{};rules={};k={};guard={};detail={};breakdowns={};",
            self.name(),
            RULES,
            self.k,
            self.guard_networks.unwrap_or(0),
            self.detail.map_or_else(|| "none".into(), |index| index.to_string()),
            breakdowns.join("|"),
        );
        match &self.privacy {
            Some(privacy) => text.push_str(&privacy.fingerprint_text()),
            None => {
                let secret = self.secret.as_ref().map_or(0, Secret::fingerprint);
                text.push_str(&format!("margin={};noise={};secret={secret:016x}", self.margin, self.noise));
            }
        }
        fnv1a(text.as_bytes())
    }
}

/// Counts the changes of what `release` does with the same policy: folding, percentiles, bins, noise. Raise it with
/// each.
const RULES: u32 = 1;

/// FNV-1a with 64 bits: std's hashers promise nothing across releases.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
