//! The release policy of a tenant: the rules that rows must meet to be published.

use crowdfold_model::{Cell, Dimension, Family, Span};

use crate::families::{breakdown_name, check_breakdowns, check_families, listed};
use crate::privacy::{Privacy, PrivacySettings, Secret};

mod error;
#[cfg(test)]
mod tests;

pub use error::{PolicyError, PolicyField};

/// The minimum of k, unless [`PolicySettings::allow_small_k`] is true.
pub const MIN_K: u64 = 10;

/// The default margin. If half of k is smaller than this, the default is half of k.
const DEFAULT_MARGIN: u64 = 10;

/// The default of [`PolicySettings::noise`]. With this default, everything that one session adds to a row outside the
/// detail table is at most a quarter of a standard deviation of the noise.
const DEFAULT_NOISE: u64 = 8;

/// The maximum of [`PolicySettings::noise`].
const MAX_NOISE: u64 = 100;

/// The settings of a policy before they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// The minimum number of distinct sessions of a row.
    pub k: u64,
    /// True to permit a k below 10.
    pub allow_small_k: bool,
    /// The breakdowns. Each breakdown gives one table, in this order.
    pub breakdowns: Vec<Vec<Dimension>>,
    /// The selection of the detail table.
    pub detail: Detail,
    /// The minimum number of possible sizes of a small group inside a row with `*`. `None` means the default,
    /// which is the smaller of 10 and k/2.
    pub margin: Option<u64>,
    /// The standard deviation of the noise outside the detail table, in multiples of the clamp of each field.
    pub noise: u64,
    /// The minimum number of network bits of a row. `None` means no minimum.
    pub min_networks: Option<u32>,
    /// True to permit the dimension `content` in one breakdown with `region`, `asn`, `network` or a custom dimension of
    /// the family `place`.
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
            min_networks: None,
            allow_below_place: false,
        }
    }
}

/// The selection of the detail table, which has exact numbers, percentiles and histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The table of the last breakdown.
    Last,
    /// No detail table.
    None,
    /// The table of the breakdown with this index, from 0.
    Index(usize),
}

/// The rules that rows must meet to be published. Under the policy `threshold`, rows are folded until each row is a
/// crowd, and numbers outside the detail table have noise. Under the policy `differential-privacy`, rows are not
/// folded, every number has noise, and a threshold hides the presence of a single session.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    k: u64,
    breakdowns: Vec<Vec<Dimension>>,
    detail: Option<usize>,
    margin: u64,
    noise: u64,
    min_networks: Option<u32>,
    /// The key of the noise outside the detail table under `threshold`. `None` if there is no secret.
    secret: Option<Secret>,
    /// The budget and the noise under `differential-privacy`. `None` under `threshold`.
    privacy: Option<Privacy>,
}

impl Policy {
    /// Creates a policy `threshold`.
    ///
    /// # Errors
    /// Returns an error with the invalid field and the fix.
    pub fn threshold(settings: PolicySettings) -> Result<Self, PolicyError> {
        check_families(&settings.breakdowns, settings.allow_below_place)?;
        Self::new(settings, None)
    }

    /// Creates a policy `differential-privacy`. It releases nothing until it has a secret (see [`Self::keyed`]).
    ///
    /// # Errors
    /// Returns an error with the invalid field and the fix.
    pub fn differential_privacy(
        settings: PolicySettings,
        budget: &PrivacySettings,
    ) -> Result<Self, PolicyError> {
        check_breakdowns(&settings.breakdowns, settings.allow_below_place)?;
        if let Some(networks) = settings.min_networks {
            return Err(PolicyError::MinNetworksUnderNoise { networks });
        }
        let privacy = Privacy::new(budget, settings.breakdowns.len())?;
        Self::new(settings, Some(privacy))
    }

