//! The terms of the domain: dimensions, metrics, windows and cells. All other crates use the names, limits and order
//! that this crate defines.
//!
//! A [`Dimension`] is a property by which sessions are grouped. A [`SumMetric`] or a [`ValueMetric`] is a number
//! about sessions. `dimension.rs` contains the table of all dimensions, and `metric.rs` the table of all metrics. A
//! [`Cell`] adds up what sessions did in one [`Window`]. The cells of one breakdown form a [`Table`].
//!
//! This crate does not parse beacons or user agents, and does not use Kafka.
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
mod custom;
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
pub use custom::{Custom, CustomDimensions, CustomSource, CustomValues};
pub use dimension::{Dimension, Family, NameList, TextRule};
pub use distribution::Distribution;
pub use error_class::ErrorClass;
pub use kinds::{Better, Clamp, CmcdPart, Combine, Limit, Unit};
pub use metric::{Metric, SumMetric, ValueMetric};
pub use partitioner::{Partitioner, murmur2};
pub use quality::{Qualities, Quality};
pub use reason::Reason;
pub use sums::Sums;
pub use table::{CellKey, FOLDED, ROLLUP_SCHEMA, ROW_FIELDS, Table, Window};
pub use time::{DURATION_UNITS, InvalidTime, Span, Timestamp, parse_duration, show_duration, spell_duration};
