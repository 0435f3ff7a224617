//! The outcomes of beacons.

use crowdfold_model::Reason;

use crate::Counts;

/// The outcome of a beacon. The variants are in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The tenant, the content or the device is excluded. If the beacon also opts out, the value is the number of the
    /// session's beacons that were removed from open windows.
    Excluded(u64),
    /// The partition already has the maximum number of sessions ([`Reason::Overload`]).
    Overload,
    /// The session has opted out. The value is the number of the session's beacons that were removed from open
    /// windows.
    OptedOut(u64),
    /// The window of the beacon is closed.
    Late,
    /// The beacon repeats another beacon.
    Duplicate,
    /// The beacon was added to the summary of its session.
    Inserted,
}

impl Outcome {
    /// Adds one beacon with this outcome to the counts.
    pub const fn count(self, counts: &mut Counts) {
        counts.read += 1;
        match self {
            Self::Overload => counts.rejected[Reason::Overload as usize] += 1,
            Self::Excluded(with_it) => {
                counts.excluded += 1;
                counts.opted_out += with_it;
            }
            Self::OptedOut(with_it) => counts.opted_out += 1 + with_it,
            Self::Late => counts.late += 1,
            Self::Duplicate => counts.duplicate += 1,
            Self::Inserted => {}
        }
    }
}
