//! Checks the families of dimensions. Dimensions of one family describe the same thing. Two tables must not contain
//! dimensions of one family, because the difference between the tables could reveal a small group.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crowdfold_model::{Dimension, Family};

use crate::policy::PolicyField;

#[cfg(test)]
mod tests;

/// The error of a list of breakdowns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FamilyError {
    /// The list is empty.
    None,
    /// A breakdown contains no dimension.
    Empty(
        /// The number of the breakdown, from 1.
        usize,
    ),
    /// A dimension occurs twice in one breakdown.
    Twice {
        /// The dimension.
        dimension: Dimension,
        /// The dimensions of the breakdown, separated by commas.
        breakdown: String,
    },
    /// A breakdown occurs twice in the list.
    Same(
        /// The dimensions of the breakdown, separated by commas.
        String,
    ),
    /// Two breakdowns contain the same dimension.
    InTwo {
        /// The dimension.
        dimension: Dimension,
        /// The dimensions of the first breakdown, separated by commas.
        first: String,
        /// The dimensions of the second breakdown, separated by commas.
        second: String,
    },
    /// Two breakdowns contain different dimensions of the same family.
    Shared {
        /// The family of both dimensions.
        family: Family,
        /// The dimension in the first breakdown.
        one: Dimension,
        /// The dimension in the second breakdown.
        other: Dimension,
        /// The dimensions of the first breakdown, separated by commas.
        first: String,
        /// The dimensions of the second breakdown, separated by commas.
        second: String,
    },
    /// A breakdown combines the dimension `content` with a dimension of small places.
    ContentBelowPlace {
        /// The dimension of the place: `region`, `asn`, `network` or a custom one.
        place: Dimension,
        /// The dimensions of the breakdown, separated by commas.
        breakdown: String,
    },
}

impl FamilyError {
    /// Describes the error and the fix. The list is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        const ONE_VIEWER: &str = "so that the difference between two tables may be a single viewer";
        match self {
            Self::None => {
                "is empty, so no row would ever be released; name at least one, such as [\"country\"]".into()
            }
            Self::Empty(number) => {
                format!("contains no dimension in breakdown {number}; name one, or remove the breakdown")
            }
            Self::Twice { dimension, breakdown } => {
                format!("names {dimension} twice in breakdown [{breakdown}]; remove one")
            }
            Self::Same(breakdown) => format!("contains breakdown [{breakdown}] twice; remove one"),
            Self::InTwo { dimension, first, second } => {
                format!(
                    "names {dimension} twice, in breakdowns [{first}] and [{second}], {ONE_VIEWER}; remove one"
                )
            }
            Self::Shared { family, one, other, first, second } => format!(
                "contains breakdowns [{first}] and [{second}], which both describe the {family} ({one} and {other}), \
                 {ONE_VIEWER}; put {one} and {other} in one breakdown, or remove one of them"
            ),
            Self::ContentBelowPlace { place, breakdown } => format!(
                "combines content with {place} in breakdown [{breakdown}]: a content id can name its uploader, and \
                 {place} locates its few viewers; remove content or {place}"
            ),
        }
    }
}

impl Display for FamilyError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", PolicyField::Breakdowns, self.problem())
    }
}

impl Error for FamilyError {}

/// Rejects invalid breakdowns, and breakdowns that share a family.
///
/// `allow_below_place` permits the dimension `content` in one breakdown with `region`, `asn`, `network` or a custom
/// dimension of the family `place`, in any order.
///
/// # Errors
/// Returns the first error. Its message contains the fix.
pub fn check_families(breakdowns: &[Vec<Dimension>], allow_below_place: bool) -> Result<(), FamilyError> {
    check_each(breakdowns, allow_below_place)?;
    for (index, breakdown) in breakdowns.iter().enumerate() {
        for earlier in &breakdowns[..index] {
            check_two(earlier, breakdown)?;
        }
    }
    Ok(())
}

/// Rejects invalid breakdowns, but allows breakdowns that share a family. This is the check for `differential-privacy`.
pub(crate) fn check_breakdowns(
    breakdowns: &[Vec<Dimension>],
    allow_below_place: bool,
) -> Result<(), FamilyError> {
    check_each(breakdowns, allow_below_place)?;
    let again = (1..breakdowns.len()).find(|index| breakdowns[..*index].contains(&breakdowns[*index]));
    again.map_or(Ok(()), |index| Err(FamilyError::Same(listed(&breakdowns[index]))))
}

fn check_each(breakdowns: &[Vec<Dimension>], allow_below_place: bool) -> Result<(), FamilyError> {
    if breakdowns.is_empty() {
        return Err(FamilyError::None);
    }
    let mut numbered = breakdowns.iter().enumerate();
    numbered.try_for_each(|(index, breakdown)| check_one(index, breakdown, allow_below_place))
}

fn check_one(index: usize, breakdown: &[Dimension], allow_below_place: bool) -> Result<(), FamilyError> {
    if breakdown.is_empty() {
        return Err(FamilyError::Empty(index + 1));
    }
    for (at, dimension) in breakdown.iter().enumerate() {
        if breakdown[..at].contains(dimension) {
            return Err(FamilyError::Twice { dimension: *dimension, breakdown: listed(breakdown) });
        }
    }
    // The size of a custom place is unknown, so it counts as small.
    let small_place = |dimension: &&Dimension| match dimension {
        Dimension::Region | Dimension::Asn | Dimension::Network => true,
        Dimension::Custom(custom) => custom.family() == Family::Place,
        _ => false,
    };
    match breakdown.iter().find(small_place) {
        Some(place) if !allow_below_place && breakdown.contains(&Dimension::Content) => {
            Err(FamilyError::ContentBelowPlace { place: *place, breakdown: listed(breakdown) })
        }
        _ => Ok(()),
    }
}

fn check_two(first: &[Dimension], second: &[Dimension]) -> Result<(), FamilyError> {
    if let Some(dimension) = first.iter().find(|dimension| second.contains(dimension)) {
        let (first, second) = (listed(first), listed(second));
        return Err(FamilyError::InTwo { dimension: *dimension, first, second });
    }
    for one in first {
        if let Some(other) = second.iter().find(|other| other.family() == one.family()) {
            return Err(FamilyError::Shared {
                family: one.family(),
                one: *one,
                other: *other,
                first: listed(first),
                second: listed(second),
            });
        }
    }
    Ok(())
}

/// Returns the name of a breakdown in keys of records and in metrics, such as `os.browser`.
#[must_use]
pub fn breakdown_name(breakdown: &[Dimension]) -> String {
    joined(breakdown, ".")
}

/// Returns the dimensions of a breakdown for messages, such as `os, browser`.
pub(crate) fn listed(breakdown: &[Dimension]) -> String {
    joined(breakdown, ", ")
}

fn joined(breakdown: &[Dimension], separator: &str) -> String {
    breakdown.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join(separator)
}
