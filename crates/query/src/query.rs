//! Queries: their parameters, and the checks that they can be answered.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{FOLDED, Span, Timestamp, parse_duration};

use crate::across::{self, Across, Catalogue};
use crate::row::Row;
use crate::{QueryError, list_of_names};

#[cfg(test)]
mod tests;

/// The parameters of a query, as a person writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The breakdown of the table to read, such as `os,browser`.
    pub breakdown: Option<String>,
    /// The conditions, such as `os=Windows` or `plan=pro`. Of several conditions on the same dimension or attribute,
    /// one must be met. Conditions on different dimensions or attributes must all be met.
    pub where_: Vec<String>,
    /// The length of the period, such as `1h`. The period ends now.
    pub since: Option<String>,
    /// The only tenant whose rows are read.
    pub tenant: Option<String>,
    /// The dimensions by which rows are grouped, such as `os`. They must be the first dimensions of the breakdown. If
    /// `by` is `None` and the query names a breakdown, rows are grouped by all dimensions of the breakdown. If `by` is
    /// empty, totals are computed. The names can include attributes of tenants, as in `industry,os`. Rows of several
    /// tenants are then added up.
    pub by: Option<String>,
    /// The length of intervals, such as `1h`. If it is set, the answer has one row for each interval instead of one row
    /// for the whole period.
    pub every: Option<String>,
    /// True if the rows of all tenants are added up. An attribute in `by` or in a condition has the same effect.
    pub across: bool,
}

/// A validated query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) breakdown: Option<Vec<String>>,
    /// The accepted values of each dimension that has a condition.
    pub(crate) conditions: BTreeMap<String, Vec<String>>,
    /// The start of the period. Windows that start before it are not read.
    pub(crate) since: Timestamp,
    /// The end of the period. Windows that start at or after it are not read.
    pub(crate) until: Timestamp,
    pub(crate) tenant: Option<String>,
    pub(crate) by: Option<Vec<String>>,
    /// The length of the intervals, or `None` for one row for the whole period.
    pub(crate) every: Option<Span>,
    /// The tenants whose rows are added up, or `None` if each tenant has its own rows.
    pub(crate) across: Option<Across>,
}

/// The result of checking a row against the conditions of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    /// A dimension with a condition is folded in the row, so it is unknown how many sessions of the row match.
    FoldedAway,
    No,
}

impl Query {
    /// Validates the parameters of a query. A name is an attribute if `catalogue` contains it; otherwise it is a dimension.
    /// The period begins at `since` before `now` and ends at `now`. It contains the windows that start in it.
    ///
    /// # Errors
    /// Returns an error that contains the invalid parameter and its correct form.
    pub fn from_args(args: &Args, catalogue: &Catalogue, now: Timestamp) -> Result<Self, QueryError> {
        let breakdown = args.breakdown.as_deref().map(|list| list_of_names("breakdown", list)).transpose()?;
        let by = match args.by.as_deref() {
            Some("") => Some(Vec::new()),
            by => by.map(|list| list_of_names("by", list)).transpose()?,
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

    /// Checks that a table with this breakdown can answer the query.
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

    /// Returns true if the window of a row starts in the queried period.
    pub(crate) fn in_time(&self, row: &Row) -> bool {
        row.window.start >= self.since && row.window.start < self.until
    }

    /// Returns the same query for the windows that start in another period.
    #[must_use]
    pub const fn between(mut self, since: Timestamp, until: Timestamp) -> Self {
        self.since = since;
        self.until = until;
        self
    }

    /// Returns the same query with one row for each interval of this length.
    #[must_use]
    pub const fn every(mut self, length: Span) -> Self {
        self.every = Some(length);
        self
    }

    /// Returns the dimensions whose values affect the answer: the dimensions to group by, and the dimensions with a
    /// condition. `None` means all dimensions of the table.
    #[must_use]
    pub fn relevant_dimensions(&self) -> Option<BTreeSet<String>> {
        let by = self.by.as_ref()?;
        Some(by.iter().chain(self.conditions.keys()).cloned().collect())
    }

    /// Returns the start of the queried period.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns true if a row belongs to the queried period, tenants and table. Conditions on dimensions are not
    /// checked.
    pub(crate) fn selects(&self, row: &Row) -> bool {
        self.in_time(row)
            && self.asks(&row.tenant)
            && self.breakdown.as_ref().is_none_or(|breakdown| *breakdown == row.breakdown)
    }

    /// Returns true if the query reads the rows of a tenant.
    #[must_use]
    pub fn asks(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|one| one == tenant)
            && self.across.as_ref().is_none_or(|across| across.group_key(tenant).is_some())
    }

    /// Returns the tenants whose rows are added up, or `None` if each tenant has its own rows.
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

fn span(parameter: &'static str, text: Option<&str>) -> Result<Option<Span>, QueryError> {
    let read = |text: &str| {
        let length = parse_duration(text).map(Span::from).filter(|length| !length.is_zero());
        length.ok_or_else(|| QueryError::Duration { parameter, text: text.to_owned() })
    };
    text.map(read).transpose()
}
