//! Detection of tables of which no row was published. For each tenant and window, either all tables are published or
//! none. Therefore a table is missing if the window has other tables, and the tenant has this table in earlier and
//! later windows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crowdfold_model::Timestamp;

use crate::entry::Kind;
use crate::tables::{Key, TenantWindow, Windowful};
use crate::{Finds, Spot, What};

/// The range of windows of each tenant that was read from each partition.
#[derive(Default)]
pub(crate) struct Reach {
    /// The starts of the first and the last window, by tenant, topic and partition.
    seen: BTreeMap<(u32, usize, u32), (Timestamp, Timestamp)>,
    /// The partitions that are not read from their first record.
    cut: BTreeSet<(usize, u32)>,
}

impl Reach {
    /// Records that a partition is not read from its first record.
    pub(crate) fn cut(&mut self, topic: usize, partition: u32) {
        self.cut.insert((topic, partition));
    }

    /// Records that a whole table, or a part of a table, was read.
    pub(crate) fn note(&mut self, (tenant, start, _): TenantWindow, spot: Spot) {
        let seen = self.seen.entry((tenant, spot.topic, spot.partition)).or_insert((start, start));
        *seen = (seen.0.min(start), seen.1.max(start));
    }

    /// Returns the range of windows for which all published tables must have been read. The range begins after the
    /// first timestamp, or has no beginning if this timestamp is `None`. The range ends with the second timestamp.
    /// Partitions differ in their oldest record and in the last record that was read, so the range contains only
    /// windows that are in the ranges of all partitions. Returns `None` if the range is unknown.
    fn of(&self, tenant: u32) -> Option<(Option<Timestamp>, Timestamp)> {
        let seen = || self.seen.range((tenant, 0, 0)..=(tenant, usize::MAX, u32::MAX));
        let topics: BTreeSet<usize> = seen().map(|((_, topic, _), _)| *topic).collect();
        let mut after = None;
        for topic in topics {
            for (_, partition) in self.cut.range((topic, 0)..=(topic, u32::MAX)) {
                let (first, _) = self.seen.get(&(tenant, topic, *partition))?;
                after = after.max(Some(*first));
            }
        }
        let until = seen().map(|(_, (_, last))| *last).min()?;
        Some((after, until))
    }

    /// Reports missing tables. `parts` contains incomplete tables. These are not reported, because some of their rows
    /// exist.
    pub(crate) fn check(
        &self,
        windows: &BTreeMap<TenantWindow, Windowful>,
        parts: &HashSet<Key>,
        finds: &mut Finds,
    ) {
        let tenants: BTreeSet<u32> = windows.keys().map(|(tenant, ..)| *tenant).collect();
        for tenant in tenants {
            let Some((after, until)) = self.of(tenant) else { continue };
            let of_tenant = || {
                let all = windows.range(
                    (tenant, Timestamp::EPOCH, Timestamp::EPOCH)..=(tenant, Timestamp::MAX, Timestamp::MAX),
                );
                // Under `differential-privacy`, a published table may have no rows, so only tables of the policy
                // `threshold` are checked.
                all.filter(|(_, held)| {
                    held.policy.as_ref().is_some_and(|(policy, _)| policy.kind == Kind::Threshold)
                })
            };
            let mut spans: BTreeMap<u32, (Timestamp, Timestamp)> = BTreeMap::new();
            for ((_, start, _), held) in of_tenant() {
                for (breakdown, ..) in &held.breakdowns {
                    spans.entry(*breakdown).or_insert((*start, *start)).1 = *start;
                }
            }
            let mut before: BTreeMap<u32, Spot> = BTreeMap::new();
            for (moment, held) in of_tenant() {
                let start = moment.1;
                let read = after.is_none_or(|after| start > after) && start <= until;
                for (breakdown, (first, last)) in spans.iter().filter(|_| read) {
                    let is_there = held.breakdowns.iter().any(|(known, ..)| known == breakdown)
                        || parts.contains(&(*moment, *breakdown));
                    if *first < start
                        && start < *last
                        && !is_there
                        && let (Some((_, _, spot)), Some(other)) =
                            (held.breakdowns.first(), before.get(breakdown))
                    {
                        finds.pair(What::MissingTable, *spot, *other);
                    }
                }
                before.extend(held.breakdowns.iter().map(|(breakdown, _, spot)| (*breakdown, *spot)));
            }
        }
    }
}
