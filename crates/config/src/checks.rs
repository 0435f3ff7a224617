//! Checks of rules that involve several keys.

mod properties;
mod tenants;
mod times;

use std::collections::BTreeMap;

use crate::error::ConfigError;
use crate::loaded::Loaded;
use crate::settings::{AddressPolicy, ContentPolicy, Format, ReleasePolicy, is_topic};

const SECRET_FILE: &str = "release.privacy.secret_file";

/// Checks all rules, in the order of the sections.
pub(crate) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    properties::check(loaded)?;
    tenants::check(loaded)?;
    source_fields(loaded)?;
    source_log(loaded)?;
    collector(loaded)?;
    console(loaded)?;
    secret(loaded)?;
    content(loaded)?;
    network(loaded)?;
    topics(loaded)?;
    erasing(loaded)?;
    times::check(loaded)
}

fn source_fields(loaded: &Loaded) -> Result<(), ConfigError> {
    apart(loaded, "source.fields", &loaded.settings.source.fields)?;
    apart(loaded, "source.log", &loaded.settings.source.log)
}

/// Checks that the paths of all fields are different, and that no path is inside another path.
fn apart(loaded: &Loaded, section: &str, paths: &BTreeMap<String, Vec<String>>) -> Result<(), ConfigError> {
    for (index, (name, path)) in paths.iter().enumerate() {
        let overlaps =
            |(_, other): &(&String, &Vec<String>)| path.starts_with(other) || other.starts_with(path);
        if let Some((other, _)) = paths.iter().take(index).find(overlaps) {
            let message = format!("overlaps with the path of {other}; give each field a path of its own");
            return Err(loaded.error(&format!("{section}.{name}"), message));
        }
    }
    Ok(())
}

fn source_log(loaded: &Loaded) -> Result<(), ConfigError> {
    const LOG: &str = "source.log";
    let source = &loaded.settings.source;
    let Some((first, _)) = source.log.first_key_value() else { return Ok(()) };
    if source.format == Format::Capture {
        return Ok(());
    }
    let message = "is used only with source.format = \"capture\"; set that, or remove the section";
    Err(loaded.error_at(&format!("{LOG}.{first}"), LOG, message))
}

fn collector(loaded: &Loaded) -> Result<(), ConfigError> {
    let collect = &loaded.settings.collect;
    if collect.proxy_protocol && collect.trusted_proxies.is_empty() {
        let message = "is true, but collect.trusted_proxies is empty; name the proxies there, or set proxy_protocol to \
                       false";
        return Err(loaded.error("collect.proxy_protocol", message));
    }
    let (certificate, key) = ("collect.tls.certificate", "collect.tls.key");
    match (&collect.tls.certificate, &collect.tls.key) {
        (Some(_), None) => {
            Err(loaded.error(certificate, format!("is set without a key; set {key} to the path of the key")))
        }
        (None, Some(_)) => {
            let message =
                format!("is set without a certificate; set {certificate} to the path of the certificate");
            Err(loaded.error(key, message))
        }
        _ => Ok(()),
    }
}

fn console(loaded: &Loaded) -> Result<(), ConfigError> {
    const LISTEN: &str = "console.listen";
    let console = &loaded.settings.console;
    if !console.listen.ip().is_loopback() && console.tokens.is_empty() {
        let message = "is not a loopback address, so requests need tokens; name a token with [console.tokens.NAME] and \
                       its file, or set it to 127.0.0.1:8090";
        return Err(loaded.error(LISTEN, message));
    }
    for (name, token) in &console.tokens {
        let section = format!("console.tokens.{name}");
        if token.file.is_none() {
            return Err(loaded.error(&section, "has no file; set file to the path of a file with the token"));
        }
        let tenants = &loaded.settings.tenants;
        if let Some(stranger) = token.tenants.iter().find(|tenant| !tenants.contains(tenant)) {
            let message = format!(
                "names \"{}\", which is not in tenants.names{}",
                stranger.escape_debug(),
                tenants.did_you_mean(stranger)
            );
            return Err(loaded.error(&format!("{section}.tenants"), message));
        }
    }
    Ok(())
}

