//! The slots of dimensions in session summaries, and the slots of the cells of each tenant.

use crowdfold_model::{Dimension, Quality};

use crate::{MOST_LEVELS, Rules};

/// The breakdowns of each tenant, as indexes of the slots of a session summary. They are computed once.
///
/// A slot is a dimension that the breakdown of any tenant needs. All session summaries have the same slots. Therefore
/// the cost of a beacon depends neither on its tenant nor on the number of tenants with their own tables.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) slots: Vec<Dimension>,
    /// The distinct lists of breakdowns. The first is the common one.
    lists: Vec<Vec<Vec<usize>>>,
    /// The index of the list by tenant. Tenants beyond its end have the common list.
    of: Vec<usize>,
    /// The bit of the slot of [`Dimension::ErrorCode`]; 0 if no breakdown has it.
    pub(crate) error_bit: u32,
    /// The thresholds of a good session, by tenant; the common ones for tenants beyond its end.
    qualities: Vec<Quality>,
    common_quality: Quality,
}

impl Plan {
    /// Creates the plan of tenants with the indexes in `tenants`.
    pub(crate) fn new(rules: &Rules, tenants: &[String]) -> Self {
        let breakdowns = &rules.breakdowns;
        let mut slots: Vec<_> = breakdowns.lists().flatten().flatten().copied().collect();
        slots.sort_unstable();
        slots.dedup();
        let slots_of = |list: &[Vec<Dimension>]| -> Vec<Vec<usize>> {
            let slot_of = |dimension: &Dimension| slots.binary_search(dimension).ok();
            list.iter()
                .map(|breakdown| breakdown.iter().filter_map(slot_of).take(MOST_LEVELS).collect())
                .collect()
        };
        let mut lists = vec![slots_of(breakdowns.common())];
        let mut of = Vec::new();
        for tenant in tenants {
            let own = slots_of(breakdowns.of(tenant));
            let known = lists.iter().position(|list| *list == own);
            of.push(known.unwrap_or_else(|| {
                lists.push(own);
                lists.len() - 1
            }));
        }
        let error_slot = slots.binary_search(&Dimension::ErrorCode);
        Self {
            error_bit: error_slot.map_or(0, |slot| 1 << slot),
            slots,
            lists,
            of,
            qualities: tenants.iter().map(|tenant| rules.qualities.of(tenant)).collect(),
            common_quality: rules.qualities.common(),
        }
    }

    /// Returns the lists of breakdowns, each breakdown as the slots of its dimensions.
    pub(crate) fn lists(&self) -> &[Vec<Vec<usize>>] {
        &self.lists
    }

    /// Returns the thresholds of a good session of a tenant.
    pub(crate) fn quality_of(&self, tenant: u16) -> &Quality {
        self.qualities.get(usize::from(tenant)).unwrap_or(&self.common_quality)
    }

    /// Returns the index of the list of a tenant.
    pub(crate) fn list_of(&self, tenant: u16) -> usize {
        self.of.get(usize::from(tenant)).copied().unwrap_or(0)
    }
}
