//! Points in time and durations, and their formatting.
//!
//! A [`Timestamp`] is a point in time, and a [`Span`] is a duration. Only `from_millis` and `as_millis` convert them
//! from and to numbers. Therefore the compiler detects code that uses a duration as a point in time, or the reverse.

mod duration;
mod span;
mod timestamp;

pub use duration::{DURATION_UNITS, parse_duration, show_duration, spell_duration};
pub use span::Span;
pub use timestamp::{InvalidTime, Timestamp};
