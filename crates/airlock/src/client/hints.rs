//! Reads client hints, which replace frozen values of user agents.

use std::borrow::Cow;

use crowdfold_beacon::Http;

use super::{APP, Client, OTHER, device, names, shortened};

/// The maximum length of the list of brands, and of other hints, in bytes. The rest is ignored.
const LONGEST_BRANDS: usize = 256;
const LONGEST: usize = 64;

/// The client hints of a request.
pub(crate) struct Hints<'a> {
    brands: Option<&'a str>,
    platform: Option<&'a str>,
    platform_version: Option<&'a str>,
    mobile: Option<&'a str>,
    model: Option<&'a str>,
}

impl<'a> Hints<'a> {
    /// Returns the hints of a request, if it has any.
    pub(crate) fn of(http: &'a Http<'_>) -> Option<Self> {
        let short = |text: &'a Option<Cow<'_, str>>| text.as_deref().map(|text| shortened(text, LONGEST));
        http.has_hints().then(|| Self {
            brands: http.brands.as_deref().map(|text| shortened(text, LONGEST_BRANDS)),
            platform: short(&http.platform),
            platform_version: short(&http.platform_version),
            mobile: short(&http.mobile),
            model: short(&http.model),
        })
    }

    /// Writes a key that is equal only for the same user agent and hints.
    pub(super) fn write_key(&self, user_agent: Option<&str>, key: &mut Vec<u8>) {
        let Self { brands, platform, platform_version, mobile, model } = self;
        for text in [user_agent, *brands, *platform, *platform_version, *mobile, *model] {
            // All hints are much shorter than this maximum.
            let length = text.map_or(u16::MAX, |text| text.len() as u16);
            key.extend(length.to_le_bytes());
            key.extend(text.unwrap_or_default().as_bytes());
        }
    }

    /// Corrects a client with its hints. Hints take precedence over the user agent.
    pub(super) fn correct(&self, mut client: Client) -> Client {
        let brand = self.brands.and_then(brand);
        // The name of a native player is more specific than the browser that displays its page.
        if let Some((name, version)) =
            brand.filter(|(name, _)| !(client.browser == Some(APP) && *name == "WebView"))
        {
            client.browser = Some(name);
            client.browser_version = version;
        }
        if let Some(system) = self.platform.map(unquoted).and_then(names::system)
            && !is_beneath(system, client.os)
            && client.os != Some(system)
        {
            client.os = Some(system);
            client.os_version = None;
        }
        if let Some(version) = self.platform_version.and_then(|version| major(unquoted(version))) {
            client.os_version = match client.os {
                // From Windows 11 on, the platform version is 13 or above (UA client hints, Microsoft's table).
                Some("Windows") => match version {
                    0 => None,
                    1..13 => Some(10),
                    13.. => Some(11),
                },
                Some("macOS" | "Android" | "ChromeOS" | "iOS" | "iPadOS") => Some(version),
                _ => client.os_version,
            };
        }
        let model = self.model.map(unquoted).unwrap_or_default();
        if device::amazon(model).is_some() {
            client.os = Some("Fire OS");
            client.os_version = None;
        }
        // A frozen user agent has the model K.
        client.device = device::of_model(model).or(client.device);
        client.device = self.device(client, model.is_empty());
        client
    }

    /// Returns the class of device, if the hints distinguish phones, tablets and desktops.
    fn device(&self, client: Client, nameless: bool) -> Option<&'static str> {
        if self.brands.is_some_and(|brands| brands.contains("HeadlessChrome")) {
            return Some("bot");
        }
        match (self.mobile.map(str::trim), client.os, client.device) {
            (_, _, known @ Some("tv" | "stb" | "console" | "bot" | OTHER)) => known,
            (Some("?1"), _, Some("tablet")) if nameless => Some("phone"),
            (Some("?1"), _, None | Some("desktop")) => Some("phone"),
            (Some("?0"), Some("Android"), _) => Some("tablet"),
            (Some("?0"), Some("Windows" | "macOS" | "Linux" | "ChromeOS"), _) => Some("desktop"),
            (_, _, known) => known,
        }
    }
}

/// Returns true if the known system is based on the platform.
fn is_beneath(platform: &str, known: Option<&str>) -> bool {
    matches!(
        (platform, known),
        ("Android", Some("Fire OS" | "HarmonyOS"))
            | ("Linux", Some("Tizen" | "webOS" | "VIDAA" | "ChromeOS" | "KaiOS"))
    )
}

/// Returns the brand that is not the engine, and its version. For `"Google Chrome";v="147", "Chromium";v="147",
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

/// Returns the text between the next two quotes, and the text after them.
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
