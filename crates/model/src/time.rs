//! Points and lengths of time, and their text.
//!
//! A [`Timestamp`] is a point in time and a [`Span`] is a length of time. Numbers become one of them, and the reverse, in
//! `from_millis` and `as_millis` only, so that the compiler finds every mix-up.

mod duration;
mod span;
mod timestamp;

pub use duration::{parse_duration, show_duration, spell_duration};
pub use span::Span;
pub use timestamp::{InvalidTime, Timestamp};
