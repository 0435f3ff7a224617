//! Dimensions that the configuration defines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::{Dimension, Family, TextRule};

/// A custom dimension of a tenant. Equal definitions share one value, which exists until the process ends. Therefore a
/// [`Dimension`] can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Custom {
    source: usize,
    name: &'static str,
    family: Family,
    values: Option<&'static [&'static str]>,
}

/// The permitted values of a custom dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomValues {
    /// These values. Case is ignored. Any other value becomes `other`.
    Closed(Vec<String>),
    /// Any text that does not identify a person.
    Open,
}

/// The locations of the value of a custom dimension. At least one location is present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomSource {
    /// The path of object keys in JSON beacons.
    pub json: Option<Vec<String>>,
    /// The custom CMCD key.
    pub cmcd: Option<String>,
    /// The path of object keys in the lines of a log.
    pub log: Option<Vec<String>>,
}

/// All texts in definitions of custom dimensions. There are few texts, because the configuration is read only once.
static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
static LISTS: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());
static CUSTOM: Mutex<Vec<&'static Custom>> = Mutex::new(Vec::new());

fn text(text: &str) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    texts.insert(text);
    text
}

fn list(values: &[String]) -> &'static [&'static str] {
    let values: Vec<&'static str> = values.iter().map(|value| text(value)).collect();
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(values.as_slice()) {
        return known;
    }
    let values: &'static [&'static str] = values.leak();
    lists.insert(values);
    values
}

impl Custom {
    /// The maximum number of custom dimensions of one tenant.
    pub const MOST: usize = 4;

    /// The maximum number of different sources of custom dimensions, over all tenants.
    pub const MOST_SOURCES: usize = 6;

    /// The maximum number of values of a closed list.
    pub const MOST_VALUES: usize = 64;

    /// Returns the dimension with this definition. `family` is the name of a built-in family or of another one. If
    /// `family` is `None`, the dimension has a family of its own, with the name of the dimension.
    ///
    /// Returns `None` if `source` is not below [`Self::MOST_SOURCES`].
    #[must_use]
    pub fn dimension(
        name: &str,
        source: usize,
        family: Option<&str>,
        values: &CustomValues,
    ) -> Option<Dimension> {
        if source >= Self::MOST_SOURCES {
            return None;
        }
        let family = family.unwrap_or(name);
        let custom = Self {
            source,
            name: text(name),
            family: Family::named(family).unwrap_or_else(|| Family::Custom(text(family))),
            values: match values {
                CustomValues::Closed(values) => Some(list(values)),
                CustomValues::Open => None,
            },
        };
        let mut known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| ***known == custom).copied();
        let custom = found.unwrap_or_else(|| {
            let custom: &'static Self = Box::leak(Box::new(custom));
            known.push(custom);
            custom
        });
        Some(Dimension::Custom(custom))
    }

    /// Returns the index of the source of the dimension.
    #[inline]
    #[must_use]
    pub const fn source(&self) -> usize {
        self.source
    }

    /// Returns the name of the dimension.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the family of the dimension.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Returns the rule for the texts of the dimension.
    #[must_use]
    pub const fn rule(&self) -> TextRule {
        match self.values {
            Some(values) => TextRule::Closed(values),
            None => TextRule::Free,
        }
    }

    /// Appends the family and the values of the dimension to a text from which a fingerprint is computed.
    pub(crate) fn write_to(&self, text: &mut String) {
        let _ = write!(text, "({}", self.family);
        for value in self.values.into_iter().flatten() {
            let _ = write!(text, ",{}:{value}", value.len());
        }
        text.push(')');
    }
}

/// The custom dimensions of every tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomDimensions {
    common: Vec<Dimension>,
    /// All custom dimensions of the tenants that have custom dimensions of their own.
    own: BTreeMap<String, Vec<Dimension>>,
}

