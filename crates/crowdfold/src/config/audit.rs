//! `[audit]`.

use std::fmt;

use crowdfold_scan::SHORTEST_KNOWN;

use super::layers::Layers;
use super::problem::Problem;

/// `[audit]`. Its `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Audit {
    /// Values that are looked for in every encoding, and that no free text may contain.
    pub known: Vec<String>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audit {{ known: {} values }}", self.known.len())
    }
}

impl Audit {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        const KNOWN: &str = "audit.known";
        let known = layers.words(KNOWN)?;
        match known.iter().position(|value| value.chars().count() < SHORTEST_KNOWN) {
            None => Ok(Self { known }),
            Some(at) => {
                let what = format!(
                    "value {} is shorter than {SHORTEST_KNOWN} characters, which occur in everything; give whole values",
                    at + 1
                );
                Err(layers.refuse(KNOWN, what))
            }
        }
    }
}
