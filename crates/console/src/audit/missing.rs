//! Tables that are not there at all. Of a tenant's window either every table is published or none: so one that its
//! tenant has before and after, and that others of the window go without, was lost.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::entry::Kind;
use super::tables::{Key, Moment, Windowful};
use super::{Finds, Spot, What};

/// How far the tables of each tenant were read, partition by partition.
#[derive(Default)]
pub(super) struct Reach {
    /// By tenant, topic and partition: the first and the last window, by their starts.
    seen: BTreeMap<(u32, usize, u32), (u64, u64)>,
    /// Partitions whose first records are not read.
    cut: BTreeSet<(usize, u32)>,
}

impl Reach {
    /// The first records of that partition are not read.
    pub(super) fn cut(&mut self, topic: usize, partition: u32) {
        self.cut.insert((topic, partition));
    }

    /// A table lies there, or a part of one.
    pub(super) fn note(&mut self, (tenant, start, _): Moment, spot: Spot) {
        let seen = self.seen.entry((tenant, spot.topic, spot.partition)).or_insert((start, start));
        *seen = (seen.0.min(start), seen.1.max(start));
    }

    /// The windows of which every table would have been read: those that start after the one moment and not after the
    /// other. Partitions forget at different times, and are not all read up to the same. `None` where nobody can say.
    fn of(&self, tenant: u32) -> Option<(Option<u64>, u64)> {
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

    /// Tells of windows that lack a table; `parts` are tables that are there, though not whole where they lie.
    pub(super) fn check(
        &self,
        moments: &BTreeMap<Moment, Windowful>,
        parts: &HashSet<Key>,
        finds: &mut Finds,
    ) {
        let tenants: BTreeSet<u32> = moments.keys().map(|(tenant, ..)| *tenant).collect();
        for tenant in tenants {
            let Some((after, until)) = self.of(tenant) else { continue };
            let of_tenant = || {
                let all = moments.range((tenant, 0, 0)..=(tenant, u64::MAX, u64::MAX));
                // where there is noise a table may have no row
                all.filter(|(_, held)| {
                    held.policy.as_ref().is_some_and(|(policy, _)| policy.kind == Kind::Threshold)
                })
            };
            let mut spans: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
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
