//! Comparisons of two periods.

use std::collections::{BTreeMap, BTreeSet};

use crate::group::{Figure, Group};
use crate::{Answer, QueryMetric};

#[cfg(test)]
mod tests;

/// One metric of one group in two periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The name of the tenant. It is empty if rows of several tenants were added up.
    pub tenant: String,
    /// The values by which the rows are grouped.
    pub key: Vec<String>,
    /// The metric that is compared.
    pub metric: QueryMetric,
    /// The value in the later period. `None` if the value was not published, is undefined, or consists mostly of noise.
    pub now: Option<Figure>,
    /// The value in the earlier period, or `None` for the same reasons.
    pub before: Option<Figure>,
}

impl Compared {
    /// Returns the difference between the two values, or `None` if a value is missing. The standard error includes the
    /// noise of both values, which is independent.
    #[must_use]
    pub fn change(&self) -> Option<Figure> {
        let (now, before) = (self.now?, self.before?);
        let error = now.error.zip(before.error).map(|(one, other)| one.hypot(other));
        Some(Figure { value: now.value - before.value, error })
    }

    /// Returns the difference divided by the earlier value, or `None` if a value is missing or the earlier value is
    /// 0.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        let before = self.before?.value;
        (before != 0.0).then(|| self.change().map(|change| change.value / before.abs()))?
    }
}

impl Answer {
    /// Compares the groups of this answer with the groups of an earlier period, `before`. Returns one entry for each
    /// group and metric. The entries begin with the groups of this answer, in descending order of size. Groups that
    /// occur only in `before` follow at the end.
    #[must_use]
    pub fn compare(&self, before: &Self, metrics: &[QueryMetric]) -> Vec<Compared> {
        fn key(answer: &Answer, group: &'_ Group) -> (String, Vec<String>) {
            let tenant = if answer.across.is_some() { "" } else { group.tenant() };
            (tenant.to_owned(), group.group_key.clone())
        }
        let earlier: BTreeMap<_, &Group> =
            before.groups.iter().map(|group| (key(before, group), group)).collect();
        let known: BTreeSet<_> = self.groups.iter().map(|group| key(self, group)).collect();
        let mut pairs: Vec<_> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let key = key(self, group);
            let before = earlier.get(&key).copied();
            pairs.push((key, Some(group), before));
        }
        for group in &before.groups {
            let key = key(before, group);
            if !known.contains(&key) {
                pairs.push((key, None, Some(group)));
            }
        }
        let compared =
            |((tenant, key), now, before): ((String, Vec<String>), Option<&Group>, Option<&Group>)| {
                metrics
                    .iter()
                    .map(|metric| Compared {
                        tenant: tenant.clone(),
                        key: key.clone(),
                        metric: *metric,
                        now: now.and_then(|group| metric.of(group)),
                        before: before.and_then(|group| metric.of(group)),
                    })
                    .collect::<Vec<_>>()
            };
        pairs.into_iter().flat_map(compared).collect()
    }
}
