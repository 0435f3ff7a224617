//! What is asked of the rollups.

use std::collections::BTreeMap;

use crate::across::{self, Across, Catalogue};
use crate::row::{Row, STAR};
use crate::time::duration;

#[cfg(test)]
mod tests;

/// What a user asks for, as typed on a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The table to read: `os,browser`.
    pub breakdown: Option<String>,
    /// Conditions: `os=Windows`, `plan=pro`. Those on one dimension or attribute are alternatives, those on several must
    /// all hold.
    pub where_: Vec<String>,
    /// How far back, from now: `1h`.
    pub since: Option<String>,
    /// One tenant only.
    pub tenant: Option<String>,
    /// The first dimensions of the breakdown to group by: `os`. Without it all of a named breakdown; empty for
    /// totals. Attributes of tenants among them add up the rows of several: `industry,os`.
    pub by: Option<String>,
    /// One row for each such span of time, `1h`, instead of one for all.
    pub every: Option<String>,
    /// Add up the rows of all tenants. So does every attribute, in `by` or in a condition.
    pub across: bool,
}

/// Why a query cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A name that stands empty or twice in a list.
    #[error("--{flag} {list:?} contains a dimension twice or an empty one; write it like os,browser")]
    List {
        /// `breakdown` or `by`.
        flag: &'static str,
        /// What was asked for.
        list: String,
    },
    /// A condition without `=` or without a name.
    #[error("--where {0:?} is not a condition; write it like os=Windows")]
    Condition(
        /// What was asked for.
        String,
    ),
    /// A span of time that is none.
    #[error("--{flag} {text:?} is not a duration; write it like 90s, 15m, 1h or 7d")]
    Duration {
        /// `since` or `every`.
        flag: &'static str,
        /// What was asked for.
        text: String,
    },
    /// Grouping by what is no beginning of the breakdown.
    #[error(
        "--by {by} is not a prefix of breakdown {breakdown}, so folded rows cannot be grouped by it; group by \
         {choices}"
    )]
    NotAPrefix {
        /// What was asked for.
        by: String,
        /// The breakdown.
        breakdown: String,
        /// What can be asked for.
        choices: String,
    },
    /// A condition on a dimension that the breakdown lacks.
    #[error(
        "--where {dimension}=… does not apply to breakdown {breakdown}, which has no {dimension}; tables cannot be \
         joined, so query a breakdown that has it"
    )]
    NotInBreakdown {
        /// What was asked for.
        dimension: String,
        /// The breakdown.
        breakdown: String,
    },
    /// One tenant, and several together.
    #[error("--tenant {tenant} selects one tenant, but {across} adds up several; remove one of the two")]
    OneAndSeveral {
        /// The one.
        tenant: String,
        /// What asks for several.
        across: String,
    },
    /// No breakdown was named, and none, or more than one, would do.
    #[error("{} of the published breakdowns has all dimensions of the query; choose one with --breakdown ({})", if *.fitting == 0 { "none" } else { "more than one" }, .known.join(" · "))]
    BreakdownChoice {
        /// How many would do.
        fitting: usize,
        /// Those met in the rows.
        known: Vec<String>,
    },
}

/// A checked question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) breakdown: Option<Vec<String>>,
    /// Dimension to the values that will do.
    pub(crate) conditions: BTreeMap<String, Vec<String>>,
    /// First moment of the first window, ms since the epoch.
    pub(crate) since: u64,
    pub(crate) tenant: Option<String>,
    pub(crate) by: Option<Vec<String>>,
    /// Span of time of a row, ms.
    pub(crate) every: Option<u64>,
    /// The tenants to be added up, where there are several.
    pub(crate) across: Option<Across>,
}

/// Whether a row meets the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    /// It has folded a dimension that is asked for: some of its sessions may be meant, nobody can say how many.
    FoldedAway,
    No,
}