fn secret(loaded: &Loaded) -> Result<(), ConfigError> {
    let release = &loaded.settings.release;
    if release.privacy.secret_file.is_some() {
        return Ok(());
    }
    if release.policy == ReleasePolicy::DifferentialPrivacy {
        let message = format!(
            "is differential-privacy, which needs a secret for its noise, the same for all workers; create one with \
             `openssl rand -hex 32` and name its file in {SECRET_FILE}, or set threshold"
        );
        return Err(loaded.error("release.policy", message));
    }
    if release.min_networks > 0 {
        let message =
            format!("needs a secret that all workers share; name its file in {SECRET_FILE}, or set it to 0");
        return Err(loaded.error("release.min_networks", message));
    }
    Ok(())
}

fn content(loaded: &Loaded) -> Result<(), ConfigError> {
    if loaded.settings.content.policy == ContentPolicy::Keep {
        return Ok(());
    }
    let Some(key) = breakdowns_with(loaded, "content") else { return Ok(()) };
    let origin = if loaded.is_given(&key) { key.as_str() } else { "content.policy" };
    let message = format!(
        "is \"drop\", but {key} names content; remove content there, or set content.policy to \"keep\""
    );
    Err(loaded.error_at(origin, "content.policy", message))
}

fn network(loaded: &Loaded) -> Result<(), ConfigError> {
    if loaded.settings.address.policy == AddressPolicy::Truncate {
        return Ok(());
    }
    breakdowns_with(loaded, "network").map_or(Ok(()), |key| {
        let message = "names network, but no network is kept with address.policy = \"strip\"; remove network, or set \
                       address.policy to \"truncate\"";
        Err(loaded.error(&key, message))
    })
}

/// Returns the key of the first list of breakdowns that contains a dimension, or `None` if no list contains it.
fn breakdowns_with(loaded: &Loaded, dimension: &str) -> Option<String> {
    let release = &loaded.settings.release;
    let names = |breakdowns: &[Vec<String>]| breakdowns.iter().flatten().any(|name| name == dimension);
    if names(&release.breakdowns) {
        return Some("release.breakdowns".into());
    }
    let own = release.tenants.iter().find(|(_, own)| own.breakdowns.as_deref().is_some_and(names));
    own.map(|(tenant, _)| format!("release.tenants.{tenant}.breakdowns"))
}

fn topics(loaded: &Loaded) -> Result<(), ConfigError> {
    const TOPIC: &str = "source.topic";
    let names = loaded.settings.topic_names();
    if !is_topic(&names.beacons) {
        let message = format!(
            "is \"{}\", which is not a valid topic name; use letters, digits, `.`, `_` and `-`",
            names.beacons.escape_debug()
        );
        return Err(loaded.error(TOPIC, message));
    }
    let written = [&names.partials, &names.rejections].into_iter().chain(names.rollups());
    written.into_iter().find(|name| **name == names.beacons).map_or(Ok(()), |name| {
        let message =
            format!("is {name}, which crowdfold itself writes; name another topic, or change kafka.prefix");
        Err(loaded.error(TOPIC, message))
    })
}

/// Refuses `ttl.erase_counted` if another program may need the topic, because records are erased for all readers.
fn erasing(loaded: &Loaded) -> Result<(), ConfigError> {
    let settings = &loaded.settings;
    let own = format!("{}.beacons", settings.kafka.prefix);
    let beacons = settings.topic_names().beacons;
    if !settings.ttl.erase_counted || settings.ttl.erase_shared || beacons == own {
        return Ok(());
    }
    let message = format!(
        "is true, but source.topic {beacons} is not this deployment's own ({own}), and its other readers would lose the \
         erased records; set erase_counted to false, or ttl.erase_shared to true if no other program needs them"
    );
    Err(loaded.error("ttl.erase_counted", message))
}
