//! Client hints: what a browser says where its user agent is frozen.

use crowdfold_beacon::Http;

use super::{Client, names};

/// A client as its hints correct it; hints win over the user agent.
pub(crate) fn hinted(http: &Http<'_>, mut client: Client) -> Client {
    if let Some((name, version)) = http.brands.as_deref().and_then(brand) {
        client.browser = Some(name);
        client.browser_version = version;
    }
    if let Some(system) = http.platform.as_deref().map(unquoted).and_then(names::system)
        && !is_beneath(system, client.os)
        && client.os != Some(system)
    {
        client.os = Some(system);
        client.os_version = None;
    }
    if let Some(version) = http.platform_version.as_deref().and_then(|version| major(unquoted(version))) {
        client.os_version = match client.os {
            // From Windows 11 on the platform version is 13 and above (UA client hints, Microsoft's table).
            Some("Windows") => match version {
                0 => None,
                1..13 => Some(10),
                13.. => Some(11),
            },
            Some("macOS" | "Android" | "ChromeOS" | "iOS" | "iPadOS") => Some(version),
            _ => client.os_version,
        };
    }
    let model = http.model.as_deref().map(unquoted).unwrap_or_default();
    if let Some(class) = names::amazon(model) {
        client.os = Some("Fire OS");
        client.os_version = None;
        client.device = Some(class);
    }
    if let Some(mobile) = http.mobile.as_deref().map(str::trim) {
        client.device = match (mobile, client.os, client.device) {
            (_, _, known @ Some("tv" | "stb" | "console" | "bot")) => known,
            ("?1", _, Some("tablet")) if model.is_empty() => Some("phone"),
            ("?1", _, None | Some("" | "desktop")) => Some("phone"),
            ("?0", Some("Android"), _) => Some("tablet"),
            ("?0", Some("Windows" | "macOS" | "Linux" | "ChromeOS"), _) => Some("desktop"),
            (_, _, known) => known,
        };
    }
    client
}

/// Whether a platform is what a more special system, known already, is made of.
fn is_beneath(platform: &str, known: Option<&str>) -> bool {
    matches!(
        (platform, known),
        ("Android", Some("Fire OS" | "HarmonyOS"))
            | ("Linux", Some("Tizen" | "webOS" | "VIDAA" | "ChromeOS" | "KaiOS"))
    )
}

/// The brand that is not the engine's, and its version; of `"Google Chrome";v="147", "Chromium";v="147",
/// "Not?A_Brand";v="24"` it is Chrome.
fn brand(list: &str) -> Option<(&'static str, Option<u16>)> {
    let mut found: Option<(&'static str, Option<u16>)> = None;
    let mut rest = list;
    while let Some((name, after)) = quoted(rest) {
        let version = after.trim_start().strip_prefix(";v=").and_then(quoted);
        rest = version.map_or(after, |(_, after)| after);
        let Some(name) = names::browser(name) else { continue };
        if found.is_none_or(|(before, _)| before == "Chromium") {
            found = Some((name, version.and_then(|(version, _)| major(version))));
        }
    }
    found
}

/// What stands between the next two quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.split_once('"')?.1.split_once('"')
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

fn major(version: &str) -> Option<u16> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
