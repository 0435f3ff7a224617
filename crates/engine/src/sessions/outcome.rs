//! The outcome of a beacon.

use crowdfold_model::Reason;

use crate::Counts;

/// The outcome of a beacon, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is no capacity for another session ([`Reason::Overload`]).
    Overload,
    /// Its tenant, content or device is excluded. The value is the number of beacons in open session summaries that an
    /// opt-out in it removed.
    Excluded(u64),
    /// Its session opted out. The value is the number of its beacons removed from open windows.
    OptedOut(u64),
    /// Its window is closed.
    Late,
    /// It repeats an earlier beacon.
    Duplicate,
    /// It was added to the summary of its session.
    Inserted,
}

impl Outcome {
    /// Counts one beacon with this outcome.
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
