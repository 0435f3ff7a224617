//! Parsers of flag values.

use std::time::Duration;

use clap::ValueEnum;
use crowdfold_audit::Identifier;
use crowdfold_model::{DURATION_UNITS, parse_duration};

/// Parses a duration above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| {
        format!("not a duration; write a number above 0 and a unit, such as 90s (units: {DURATION_UNITS})")
    })
}

/// Parses a number of bytes above 0, such as `65536`, `512MiB` or `2G`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err("unknown unit; write a number and a unit, such as 512MiB or 2GiB".into()),
    };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "not a size; write a number above 0 and a unit, such as 512MiB or 2GiB".into())
}

/// Parses a field and a kind of identifier, such as `content=uuid`.
pub(super) fn allowed(text: &str) -> Result<(String, Identifier), String> {
    let (field, kind) =
        text.split_once('=').ok_or("\"=\" is missing; write field=kind, such as content=uuid")?;
    let kind = Identifier::named(kind).ok_or_else(|| {
        let known = Identifier::ALL.map(Identifier::name).join(", ");
        format!("unknown kind \"{}\"; the kinds are {known}", kind.escape_debug())
    })?;
    Ok((field.into(), kind))
}

/// Parses the maximum number of locations that are listed, from 1 to 1,000,000.
pub(super) fn limit(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "not a number in range; write a number from 1 to 1000000".into())
}

/// Parses a name and a value, such as `os=Windows`.
pub(super) fn condition(text: &str) -> Result<(String, String), String> {
    let (dimension, value) =
        text.split_once('=').ok_or("\"=\" is missing; write name=value, such as os=Windows")?;
    Ok((dimension.into(), value.into()))
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// The format of query results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    Table,
    /// One JSON object per line
    Json,
    /// Comma-separated, with a header row
    Csv,
    /// A table of GitHub Flavored Markdown
    Markdown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_parsed_with_or_without_unit_and_other_strings_are_refused() {
        for (text, bytes) in [
            ("1", 1),
            ("65536", 1 << 16),
            ("64KiB", 1 << 16),
            ("512MiB", 1 << 29),
            ("2g", 1 << 31),
            ("1 GB", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "0GiB", "GiB", "-1GiB", "1.5GiB", "1GiBs", "99999999999999TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
