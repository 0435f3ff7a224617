//! Converts the settings to the parameters of the other crates.
//!
//! The crate `config` reads the settings and checks them as far as it can without other crates. This module checks
//! the rest: names that other crates define, properties of librdkafka, and the rules of the release policies.

mod dimensions;
mod librdkafka;
mod messages;
mod names;
mod parameters;
mod policies;
mod principals;
#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};

use crowdfold_config::{ConfigError, Loaded, Settings, Sources};
use crowdfold_model::{CustomDimensions, CustomSource};
use crowdfold_release::{Policies, Policy, Secret};

use dimensions::CustomDefinitions;

pub use messages::{airlock_message, fields_message, finding_message, kafka_message, mapped_path};
pub(crate) use messages::{engine_message, source_message};
pub use parameters::partitioner;
pub use policies::policy_key;
pub use principals::Principals;

/// The advice for a configuration without a secret. Without a secret, some tables contain session counts only.
pub const COUNTS_ONLY: &str = "no secret is configured, so tables other than the detail table show session counts only; \
    to publish their other numbers with noise, write `openssl rand -hex 32` to a file and set \
    release.privacy.secret_file = \"/etc/crowdfold/secret\"";

/// The settings, and the release policies that they describe.
#[derive(Clone)]
pub struct Config {
    loaded: Loaded,
    policies: Policies,
    custom: CustomDefinitions,
}

/// Gives access to the settings.
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
    /// Returns the first error that is found.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::new(Loaded::load(sources)?)
    }

    fn new(loaded: Loaded) -> Result<Self, ConfigError> {
        librdkafka::check(&loaded)?;
        names::check(&loaded)?;
        principals::check(&loaded)?;
        let custom = dimensions::read(&loaded)?;
        let policies = policies::read(&loaded, &custom.dimensions)?;
        Ok(Self { loaded, policies, custom })
    }

    /// Returns the locations of the values of custom dimensions.
    #[must_use]
    pub fn custom_sources(&self) -> &[CustomSource] {
        &self.custom.sources
    }

    /// Returns the custom dimensions of every tenant.
    #[must_use]
    pub const fn custom_dimensions(&self) -> &CustomDimensions {
        &self.custom.dimensions
    }

    /// Returns the settings of all keys as TOML, after all layers were applied. Secrets are masked.
    #[must_use]
    pub fn effective(&self) -> String {
        self.loaded.effective()
    }

    /// Returns true if the file, the environment or a flag sets the key.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        self.loaded.is_given(key)
    }

    /// Adds the secret of `release.privacy.secret_file`, if that key is set. Call this function before rows are
    /// released. Commands that only read rollups need no secret.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or does not contain 64 hexadecimal digits.
    pub fn keyed(mut self) -> Result<Self, ConfigError> {
        if self.release.privacy.secret_file.is_some() {
            let secret = Secret::new(self.loaded.read_secret()?);
            self.policies = self.policies.keyed(&secret);
        }
        Ok(self)
    }

    /// Adds the given secret, unless `release.privacy.secret_file` is set.
    #[must_use]
    pub fn keyed_with(mut self, secret: Secret) -> Self {
        if self.release.privacy.secret_file.is_none() {
            self.policies = self.policies.keyed(&secret);
        }
        self
    }

    /// Logs a warning if some tables will show session counts only.
    pub fn warn_of_counts_only(&self) {
        if self.shows_counts_only() {
            tracing::warn!("{COUNTS_ONLY}");
        }
    }

    /// Returns true if some tables will show session counts only, because there is no secret from which noise can be
    /// generated.
    #[must_use]
    pub fn shows_counts_only(&self) -> bool {
        let has_other_tables =
            |policy: &Policy| policy.breakdowns().len() > usize::from(policy.detail().is_some());
        self.release.privacy.secret_file.is_none()
            && self.policies.common().privacy().is_none()
            && self.policies.all().any(has_other_tables)
    }

    /// Returns the release policies of all tenants.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Returns the release policy of tenants that have no separate policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.policies.common()
    }

    /// Replaces the release policies.
    #[must_use]
    pub fn with_policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }
}
