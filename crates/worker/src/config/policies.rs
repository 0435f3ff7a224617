//! Creates the release policies: the common policy, and a policy for each tenant that has separate settings.

use std::collections::BTreeSet;

use crowdfold_config::{ConfigError, DetailTable, Loaded, ReleasePolicy};
use crowdfold_engine::MOST_LEVELS;
use crowdfold_model::{CustomDimensions, Dimension};
use crowdfold_release::{
    Detail, FamilyError, Policies, Policy, PolicyError, PolicyField, PolicySettings, PrivacyError,
    PrivacySettings,
};

use super::dimensions::named;

const K: &str = "release.k";
const BREAKDOWNS: &str = "release.breakdowns";
const DETAIL: &str = "release.detail_breakdown";

/// Creates the policies. The secret is not included.
pub(super) fn read(loaded: &Loaded, custom: &CustomDimensions) -> Result<Policies, ConfigError> {
    let settings = &loaded.settings;
    let budget = PrivacySettings {
        epsilon: settings.release.privacy.epsilon,
        delta: settings.release.privacy.delta,
        window: settings.windows.length.into(),
        idle: settings.sessions.idle_timeout.into(),
    };
    let policy = |keys: &Keys<'_>| {
        let policy_settings = keys.settings()?;
        let policy = match settings.release.policy {
            ReleasePolicy::Threshold => Policy::threshold(policy_settings),
            ReleasePolicy::DifferentialPrivacy => Policy::differential_privacy(policy_settings, &budget),
        };
        policy.map_err(|error| keys.refused(&error))
    };
    let common = policy(&Keys::common(loaded, custom))?;
    let mut own = Vec::new();
    // Two tenants can have the same breakdowns, but different custom dimensions with the same names.
    let tenants: BTreeSet<_> =
        settings.release.tenants.keys().chain(settings.dimensions.tenants.keys()).collect();
    for tenant in tenants {
        own.push((tenant.clone(), policy(&Keys::of(loaded, custom, tenant))?));
    }
    Ok(Policies::new(common, own))
}

/// The value of a setting, and the key that sets it.
struct Keyed<T> {
    key: String,
    value: T,
}

/// The settings of one policy that may differ between tenants.
struct Keys<'a> {
    loaded: &'a Loaded,
    custom: &'a CustomDimensions,
    /// The tenant, or `None` for the common settings.
    tenant: Option<&'a str>,
    k: Keyed<u64>,
    breakdowns: Keyed<&'a [Vec<String>]>,
    detail: Keyed<&'a DetailTable>,
}

impl<'a> Keys<'a> {
    /// Returns the settings that are common to all tenants.
    fn common(loaded: &'a Loaded, custom: &'a CustomDimensions) -> Self {
        let release = &loaded.settings.release;
        Self {
            loaded,
            custom,
            tenant: None,
            k: Keyed { key: K.into(), value: release.k },
            breakdowns: Keyed { key: BREAKDOWNS.into(), value: &release.breakdowns },
            detail: Keyed { key: DETAIL.into(), value: &release.detail_breakdown },
        }
    }

    /// Returns the settings of one tenant. If the tenant does not set a key, the key has the common value.
    fn of(loaded: &'a Loaded, custom: &'a CustomDimensions, tenant: &'a str) -> Self {
        let key = |name: &str| format!("release.tenants.{tenant}.{name}");
        let mut keys = Self { tenant: Some(tenant), ..Self::common(loaded, custom) };
        let Some(own) = loaded.settings.release.tenants.get(tenant) else { return keys };
        if let Some(value) = own.k {
            keys.k = Keyed { key: key("k"), value };
        }
        if let Some(value) = &own.breakdowns {
            keys.breakdowns = Keyed { key: key("breakdowns"), value };
        }
        if let Some(value) = &own.detail_breakdown {
            keys.detail = Keyed { key: key("detail_breakdown"), value };
        }
        keys
    }

    /// Converts the settings to the settings of a policy.
    fn settings(&self) -> Result<PolicySettings, ConfigError> {
        let release = &self.loaded.settings.release;
        let breakdowns = self.breakdowns()?;
        Ok(PolicySettings {
            k: self.k.value,
            allow_small_k: release.allow_small_k,
            detail: self.detail(&breakdowns)?,
            margin: release.margin,
            noise: release.noise,
            breakdowns,
            min_networks: Some(release.min_networks).filter(|networks| *networks > 0),
            allow_below_place: self.loaded.settings.content.allow_below_place,
        })
    }