impl Query {
    /// Checks what was typed; what `catalogue` calls an attribute is one. `now` in ms since the epoch: `since` counts
    /// back from it, and takes windows that begin no earlier.
    ///
    /// # Errors
    /// Naming the flag at fault and how to write it.
    pub fn from_args(args: &Args, catalogue: &Catalogue, now: u64) -> Result<Self, QueryError> {
        let breakdown = args.breakdown.as_deref().map(|list| names("breakdown", list)).transpose()?;
        let by = match args.by.as_deref() {
            Some("") => Some(Vec::new()),
            by => by.map(|list| names("by", list)).transpose()?,
        };
        let (attributes, by) = match by {
            None => (Vec::new(), None),
            Some(by) => {
                let (attributes, by) = by.into_iter().partition(|name| catalogue.is_attribute(name));
                (attributes, Some(by))
            }
        };
        let mut conditions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for condition in &args.where_ {
            match condition.split_once('=') {
                Some((dimension, value)) if !dimension.is_empty() && !value.is_empty() => {
                    conditions.entry(dimension.to_owned()).or_default().push(value.to_owned());
                }
                _ => return Err(QueryError::Condition(condition.clone())),
            }
        }
        let since = span("since", args.since.as_deref())?.map_or(0, |back| now.saturating_sub(back));
        let every = span("every", args.every.as_deref())?;
        let of_tenants: BTreeMap<_, _> =
            conditions.extract_if(.., |name, _| catalogue.is_attribute(name)).collect();
        let across = if args.across || !attributes.is_empty() || !of_tenants.is_empty() {
            across::check(args.tenant.as_deref(), &attributes, &of_tenants)?;
            Some(Across::new(catalogue, attributes, &of_tenants))
        } else {
            None
        };
        let query = Self { breakdown, conditions, since, tenant: args.tenant.clone(), by, every, across };
        if let Some(breakdown) = &query.breakdown {
            query.check(breakdown)?;
        }
        Ok(query)
    }

    /// Whether the question can be put to a breakdown.
    pub(crate) fn check(&self, breakdown: &[String]) -> Result<(), QueryError> {
        if let Some(by) = self.by.as_ref().filter(|by| !breakdown.starts_with(by)) {
            let choices: Vec<_> = (1..=breakdown.len()).map(|length| breakdown[..length].join(",")).collect();
            let (by, breakdown) = (by.join(","), breakdown.join(","));
            return Err(QueryError::NotAPrefix { by, breakdown, choices: choices.join(" or ") });
        }
        match self.conditions.keys().find(|dimension| !breakdown.contains(dimension)) {
            None => Ok(()),
            Some(dimension) => Err(QueryError::NotInBreakdown {
                dimension: dimension.clone(),
                breakdown: breakdown.join(","),
            }),
        }
    }

    /// Whether a row lies in the time asked for.
    pub(crate) fn in_time(&self, row: &Row) -> bool {
        row.window.start >= self.since
    }

    /// Whether a row is of the time, tenant and table asked for; the conditions are another matter.
    pub(crate) fn selects(&self, row: &Row) -> bool {
        self.in_time(row)
            && self.asks(&row.tenant)
            && self.breakdown.as_ref().is_none_or(|breakdown| *breakdown == row.breakdown)
    }

    /// Whether a tenant is asked.
    #[must_use]
    pub fn asks(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|one| one == tenant)
            && self.across.as_ref().is_none_or(|across| across.group_key(tenant).is_some())
    }

    /// The tenants that are asked together, if several are.
    #[must_use]
    pub fn tenants_across(&self) -> Option<impl Iterator<Item = &str>> {
        self.across.as_ref().map(Across::tenants)
    }

    pub(crate) fn met_by(&self, row: &Row) -> Met {
        let mut met = Met::Yes;
        for (dimension, wanted) in &self.conditions {
            match row.value(dimension) {
                Some(value) if wanted.iter().any(|wanted| wanted == value) => {}
                Some(STAR) => met = Met::FoldedAway,
                _ => return Met::No,
            }
        }
        met
    }
}

fn names(flag: &'static str, list: &str) -> Result<Vec<String>, QueryError> {
    // A breakdown may be written as in the keys of rollups too.
    let names: Vec<String> = list.split([',', '.']).map(|name| name.trim().to_owned()).collect();
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if twice || names.iter().any(String::is_empty) {
        return Err(QueryError::List { flag, list: list.to_owned() });
    }
    Ok(names)
}

fn span(flag: &'static str, text: Option<&str>) -> Result<Option<u64>, QueryError> {
    let read =
        |text: &str| duration(text).ok_or_else(|| QueryError::Duration { flag, text: text.to_owned() });
    text.map(read).transpose()
}
