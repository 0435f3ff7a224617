//! Sections that there is one of for each tenant, `[release.tenants.acme]`: which keys they have.

use super::nearest::nearest;

/// Where they stand, with what their keys are called; none where that is not ours to say. What a tenant has of its own
/// is of the kind of what all have: `release.tenants.acme.k` of that of `release.k`.
const BY_TENANT: [(&str, &[&str]); 2] =
    [("release.tenants", &["k", "breakdowns", "detail_breakdown"]), ("tenants.attributes", &[])];

/// For a key or a section there: where, what keys are called, and what follows.
fn of_tenant(key: &str) -> Option<(&'static str, &'static [&'static str], &str)> {
    BY_TENANT
        .iter()
        .find_map(|(section, names)| Some((*section, *names, key.strip_prefix(section)?.strip_prefix('.')?)))
}

/// Whether a key is the section of one tenant.
pub(super) fn is_section(key: &str) -> bool {
    of_tenant(key).is_some_and(|(.., rest)| !rest.contains('.'))
}

/// The section of a tenant that a key stands in.
pub(super) fn section_of(key: &str) -> Option<&str> {
    of_tenant(key)?;
    key.rsplit_once('.').map(|(section, _)| section)
}

/// Whether a key is one that a tenant may have.
pub(super) fn is_key(key: &str) -> bool {
    let is_one = |(_, names, rest): (_, &[&str], &str)| {
        let (tenant, name) = rest.rsplit_once('.')?;
        Some(names.contains(&name) || names.is_empty() && !tenant.contains('.'))
    };
    of_tenant(key).and_then(is_one).unwrap_or(false)
}

/// What a key of one tenant is called for all of them.
pub(super) fn common(key: &str) -> Option<String> {
    let (section, names, rest) = of_tenant(key)?;
    let (_, name) = rest.rsplit_once('.')?;
    let (all, _) = section.rsplit_once('.')?;
    names.contains(&name).then(|| format!("{all}.{name}"))
}

/// What would do instead of a key that no tenant may have; `None` for a key that stands elsewhere.
pub(super) fn remedy(key: &str, in_words: impl Fn(&str) -> String) -> Option<String> {
    let (_, names, _) = of_tenant(key)?;
    let (section, last) = key.rsplit_once('.')?;
    Some(match nearest(last, names.iter().copied()) {
        Some(meant) => format!("did you mean {}?", in_words(&format!("{section}.{meant}"))),
        None if names.is_empty() => "an attribute is one word, without a dot".into(),
        None => format!("a tenant may have of its own: {}", names.join(", ")),
    })
}
