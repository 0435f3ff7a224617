//! Corrects clients by client hints. Browsers send fixed values in their user agents, and send the actual values only
//! in client hints.

use std::borrow::Cow;

use crowdfold_beacon::Http;

use super::{APP, Client, OTHER, device, names, shortened};

/// The maximum length in bytes of the list of brands, and of every other hint. Bytes beyond the maximum are ignored.
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
    /// Returns the client hints of a request, or `None` if it has none.
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

    /// Writes a cache key. Two keys are equal only if the user agent and all hints are equal.
    pub(super) fn write_key(&self, user_agent: Option<&str>, key: &mut Vec<u8>) {
        let Self { brands, platform, platform_version, mobile, model } = self;
        for text in [user_agent, *brands, *platform, *platform_version, *mobile, *model] {
            // `u16::MAX` represents an absent value, because all values are shorter.
            let length = text.map_or(u16::MAX, |text| text.len() as u16);
            key.extend(length.to_le_bytes());
            key.extend(text.unwrap_or_default().as_bytes());
        }
    }

    /// Corrects a client by these hints, which take precedence over the user agent.
    pub(super) fn correct(&self, mut client: Client) -> Client {
        let brand = self.brands.and_then(brand);
        // The name of a native player is more specific than the name of the web view in which it runs.
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
                // The platform version of Windows 11 is 13 or higher (Microsoft's table for client hints).
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
        // The user agent contains the fixed model `K`, so only the hint contains the actual model.
        client.device = device::of_model(model).or(client.device);
        client.device = self.device(client, model.is_empty());
        client
    }

    /// Returns the device class. The hint for mobile devices distinguishes phones, tablets and desktops. `nameless` is
    /// true if the model is unknown.
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

/// Returns true if the known system is based on the platform in a hint. The known system is then more specific than the
/// platform.
fn is_beneath(platform: &str, known: Option<&str>) -> bool {
    matches!(
        (platform, known),
        ("Android", Some("Fire OS" | "HarmonyOS"))
            | ("Linux", Some("Tizen" | "webOS" | "VIDAA" | "ChromeOS" | "KaiOS"))
    )
}

/// Returns the brand that is a browser, and its version. The other brands in the list are the browser engine and a
/// random name. For `"Google Chrome";v="147", "Chromium";v="147", "Not?A_Brand";v="24"`, returns Chrome and 147.
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

/// Returns the text between the next two quotes, and the rest of the text after them.
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
