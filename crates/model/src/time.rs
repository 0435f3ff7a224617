//! Points and lengths of time, and their text.

mod duration;
mod moment;
mod span;

pub use duration::{millis, parse_duration, show_duration, spell_duration};
pub use moment::Moment;
pub use span::Span;

/// Milliseconds: a length of time, or a time since the Unix epoch.
pub type Millis = u64;
