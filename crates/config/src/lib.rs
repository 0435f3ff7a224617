//! The configuration of crowdfold: typed settings, and the place at which each value was given.
//!
//! Four layers give values: the defaults in `deploy/default.toml`, a file, environment variables, and flags. They are
//! merged into one tree, in which each value keeps its [`Origin`]. `serde` then reads the tree into [`Settings`], one
//! struct per section. A [`ConfigError`] names the origin, the key, the fault and the fix.
//!
//! An error never quotes a property of librdkafka or a value of `audit.known`, [`Loaded::effective`] masks them, and
//! files with secrets are read only when a client is created.
//!
//! Of the other crates it depends on `crowdfold-model` alone, for durations. Rules of the domain, such as the names of
//! dimensions, are checked by `crowdfold-worker`, which reports them with [`Loaded::error`].
//!
//! ```
//! use crowdfold_config::{Loaded, Sources};
//!
//! let variable = |name: &str, value: &str| (name.into(), value.into());
//! let environment = vec![variable("CROWDFOLD_RELEASE__K", "100")];
//! let loaded = Loaded::load(&Sources { environment, host: "host-1".into(), ..Sources::default() })?;
//! assert_eq!(loaded.settings.release.k, 100);
//! assert_eq!(loaded.settings.windows.length.as_secs(), 60);
//!
//! let environment = vec![variable("CROWDFOLD_RELEASE__K", "many")];
//! let error = Loaded::load(&Sources { environment, host: "host-1".into(), ..Sources::default() }).err();
//! assert_eq!(
//!     error.map(|error| error.to_string()).as_deref(),
//!     Some("CROWDFOLD_RELEASE__K: release.k is \"many\"; set it to a whole number from 1 to 1000000")
//! );
//! # Ok::<(), crowdfold_config::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

mod bounds;
mod checks;
mod deserializer;
mod effective;
mod error;
mod fields;
mod layers;
mod loaded;
mod nearest;
mod settings;
#[cfg(test)]
mod tests;
mod topics;
mod tree;
mod value;

pub use bounds::Bounds;
pub use error::{ConfigError, Origin};
pub use layers::{DEFAULT, Override};
pub use loaded::{Loaded, Sources};
pub use nearest::did_you_mean;
pub use settings::{
    Acknowledge, Address, AddressPolicy, Audit, ChildDirected, Collect, Consent, Content, ContentPolicy,
    DetailTable, Format, Kafka, Merge, Metrics, OnDamaged, Partitioner, Principals, Privacy, Properties,
    Property, Quality, Release, ReleasePolicy, Sessions, Settings, Source, TenantQuality, TenantRelease,
    Tenants, Tls, Topics, Ttl, Windows,
};
pub use topics::TopicNames;
