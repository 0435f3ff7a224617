//! Detection of tables that are missing completely. For each tenant and window, either all tables are published or
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

    /// Records that a table, or a part of one, was read.
    pub(crate) fn note(&mut self, (tenant, start, _): TenantWindow, spot: Spot) {
        let seen = self.seen.entry((tenant, spot.topic, spot.partition)).or_insert((start, start));
        *seen = (seen.0.min(start), seen.1.max(start));
    }

    /// Returns the range of windows of which every published table must have been read. The range begins after the
    /// first timestamp (without limit if it is `None`), and ends with the second. Partitions differ in the records
    /// that they have deleted and in the time up to which they were read, so the range is that which all partitions
    /// have in common. Returns `None` if it is not known.
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

    /// Reports missing tables. `parts` contains the incomplete tables, which are not missing completely.
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
                // under `differential-privacy`, a published table may have no rows, so only tables with thresholds
                // are checked
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
