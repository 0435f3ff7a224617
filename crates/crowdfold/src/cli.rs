//! The flags of the command line. The commands combine them with the configuration.

mod query;
mod topics;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use crowdfold_audit::Identifier;
use crowdfold_config::Override;

pub use query::{Against, Query};
pub use topics::{AclFormat, Topics, TopicsCommand};
pub use values::{ReportFormat, TableFormat};
use values::{allowed, duration, limit, size};

/// The default `k` of the demo, small enough to show rows within seconds.
const DEMO_K: u64 = 20;

/// The heading of the flags that every command accepts.
const GLOBAL: &str = "Global options";

/// Turn player beacons into crowd metrics: drop the IP address, aggregate by session and window, and publish only rows
/// that cover at least k sessions
#[derive(Debug, Parser)]
#[command(name = "crowdfold", version = crate::test_build::VERSION, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 success, 1 error while running, 2 invalid configuration or usage, 3 a check found a \
                  breach.\n\nExample: crowdfold demo --for 60s"
)]
pub struct Cli {
    /// The flags that every command accepts.
    #[command(flatten)]
    pub global: Global,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The flags that every command accepts.
#[derive(Args, Debug)]
pub struct Global {
    /// Configuration file that overrides the defaults; `crowdfold check` prints the result
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Format of the log on stderr
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "text|json",
        hide_possible_values = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Minimum level that is logged [default: info; for demo, query and audit: warn]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// The values of `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

/// The values of `--log-level`. Messages of this level and of more severe levels are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are self-explanatory")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The commands of the program, such as `crowdfold run`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a self-contained demo: mock broker, synthetic players, worker, live table of published rows
    #[command(after_help = "Example: crowdfold demo --for 60s --k 20")]
    Demo(Demo),
    /// Run the streaming worker, which turns beacons into rollups exactly once; on SIGTERM it finishes the transaction
    /// in flight and exits
    #[command(after_help = "Example: crowdfold run --config crowdfold.toml --log-format json")]
    Run(Run),
    /// Receive beacons from players over HTTP and write them to the beacons topic; on SIGTERM it answers open requests
    /// and exits
    #[command(after_help = "Example: crowdfold collect --config crowdfold.toml")]
    Collect,
    /// Fold files into rollups without a broker, by the same code path as `run`
    #[command(
        after_help = "Example: crowdfold fold beacons.ndjson --output rollups.ndjson --ledger ledger.json"
    )]
    Fold(Fold),
    /// Generate beacons of synthetic players; the same seed gives the same bytes
    #[command(
        after_help = "Example: crowdfold generate --sessions 1000 --seed 7 --output beacons.ndjson --truth \
                            cells.ndjson"
    )]
    Generate(Generate),
    /// Create topics with a bounded time-to-live, verify the topics, or print the ACLs of each role
    Topics(Topics),
    /// Read, filter and group rollups, and print them
    #[command(
        after_help = "Example: crowdfold query --breakdown device,os,browser --where os=Windows --since 1h --by device,os"
    )]
    Query(Query),
    /// Serve the rollups as a web page, an HTTP API and gauges for Prometheus
    #[command(after_help = "Example: crowdfold console --config crowdfold.toml --listen 127.0.0.1:8090")]
    Console(Console),
    /// Search the topics for identifiers, rows below k, tables that disagree, expired records and readers without a
    /// role; exit 3 if any breach is found
    #[command(after_help = "Example: crowdfold audit --config crowdfold.toml --since 1d")]
    Audit(Audit),
    /// Print the effective configuration, with secrets masked, and its consequences
    #[command(
        after_help = "Example: CROWDFOLD_RELEASE__K=100 crowdfold check --config crowdfold.toml --sessions 3000"
    )]
    Check(Check),
    /// Print the completion script of a shell
    #[command(after_help = "Example: crowdfold completions bash > /etc/bash_completion.d/crowdfold")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of a command, or write all pages to a directory
    #[command(after_help = "Example: crowdfold man --output /usr/local/share/man/man1")]
    Man(Manual),
}

/// The flags of `crowdfold man`.
#[derive(Args, Debug)]
pub struct Manual {
    /// Directory for the pages of all commands
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub output: Option<PathBuf>,
    /// Command whose page is printed, such as `topics apply` [default: the page of the program]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The flags of `crowdfold check`.
#[derive(Args, Debug, Default)]
pub struct Check {
    /// Also print the rows and standard errors to expect when a tenant has this many live sessions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub sessions: Option<u64>,
}

/// The flags of `crowdfold demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Exit after this time, such as 60s; without it, Ctrl-C exits
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Minimum number of sessions per row
    #[arg(long, value_name = "K", default_value_t = DEMO_K)]
    pub k: u64,
    /// Kafka cluster to use instead of the mock broker, such as localhost:9092
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
}

/// The flags of `crowdfold run`.
#[derive(Args, Debug)]
pub struct Run {
    /// Run only one stage [default: both]
    #[arg(long, value_name = "combine|merge", hide_possible_values = true)]
    pub stage: Option<Stage>,
    /// If committed offsets were not written by crowdfold or are invalid, start with records written from now on
    /// instead of failing
    #[arg(long)]
    pub restart_from_now: bool,
    /// If records were deleted before they were read, count them as lost and continue instead of failing
    #[arg(long)]
    pub accept_loss: bool,
    /// If a batch of beacons cannot be read (damaged, or too large when decompressed), count it as lost and continue
    /// instead of failing
    #[arg(long)]
    pub skip_damaged: bool,
}

/// One stage of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Reads beacons and writes partials
    Combine,
    /// Reads partials and writes rollups
    Merge,
}

