//! The policies of all tenants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crowdfold_model::{Breakdowns, Span};

use crate::policy::fnv1a;
use crate::{Policy, PolicyError, Secret};

#[cfg(test)]
mod tests;

/// The release policies of all tenants. Tenants without their own policy use the common policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    common: Policy,
    /// The policies that differ from the common one, by tenant.
    own: BTreeMap<String, Policy>,
}

impl Policies {
    /// Creates the policies from the common policy, and from the policies of single tenants by name. If the policy of a
    /// tenant equals the common policy, it is not stored.
    #[must_use]
    pub fn new(common: Policy, own: impl IntoIterator<Item = (String, Policy)>) -> Self {
        let own = own.into_iter().filter(|(_, policy)| *policy != common).collect();
        Self { common, own }
    }

    /// Returns the policy of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &Policy {
        self.own.get(tenant).unwrap_or(&self.common)
    }

    /// Returns the policy of tenants that have no policy of their own.
    #[must_use]
    pub const fn common(&self) -> &Policy {
        &self.common
    }

    /// Returns the tenants that have their own policy, sorted by name.
    pub fn own(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.own.iter().map(|(tenant, policy)| (tenant.as_str(), policy))
    }

    /// Returns all policies. The common policy is the first.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.common).chain(self.own.values())
    }

    /// Returns the greatest k of any tenant. Counts over all tenants are rounded down to a multiple of this number.
    #[must_use]
    pub fn max_k(&self) -> u64 {
        self.all().map(Policy::k).max().unwrap_or(self.common.k())
    }

    /// Returns the breakdowns of all tenants. Combiners and mergers must use the same breakdowns.
    #[must_use]
    pub fn breakdowns(&self) -> Breakdowns {
        let own = self.own.iter().map(|(tenant, policy)| (tenant.clone(), policy.breakdowns().to_vec()));
        Breakdowns::new(self.common.breakdowns().to_vec(), own)
    }

    /// Adds the secret to all policies (see [`Policy::keyed`]).
    #[must_use]
    pub fn keyed(self, secret: &Secret) -> Self {
        let Self { common, own } = self;
        let own = own.into_iter().map(|(tenant, policy)| (tenant, policy.keyed(secret.clone()))).collect();
        Self { common: common.keyed(secret.clone()), own }
    }

    /// Adapts all policies to another window length and another idle time-out of sessions (see
    /// [`Policy::for_windows`]).
    ///
    /// # Errors
    /// Returns the error of [`Policy::for_windows`].
    pub fn for_windows(self, window: Span, idle: Span) -> Result<Self, PolicyError> {
        let Self { common, own } = self;
        let fit = |(tenant, policy): (String, Policy)| Ok((tenant, policy.for_windows(window, idle)?));
        let own = own.into_iter().map(fit).collect::<Result<_, PolicyError>>()?;
        Ok(Self { common: common.for_windows(window, idle)?, own })
    }

    /// Returns a number that identifies the policies. The number changes if the same cells of any tenant would give
    /// other rows. It equals [`Policy::fingerprint`] if no tenant has its own policy.
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
