//! The domain: dimensions, metrics, windows and cells. Every other crate takes their names, limits and order from here.
//!
//! A [`Dimension`] groups sessions, and a [`SumMetric`] or a [`ValueMetric`] is a number about them. Each is defined in
//! one table: `dimension.rs` and `metric.rs`. What one session does in one [`Window`] is added to a [`Cell`]; the cells
//! of one breakdown are a [`Table`].
//!
//! This crate does not read beacons, has no database of user agents, and does not connect to brokers.
//!
//! ```
//! use crowdfold_model::{Cell, Dimension, Family, SumMetric, ValueMetric};
//!
//! assert_eq!(Dimension::named("os").map(Dimension::family), Some(Family::Platform));
//!
//! // one session that played for 90 s, with a startup time of 800 ms
//! let mut cell = Cell { sessions: 1, ..Cell::default() };
//! cell.sums[SumMetric::PlayingMs] = 90_000;
//! cell.values[ValueMetric::StartupMs].record(800);
//!
//! let mut total = cell.clone();
//! total.add(&cell);
//! assert_eq!((total.sessions, total.sums[SumMetric::PlayingMs]), (2, 180_000));
//! assert_eq!(total.values[ValueMetric::StartupMs].values(), [(800, 2)]);
//! ```
#![forbid(unsafe_code)]

mod bounded;
mod breakdowns;
mod cell;
mod dimension;
mod distribution;
mod error_class;
mod kinds;
mod metric;
mod partitioner;
mod quality;
mod reason;
mod sums;
mod table;
mod time;

pub use bounded::{BOUNDED_FIELDS, Bounded, BoundedField, Budget, FIRST_ERROR, Source, amounts};
pub use breakdowns::{BreakdownList, Breakdowns};
pub use cell::{Cell, Values};
pub use dimension::{Dimension, Family, NameList, TextRule};
pub use distribution::Distribution;
pub use error_class::ErrorClass;
pub use kinds::{Clamp, CmcdPart, Combine, Limit, Unit};
pub use metric::{Metric, SumMetric, ValueMetric};
pub use partitioner::{Partitioner, murmur2};
pub use quality::{Qualities, Quality};
pub use reason::Reason;
pub use sums::Sums;
pub use table::{CellKey, FOLDED, ROLLUP_SCHEMA, Table, Window};
pub use time::{InvalidTime, Span, Timestamp, parse_duration, show_duration, spell_duration};