impl CustomDimensions {
    /// Creates the dimensions of all tenants. `common` applies to every tenant that is not in `own`. `own` contains the
    /// complete list of dimensions of a tenant.
    #[must_use]
    pub fn new(common: Vec<Dimension>, own: impl IntoIterator<Item = (String, Vec<Dimension>)>) -> Self {
        Self { common, own: own.into_iter().collect() }
    }

    /// Returns the dimensions of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &[Dimension] {
        self.own.get(tenant).unwrap_or(&self.common)
    }

    /// Returns the dimensions of tenants without dimensions of their own.
    #[must_use]
    pub fn common(&self) -> &[Dimension] {
        &self.common
    }

    /// Returns the names of the dimensions of any tenant, without repetitions.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let all = self.common.iter().chain(self.own.values().flatten());
        let names: BTreeSet<&'static str> = all.map(|dimension| dimension.name()).collect();
        names.into_iter().collect()
    }

    /// Returns the name of a dimension with this source. If several dimensions have the source, returns the name of one
    /// of them.
    #[must_use]
    pub fn name_of_source(&self, source: usize) -> Option<&'static str> {
        let all = self.common.iter().chain(self.own.values().flatten());
        let mut custom = all.filter_map(|dimension| match dimension {
            Dimension::Custom(custom) => Some(custom),
            _ => None,
        });
        custom.find(|custom| custom.source() == source).map(|custom| custom.name())
    }

    /// Returns the dimension of a tenant with this name. The dimension may be built-in or custom.
    #[must_use]
    pub fn named(&self, tenant: &str, name: &str) -> Option<Dimension> {
        let custom = || self.of(tenant).iter().copied().find(|dimension| dimension.name() == name);
        Dimension::named(name).or_else(custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(name: &str, values: &[&str]) -> Dimension {
        let values = CustomValues::Closed(values.iter().map(|value| (*value).into()).collect());
        Custom::dimension(name, 1, None, &values).expect("a source below the limit")
    }

    #[test]
    fn equal_definitions_share_one_value() {
        let (one, same) = (closed("arm", &["a", "b"]), closed("arm", &["a", "b"]));
        let (Dimension::Custom(first), Dimension::Custom(second)) = (one, same) else {
            panic!("a custom dimension")
        };
        assert!(std::ptr::eq(first, second));
        assert_ne!(one, closed("arm", &["a"]));
        assert_eq!(one.index(), Dimension::BUILT_IN + 1);
        assert_eq!(Custom::dimension("arm", Custom::MOST_SOURCES, None, &CustomValues::Open), None);
    }

    #[test]
    fn family_of_a_custom_dimension_is_built_in_or_named_or_its_own() {
        let family = |family| Custom::dimension("arm", 0, family, &CustomValues::Open).map(Dimension::family);
        assert_eq!(family(None), Some(Family::Custom("arm")));
        assert_eq!(family(Some("platform")), Some(Family::Platform));
        assert_eq!(family(Some("trial")), Some(Family::Custom("trial")));
    }

    #[test]
    fn tenant_has_its_own_dimensions_or_the_common_ones() {
        let (arm, plan) = (closed("arm", &["a"]), closed("plan", &["basic"]));
        let custom = CustomDimensions::new(vec![arm], [("acme".into(), vec![arm, plan])]);
        assert_eq!(custom.named("acme", "plan"), Some(plan));
        assert_eq!(custom.named("beta", "plan"), None);
        assert_eq!(custom.named("beta", "arm"), Some(arm));
        assert_eq!(custom.named("beta", "os"), Some(Dimension::Os));
        assert_eq!(custom.names(), ["arm", "plan"]);
    }

    #[test]
    fn fingerprint_depends_on_the_values_and_on_the_family() {
        let text = |dimension: Dimension| {
            let Dimension::Custom(custom) = dimension else { panic!("a custom dimension") };
            let mut text = String::new();
            custom.write_to(&mut text);
            text
        };
        assert_eq!(text(closed("arm", &["a", "b"])), "(arm,1:a,1:b)");
        let open = Custom::dimension("arm", 0, Some("trial"), &CustomValues::Open);
        assert_eq!(open.map(text), Some("(trial)".into()));
    }
}
