//! The command line, as it is written. What it means together with the configuration, the commands say.

mod topics;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use crowdfold_config::Override;
use crowdfold_console::audit::Identifier;

pub use topics::{AclFormat, Topics, TopicsCommand};
pub use values::{ReportFormat, TableFormat};
use values::{allowed, condition, duration, limit, size};

/// k of the demo: small enough to show rows within seconds.
const DEMO_K: u64 = 20;

/// Player beacons in, crowds out: takes the address off, aggregates by session and window, and lets out only rows
/// that stand for a crowd.
#[derive(Debug, Parser)]
#[command(name = "crowdfold", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 fine, 1 failed while running, 2 bad configuration or usage, 3 a check found a \
                        breach.\n\nExample: crowdfold demo --for 60s"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Debug)]
pub struct Global {
    /// Configuration over the defaults; `crowdfold check` prints what is in force
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Form of the log on stderr
    #[arg(
        long,
        global = true,
        value_name = "text|json",
        hide_possible_values = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// The least that is logged [default: info; demo, query and audit: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One object a line
    Json,
}

/// The least that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show it: a broker, synthetic players and the worker in one process, and a live table of what leaves
    #[command(after_help = "Example: crowdfold demo --for 60s --k 20")]
    Demo(Demo),
    /// Run the streaming worker: beacons in, rollups out, exactly once; SIGTERM drains and ends it
    #[command(after_help = "Example: crowdfold run --config crowdfold.toml --log-format json")]
    Run(Run),
    /// Take what players report over HTTP and write it to the beacons' topic; SIGTERM answers what is under way and ends
    /// it
    #[command(after_help = "Example: crowdfold collect --config crowdfold.toml")]
    Collect,
    /// Fold files into rollups, no broker needed: the same code path as `run`
    #[command(
        after_help = "Example: crowdfold fold beacons.ndjson --output rollups.ndjson --ledger ledger.json"
    )]
    Fold(Fold),
    /// Generate beacons of synthetic players: the same seed gives the same bytes
    #[command(
        after_help = "Example: crowdfold generate --sessions 1000 --seed 7 --output beacons.ndjson --truth \
                            cells.ndjson"
    )]
    Generate(Generate),
    /// Create topics whose time-to-live is bounded, prove that it is, or say who may use them
    Topics(Topics),
    /// Read rollups: filter, group, print
    #[command(
        after_help = "Example: crowdfold query --breakdown device,os,browser --where os=Windows --since 1h --by device,os"
    )]
    Query(Query),
    /// Look on the broker for what should not be there: identifiers, rows below k, tables that disagree, records that
    /// are too old, readers who should not be; exit 3 when there is any
    #[command(after_help = "Example: crowdfold audit --config crowdfold.toml --since 1d")]
    Audit(Audit),
    /// Print the configuration in force, secrets masked, with what follows from it
    #[command(
        after_help = "Example: CROWDFOLD_RELEASE__K=100 crowdfold check --config crowdfold.toml --sessions 3000"
    )]
    Check(Check),
}

/// `crowdfold check`.
#[derive(Args, Debug, Default)]
pub struct Check {
    /// Also print the rows and their standard errors to expect for this many live sessions of a tenant
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub sessions: Option<u64>,
}

/// `crowdfold demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// End after this long, such as 60s; else Ctrl-C ends it
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Sessions a row stands for, at least
    #[arg(long, value_name = "K", default_value_t = DEMO_K)]
    pub k: u64,
    /// A real cluster instead of the mock one, such as localhost:9092
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
}

/// `crowdfold run`.
#[derive(Args, Debug)]
pub struct Run {
    /// Run one stage alone
    #[arg(long, value_name = "combine|merge", hide_possible_values = true)]
    pub stage: Option<Stage>,
    /// Where committed offsets are not crowdfold's, or make no sense: start after now instead of giving up
    #[arg(long)]
    pub restart_from_now: bool,
    /// Where records were deleted before they were read: count them as lost and go on instead of giving up
    #[arg(long)]
    pub accept_loss: bool,
    /// Where a batch of beacons cannot be read (damaged, or too large when unpacked): count it as lost and go on
    #[arg(long)]
    pub skip_damaged: bool,
}

/// One stage of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Beacons to partials
    Combine,
    /// Partials to rollups
    Merge,
}

/// `crowdfold fold`.
#[derive(Args, Debug)]
pub struct Fold {
    /// Form of the lines; else `source.format` of the configuration
    #[arg(long, value_name = "json|cmcd|capture", hide_possible_values = true)]
    pub format: Option<InputFormat>,
    /// Where the rollups go; else stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the exact ledger goes: treat it like the input
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Memory for sorting, such as 512MiB; records beyond it are sorted in temporary files
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub memory: usize,
    /// Directory for temporary files, which contain personal data and have no name [default: TMPDIR, or /tmp]
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,
    /// Files of beacons in any order, sorted by time and read as one partition; .gz and .zst are unpacked; `-`, or no
    /// file, is stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Form of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// An object or an array a line
    Json,
    /// CMCD event-mode lines, or queries
    Cmcd,
    /// Captured HTTP requests, an object a line
    Capture,
}

