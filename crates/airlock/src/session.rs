//! Session ids that are none.

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
        || bytes.len() <= 16 && CONSTANTS.iter().any(|constant| constant.eq_ignore_ascii_case(session))
}

#[cfg(test)]
mod tests;
