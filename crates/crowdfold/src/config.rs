//! Configuration: defaults, a file, the environment and flags, read into what the other crates ask for.
//!
//! Syntax comes first ([`layers`]): which keys there are is what `deploy/default.toml` says, and each value keeps the
//! location where it was given. Then each section is read into its meaning; a [`Problem`] names location, key, what was
//! found and what would do.
//!
//! Secrets: a problem never quotes a property of librdkafka, secret files are read only when a client is made, and
//! [`Config::effective`] masks what may be one.

mod admission;
mod attributes;
mod audit;
mod bounds;
mod collect;
mod duration;
mod effective;
mod fits;
mod kafka;
mod layers;
mod nearest;
mod own;
mod principals;
mod problem;
mod properties;
mod read;
mod release;
mod source;
#[cfg(test)]
mod tests;
mod topics;
mod value;
mod windows;

use std::ffi::OsString;
use std::path::PathBuf;

use crowdfold_release::{Policies, Policy, Secret};
use crowdfold_rollup::Rules;

pub use admission::{Address, Consent, Content, Tenants};
pub use audit::Audit;
pub use bounds::Bounds;
pub use collect::Collect;
pub use duration::{parse_duration, show_duration, spell_duration};
pub use kafka::Kafka;
pub use layers::{DEFAULT, Override};
pub use principals::Principals;
pub use problem::{Origin, Problem};
pub use properties::{Properties, Property};
pub use release::{COUNTS_ONLY, Release};
pub use source::Source;
pub use topics::{TopicNames, Topics, Ttl};
pub use windows::{Merge, Metrics, Sessions, Windows};

use layers::Layers;

/// Where a configuration comes from, in the order in which one overrules the other. The outermost crates fill it in:
/// nothing here asks the process or the host.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A file over the defaults.
    pub file: Option<PathBuf>,
    /// Environment variables, all of them.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags of the command line.
    pub flags: Vec<Override>,
    /// The host's name: what `kafka.instance` is when it is not given.
    pub host: String,
}

