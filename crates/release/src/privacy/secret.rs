//! The key of the noise.

use std::fmt;

use prio::vdaf::xof::{Xof, XofTurboShake128};
use rand::Rng;

/// The key of the noise. All workers have the same key, and readers of the published rows must not know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Creates a secret from the content of its file.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Creates a random secret, for a process that does not share it with others.
    ///
    /// # Errors
    /// Returns the error of the operating system.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Returns the random stream of the secret for a purpose. Streams for different purposes are independent.
    pub(super) fn stream(&self, purpose: &str) -> XofTurboShake128 {
        XofTurboShake128::init(&self.0, &[b"crowdfold 1 ", purpose.as_bytes()])
    }

    /// Returns a number that identifies the secret without revealing it.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.stream("fingerprint").into_seed_stream().next_u64()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}
