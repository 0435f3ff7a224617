//! Checks names of tenants, and the keys of single tenants.

use crate::error::ConfigError;
use crate::loaded::Loaded;
use crate::settings::Tenants;

/// The names of columns in the output of `query`. An attribute must not have one of these names.
const COLUMNS: [&str; 5] = ["tenant", "tenants", "from", "to", "windows"];

pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let settings = &loaded.settings;
    let tenants = &settings.tenants;
    default(loaded, tenants)?;
    listed(loaded, "tenants.excluded_from_groupings", &tenants.excluded_from_groupings)?;
    listed(loaded, "consent.child_directed.tenants", &settings.consent.child_directed.tenants)?;
    sections(loaded, "tenants.attributes", tenants.attributes.keys())?;
    sections(loaded, "dimensions.tenants", settings.dimensions.tenants.keys())?;
    sections(loaded, "quality.tenants", settings.quality.tenants.keys())?;
    sections(loaded, "release.tenants", settings.release.tenants.keys())?;
    sections(loaded, "principals.tenants", settings.principals.tenants.keys())?;
    attributes(loaded)?;
    readers(loaded)
}

fn default(loaded: &Loaded, tenants: &Tenants) -> Result<(), ConfigError> {
    const DEFAULT: &str = "tenants.default";
    if tenants.contains(&tenants.default) {
        return Ok(());
    }
    let some = tenants.names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!(
        "is \"{}\", which is not in tenants.names; set it to one of {some}",
        tenants.default.escape_debug()
    );
    let origin = if loaded.is_given(DEFAULT) { DEFAULT } else { "tenants.names" };
    Err(loaded.error_at(origin, DEFAULT, message))
}

/// Checks that all tenants in the list of a key are in `tenants.names`.
fn listed(loaded: &Loaded, key: &str, names: &[String]) -> Result<(), ConfigError> {
    let tenants = &loaded.settings.tenants;
    names.iter().find(|name| !tenants.contains(name)).map_or(Ok(()), |name| {
        let hint = tenants.did_you_mean(name);
        Err(loaded
            .error(key, format!("contains \"{}\", which is not in tenants.names{hint}", name.escape_debug())))
    })
}

/// Checks that all tenants with a key or a section in `section` are in `tenants.names`.
fn sections<'a>(
    loaded: &Loaded,
    section: &str,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), ConfigError> {
    let tenants = &loaded.settings.tenants;
    names.find(|name| !tenants.contains(name)).map_or(Ok(()), |name| {
        let message = format!("is not a tenant of tenants.names{}", tenants.did_you_mean(name));
        Err(loaded.error(&format!("{section}.{name}"), message))
    })
}

fn attributes(loaded: &Loaded) -> Result<(), ConfigError> {
    for (tenant, attributes) in &loaded.settings.tenants.attributes {
        for (name, value) in attributes {
            let message = if !is_name(name) || COLUMNS.contains(&name.as_str()) {
                format!(
                    "is not a valid attribute; use 1 to 40 of a-z, 0-9 and _, starting with a letter, and none of {}",
                    COLUMNS.join(", ")
                )
            } else if !is_value(value) {
                format!(
                    "is \"{}\"; set it to a string of 1 to 64 characters on one line",
                    value.escape_debug()
                )
            } else {
                continue;
            };
            return Err(loaded.error(&format!("tenants.attributes.{tenant}.{name}"), message));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(word)
}

fn is_value(value: &str) -> bool {
    (1..=64).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

/// Checks that readers of one tenant are configured only if each tenant has its own topic, because ACLs apply to
/// whole topics.
fn readers(loaded: &Loaded) -> Result<(), ConfigError> {
    let settings = &loaded.settings;
    let Some((tenant, _)) = settings.principals.tenants.first_key_value() else { return Ok(()) };
    if settings.tenants.per_tenant_topics {
        return Ok(());
    }
    let message = "needs a topic per tenant, because a reader of a topic can read all of it; set \
                   tenants.per_tenant_topics to true, or name readers of all tenants in principals.readers";
    Err(loaded.error(&format!("principals.tenants.{tenant}"), message))
}
