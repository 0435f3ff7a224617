//! Tools for tests: a real Kafka broker, the program's binary, unique names, published rows, and the oracle, which
//! computes the expected rows independently. Only tests use this crate. A failed precondition panics, with a message
//! that names the fix.
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
mod broker;
mod cpu_wait;
pub mod oracle;
pub mod rows;
mod tokens;
mod wait;

pub use binary::{binary, binary_of, binary_with};
pub use broker::{Authority, Certificate, Kafka, Options, Security};
pub use cpu_wait::cpu_wait;
pub use tokens::Issuer;
pub use wait::{TIMEOUT, eventually};

/// Packs requests into records as the collector does, and reads them.
pub mod envelope {
    pub use crowdfold_beacon::{Body, CONTENT_TYPE, Http, Packer, unpack};
}

use std::hash::{BuildHasher, RandomState};

/// Returns a name that no other test of any process uses: `name-` and sixteen hexadecimal digits.
#[must_use]
pub fn unique(name: &str) -> String {
    format!("{name}-{:016x}", random())
}

/// Returns a random number. `RandomState` takes its keys from the random numbers of the system.
fn random() -> u64 {
    static DRAWN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    RandomState::new().hash_one(DRAWN.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}
