//! Families of dimensions: what tells of the same thing must not be in two tables, for they could be subtracted.

use std::fmt;

use crowdfold_airlock::Dimension;

#[cfg(test)]
mod tests;

/// Dimensions that tell of the same thing. A family appears in at most one drill-down of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// country, region, asn, network.
    Place,
    /// device, os, browser, their versions, firmware.
    Platform,
    /// player, player_version.
    Player,
    /// stream, format, content.
    Stream,
    /// cdn, connection, quality.
    Delivery,
}

impl Family {
    /// The family of a dimension.
    #[must_use]
    pub const fn of(dimension: Dimension) -> Self {
        match dimension {
            Dimension::Country | Dimension::Region | Dimension::Asn | Dimension::Network => Self::Place,
            Dimension::Device
            | Dimension::Os
            | Dimension::Browser
            | Dimension::OsVersion
            | Dimension::BrowserVersion
            | Dimension::Firmware => Self::Platform,
            Dimension::Player | Dimension::PlayerVersion => Self::Player,
            Dimension::Stream | Dimension::Format | Dimension::Content => Self::Stream,
            Dimension::Cdn | Dimension::Connection | Dimension::Quality => Self::Delivery,
        }
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Platform => "platform",
            Self::Player => "player",
            Self::Stream => "stream",
            Self::Delivery => "delivery",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a list of drill-downs is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// There is no drill-down at all.
    #[error(
        "release.drilldowns is empty, so nothing would ever be released: name at least one, such as [\"country\"]"
    )]
    None,
    /// A drill-down without dimensions.
    #[error("drill-down {0} of release.drilldowns has no dimension: name one, or take the drill-down out")]
    Empty(
        /// Its number, from 1.
        usize,
    ),
    /// A dimension that stands twice in one drill-down.
    #[error("drill-down [{drilldown}] names {dimension} twice: take one out")]
    Twice {
        /// The dimension.
        dimension: Dimension,
        /// The drill-down, as in the configuration.
        drilldown: String,
    },
    /// A drill-down that stands twice in the list.
    #[error("drill-down [{0}] stands twice in release.drilldowns: take one out")]
    Same(
        /// The drill-down, as in the configuration.
        String,
    ),
    /// Two drill-downs that share a family.
    #[error(
        "drill-downs [{first}] and [{second}] both tell of the {family} ({one} and {other}): two tables that know the \
         same thing can be subtracted from each other, and what is left may be a single viewer; put {one} and {other} \
         in one drill-down, or take one of them out of release.drilldowns"
    )]
    Shared {
        /// What both tell of.
        family: Family,
        /// The dimension of the first.
        one: Dimension,
        /// The dimension of the second.
        other: Dimension,
        /// The first drill-down, as in the configuration.
        first: String,
        /// The second drill-down, as in the configuration.
        second: String,
    },
    /// Content ids crossed with small places.
    #[error(
        "drill-down [{drilldown}] crosses content with {place}: a content id can name its uploader, and {place} says \
         where its few viewers are; take content or {place} out of it, or set content.allow_below_place = true"
    )]
    ContentBelowPlace {
        /// region, asn or network.
        place: Dimension,
        /// The drill-down, as in the configuration.
        drilldown: String,
    },
}

/// Refuses drill-downs that could be subtracted from each other, or that make no sense.
///
/// `allow_below_place` lets content stand in one drill-down with region, asn or network; their order does not matter,
/// since a full label names both either way.
///
/// # Errors
/// The first fault found, naming what is at fault and the way out.
pub fn check_families(drilldowns: &[Vec<Dimension>], allow_below_place: bool) -> Result<(), FamilyError> {
    check_each(drilldowns, allow_below_place)?;
    for (index, drilldown) in drilldowns.iter().enumerate() {
        for earlier in &drilldowns[..index] {
            check_two(earlier, drilldown)?;
        }
    }
    Ok(())
}

/// Refuses drill-downs that make no sense: what is left of it where tables may overlap.
pub(crate) fn check_drilldowns(
    drilldowns: &[Vec<Dimension>],
    allow_below_place: bool,
) -> Result<(), FamilyError> {
    check_each(drilldowns, allow_below_place)?;
    let again = (1..drilldowns.len()).find(|index| drilldowns[..*index].contains(&drilldowns[*index]));
    again.map_or(Ok(()), |index| Err(FamilyError::Same(listed(&drilldowns[index]))))
}

fn check_each(drilldowns: &[Vec<Dimension>], allow_below_place: bool) -> Result<(), FamilyError> {
    if drilldowns.is_empty() {
        return Err(FamilyError::None);
    }
    let mut numbered = drilldowns.iter().enumerate();
    numbered.try_for_each(|(index, drilldown)| check_one(index, drilldown, allow_below_place))
}

fn check_one(index: usize, drilldown: &[Dimension], allow_below_place: bool) -> Result<(), FamilyError> {
    if drilldown.is_empty() {
        return Err(FamilyError::Empty(index + 1));
    }
    for (at, dimension) in drilldown.iter().enumerate() {
        if drilldown[..at].contains(dimension) {
            return Err(FamilyError::Twice { dimension: *dimension, drilldown: listed(drilldown) });
        }
    }
    let small_place =
        |dimension: &&Dimension| matches!(dimension, Dimension::Region | Dimension::Asn | Dimension::Network);
    match drilldown.iter().find(small_place) {
        Some(place) if !allow_below_place && drilldown.contains(&Dimension::Content) => {
            Err(FamilyError::ContentBelowPlace { place: *place, drilldown: listed(drilldown) })
        }
        _ => Ok(()),
    }
}

fn check_two(first: &[Dimension], second: &[Dimension]) -> Result<(), FamilyError> {
    for one in first {
        if let Some(other) = second.iter().find(|other| Family::of(**other) == Family::of(*one)) {
            return Err(FamilyError::Shared {
                family: Family::of(*one),
                one: *one,
                other: *other,
                first: listed(first),
                second: listed(second),
            });
        }
    }
    Ok(())
}

/// The name of a drill-down in keys and metrics: `os.browser`.
#[must_use]
pub fn drilldown_name(drilldown: &[Dimension]) -> String {
    joined(drilldown, ".")
}

fn listed(drilldown: &[Dimension]) -> String {
    joined(drilldown, ", ")
}

fn joined(drilldown: &[Dimension], separator: &str) -> String {
    drilldown.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join(separator)
}
