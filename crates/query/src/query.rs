//! Queries of rollups.

use std::collections::BTreeMap;

use crowdfold_model::{FOLDED, Span, Timestamp, parse_duration};

use crate::across::{self, Across, Catalogue};
use crate::row::Row;

#[cfg(test)]
mod tests;

/// The flags of a query, as typed on a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The table to read: `os,browser`.
    pub breakdown: Option<String>,
    /// Conditions: `os=Windows`, `plan=pro`. Those on one dimension or attribute are alternatives; conditions on
    /// several must all be met.
    pub where_: Vec<String>,
    /// The period until now: `1h`.
    pub since: Option<String>,
    /// The only tenant to read.
    pub tenant: Option<String>,
    /// The first dimensions of the breakdown to group by: `os`. If absent, all dimensions of a named breakdown; if
    /// empty, totals. Attributes of tenants among them add up the rows of several tenants: `industry,os`.
    pub by: Option<String>,
    /// The length of the intervals for which there is one row each, `1h`, instead of one row for the whole time.
    pub every: Option<String>,
    /// True to add up the rows of all tenants. An attribute in `by` or in a condition does so as well.
    pub across: bool,
}

/// The reason why a query cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A name that is empty or occurs twice in a list.
    #[error("--{flag} {list:?} contains a dimension twice or an empty one; write it like os,browser")]
    List {
        /// `breakdown` or `by`.
        flag: &'static str,
        /// The given list.
        list: String,
    },
    /// A condition without `=` or without a name.
    #[error("--where {0:?} is not a condition; write it like os=Windows")]
    Condition(
        /// The given condition.
        String,
    ),
    /// An invalid duration.
    #[error("--{flag} {text:?} is not a duration; write it like 90s, 15m, 1h or 7d")]
    Duration {
        /// `since` or `every`.
        flag: &'static str,
        /// The given text.
        text: String,
    },
    /// Grouping by dimensions that are not a prefix of the breakdown.
    #[error(
        "--by {by} is not a prefix of breakdown {breakdown}, so folded rows cannot be grouped by it; group by \
         {choices}"
    )]
    NotAPrefix {
        /// The given dimensions.
        by: String,
        /// The breakdown.
        breakdown: String,
        /// The valid prefixes.
        choices: String,
    },
    /// A condition on a dimension that the breakdown does not have.
    #[error(
        "--where {dimension}=… does not apply to breakdown {breakdown}, which has no {dimension}; tables cannot be \
         joined, so query a breakdown that has it"
    )]
    NotInBreakdown {
        /// The dimension.
        dimension: String,
        /// The breakdown.
        breakdown: String,
    },
    /// A query for one tenant and for several.
    #[error("--tenant {tenant} selects one tenant, but {across} adds up several; remove one of the two")]
    OneAndSeveral {
        /// The single tenant.
        tenant: String,
        /// The flag that selects several.
        across: String,
    },
    /// No breakdown was named, and none, or more than one, has all dimensions of the query.
    #[error("{} of the published breakdowns has all dimensions of the query; choose one with --breakdown ({})", if *.fitting == 0 { "none" } else { "more than one" }, .known.join(" · "))]
    BreakdownChoice {
        /// The number of breakdowns that have them.
        fitting: usize,
        /// The breakdowns in the rows.
        known: Vec<String>,
    },
}

/// A validated query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) breakdown: Option<Vec<String>>,
    /// The accepted values of each dimension.
    pub(crate) conditions: BTreeMap<String, Vec<String>>,
    /// The earliest start of a window.
    pub(crate) since: Timestamp,
    /// The time before which windows start.
    pub(crate) until: Timestamp,
    pub(crate) tenant: Option<String>,
    pub(crate) by: Option<Vec<String>>,
    /// The length of the interval of a row.
    pub(crate) every: Option<Span>,
    /// The tenants to be added up, if there are several.
    pub(crate) across: Option<Across>,
}