/// A configuration that can be run with.
#[derive(Clone)]
pub struct Config {
    /// `[kafka]`.
    pub kafka: Kafka,
    /// `[principals]`.
    pub principals: Principals,
    /// `[source]`.
    pub source: Source,
    /// `[windows]`.
    pub windows: Windows,
    /// `[sessions]`.
    pub sessions: Sessions,
    /// `[tenants]`.
    pub tenants: Tenants,
    /// `[address]`.
    pub address: Address,
    /// `[consent]`.
    pub consent: Consent,
    /// `[content]`.
    pub content: Content,
    /// `[release]`.
    pub release: Release,
    /// `[merge]`.
    pub merge: Merge,
    /// `[ttl]`.
    pub ttl: Ttl,
    /// `[topics]`.
    pub topics: Topics,
    /// `[collect]`.
    pub collect: Collect,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[audit]`.
    pub audit: Audit,
    layers: Layers,
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// The first [`Problem`] found.
    pub fn load(sources: &Sources) -> Result<Self, Problem> {
        let mut layers = Layers::defaults()?;
        if let Some(path) = &sources.file {
            let text =
                std::fs::read_to_string(path).map_err(|error| Problem::unreadable(path, None, &error))?;
            layers.add_file(path, &text)?;
        }
        layers.add_environment(sources.environment.iter().cloned())?;
        layers.add_flags(&sources.flags)?;
        Self::read(layers, &sources.host)
    }

    fn read(mut layers: Layers, host: &str) -> Result<Self, Problem> {
        Release::settle_defaults(&mut layers);
        let content = Content::read(&layers)?;
        let tenants = Tenants::read(&layers)?;
        let kafka = Kafka::read(&layers, host)?;
        let windows = Windows::read(&layers)?;
        let sessions = Sessions::read(&layers)?;
        let source = Source::read(&layers)?;
        let consent = Consent::read(&layers, &tenants)?;
        let config = Self {
            principals: Principals::read(&layers, &kafka.prefix, &tenants)?,
            kafka,
            address: Address::read(&layers)?,
            collect: Collect::read(&layers, &source, &tenants, &consent)?,
            source,
            consent,
            release: Release::read(&layers, &tenants, &content, &windows, &sessions)?,
            merge: Merge::read(&layers)?,
            ttl: Ttl::read(&layers)?,
            topics: Topics::read(&layers)?,
            metrics: Metrics::read(&layers)?,
            audit: Audit::read(&layers)?,
            windows,
            sessions,
            content,
            tenants,
            layers,
        };
        fits::check(&config)?;
        Ok(config)
    }

    /// Returns the configuration ready to release rows, with `release.privacy.secret_file` read if it is named. Commands
    /// that only read rollups need no secret.
    ///
    /// # Errors
    /// When that file cannot be read or does not hold 64 hexadecimal digits.
    pub fn keyed(mut self) -> Result<Self, Problem> {
        self.release = self.release.keyed(&self.layers)?;
        Ok(self)
    }

    /// Logs once, at the start, that some tables show session counts only, and how to change that.
    pub fn warn_of_counts_only(&self) {
        if self.release.shows_counts_only() {
            tracing::warn!("{COUNTS_ONLY}");
        }
    }

    /// Returns the configuration with a secret that this process alone knows, unless a file names one.
    #[must_use]
    pub fn keyed_with(mut self, secret: Secret) -> Self {
        if self.release.secret_file.is_none() {
            self.release.policies = self.release.policies.keyed(&secret);
        }
        self
    }

    /// What the airlock is told. Reads `release.privacy.secret_file` where the guard by networks is on.
    ///
    /// # Errors
    /// When that file cannot be read or does not hold 64 hexadecimal digits.
    pub fn airlock(&self) -> Result<crowdfold_airlock::Settings, Problem> {
        let guard_key = match self.policy().guard_networks() {
            Some(_) => Some(self.release.secret(&self.layers)?),
            None => None,
        };
        Ok(crowdfold_airlock::Settings {
            format: self.source.format,
            fields: self.source.fields.clone(),
            log: self.source.log.clone(),
            tenants: self.tenants.names.clone(),
            default_tenant: self.tenants.default,
            partitioner: self.source.partitioner,
            max_skew: self.windows.max_skew,
            address: self.address.policy,
            country_mmdb: self.address.country_mmdb.clone(),
            asn_mmdb: self.address.asn_mmdb.clone(),
            gpc: self.consent.gpc,
            dnt: self.consent.dnt,
            child_directed_tenants: self.consent.child_directed_tenants.clone(),
            child_directed_content: self.consent.child_directed_content.clone(),
            drop_bots: self.consent.drop_bots,
            keep_content: self.content.keep,
            public_content: self.content.public_ids(),
            known: self.audit.known.clone(),
            guard_key,
            max_beacons: self.source.max_beacons,
            ..crowdfold_airlock::Settings::default()
        })
    }

    /// What combiners and mergers must agree on.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            window: self.windows.length,
            lateness: self.windows.lateness,
            idle: self.sessions.idle,
            breakdowns: self.release.policies.breakdowns(),
            max_sessions: self.sessions.max,
        }
    }

    /// What a row must be to leave, tenant by tenant.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.release.policies
    }

    /// The same, for tenants that have nothing of their own.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.release.policies.common()
    }

    /// Whether a key was given, in whatever layer over the defaults.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        !self.layers.untouched(key)
    }

    /// The topics, by name.
    #[must_use]
    pub fn topic_names(&self) -> TopicNames {
        TopicNames::of(self)
    }

    /// How much of the beacons' log a restart may have to read again, at most: w + L + H, ms.
    #[must_use]
    pub const fn replay(&self) -> u64 {
        self.windows.length + self.windows.lateness + self.sessions.idle
    }
}