    /// Returns the dimensions of each breakdown.
    fn breakdowns(&self) -> Result<Vec<Vec<Dimension>>, ConfigError> {
        let Keyed { key, value: tables } = &self.breakdowns;
        if let Some(long) = tables.iter().find(|table| table.len() > MOST_LEVELS) {
            let message =
                format!("contains a breakdown of {} dimensions; give at most {MOST_LEVELS}", long.len());
            return Err(self.loaded.error(key, message));
        }
        tables.iter().map(|table| self.dimensions(key, table)).collect()
    }

    fn dimensions(&self, key: &str, names: &[String]) -> Result<Vec<Dimension>, ConfigError> {
        let dimension = |name: &String| {
            named(self.custom, self.tenant, name).map_err(|message| self.loaded.error(key, message))
        };
        names.iter().map(dimension).collect()
    }

    /// Returns the selection of the detail table.
    fn detail(&self, breakdowns: &[Vec<Dimension>]) -> Result<Detail, ConfigError> {
        let Keyed { key: detail, value } = &self.detail;
        let names = match value {
            DetailTable::Last => return Ok(Detail::Last),
            DetailTable::None => return Ok(Detail::None),
            DetailTable::Breakdown(names) => names,
        };
        let named = self.dimensions(detail, names)?;
        if let Some(index) = breakdowns.iter().position(|breakdown| *breakdown == named) {
            return Ok(Detail::Index(index));
        }
        let key = &self.breakdowns.key;
        if detail == DETAIL && key != BREAKDOWNS {
            let own = key.replace("breakdowns", "detail_breakdown");
            let message = format!("does not contain the breakdown that {DETAIL} names; add it, or set {own}");
            return Err(self.loaded.error(key, message));
        }
        let message = format!(
            "is not a breakdown of {key}; write one exactly as it is listed there, or set the key to \"last\" or \"none\""
        );
        Err(self.loaded.error(detail, message))
    }

    /// Converts the error of a policy to a configuration error, which names the key that must change.
    fn refused(&self, error: &PolicyError) -> ConfigError {
        let field = error.field();
        let subject = match field {
            PolicyField::K => &self.k.key,
            PolicyField::Breakdowns => &self.breakdowns.key,
            PolicyField::Detail => &self.detail.key,
            _ => policy_key(field),
        };
        let key = match error {
            PolicyError::WideMargin { .. } if self.k.key != K => &self.k.key,
            // the breakdowns of the tenant are the cause, because the common breakdowns were checked before with the
            // same privacy budget
            PolicyError::Privacy(PrivacyError::TooMuchNoise { .. }) if self.breakdowns.key != BREAKDOWNS => {
                &self.breakdowns.key
            }
            _ => subject,
        };
        let problem = self.problem(error);
        if key == subject {
            return self.loaded.error(key, problem);
        }
        self.loaded.error(key, format!("is refused, because {subject} {problem}"))
    }

    /// Describes the error of a policy and the fix. The description names other keys that are part of the fix.
    fn problem(&self, error: &PolicyError) -> String {
        let problem = error.problem();
        match error {
            PolicyError::SmallK { .. } | PolicyError::NoMargin => {
                format!("{problem}, or set release.allow_small_k = true for trials")
            }
            PolicyError::Families(FamilyError::ContentBelowPlace { .. }) => {
                format!("{problem}, or set content.allow_below_place = true")
            }
            PolicyError::ErrorOutsideDetail { .. } => {
                format!("{problem}, or name the breakdown in {}", self.detail.key)
            }
            PolicyError::WideMargin { margin, k } => format!(
                "is {margin}, above half of {}, which is {k}; set the margin to a value from 1 to {}",
                self.k.key,
                k / 2
            ),
            PolicyError::MinNetworksUnderNoise { .. } => {
                format!("{problem}, or release.policy to \"threshold\"")
            }
            _ => problem,
        }
    }
}

/// Returns the configuration key that sets a field of the common policy.
#[must_use]
pub const fn policy_key(field: PolicyField) -> &'static str {
    match field {
        PolicyField::K => K,
        PolicyField::Breakdowns => BREAKDOWNS,
        PolicyField::Detail => DETAIL,
        PolicyField::Margin => "release.margin",
        PolicyField::Noise => "release.noise",
        PolicyField::MinNetworks => "release.min_networks",
        PolicyField::Epsilon => "release.privacy.epsilon",
        PolicyField::Delta => "release.privacy.delta",
        PolicyField::Window => "windows.length",
    }
}
