//! Sessions by their ids, and ids that are none.

use crowdfold_beacon::{Beacon, Text, is_nothing};

use crowdfold_model::Reason;

/// The longest session id, bytes.
const LONGEST: usize = 128;

/// The session of a beacon.
///
/// # Errors
/// [`Reason::NoSession`] where there is none, or what players send instead of one; [`Reason::TooLarge`] where its id has
/// more than 128 bytes.
pub fn session_of<'a>(beacon: &'a Beacon<'_>) -> Result<&'a str, Reason> {
    let session =
        beacon.text(Text::Session).filter(|session| !is_constant(session)).ok_or(Reason::NoSession)?;
    if session.len() > LONGEST { Err(Reason::TooLarge) } else { Ok(session) }
}

/// What players without a session send instead.
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

/// Whether an id is missing in all but name: empty, blank, a constant, or all zeros (a number, a UUID) or all ones
/// (a UUID).
pub(crate) fn is_constant(session: &str) -> bool {
    let session = session.trim();
    let bytes = session.as_bytes();
    bytes.iter().all(|byte| matches!(byte, b'0' | b'-' | b'.'))
        || bytes.len() == 36 && bytes.iter().all(|byte| matches!(byte, b'f' | b'F' | b'-'))
        || is_nothing(session)
        || bytes.len() <= 16 && CONSTANTS.iter().any(|constant| constant.eq_ignore_ascii_case(session))
}

#[cfg(test)]
mod tests;
