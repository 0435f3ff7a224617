//! Parameters of the other crates, made from the settings.
//!
//! `crowdfold-config` reads the settings and checks what it can check alone. This module checks the rest: names that
//! the other crates define, and rules that the release has for its policies.

mod librdkafka;
mod names;
mod parameters;
mod policies;
mod principals;
#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};

use crowdfold_config::{ConfigError, Loaded, Settings, Sources};
use crowdfold_release::{Policies, Policy, Secret};

pub use parameters::partitioner;
pub use principals::Principals;

/// The advice for tables that show session counts only.
pub const COUNTS_ONLY: &str = "no secret is configured, so tables other than the detail table show session counts only; \
    to publish their other numbers with noise, write `openssl rand -hex 32` to a file and set \
    release.privacy.secret_file = \"/etc/crowdfold/secret\"";

/// The settings, with the release policies made from them.
#[derive(Clone)]
pub struct Config {
    loaded: Loaded,
    policies: Policies,
}

/// A configuration is used like its settings.
impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.loaded.settings
    }
}

impl DerefMut for Config {
    fn deref_mut(&mut self) -> &mut Settings {
        &mut self.loaded.settings
    }
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::new(Loaded::load(sources)?)
    }

    fn new(loaded: Loaded) -> Result<Self, ConfigError> {
        librdkafka::check(&loaded)?;
        names::check(&loaded)?;
        principals::check(&loaded)?;
        let policies = policies::read(&loaded)?;
        Ok(Self { loaded, policies })
    }

    /// Returns the effective configuration as TOML, with secrets masked.
    #[must_use]
    pub fn effective(&self) -> String {
        self.loaded.effective()
    }

    /// Returns true if a layer above the defaults gives the key.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        self.loaded.is_given(key)
    }

    /// Returns the configuration with the secret of `release.privacy.secret_file`, if that is set. Rows can be released
    /// only after this call. Commands that only read rollups need no secret.
    ///
    /// # Errors
    /// When the file cannot be read or does not contain 64 hexadecimal digits.
    pub fn keyed(mut self) -> Result<Self, ConfigError> {
        if self.release.privacy.secret_file.is_some() {
            let secret = Secret::new(self.loaded.read_secret()?);
            self.policies = self.policies.keyed(&secret);
        }
        Ok(self)
    }

    /// Returns the configuration with a secret of this process, unless a file is named.
    #[must_use]
    pub fn keyed_with(mut self, secret: Secret) -> Self {
        if self.release.privacy.secret_file.is_none() {
            self.policies = self.policies.keyed(&secret);
        }
        self
    }

    /// Logs that some tables show session counts only, and how to change that.
    pub fn warn_of_counts_only(&self) {
        if self.shows_counts_only() {
            tracing::warn!("{COUNTS_ONLY}");
        }
    }

    /// Returns true if some table will show session counts only, because no secret keys its noise.
    #[must_use]
    pub fn shows_counts_only(&self) -> bool {
        let has_other_tables =
            |policy: &Policy| policy.breakdowns().len() > usize::from(policy.detail().is_some());
        self.release.privacy.secret_file.is_none()
            && self.policies.common().privacy().is_none()
            && self.policies.all().any(has_other_tables)
    }

    /// Returns the conditions for publishing a row, by tenant.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Returns the conditions for tenants that have none of their own.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.policies.common()
    }

    /// Returns the configuration with other conditions for publishing a row.
    #[must_use]
    pub fn with_policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }
}
