//! Checks settings whose valid values other crates define: fields of beacons and logs, attributes of tenants, the
//! pattern of content ids, and the values for which `audit` searches.

use crowdfold_airlock::Settings;
use crowdfold_config::{ConfigError, Loaded, did_you_mean};
use crowdfold_model::Dimension;
use crowdfold_scan::{PublicIds, SHORTEST_KNOWN};

pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let source = &loaded.settings.source;
    let log: Vec<String> = Settings::log_names().collect();
    let log: Vec<&str> = log.iter().map(String::as_str).collect();
    let names: Vec<&str> = Settings::field_names().collect();
    fields(loaded, "source.fields", source.fields.keys(), "field of a beacon", &names)?;
    fields(loaded, "source.log", source.log.keys(), "field of a log", &log)?;
    log_with_cmcd(loaded)?;
    attributes(loaded)?;
    pattern(loaded)?;
    known(loaded)
}

/// Checks that the fields of a log include one that contains CMCD, because only CMCD is read from a log.
fn log_with_cmcd(loaded: &Loaded) -> Result<(), ConfigError> {
    const LOG: &str = "source.log";
    let log = &loaded.settings.source.log;
    let with_cmcd =
        |name: &String| name.starts_with("cmcd") || ["path", "query", "body"].contains(&name.as_str());
    match log.first_key_value() {
        Some((first, _)) if !log.keys().any(with_cmcd) => {
            let message =
                "names no field that contains CMCD; add query, cmcd, cmcd_session, cmcd_sid or another one";
            Err(loaded.error_at(&format!("{LOG}.{first}"), LOG, message))
        }
        _ => Ok(()),
    }
}

/// Checks that each name in a section is a known name.
fn fields<'a>(
    loaded: &Loaded,
    section: &str,
    mut names: impl Iterator<Item = &'a String>,
    kind: &str,
    known: &[&str],
) -> Result<(), ConfigError> {
    names.find(|name| !known.contains(&name.as_str())).map_or(Ok(()), |name| {
        let hint = did_you_mean(name, known.iter().copied());
        let mut message = format!(
            "is not a {kind}{hint} (write crowdfold's name on the left and your own name on the right)"
        );
        if hint.is_empty() {
            message.push_str(&format!("; crowdfold's names are {}", known.join(", ")));
        }
        Err(loaded.error(&format!("{section}.{name}"), message))
    })
}

/// Checks that no attribute of a tenant has the name of a dimension.
fn attributes(loaded: &Loaded) -> Result<(), ConfigError> {
    for (tenant, attributes) in &loaded.settings.tenants.attributes {
        if let Some(name) = attributes.keys().find(|name| Dimension::named(name).is_some()) {
            let message =
                "has the name of a dimension, so a query could not distinguish the two; choose another name";
            return Err(loaded.error(&format!("tenants.attributes.{tenant}.{name}"), message));
        }
    }
    Ok(())
}

/// Checks that `content.pattern` is a regular expression.
fn pattern(loaded: &Loaded) -> Result<(), ConfigError> {
    let Some(pattern) = &loaded.settings.content.pattern else { return Ok(()) };
    PublicIds::new(pattern).map(drop).map_err(|reason| {
        let message = format!("is not a regular expression ({reason}); correct it, or set it to \"\"");
        loaded.error("content.pattern", message)
    })
}

/// Checks that the values for which `audit` searches are not too short.
fn known(loaded: &Loaded) -> Result<(), ConfigError> {
    let known = &loaded.settings.audit.known;
    known.iter().position(|value| value.chars().count() < SHORTEST_KNOWN).map_or(Ok(()), |at| {
        let message = format!(
            "contains a value of fewer than {SHORTEST_KNOWN} characters (number {} in the list), which would be found in \
             most records; use longer values",
            at + 1
        );
        Err(loaded.error("audit.known", message))
    })
}
