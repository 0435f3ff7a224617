//! The flag `--follow`, which prints the rows of new windows as they are published.

use std::io::Write;
use std::time::Duration;

use crowdfold_kafka::{ClientSettings, TopicReader};
use crowdfold_model::Timestamp;
use crowdfold_query::Reader;
use crowdfold_worker::{Config, Stop};

use super::{Input, compare, print};
use crate::cli;
use crate::error::CrowdfoldError;

/// If no record arrives for this time, all tables that were read are complete, because the records of a transaction
/// arrive together.
const IDLE: Duration = Duration::from_millis(500);

/// Prints an answer for the published windows, and then an answer for each group of new windows, until SIGINT or
/// SIGTERM.
pub(super) fn run(
    args: &cli::Query,
    periods: &compare::Periods,
    config: &Config,
    topics: &[String],
    (client, since): (&ClientSettings, Option<Timestamp>),
    out: &mut impl Write,
) -> Result<(), CrowdfoldError> {
    let stop = Stop::at_signals()?;
    let open = |topic: &String| TopicReader::open(client, topic, since);
    let mut readers = topics.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let wait = IDLE / u32::try_from(readers.len().max(1)).unwrap_or(u32::MAX);
    let mut reader = Reader::for_query(&periods.reading);
    let mut records = 0;
    while !stop.is_set() {
        let mut read = 0;
        for topic in &mut readers {
            read += topic.next(wait, |value| reader.push(value))?;
        }
        records += read;
        if read > 0 || records == 0 {
            continue;
        }
        if !reader.rows().is_empty() {
            let input = Input { names: topics.to_vec(), records };
            print(args, periods, config, &input, &reader, out)?;
        }
        // A new reader reads the new windows, so memory does not grow.
        reader = Reader::for_query(&periods.reading);
        records = 0;
    }
    Ok(())
}
