//! The breakdowns of a deployment: the same for all tenants, but for those that have others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Dimension;

/// One table each, in the order of the configuration.
pub type BreakdownList = Vec<Vec<Dimension>>;

/// The breakdowns of every tenant. Two of them are equal when each tenant's tables are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakdowns {
    common: BreakdownList,
    /// Those of tenants that differ.
    own: BTreeMap<String, BreakdownList>,
}

impl Breakdowns {
    /// `common` for all tenants but those that have their own, by name. Whose own are the common ones has none.
    #[must_use]
    pub fn new(common: BreakdownList, own: impl IntoIterator<Item = (String, BreakdownList)>) -> Self {
        let own = own.into_iter().filter(|(_, list)| *list != common).collect();
        Self { common, own }
    }

    /// A tenant's.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &[Vec<Dimension>] {
        self.own.get(tenant).unwrap_or(&self.common)
    }

    /// Those of tenants that have none of their own.
    #[must_use]
    pub fn common(&self) -> &[Vec<Dimension>] {
        &self.common
    }

    /// Every list there is, the common one first.
    pub fn lists(&self) -> impl Iterator<Item = &[Vec<Dimension>]> {
        std::iter::once(&self.common).chain(self.own.values()).map(Vec::as_slice)
    }

    /// All of them as text, for [`crate::Rules::layout_fingerprint`]. Without tenants of their own it is what it was
    /// before there were any.
    pub fn write_to(&self, text: &mut String) {
        write_list(&self.common, text);
        for (tenant, list) in &self.own {
            let _ = write!(text, " t={tenant}");
            write_list(list, text);
        }
    }
}

impl From<BreakdownList> for Breakdowns {
    fn from(common: BreakdownList) -> Self {
        Self::new(common, [])
    }
}

fn write_list(list: &[Vec<Dimension>], text: &mut String) {
    for breakdown in list {
        text.push_str(" d");
        for dimension in breakdown {
            text.push('.');
            text.push_str(dimension.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Dimension::{Cdn, Country, Os};

    use super::*;

    fn own(tenant: &str, list: BreakdownList) -> (String, BreakdownList) {
        (tenant.into(), list)
    }

    #[test]
    fn a_tenant_has_its_own_or_the_common_ones() {
        let breakdowns = Breakdowns::new(vec![vec![Os]], [own("acme", vec![vec![Cdn], vec![Country]])]);
        assert_eq!(breakdowns.of("acme"), [[Cdn], [Country]]);
        assert_eq!(breakdowns.of("beta"), [[Os]]);
        assert_eq!(breakdowns.lists().map(<[_]>::len).collect::<Vec<_>>(), [1, 2]);
    }
}
