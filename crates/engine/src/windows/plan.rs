//! The assignment of dimensions to the slots of session summaries and of cells.

use crowdfold_model::{Dimension, Quality};

use crate::{MOST_LEVELS, Rules};

/// The dimension slots, and the breakdowns of each tenant as indexes of slots. The plan is computed once.
///
/// There is a slot for each dimension in the breakdowns of any tenant. Custom dimensions of different tenants share a
/// slot if they have the same source. All session summaries have the same slots. Therefore the cost of a beacon does
/// not depend on its tenant or on the number of tenants with breakdowns of their own.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The indexes of the dimensions of the slots ([`Dimension::index`]).
    pub(crate) slots: Vec<usize>,
    /// The different lists of breakdowns. Tenants without breakdowns of their own use the first list.
    lists: Vec<Vec<Vec<usize>>>,
    /// The index of each tenant's list in `lists`. If a tenant is beyond the end of this vector, it has the first list.
    of: Vec<usize>,
    /// The bit of the slot of [`Dimension::ErrorCode`], or 0 if no breakdown contains this dimension.
    pub(crate) error_bit: u32,
    /// The thresholds of a good session for each tenant. If a tenant is beyond the end of this vector, it has
    /// `common_quality`.
    qualities: Vec<Quality>,
    common_quality: Quality,
}

impl Plan {
    /// Creates a plan. The index of a tenant is its position in `tenants`.
    pub(crate) fn new(rules: &Rules, tenants: &[String]) -> Self {
        let breakdowns = &rules.breakdowns;
        let mut slots: Vec<_> =
            breakdowns.lists().flatten().flatten().map(|dimension| dimension.index()).collect();
        slots.sort_unstable();
        slots.dedup();
        let slots_of = |list: &[Vec<Dimension>]| -> Vec<Vec<usize>> {
            let slot_of = |dimension: &Dimension| slots.binary_search(&dimension.index()).ok();
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
        let error_slot = slots.binary_search(&Dimension::ErrorCode.index());
        Self {
            error_bit: error_slot.map_or(0, |slot| 1 << slot),
            slots,
            lists,
            of,
            qualities: tenants.iter().map(|tenant| rules.qualities.of(tenant)).collect(),
            common_quality: rules.qualities.common(),
        }
    }

    /// Returns the different lists of breakdowns. A breakdown consists of the slots of its dimensions.
    pub(crate) fn lists(&self) -> &[Vec<Vec<usize>>] {
        &self.lists
    }

    /// Returns the thresholds of a good session for a tenant.
    pub(crate) fn quality_of(&self, tenant: u16) -> &Quality {
        self.qualities.get(usize::from(tenant)).unwrap_or(&self.common_quality)
    }

    /// Returns the index of a tenant's list in [`Self::lists`].
    pub(crate) fn list_of(&self, tenant: u16) -> usize {
        self.of.get(usize::from(tenant)).copied().unwrap_or(0)
    }
}