    fn new(settings: PolicySettings, privacy: Option<Privacy>) -> Result<Self, PolicyError> {
        let PolicySettings { k, allow_small_k, breakdowns, detail, margin, noise, min_networks, .. } =
            settings;
        if k == 0 {
            return Err(PolicyError::ZeroK);
        }
        if k < MIN_K && !allow_small_k {
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
        if privacy.is_none() {
            let mut others = breakdowns.iter().enumerate().filter(|(index, _)| Some(*index) != detail);
            let found = others.find_map(|(_, breakdown)| Some((error_of(breakdown)?, breakdown)));
            if let Some((dimension, breakdown)) = found {
                return Err(PolicyError::ErrorOutsideDetail { dimension, breakdown: listed(breakdown) });
            }
        }
        let margin = match margin {
            None => DEFAULT_MARGIN.min(k / 2),
            Some(0) if !allow_small_k => return Err(PolicyError::NoMargin),
            Some(margin) if margin > k / 2 => return Err(PolicyError::WideMargin { margin, k }),
            Some(margin) => margin,
        };
        if !(1..=MAX_NOISE).contains(&noise) {
            return Err(PolicyError::NoiseOutOfRange { noise });
        }
        if let Some(networks) = min_networks.filter(|networks| !(1..=64).contains(networks)) {
            return Err(PolicyError::MinNetworksOutOfRange { networks });
        }
        Ok(Self { k, breakdowns, detail, margin, noise, min_networks, secret: None, privacy })
    }

    /// Adds the secret, which is the key of the noise. All workers have the same secret. Without a secret, `threshold`
    /// publishes only session counts outside the detail table, and `differential-privacy` publishes nothing.
    #[must_use]
    pub fn keyed(mut self, secret: Secret) -> Self {
        match &mut self.privacy {
            Some(privacy) => privacy.keyed(secret),
            None => self.secret = Some(secret),
        }
        self
    }

    /// Returns the key of the noise outside the detail table under `threshold`, or `None` if there is no secret.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Adapts the policy to another window length and another idle time-out of sessions. Under
    /// `differential-privacy`, the noise is calculated again.
    ///
    /// # Errors
    /// Returns an error if a day is not a whole number of these windows, or if there are too many windows for the
    /// privacy budget.
    pub fn for_windows(mut self, window: Span, idle: Span) -> Result<Self, PolicyError> {
        if let Some(privacy) = &mut self.privacy {
            privacy.fit(window, idle, self.breakdowns.len())?;
        }
        Ok(self)
    }

    /// Returns the minimum session count of a published row. It is τ + k − 1 under `differential-privacy`, and k
    /// under `threshold`.
    #[must_use]
    pub const fn min_shown_sessions(&self) -> u64 {
        match &self.privacy {
            None => self.k,
            Some(privacy) => privacy.tau().saturating_add(self.k).saturating_sub(1),
        }
    }

    /// Returns the budget and the noise under `differential-privacy`, or `None` under `threshold`.
    #[must_use]
    pub const fn privacy(&self) -> Option<&Privacy> {
        self.privacy.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn set_privacy(&mut self, privacy: Privacy) {
        self.privacy = Some(privacy);
    }

    /// Returns the name of the policy in rollups.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.privacy {
            None => "threshold",
            Some(_) => "differential-privacy",
        }
    }

    /// Returns the minimum number of distinct sessions of a row.
    #[must_use]
    pub const fn k(&self) -> u64 {
        self.k
    }

    /// Returns the breakdowns. Each breakdown gives one table, in this order.
    #[must_use]
    pub fn breakdowns(&self) -> &[Vec<Dimension>] {
        &self.breakdowns
    }

    /// Returns the index, from 0, of the breakdown of the detail table, or `None` if there is no detail table. Under
    /// `differential-privacy`, the detail table has noise too, and is the only table with histograms.
    #[must_use]
    pub const fn detail(&self) -> Option<usize> {
        self.detail
    }

    /// Returns the minimum number of possible sizes of a small group inside a row with `*`, as computed from that row
    /// alone. The documentation calls this number b.
    #[must_use]
    pub const fn margin(&self) -> u64 {
        self.margin
    }

    /// Returns the standard deviation of the noise outside the detail table, in multiples of the clamp of each field.
    /// The documentation calls this number s.
    #[must_use]
    pub const fn noise(&self) -> u64 {
        self.noise
    }

    /// Returns true if the policy is `threshold` with a secret, so that tables other than the detail table contain
    /// numbers with noise.
    #[must_use]
    pub const fn is_noisy(&self) -> bool {
        self.secret.is_some()
    }

    /// Returns the minimum number of network bits of a row, or `None` if there is no minimum.
    #[must_use]
    pub const fn min_networks(&self) -> Option<u32> {
        self.min_networks
    }

    /// Returns true if a cell is a crowd, so that it may be published as a row. This is monotone: a crowd remains a
    /// crowd when sessions are added.
    #[must_use]
    pub const fn is_crowd(&self, cell: &Cell) -> bool {
        cell.sessions >= self.k
            && match self.min_networks {
                Some(networks) => cell.networks.count_ones() >= networks,
                None => true,
            }
    }

    /// Returns a number that identifies the policy. The number changes if the same cells would give other rows. It is
    /// the same in every process and on every machine, because mergers store it in the metadata of their offsets.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let breakdowns: Vec<_> = self.breakdowns.iter().map(|breakdown| breakdown_name(breakdown)).collect();
        let mut text = format!(
            "{};rules={};k={};guard={};detail={};breakdowns={};",
            self.name(),
            RULES,
            self.k,
            self.min_networks.unwrap_or(0),
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

/// Returns the first dimension that describes errors.
fn error_of(breakdown: &[Dimension]) -> Option<Dimension> {
    breakdown.iter().copied().find(|dimension| dimension.family() == Family::Error)
}

/// The version of the code that computes rows. Increment it if the same cells and policy give other rows.
const RULES: u32 = 1;

/// Hashes bytes with 64-bit FNV-1a. Hashers of the standard library are not used, because they may change between
/// releases of Rust.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
