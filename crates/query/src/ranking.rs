//! Rankings. A ranking contains the rows of an answer in the order of a metric, and the effect of each row on the
//! overall value.

use std::collections::BTreeMap;

use crowdfold_model::{Better, FOLDED};

use crate::estimate::{Ratio, Term};
use crate::group::{Derived, Figure, Group};
use crate::{Answer, QueryMetric};

#[cfg(test)]
mod tests;

/// The order of the rows of a ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rank {
    /// The row with the worst value is first. If the metric is neither good nor bad, the row with the largest value
    /// is first.
    Value,
    /// The row with the most sessions is first.
    Sessions,
    /// The row with the largest impact is first.
    #[default]
    Impact,
}

impl Rank {
    /// Returns the order with this name, or `None` if there is no such order.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Value, Self::Sessions, Self::Impact].into_iter().find(|rank| rank.name() == name)
    }

    /// Returns the name of the order on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Sessions => "sessions",
            Self::Impact => "impact",
        }
    }
}

/// The rows of one tenant, ranked by one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The name of the tenant. It is empty if rows of several tenants were added up.
    pub tenant: String,
    /// The metric by which the rows are ranked.
    pub metric: QueryMetric,
    /// The value over all rows, or `None` if it was not published, is undefined, or consists mostly of noise.
    pub overall: Option<Figure>,
    /// The number of sessions in all rows.
    pub sessions: u64,
    /// The rows in the order of the ranking.
    pub rows: Vec<RankedRow>,
}

/// A row of a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedRow {
    /// The values by which the rows are grouped.
    pub key: Vec<String>,
    /// The number of sessions in the row.
    pub sessions: u64,
    /// The share of the row in the sessions of all rows.
    pub share: f64,
    /// The value of the metric, or `None` if it was not published, is undefined, or consists mostly of noise.
    pub value: Option<Figure>,
    /// The amount by which the overall value would improve if the row had the common value of all other rows. It is
    /// below 0 if the row is better than the other rows. It is `None` if there are no other rows, or if the impact is
    /// undefined or consists mostly of noise.
    pub impact: Option<Figure>,
}

impl RankedRow {
    /// Returns true if a value of the row is folded (`*`).
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.key.iter().any(|value| value == FOLDED)
    }
}

impl Answer {
    /// Ranks the rows of each tenant. Rows without a value come last, and rows with the same value are ordered by
    /// their sessions.
    ///
    /// For a metric where lower is better, the impact of a row is R − R′. Otherwise it is R′ − R. R is the ratio over
    /// all rows, and R′ is the ratio over all rows except this one. Metrics that are not ratios have no impact.
    #[must_use]
    pub fn ranking(&self, metric: QueryMetric, rank: Rank) -> Vec<Ranking> {
        let mut tenants: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
        for group in &self.groups {
            let tenant = if self.across.is_some() { "" } else { group.tenant() };
            tenants.entry(tenant).or_default().push(group);
        }
        tenants.into_iter().map(|(tenant, groups)| ranking(tenant, &groups, metric, rank)).collect()
    }
}

fn ranking(tenant: &str, groups: &[&Group], metric: QueryMetric, rank: Rank) -> Ranking {
    let sessions = groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.sessions()));
    let harm = metric.ratio().map(|ratio| Harm::of(groups, ratio, metric.better()));
    let row = |group: &&Group| RankedRow {
        key: group.group_key.clone(),
        sessions: group.sessions(),
        share: if sessions == 0 { 0.0 } else { group.sessions() as f64 / sessions as f64 },
        value: metric.of(group),
        impact: harm.as_ref().and_then(|harm| harm.impact(group)),
    };
    let mut rows: Vec<RankedRow> = groups.iter().map(row).collect();
    let lower_first = rank == Rank::Value && metric.better() == Better::Higher;
    rows.sort_by(|one, other| {
        let number = |row: &RankedRow| match rank {
            Rank::Value => row.value.map(|figure| figure.value),
            Rank::Sessions => Some(row.sessions as f64),
            Rank::Impact => row.impact.map(|figure| figure.value),
        };
        let order = match (number(one), number(other)) {
            (Some(one), Some(other)) if lower_first => one.total_cmp(&other),
            (Some(one), Some(other)) => other.total_cmp(&one),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        order.then(other.sessions.cmp(&one.sessions)).then_with(|| one.key.cmp(&other.key))
    });
    Ranking { tenant: tenant.to_owned(), metric, overall: overall(groups, metric), sessions, rows }
}

/// Returns the value of a metric over all groups. Returns `None` if there are no groups, or if they have no value.
fn overall(groups: &[&Group], metric: QueryMetric) -> Option<Figure> {
    let (first, others) = groups.split_first()?;
    let mut all = (*first).clone();
    others.iter().for_each(|group| all.merge(group));
    metric.of(&all)
}

/// The overall ratio, from which the impacts of groups are computed.
struct Harm {
    ratio: Derived,
    /// 1 if a lower value is better, and -1 if a higher value is better.
    sign: f64,
    /// The terms of the overall ratio, or `None` if a group lacks a term.
    total: Option<Vec<Term>>,
    has_known_noise: bool,
}

impl Harm {
    fn of(groups: &[&Group], ratio: Derived, better: Better) -> Self {
        let add = |mut total: Vec<Term>, group: &&Group| {
            for ((sum, ..), (added, ..)) in total.iter_mut().zip(group.terms(ratio)?) {
                sum.add(added.value, added.variance);
            }
            Some(total)
        };
        let total = groups.split_first().and_then(|(first, others)| {
            let first = first.terms(ratio)?;
            others.iter().try_fold(first, add)
        });
        Self {
            ratio,
            sign: if better == Better::Higher { -1.0 } else { 1.0 },
            total,
            has_known_noise: groups.iter().all(|group| group.has_known_noise()),
        }
    }

    /// Returns the impact of a group. The standard error is computed with the delta method. The noise of the group's
    /// sums is independent of the noise of all other sums. The group's sums are part of R, but not of R′.
    fn impact(&self, group: &Group) -> Option<Figure> {
        let (total, own) = (self.total.as_ref()?, group.terms(self.ratio)?);
        let rest: Vec<Term> =
            total.iter().zip(&own).map(|((sum, a, b), (part, ..))| (sum.without(*part), *a, *b)).collect();
        let limited = |terms: &[Term]| {
            let ratio = Ratio::of(terms);
            if self.ratio.is_share() { ratio.as_share() } else { ratio }
        };
        let (overall, other) = (limited(total).value()?, limited(&rest).value()?);
        let denominator = |terms: &[Term]| terms.iter().map(|(sum, _, b)| b * sum.value as f64).sum::<f64>();
        let (whole, remaining) = (denominator(total), denominator(&rest));
        let variance = own.iter().zip(&rest).map(|((part, a, b), (sum, ..))| {
            let of_part = (a - overall * b) / whole;
            let of_rest = of_part - (a - other * b) / remaining;
            of_part * of_part * part.variance + of_rest * of_rest * sum.variance
        });
        let error = variance.sum::<f64>().sqrt();
        Some(Figure { value: self.sign * (overall - other), error: self.has_known_noise.then_some(error) })
    }
}
