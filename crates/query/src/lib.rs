//! Queries of rollups. [`Reader`] parses records, [`Query`] adds up the rows that may be added up, and [`Answer`] writes
//! the result as a table, JSON or CSV. This crate uses neither Kafka nor a clock, and prints nothing.
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
mod estimate;
mod group;
pub mod layout;
mod measure;
mod output;
mod query;
mod reader;
mod row;
mod run;
#[cfg(test)]
mod testing;

pub use across::Catalogue;
pub use answer::Answer;
pub use group::{Figure, Figures};
pub use query::{Args, Query, QueryError};
pub use reader::Reader;
pub use row::{Coverage, DistributionSummary, Numbers, Policy, Range, Row};
