//! The key of the noise.

use std::fmt;

use prio::vdaf::xof::{Xof, XofTurboShake128};
use rand::Rng;

/// What keys the noise: the same for all workers, known to nobody who reads what is published.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A secret out of its file.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A secret from the operating system's random numbers, for a process that shares it with no other.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The stream for a purpose, without what it is bound to.
    pub(super) fn stream(&self, purpose: &str) -> XofTurboShake128 {
        XofTurboShake128::init(&self.0, &[b"crowdfold 1 ", purpose.as_bytes()])
    }

    /// Tells secrets apart, and nothing else of them.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.stream("fingerprint").into_seed_stream().next_u64()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}
