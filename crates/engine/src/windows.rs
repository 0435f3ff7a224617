//! The rules for windows, and the cells of closed windows.

mod plan;
mod rules;
mod tabulate;

pub(crate) use plan::Plan;
pub use rules::Rules;
pub use tabulate::{ClosedWindow, MOST_CELLS, MOST_LEVELS};
pub(crate) use tabulate::{add_cell, tabulate};
