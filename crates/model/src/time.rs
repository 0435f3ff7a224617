//! Points in time and durations, and their formatting.
//!
//! A [`Timestamp`] is a point in time, and a [`Span`] is a duration. Only `from_millis` and `as_millis` convert them
//! from and to numbers, so the compiler detects if one is used instead of the other.

mod duration;
mod span;
mod timestamp;

pub use duration::{parse_duration, show_duration, spell_duration};
pub use span::Span;
pub use timestamp::{InvalidTime, Timestamp};
