//! The configuration of crowdfold: typed settings, and the origin of each value.
//!
//! Values come from four layers: the defaults in `deploy/default.toml`, a file, environment variables, and
//! command-line flags. The layers are merged into one tree, in which each value keeps its [`Origin`]. `serde` then
//! deserializes the tree into [`Settings`], which has one struct for each section. A [`ConfigError`] names the
//! origin, the key, the problem and the fix.
//!
//! Properties of librdkafka and values of `audit.known` may be secrets. An error never quotes them, and
//! [`Loaded::effective`] masks them. Files with secrets are read only when a client is created.
//!
//! This crate depends on one other crate of the workspace, `crowdfold-model`, for durations. `crowdfold-worker`
//! checks the settings whose valid values other crates define, such as the names of dimensions. It creates its errors
//! with [`Loaded::error`].
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
    Acknowledge, Address, AddressPolicy, Audit, ChildDirected, Collect, Consent, Console, ConsoleToken,
    Content, ContentPolicy, CustomDimension, DetailTable, Dimensions, Format, Kafka, Merge, Metrics,
    OnDamaged, Partitioner, Principals, Privacy, Properties, Property, Quality, Release, ReleasePolicy,
    Sessions, Settings, Source, TenantQuality, TenantRelease, Tenants, Tls, Topics, Ttl, Windows, Worker,
};
pub use topics::TopicNames;
