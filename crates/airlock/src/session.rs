//! Reads session ids, and recognises values that are not session ids.

use crowdfold_beacon::{Beacon, Text, is_nothing, trimmed};

use crowdfold_model::Reason;

/// The maximum length of a session id in bytes.
const LONGEST: usize = 128;

/// Returns the session id of a beacon.
///
/// # Errors
/// Returns [`Reason::NoSession`] if the id is absent, or is a value that players send if they have no session id.
/// Returns [`Reason::TooLarge`] if the id is longer than 128 bytes.
pub fn session_of<'a>(beacon: &'a Beacon<'_>) -> Result<&'a str, Reason> {
    let session =
        beacon.text(Text::Session).filter(|session| !is_constant(session)).ok_or(Reason::NoSession)?;
    if session.len() > LONGEST { Err(Reason::TooLarge) } else { Ok(session) }
}

/// The values that players send if they have no session id, in lower case.
const CONSTANTS: [&str; 18] = [
    "null",
    "(null)",
    "<null>",
    "nil",
    "none",
    "undefined",
    "unknown",
    "nan",
    "n/a",
    "na",
    "true",
    "false",
    "default",
    "empty",
    "anonymous",
    "[object object]",
    "-1",
    "sessionid",
];

/// The length of the longest value in [`CONSTANTS`].
const LONGEST_CONSTANT: usize = "[object object]".len();

/// Returns true if a value does not identify a session. Such a value is empty or blank, a constant such as `null`, a
/// number or a UUID of only zeros, or a UUID of only ones.
pub(crate) fn is_constant(session: &str) -> bool {
    let session = trimmed(session);
    let bytes = session.as_bytes();
    bytes.iter().all(|byte| matches!(byte, b'0' | b'-' | b'.'))
        || bytes.len() == 36 && bytes.iter().all(|byte| matches!(byte, b'f' | b'F' | b'-'))
        || is_nothing(session)
        || bytes.len() <= LONGEST_CONSTANT
            && CONSTANTS.iter().any(|constant| constant.eq_ignore_ascii_case(session))
}

#[cfg(test)]
mod tests;
