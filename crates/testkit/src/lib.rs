//! Tools for tests: real Kafka brokers, builds of the program, unique names, parsed rows, and the oracle. The oracle
//! computes the expected rows independently of the worker. Only tests use this crate. If a required program is missing,
//! such as Java, functions panic with a message that names the fix.
//!
//! ```
//! use crowdfold_testkit::{eventually, unique};
//!
//! let mut attempts = 0;
//! let value = eventually("the third attempt", || {
//!     attempts += 1;
//!     (attempts == 3).then_some("ready")
//! });
//! assert_eq!(value, "ready");
//! assert_ne!(unique("topic"), unique("topic"));
//! ```
#![forbid(unsafe_code)]

mod binary;
#[cfg(feature = "kafka")]
mod broker;
mod cpu_wait;
pub mod oracle;
pub mod rows;
#[cfg(feature = "kafka")]
mod tokens;
mod wait;

pub use binary::{binary, binary_of, binary_with};
#[cfg(feature = "kafka")]
pub use broker::{Authority, Certificate, Kafka, Options, Security};
pub use cpu_wait::cpu_wait;
#[cfg(feature = "kafka")]
pub use tokens::Issuer;
pub use wait::{TIMEOUT, eventually};

/// The fields of JSON beacons.
pub mod fields {
    pub use crowdfold_beacon::Field;
}

pub mod envelope;

use std::hash::{BuildHasher, RandomState};

/// Returns a name that no other test uses, not even in another process: `name-` and sixteen random hexadecimal digits.
#[must_use]
pub fn unique(name: &str) -> String {
    format!("{name}-{:016x}", random())
}

/// Returns a random number: the hash of a counter with the random keys of `RandomState`.
fn random() -> u64 {
    static DRAWN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    RandomState::new().hash_one(DRAWN.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}