/// The flags of `crowdfold fold`.
#[derive(Args, Debug)]
pub struct Fold {
    /// Format of the input [default: `source.format` of the configuration]
    #[arg(long, value_name = "json|cmcd|capture", hide_possible_values = true)]
    pub format: Option<InputFormat>,
    /// File for the rollups [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File for the ledger: the exact number of beacons by outcome; protect the file like the input
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Memory for sorting, such as 512MiB; if more is needed, records are sorted in temporary files
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub memory: usize,
    /// Directory for unnamed temporary files, which contain personal data [default: TMPDIR, or /tmp]
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,
    /// Files of beacons in any order; the beacons are sorted by time; .gz and .zst files are decompressed; `-` or no file reads stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// The format of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// A JSON object or array per line
    Json,
    /// CMCD event-mode lines, or query strings
    Cmcd,
    /// Captured HTTP requests, one JSON object per line
    Capture,
}

/// The flags of `crowdfold generate`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("to").args(["brokers", "output"]).required(true))]
pub struct Generate {
    /// Kafka cluster that receives the beacons, such as localhost:9092; they are written to its beacons topic
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// File for the beacons, one per line; `-` writes to stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Number of sessions that are live at any time, at most 5000000
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    pub sessions: u64,
    /// Beacons per second over all sessions [default: each session reports every 10s]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Seed of the random numbers; give two generators that run at the same time different seeds
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Span of time to generate, such as 10m [default: 5m with --output; until Ctrl-C with --brokers]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Maximum number of beacons
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub beacons: Option<u64>,
    /// File for the exact numbers of each window and breakdown, before folding, clamping and noise
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
}

/// The flags of `crowdfold console`.
#[derive(Args, Debug)]
pub struct Console {
    /// Address of the page [default: `console.listen` of the configuration]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Directory of the store [default: `console.data_dir` of the configuration]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Kafka cluster, such as localhost:9092 [default: `kafka.brokers` of the configuration]
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
}

/// The flags of `crowdfold audit`.
#[derive(Args, Debug)]
pub struct Audit {
    /// Topic of rollups to audit, also one that another program writes; repeatable [default: all topics of the
    /// configuration]
    #[arg(long, value_name = "TOPIC")]
    pub rollups: Vec<String>,
    /// Topic of rejections to audit, also one that another program writes; repeatable
    #[arg(long, value_name = "TOPIC")]
    pub rejections: Vec<String>,
    /// Only records that were appended at most this long ago, such as 1d [default: all records]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Minimum number of sessions per row; the k that a row itself contains is checked too [default: `release.k` of the
    /// configuration]
    #[arg(long, value_name = "K")]
    pub k: Option<u64>,
    /// Accept values of a field that look like a kind of identifier, such as content=uuid; the kinds are address, mac,
    /// email, phone, digits, hex, uuid, ulid, hash, cookie, jwt, coordinates, user-agent, encoded and known
    #[arg(long, value_name = "FIELD=KIND", value_parser = allowed)]
    pub allow: Vec<(String, Identifier)>,
    /// Maximum number of locations listed per finding and topic; further locations are only counted
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = limit)]
    pub limit: usize,
    /// Do not check which principals may read the topics
    #[arg(long)]
    pub no_acls: bool,
    /// Kafka cluster, such as localhost:9092 [default: `kafka.brokers` of the configuration]
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Format of the report
    #[arg(long, value_name = "table|json", hide_possible_values = true, default_value = "table")]
    pub format: ReportFormat,
}

impl Cli {
    /// Returns the log filter in the syntax of `tracing`. For commands that print tables, the default hides messages
    /// below the level `warn`, and all messages of librdkafka. An error that ends the command is still printed.
    #[must_use]
    pub fn log_filter(&self) -> String {
        let requested = self.global.log_level.and_then(|level| level.to_possible_value());
        match (requested, &self.command) {
            (Some(level), _) => level.get_name().to_owned(),
            (None, Command::Demo(_) | Command::Query(_) | Command::Audit(_)) => "warn,librdkafka=off".into(),
            (None, _) => "info".into(),
        }
    }

    /// Returns the configuration keys that the flags override.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        let mut set = |key, value: String, flag| overrides.push(Override { key, value, flag });
        match &self.command {
            Command::Demo(demo) => {
                set("release.k", demo.k.to_string(), "--k");
                if let Some(brokers) = &demo.brokers {
                    set("kafka.brokers", brokers.clone(), "--brokers");
                }
            }
            Command::Generate(Generate { brokers: Some(brokers), .. })
            | Command::Query(Query { brokers: Some(brokers), .. }) => {
                set("kafka.brokers", brokers.clone(), "--brokers");
            }
            Command::Console(console) => {
                if let Some(listen) = &console.listen {
                    set("console.listen", listen.clone(), "--listen");
                }
                if let Some(directory) = &console.data_dir {
                    set("console.data_dir", directory.clone(), "--data-dir");
                }
                if let Some(brokers) = &console.brokers {
                    set("kafka.brokers", brokers.clone(), "--brokers");
                }
            }
            Command::Audit(audit) => {
                if let Some(k) = audit.k {
                    set("release.k", k.to_string(), "--k");
                }
                if let Some(brokers) = &audit.brokers {
                    set("kafka.brokers", brokers.clone(), "--brokers");
                }
            }
            Command::Run(Run { skip_damaged: true, .. }) => {
                set("source.on_damaged", "skip".into(), "--skip-damaged");
            }
            Command::Fold(Fold { format: Some(format), .. }) => {
                let name = format.to_possible_value().map(|value| value.get_name().to_owned());
                set("source.format", name.unwrap_or_default(), "--format");
            }
            _ => {}
        }
        overrides
    }
}
