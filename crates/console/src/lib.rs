//! The console: a store of published rollups, with an HTTP API, a page, and gauges for Prometheus.
//!
//! [`Store`] keeps rows in SQLite. [`Console`] answers requests from the store, and computes with `crowdfold-query`.
//! [`Server`] listens for requests. This crate does not use Kafka: the caller reads the topics and adds batches to the
//! store.
//!
//! ```
//! use crowdfold_console::{Batch, Lifetimes, Store};
//! use crowdfold_model::{Span, Timestamp};
//!
//! let lifetimes = Lifetimes { detail: Span::DAY, rollups: Span::DAY.times(30) };
//! let store = Store::open(None, lifetimes)?;
//! let offsets = [(("crowdfold.rollups".to_owned(), 0), 17)].into();
//! store.add(&Batch { rows: Vec::new(), offsets }, Timestamp::from_millis(1_795_308_600_000))?;
//! assert_eq!(store.offsets("crowdfold.rollups")?, [(0, 17)].into());
//! # Ok::<(), crowdfold_console::ConsoleError>(())
//! ```
#![forbid(unsafe_code)]

mod access;
mod answers;
mod catalogue;
mod error;
mod export;
mod host;
mod http;
mod live;
mod openapi;
mod page;
mod pipeline;
mod question;
mod server;
mod settings;
mod store;
mod tenants;

pub use access::{Access, Token};
pub use error::{ConsoleError, ConsoleField};
pub use export::Export;
pub use live::Live;
pub use pipeline::Pipeline;
pub use server::{Console, Server};
pub use settings::{Facts, Settings};
pub use store::{Added, Batch, Lifetimes, Selection, Store};
