//! The streaming worker. It runs the operators of `crowdfold-engine` on Kafka. Each stage (combining and merging) has
//! one thread, with one consumer and one transactional producer. If there is much to read, other threads help to process
//! the partitions of a stage. [`Config`] converts the settings to the parameters of the other crates. [`specs`] derives
//! the specifications of the topics from the configuration, and [`roles`] the permissions. [`telemetry`] serves metrics
//! and health checks. [`watch`] verifies the time-to-live of the topics while the worker runs.
//!
//! A worker needs a broker, but its configuration and status can be used without one:
//!
//! ```
//! use crowdfold_config::Sources;
//! use crowdfold_model::Timestamp;
//! use crowdfold_worker::telemetry::{Component, Status};
//! use crowdfold_worker::{Config, specs};
//!
//! let config = Config::load(&Sources { host: "host-1".into(), ..Sources::default() })?;
//! let topics = specs::of_stages(&config, &[Component::Merge]).into_iter().map(|spec| spec.topic);
//! assert_eq!(topics.collect::<Vec<_>>(), ["crowdfold.partials", "crowdfold.rollups"]);
//!
//! let status = Status::new(&[Component::Merge]);
//! assert_eq!(status.not_ready(Timestamp::EPOCH), ["merge: starting"]);
//! # Ok::<(), crowdfold_config::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

mod backoff;
pub mod clock;
mod combine;
pub mod config;
mod databases;
mod erase;
mod error;
mod invalid_offsets;
mod merge;
mod reading;
pub mod roles;
mod runner;
pub mod specs;
mod stage;
mod stop;
mod tally;
pub mod telemetry;
mod threads;
pub mod watch;
pub mod wiring;
mod worker;

pub use backoff::Backoff;
pub use config::Config;
pub use error::WorkerError;
pub use stop::Stop;
pub use worker::{Worker, WorkerContext};
