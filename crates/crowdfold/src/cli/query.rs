//! The command line of `crowdfold query`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use crowdfold_model::{DURATION_UNITS, Timestamp, parse_duration};
use crowdfold_query::{QueryMetric, Rank};

use super::TableFormat;
use super::values::{condition, duration};

/// The flags of `crowdfold query`.
#[derive(Args, Debug)]
pub struct Query {
    /// Table to read, such as device,os,browser [default: the table that has all dimensions of the query, preferably
    /// the detail table]
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    pub breakdown: Vec<String>,
    /// Only rows with this dimension value, such as os=Windows, or of tenants with this attribute value, such as
    /// plan=pro; repeat the flag with the same name to accept any of several values
    #[arg(long = "where", value_name = "NAME=VALUE", value_parser = condition)]
    pub conditions: Vec<(String, String)>,
    /// Only windows that began at most this long ago, such as 1h [default: all windows]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Add up rows with equal values of these names: the first dimensions of the table, such as device,os, or
    /// attributes of tenants, such as industry
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Only rows of this tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Add up the rows of all tenants, except those excluded from groupings; without this flag, each tenant is reported
    /// separately
    #[arg(long)]
    pub across: bool,
    /// Print one row per interval, such as 1h, instead of one row for the whole time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub every: Option<Duration>,
    /// Show the standard error (±) of each number that carries noise; JSON always contains it
    #[arg(long)]
    pub errors: bool,
    /// Kafka cluster, such as localhost:9092 [default: `kafka.brokers` of the configuration]
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Read rollups from this file, one per line, such as the output of `fold`, instead of a cluster; repeatable; `-`
    /// reads stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["brokers", "follow"])]
    pub file: Vec<PathBuf>,
    /// Metrics of --rank (one) or --compare, such as rebuffering_ratio [default: rebuffering_ratio for --rank; size and
    /// quality for --compare]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',', value_parser = metric)]
    pub metric: Vec<QueryMetric>,
    /// Rank the rows by a metric, with their impact: the amount by which the overall value would improve if the row were
    /// as good as the rest
    #[arg(
        long,
        value_name = "value|sessions|impact",
        hide_possible_values = true,
        conflicts_with_all = ["every", "compare", "follow"]
    )]
    pub rank: Option<RankBy>,
    /// Compare the period of --since with an earlier period of the same length, which began this long before it, such
    /// as 1d or 1w, or at this time, such as 2026-11-30T08:00:00Z
    #[arg(long, value_name = "DURATION|TIME", value_parser = against, requires = "since", conflicts_with_all = ["every", "follow"])]
    pub compare: Option<Against>,
    /// Continue to print the rows of new windows as they are published, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Arguments without a flag, which are refused
    #[arg(value_name = "ARGUMENT", hide = true)]
    pub without_flag: Vec<String>,
    /// Format of the output
    #[arg(
        long,
        value_name = "table|json|csv|markdown",
        hide_possible_values = true,
        default_value = "table"
    )]
    pub format: TableFormat,
}

/// The order of ranked rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RankBy {
    /// The worst value first
    Value,
    /// The most sessions first
    Sessions,
    /// The largest impact first
    Impact,
}

impl From<RankBy> for Rank {
    fn from(rank: RankBy) -> Self {
        match rank {
            RankBy::Value => Self::Value,
            RankBy::Sessions => Self::Sessions,
            RankBy::Impact => Self::Impact,
        }
    }
}

/// The earlier period of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The period that begins earlier by this duration.
    Before(Duration),
    /// The period of the same length that begins at this time.
    At(Timestamp),
}

/// Parses a metric.
fn metric(text: &str) -> Result<QueryMetric, String> {
    QueryMetric::named(text).ok_or_else(|| {
        let known: Vec<_> = QueryMetric::all().map(QueryMetric::name).collect();
        format!("not a metric; the metrics are {}", known.join(", "))
    })
}

/// Parses the earlier period of a comparison.
fn against(text: &str) -> Result<Against, String> {
    let length = parse_duration(text).filter(|length| !length.is_zero()).map(Against::Before);
    let time = || text.parse::<Timestamp>().ok().map(Against::At);
    length.or_else(time).ok_or_else(|| {
        format!(
            "neither a duration nor a time; write a duration such as 1d (units: {DURATION_UNITS}), or a time such as \
             2026-11-30T08:00:00Z"
        )
    })
}
