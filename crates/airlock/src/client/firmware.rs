//! Reads the firmware version from user agents that have a known position for it.

/// The maximum length of a firmware version in bytes.
const LONGEST: usize = 32;

/// Returns the firmware version in a user agent, or `None` if the user agent has no known position for it. The known
/// positions are those of HbbTV (ETSI TS 102 796, section 7.3.2.4), of LG's browser, VIDAA, Roku and SmartCast, and of
/// boxes with names such as `Operator_STB_chipset_year/firmware`. The caller must apply the rules for free text to the
/// result.
pub(super) fn firmware(user_agent: &str) -> Option<&str> {
    // The format of HbbTV is (capabilities; vendor; model; software; hardware; …).
    let hbbtv = || bracketed(user_agent, "HbbTV/")?.split(';').nth(3);
    let lg = || {
        let mut parts = bracketed(user_agent, "LG Browser/")?.split(';').map(str::trim);
        parts.find(|part| *part == "LGE")?;
        parts.nth(1)
    };
    // The format of VIDAA is (maker;kind;model;chipset/firmware;…).
    let vidaa = || Some(bracketed(user_agent, "VIDAA/")?.split(';').nth(3)?.split_once('/')?.1);
    let roku = || bracketed(user_agent, "Roku/DVP-");
    let smart_cast =
        || bracketed(user_agent, "SmartCast")?.split(' ').find_map(|part| part.strip_prefix("FW/"));
    [hbbtv(), lg(), vidaa(), roku(), boxes(user_agent), smart_cast()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|text| is_version(text))
}

/// Returns the text in the brackets after `product`, up to the first closing bracket.
fn bracketed<'a>(user_agent: &'a str, product: &str) -> Option<&'a str> {
    let (_, after) = user_agent.split_once(product)?;
    let (version, inside) = after.split_once('(')?;
    // If there is white space between the version and the brackets, the brackets belong to another product.
    let own = version.trim_end().bytes().all(|byte| byte.is_ascii_graphic());
    own.then(|| inside.split(')').next().unwrap_or(inside))
}

fn boxes(user_agent: &str) -> Option<&str> {
    let named = |product: &str| product.contains("_STB_") && product.matches('_').count() >= 3;
    user_agent
        .split(' ')
        .filter_map(|word| word.split_once('/'))
        .find_map(|(product, firmware)| named(product).then_some(firmware))
}

fn is_version(text: &str) -> bool {
    text.len() <= LONGEST
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests;
