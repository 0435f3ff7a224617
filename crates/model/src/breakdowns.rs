//! The breakdowns of a deployment. All tenants have the same breakdowns, except tenants with breakdowns of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Dimension;

/// A list of breakdowns, in the order of the configuration. Each breakdown gives one table.
pub type BreakdownList = Vec<Vec<Dimension>>;

/// The breakdowns of all tenants. Two values are equal if each tenant has the same breakdowns in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakdowns {
    common: BreakdownList,
    /// The breakdowns of tenants whose breakdowns differ from the common ones.
    own: BTreeMap<String, BreakdownList>,
}

impl Breakdowns {
    /// Creates the breakdowns of all tenants from the common ones, and from the breakdowns of single tenants by name.
    /// If the breakdowns of a tenant equal the common ones, they are not stored.
    #[must_use]
    pub fn new(common: BreakdownList, own: impl IntoIterator<Item = (String, BreakdownList)>) -> Self {
        let own = own.into_iter().filter(|(_, list)| *list != common).collect();
        Self { common, own }
    }

    /// Returns the breakdowns of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &[Vec<Dimension>] {
        self.own.get(tenant).unwrap_or(&self.common)
    }

    /// Returns the breakdowns of tenants without breakdowns of their own.
    #[must_use]
    pub fn common(&self) -> &[Vec<Dimension>] {
        &self.common
    }

    /// Returns all lists of breakdowns. The common list is the first.
    pub fn lists(&self) -> impl Iterator<Item = &[Vec<Dimension>]> {
        std::iter::once(&self.common).chain(self.own.values()).map(Vec::as_slice)
    }

    /// Appends all breakdowns to a string from which the layout fingerprint is computed. If no tenant has its own
    /// breakdowns, the string is the same as in old releases, in which a tenant could not have its own breakdowns.
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
            if let Dimension::Custom(custom) = dimension {
                custom.write_to(text);
            }
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
    fn tenant_without_breakdowns_of_its_own_has_the_common_ones() {
        let breakdowns = Breakdowns::new(vec![vec![Os]], [own("acme", vec![vec![Cdn], vec![Country]])]);
        assert_eq!(breakdowns.of("acme"), [[Cdn], [Country]]);
        assert_eq!(breakdowns.of("beta"), [[Os]]);
        assert_eq!(breakdowns.lists().map(<[_]>::len).collect::<Vec<_>>(), [1, 2]);
    }
}
