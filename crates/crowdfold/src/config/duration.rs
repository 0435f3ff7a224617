//! Durations as people write them.

/// The units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `500ms`, `90s`, `1m`, `6h`, `30d`: a whole number and a unit, in milliseconds. `None` for anything else.
#[must_use]
pub fn parse_duration(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(millis)
}

/// Writes milliseconds in the longest unit that leaves nothing over: 90000 is `90s`.
#[must_use]
pub fn show_duration(millis: u64) -> String {
    let fits = |(_, unit): &(&str, u64)| millis != 0 && millis.is_multiple_of(*unit);
    let (name, unit) = UNITS.into_iter().find(fits).unwrap_or(("s", 1_000));
    format!("{}{name}", millis / unit)
}

/// Writes milliseconds for people: 2073600000 is `24d`, 2760000 is `46m`, 90061000 is `1d 1h 1m 1s`.
#[must_use]
pub fn spell_duration(millis: u64) -> String {
    let mut rest = millis;
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}
