//! What a row must be to leave.

use crowdfold_airlock::{Dimension, Millis};
use crowdfold_rollup::Cell;

use crate::families::{FamilyError, check_drilldowns, check_families, drilldown_name};
use crate::privacy::{Privacy, PrivacyError, PrivacySettings, Secret};

#[cfg(test)]
mod tests;

/// Below this, k is refused unless it is asked for by name.
pub const LEAST_K: u64 = 10;

/// `[release]` of the configuration, with `content.allow_below_place`, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// `release.k`: the least number of distinct sessions of a row.
    pub k: u64,
    /// `release.allow_small_k`: lets k be below 10.
    pub allow_small_k: bool,
    /// `release.drilldowns`: one table each, in this order.
    pub drilldowns: Vec<Vec<Dimension>>,
    /// `release.histogram_drilldown`: which of them carries histograms, from 0.
    pub histogram_drilldown: usize,
    /// `release.guard_networks`: the least number of network bits of a row, where the guard is on.
    pub guard_networks: Option<u32>,
    /// `content.allow_below_place`: lets content stand in one drill-down with region, asn or network.
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
            drilldowns: vec![
                vec![Country, Asn],
                vec![Device, Os, Browser],
                vec![Player, PlayerVersion],
                vec![Dimension::Stream, Format, Content],
                vec![Cdn, Connection],
            ],
            histogram_drilldown: 0,
            guard_networks: None,
            allow_below_place: false,
        }
    }
}

/// Why a release policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// k is 0.
    #[error("release.k is 0, and a row of nobody is none: set release.k to 50")]
    NoCrowd,
    /// k is small, and nobody said it may be.
    #[error(
        "release.k is {k}, and a group of fewer than {LEAST_K} sessions is hardly a crowd: raise release.k to {LEAST_K} \
         or more, or set release.allow_small_k = true"
    )]
    SmallK {
        /// What was asked for.
        k: u64,
    },
    /// The drill-downs do not go together.
    #[error(transparent)]
    Families(#[from] FamilyError),
    /// There is no such drill-down.
    #[error(
        "release.histogram_drilldown is {index}, but there are {count} drill-downs, counted from 0: set it to one of them"
    )]
    NoSuchDrilldown {
        /// What was asked for.
        index: usize,
        /// How many drill-downs there are.
        count: usize,
    },
    /// More networks than there are bits, or none.
    #[error(
        "release.guard_networks is {networks}, and a row has 64 bits for its networks: set 1 to 64, or leave it out"
    )]
    GuardOutOfRange {
        /// What was asked for.
        networks: u32,
    },
    /// A condition that noise does not cover.
    #[error(
        "release.guard_networks is {networks}, but whether a row meets it may hang on one session, which no noise covers: \
         set 0, or release.policy = \"threshold\""
    )]
    GuardUnderNoise {
        /// What was asked for.
        networks: u32,
    },
    /// The budget is none.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
}

/// What a row must be to leave. Policy `threshold`: folding, until every row is a crowd. Policy `differential-privacy`:
/// no folding, noise, and a threshold that hides whether one session is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    k: u64,
    drilldowns: Vec<Vec<Dimension>>,
    histogram_drilldown: usize,
    guard_networks: Option<u32>,
    privacy: Option<Privacy>,
}

impl Policy {
    /// The policy `threshold`.
    ///
    /// # Errors
    /// Naming the key at fault and the mend.
    pub fn threshold(settings: PolicySettings) -> Result<Self, PolicyError> {
        check_families(&settings.drilldowns, settings.allow_below_place)?;
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
        check_drilldowns(&settings.drilldowns, settings.allow_below_place)?;
        if let Some(networks) = settings.guard_networks {
            return Err(PolicyError::GuardUnderNoise { networks });
        }
        let privacy = Privacy::new(budget, settings.drilldowns.len())?;
        Self::new(settings, Some(privacy))
    }

    fn new(settings: PolicySettings, privacy: Option<Privacy>) -> Result<Self, PolicyError> {
        let PolicySettings { k, allow_small_k, drilldowns, histogram_drilldown, guard_networks, .. } =
            settings;
        if k == 0 {
            return Err(PolicyError::NoCrowd);
        }
        if k < LEAST_K && !allow_small_k {
            return Err(PolicyError::SmallK { k });
        }
        if histogram_drilldown >= drilldowns.len() {
            return Err(PolicyError::NoSuchDrilldown { index: histogram_drilldown, count: drilldowns.len() });
        }
        if let Some(networks) = guard_networks.filter(|networks| !(1..=64).contains(networks)) {
            return Err(PolicyError::GuardOutOfRange { networks });
        }
        Ok(Self { k, drilldowns, histogram_drilldown, guard_networks, privacy })
    }

    /// With the secret that all workers share, where there is noise; any other policy as it is.
    #[must_use]
    pub fn keyed(mut self, secret: Secret) -> Self {
        if let Some(privacy) = &mut self.privacy {
            privacy.keyed(secret);
        }
        self
    }

    /// The same for windows of another length and sessions that are remembered for another time, ms: the noise is
    /// reckoned anew.
    ///
    /// # Errors
    /// Where a day is not a whole number of such windows, or they are too many for the budget.
    pub fn for_windows(mut self, window: Millis, idle: Millis) -> Result<Self, PolicyError> {
        if let Some(privacy) = &mut self.privacy {
            privacy.fit(window, idle, self.drilldowns.len())?;
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
    pub fn drilldowns(&self) -> &[Vec<Dimension>] {
        &self.drilldowns
    }

    /// Which of them carries histograms, from 0.
    #[must_use]
    pub const fn histogram_drilldown(&self) -> usize {
        self.histogram_drilldown
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
        let drilldowns: Vec<_> = self.drilldowns.iter().map(|drilldown| drilldown_name(drilldown)).collect();
        let mut text = format!(
            "{};rules={};k={};guard={};histogram={};drilldowns={}",
            self.name(),
            RULES,
            self.k,
            self.guard_networks.unwrap_or(0),
            self.histogram_drilldown,
            drilldowns.join("|"),
        );
        if let Some(privacy) = &self.privacy {
            text.push(';');
            text.push_str(&privacy.fingerprint_text());
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
