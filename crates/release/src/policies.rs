//! The policies of all tenants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crowdfold_model::{Breakdowns, Millis};

use crate::policy::fnv1a;
use crate::{Policy, PolicyError, Secret};

#[cfg(test)]
mod tests;

/// What a row must be to leave, tenant by tenant: the common policy, but for those that have their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    common: Policy,
    /// Those of tenants that differ.
    own: BTreeMap<String, Policy>,
}

impl Policies {
    /// `common` for all tenants but those that have their own, by name. Whose own is the common one has none.
    #[must_use]
    pub fn new(common: Policy, own: impl IntoIterator<Item = (String, Policy)>) -> Self {
        let own = own.into_iter().filter(|(_, policy)| *policy != common).collect();
        Self { common, own }
    }

    /// A tenant's.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &Policy {
        self.own.get(tenant).unwrap_or(&self.common)
    }

    /// That of tenants that have none of their own.
    #[must_use]
    pub const fn common(&self) -> &Policy {
        &self.common
    }

    /// Tenants that have their own, in the order of their names.
    pub fn own(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.own.iter().map(|(tenant, policy)| (tenant.as_str(), policy))
    }

    /// Every policy there is, the common one first.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.common).chain(self.own.values())
    }

    /// The greatest k of any tenant: what is told of all of them together is floored to a multiple of it.
    #[must_use]
    pub fn most_k(&self) -> u64 {
        self.all().map(Policy::k).max().unwrap_or(self.common.k())
    }

    /// Every tenant's tables, as combiners and mergers must agree on them.
    #[must_use]
    pub fn breakdowns(&self) -> Breakdowns {
        let own = self.own.iter().map(|(tenant, policy)| (tenant.clone(), policy.breakdowns().to_vec()));
        Breakdowns::new(self.common.breakdowns().to_vec(), own)
    }

    /// With the secret that all workers share, where there is noise; see [`Policy::keyed`].
    #[must_use]
    pub fn keyed(self, secret: &Secret) -> Self {
        let Self { common, own } = self;
        let own = own.into_iter().map(|(tenant, policy)| (tenant, policy.keyed(secret.clone()))).collect();
        Self { common: common.keyed(secret.clone()), own }
    }

    /// The same for other windows; see [`Policy::for_windows`].
    ///
    /// # Errors
    /// As there.
    pub fn for_windows(self, window: Millis, idle: Millis) -> Result<Self, PolicyError> {
        let Self { common, own } = self;
        let fit = |(tenant, policy): (String, Policy)| Ok((tenant, policy.for_windows(window, idle)?));
        let own = own.into_iter().map(fit).collect::<Result<_, PolicyError>>()?;
        Ok(Self { common: common.for_windows(window, idle)?, own })
    }

    /// A number that changes whenever the same cells of any tenant would be released otherwise; see
    /// [`Policy::fingerprint`], which it is where no tenant has its own.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        if self.own.is_empty() {
            return self.common.fingerprint();
        }
        let mut text = format!("common={:016x}", self.common.fingerprint());
        for (tenant, policy) in &self.own {
            let _ = write!(text, ";{tenant}={:016x}", policy.fingerprint());
        }
        fnv1a(text.as_bytes())
    }
}

impl From<Policy> for Policies {
    fn from(common: Policy) -> Self {
        Self::new(common, [])
    }
}