/// `crowdfold generate`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("to").args(["brokers", "output"]).required(true))]
pub struct Generate {
    /// Send to the beacons' topic of this cluster, such as localhost:9092
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Write to a file, a beacon a line; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Sessions that are live at any moment, at most 5000000
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    pub sessions: u64,
    /// Beacons per second, all sessions together; else each reports every 10s
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Same seed, same sessions; two generators at a time want two seeds
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// How much time to fill, such as 10m; else 5m in a file, and until Ctrl-C on a topic
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// How many beacons, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub beacons: Option<u64>,
    /// File for the true cells by window and breakdown: exact, before folding, clamps and noise
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
}

/// `crowdfold query`.
#[derive(Args, Debug)]
pub struct Query {
    /// Table to read, such as device,os,browser [default: the one that has what is asked for, if possible the detail
    /// table]
    #[arg(long, value_name = "DIMENSION,…", value_delimiter = ',')]
    pub breakdown: Vec<String>,
    /// Rows with this value, such as os=Windows, or of tenants with this attribute, such as plan=pro; of several on one
    /// dimension or attribute any will do
    #[arg(long = "where", value_name = "NAME=VALUE", value_parser = condition)]
    pub conditions: Vec<(String, String)>,
    /// Windows that began since, such as 1h; else all there is
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Sum by the first dimensions of the table, such as device,os, or by attributes of tenants, such as industry
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Rows of one tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Sum rows across all tenants except those excluded from groupings; without this flag, each tenant is reported
    /// separately
    #[arg(long)]
    pub across: bool,
    /// A row for each span of time, such as 1h, instead of one for all
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub every: Option<Duration>,
    /// Show the standard error (±) of each number that carries noise; JSON always contains it
    #[arg(long)]
    pub errors: bool,
    /// The cluster, such as localhost:9092; else the configuration's
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Form of the answer
    #[arg(long, value_name = "table|json|csv", hide_possible_values = true, default_value = "table")]
    pub format: TableFormat,
}

/// `crowdfold audit`.
#[derive(Args, Debug)]
pub struct Audit {
    /// A topic of rollups, whoever wrote it; with none named, all topics of the configuration
    #[arg(long, value_name = "TOPIC")]
    pub rollups: Vec<String>,
    /// A topic of rejections, whoever wrote it
    #[arg(long, value_name = "TOPIC")]
    pub rejections: Vec<String>,
    /// Records appended since, such as 1d; else all there is
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Sessions a row must stand for at least, besides what its own policy says; else the configuration's k
    #[arg(long, value_name = "K")]
    pub k: Option<u64>,
    /// A field that may contain what looks like an identifier, such as content=uuid; kinds are address, mac, email,
    /// phone, digits, hex, uuid, ulid, hash, cookie, jwt, coordinates, user-agent, encoded and known
    #[arg(long, value_name = "FIELD=KIND", value_parser = allowed)]
    pub allow: Vec<(String, Identifier)>,
    /// Locations shown for each finding and topic; the rest is counted
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = limit)]
    pub limit: usize,
    /// Do not ask who may read the topics
    #[arg(long)]
    pub no_acls: bool,
    /// The cluster, such as localhost:9092; else the configuration's
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Form of the report
    #[arg(long, value_name = "table|json", hide_possible_values = true, default_value = "table")]
    pub format: ReportFormat,
}

impl Cli {
    /// The least that is logged, in the words of `tracing`: what was asked for, or what leaves room for the command's
    /// own output. There librdkafka is not heard at all: what keeps a command from its end, its own errors say.
    #[must_use]
    pub fn log_filter(&self) -> String {
        let asked = self.global.log_level.and_then(|level| level.to_possible_value());
        match (asked, &self.command) {
            (Some(level), _) => level.get_name().to_owned(),
            (None, Command::Demo(_) | Command::Query(_) | Command::Audit(_)) => "warn,librdkafka=off".into(),
            (None, _) => "info".into(),
        }
    }

    /// What its flags put over the configuration.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        let mut put = |key, value: String, flag| overrides.push(Override { key, value, flag });
        match &self.command {
            Command::Demo(demo) => {
                put("release.k", demo.k.to_string(), "--k");
                if let Some(brokers) = &demo.brokers {
                    put("kafka.brokers", brokers.clone(), "--brokers");
                }
            }
            Command::Generate(Generate { brokers: Some(brokers), .. })
            | Command::Query(Query { brokers: Some(brokers), .. }) => {
                put("kafka.brokers", brokers.clone(), "--brokers");
            }
            Command::Audit(audit) => {
                if let Some(k) = audit.k {
                    put("release.k", k.to_string(), "--k");
                }
                if let Some(brokers) = &audit.brokers {
                    put("kafka.brokers", brokers.clone(), "--brokers");
                }
            }
            Command::Run(Run { skip_damaged: true, .. }) => {
                put("source.on_damaged", "skip".into(), "--skip-damaged");
            }
            Command::Fold(Fold { format: Some(format), .. }) => {
                let name = format.to_possible_value().map(|value| value.get_name().to_owned());
                put("source.format", name.unwrap_or_default(), "--format");
            }
            _ => {}
        }
        overrides
    }
}
