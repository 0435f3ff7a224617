//! Windows: the rules for them, and the cells of a window that closes.

mod plan;
mod rules;
mod tabulate;

pub(crate) use plan::Plan;
pub use rules::Rules;
pub(crate) use tabulate::tabulate;
pub use tabulate::{ClosedWindow, MOST_CELLS, MOST_LEVELS};
