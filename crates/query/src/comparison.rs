//! Comparisons of two periods.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

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
    /// The reason why the two values must not be compared. `None` if they can be compared.
    pub incomparable: Option<Incomparable>,
}

/// The windows in which the table of a group was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableWindows {
    /// The number of windows. If rows of several tenants are added up, the windows of each tenant are counted.
    pub windows: u64,
    /// True if some partitions are missing in at least one of the windows.
    pub incomplete: bool,
}

/// The reason why two sums must not be compared: a difference of the sums would be an effect of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Incomparable {
    /// The windows of the later period.
    pub now: TableWindows,
    /// The windows of the earlier period.
    pub before: TableWindows,
}

impl fmt::Display for Incomparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { now, before } = self;
        if now.windows == before.windows {
            let period = if now.incomplete { "later" } else { "earlier" };
            return write!(f, "the {period} period contains incomplete windows");
        }
        write!(f, "the later period has {} windows and the earlier period {}", now.windows, before.windows)
    }
}

impl Incomparable {
    /// Checks two periods. A sum needs the same number of windows in both, and no incomplete window. A mean over the
    /// windows needs no incomplete window. A ratio can always be compared, because its terms come from the same windows.
    fn check(metric: QueryMetric, now: TableWindows, before: TableWindows) -> Option<Self> {
        let found = Self { now, before };
        let needs_complete = !metric.is_ratio() && found.has_incomplete_windows();
        let needs_same = metric.is_sum() && now.windows != before.windows;
        (needs_complete || needs_same).then_some(found)
    }

    /// Returns true if a window of one of the periods is incomplete. Then means over the windows are not compared either.
    #[must_use]
    pub const fn has_incomplete_windows(self) -> bool {
        self.now.incomplete || self.before.incomplete
    }
}

impl Compared {
    /// Returns the difference between the two values, or `None` if a value is missing or the values must not be
    /// compared. The standard error includes the noise of both values, which is independent.
    #[must_use]
    pub fn change(&self) -> Option<Figure> {
        if self.incomparable.is_some() {
            return None;
        }
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
        let before_answer = before;
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
        let windows = |answer: &Self, (tenant, group_key): &(String, Vec<String>)| {
            let attributes = &group_key[..answer.across.unwrap_or_default().min(group_key.len())];
            answer.windows.get(&(tenant.clone(), attributes.to_vec())).copied().unwrap_or_default()
        };
        let compared =
            |((tenant, key), now, before): ((String, Vec<String>), Option<&Group>, Option<&Group>)| {
                let scope = (tenant, key);
                let (of_now, of_before) = (windows(self, &scope), windows(before_answer, &scope));
                let (tenant, key) = scope;
                metrics
                    .iter()
                    .map(|metric| Compared {
                        tenant: tenant.clone(),
                        key: key.clone(),
                        metric: *metric,
                        now: now.and_then(|group| metric.of(group)),
                        before: before.and_then(|group| metric.of(group)),
                        incomparable: Incomparable::check(*metric, of_now, of_before),
                    })
                    .collect::<Vec<_>>()
            };
        pairs.into_iter().flat_map(compared).collect()
    }
}