/// The result of checking a row against the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    /// A queried dimension is folded, so an unknown number of its sessions may match.
    FoldedAway,
    No,
}

impl Query {
    /// Validates the flags; names that `catalogue` lists as attributes are attributes. `since` counts back from `now`,
    /// and selects windows that begin no earlier.
    ///
    /// # Errors
    /// An invalid flag, with its correct form.
    pub fn from_args(args: &Args, catalogue: &Catalogue, now: Timestamp) -> Result<Self, QueryError> {
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
        let since =
            span("since", args.since.as_deref())?.map_or(Timestamp::EPOCH, |back| now.saturating_sub(back));
        let every = span("every", args.every.as_deref())?;
        let of_tenants: BTreeMap<_, _> =
            conditions.extract_if(.., |name, _| catalogue.is_attribute(name)).collect();
        let across = if args.across || !attributes.is_empty() || !of_tenants.is_empty() {
            across::check(args.tenant.as_deref(), &attributes, &of_tenants)?;
            Some(Across::new(catalogue, attributes, &of_tenants))
        } else {
            None
        };
        let (tenant, until) = (args.tenant.clone(), Timestamp::MAX);
        let query = Self { breakdown, conditions, since, until, tenant, by, every, across };
        if let Some(breakdown) = &query.breakdown {
            query.check(breakdown)?;
        }
        Ok(query)
    }

    /// Checks that the query can be answered from a breakdown.
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

    /// Returns true if a row is in the queried time.
    pub(crate) fn in_time(&self, row: &Row) -> bool {
        row.window.start >= self.since && row.window.start < self.until
    }

    /// Returns the same query for the windows that start in a period.
    #[must_use]
    pub const fn between(mut self, since: Timestamp, until: Timestamp) -> Self {
        self.since = since;
        self.until = until;
        self
    }

    /// Returns the same query with a result for each interval of this length.
    #[must_use]
    pub const fn every(mut self, length: Span) -> Self {
        self.every = Some(length);
        self
    }

    /// Returns the earliest start of the queried windows.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns true if a row matches the queried time, tenant and table; conditions are checked separately.
    pub(crate) fn selects(&self, row: &Row) -> bool {
        self.in_time(row)
            && self.asks(&row.tenant)
            && self.breakdown.as_ref().is_none_or(|breakdown| *breakdown == row.breakdown)
    }

    /// Returns true if a tenant is queried.
    #[must_use]
    pub fn asks(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|one| one == tenant)
            && self.across.as_ref().is_none_or(|across| across.group_key(tenant).is_some())
    }

    /// Returns the tenants that are queried together, if there are several.
    #[must_use]
    pub fn tenants_across(&self) -> Option<impl Iterator<Item = &str>> {
        self.across.as_ref().map(Across::tenants)
    }

    pub(crate) fn met_by(&self, row: &Row) -> Met {
        let mut met = Met::Yes;
        for (dimension, wanted) in &self.conditions {
            match row.value(dimension) {
                Some(value) if wanted.iter().any(|wanted| wanted == value) => {}
                Some(FOLDED) => met = Met::FoldedAway,
                _ => return Met::No,
            }
        }
        met
    }
}

fn names(flag: &'static str, list: &str) -> Result<Vec<String>, QueryError> {
    // A breakdown may also be written as in the keys of rollups.
    let names: Vec<String> = list.split([',', '.']).map(|name| name.trim().to_owned()).collect();
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if twice || names.iter().any(String::is_empty) {
        return Err(QueryError::List { flag, list: list.to_owned() });
    }
    Ok(names)
}

fn span(flag: &'static str, text: Option<&str>) -> Result<Option<Span>, QueryError> {
    let read = |text: &str| {
        let length = parse_duration(text).map(Span::from).filter(|length| !length.is_zero());
        length.ok_or_else(|| QueryError::Duration { flag, text: text.to_owned() })
    };
    text.map(read).transpose()
}
