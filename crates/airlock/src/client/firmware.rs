//! Firmware, where a user agent states it in a place of its own and in no other sense.

/// The longest firmware that is taken for one, bytes.
const LONGEST: usize = 32;

/// The firmware that a user agent states: of televisions by HbbTV (ETSI TS 102 796, 7.3.2.4), LG's browser and VIDAA;
/// of boxes by the name `Operator_STB_chipset_year/firmware`; of Roku and SmartCast. Still has to go through the rules
/// for texts.
pub(super) fn firmware(user_agent: &str) -> Option<&str> {
    // (capabilities; vendor; model; software; hardware; …)
    let hbbtv = || bracketed(user_agent, "HbbTV/")?.split(';').nth(3);
    let lg = || {
        let mut parts = bracketed(user_agent, "LG Browser/")?.split(';').map(str::trim);
        parts.find(|part| *part == "LGE")?;
        parts.nth(1)
    };
    // (maker;kind;model;chipset/firmware;…)
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

/// What stands in the brackets that follow `product`, up to the first that closes.
fn bracketed<'a>(user_agent: &'a str, product: &str) -> Option<&'a str> {
    let (_, after) = user_agent.split_once(product)?;
    let (version, inside) = after.split_once('(')?;
    // Brackets of another product are not meant.
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
