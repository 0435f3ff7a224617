//! Queries of rollups. A [`Reader`] parses records. A [`Query`] selects rows and adds them up. The resulting [`Answer`]
//! is formatted as a table, JSON or CSV. This crate uses neither Kafka nor a clock, and prints nothing.
//!
//! ```
//! use crowdfold_model::Timestamp;
//! use crowdfold_query::{Args, Catalogue, Query, Reader};
//!
//! let args = Args { breakdown: Some("os,browser".into()), by: Some("os".into()), ..Args::default() };
//! let now = Timestamp::from_millis(1_795_308_600_000);
//! let query = Query::from_args(&args, &Catalogue::default(), now)?;
//! let mut reader = Reader::for_query(&query);
//! reader.push(include_bytes!("../fixtures/rollup.json"));
//! let answer = query.run(reader.rows())?;
//! assert!(answer.table(120).starts_with("os       sessions"));
//! # Ok::<(), crowdfold_query::QueryError>(())
//! ```
#![forbid(unsafe_code)]

mod across;
mod answer;
mod comparison;
mod distribution;
mod error;
mod estimate;
mod group;
pub mod layout;
mod measure;
mod names;
mod output;
mod query;
mod query_metric;
mod ranking;
mod reader;
mod report;
mod row;
mod run;
mod series;
#[cfg(test)]
mod testing;
mod windows;

pub use across::Catalogue;
pub use answer::{Answer, Hint};
pub use comparison::{Compared, Incomparable, TableWindows};
pub use distribution::{Distribution, HistogramSum, Percentile, SummedRange};
pub use error::QueryError;
pub use group::{Figure, Figures};
pub use names::{Names, UnknownName, list_of_names};
pub use output::csv_field;
pub use query::{Args, Query};
pub use query_metric::QueryMetric;
pub use ranking::{Rank, RankedRow, Ranking};
pub use reader::Reader;
pub use report::Report;
pub use row::{Added, Coverage, DistributionSummary, Numbers, Policy, Range, Row};
pub use series::{Point, Series};
pub use windows::{BreakdownReport, TableFacts, WindowReport, WindowReports};
