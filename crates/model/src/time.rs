//! Points and lengths of time.

/// Milliseconds: a length of time, or a time since the Unix epoch.
pub type Millis = u64;
