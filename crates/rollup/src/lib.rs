//! Windows, sittings and cells.
#![forbid(unsafe_code)]

mod cell;
mod table;

pub use cell::{Cell, Distribution, Sums};
pub use table::{Label, Table, Window};
