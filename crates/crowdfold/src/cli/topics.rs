//! The command line of `crowdfold topics`.

use clap::{Args, Subcommand, ValueEnum};

/// `crowdfold topics`.
#[derive(Args, Debug)]
pub struct Topics {
    /// What to do with them.
    #[command(subcommand)]
    pub command: TopicsCommand,
}

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Create what is missing and set retention to what the configuration says, after printing the difference; exit 3
    /// when a topic holds records dated in the future, which no setting bounds
    #[command(after_help = "Example: crowdfold topics apply --dry-run")]
    Apply {
        /// Print the difference, change nothing
        #[arg(long)]
        dry_run: bool,
        /// Print what must be deleted to remove records dated in the future; with --yes, delete it
        #[arg(long)]
        purge_ahead: bool,
        /// Delete the records that --purge-ahead names
        #[arg(long, requires = "purge_ahead", conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Compare topics and brokers with the configuration, and measure; exit 3 when a bound does not hold
    #[command(after_help = "Example: crowdfold topics check --config crowdfold.toml")]
    Check,
    /// Print the least rights of each role, for who grants them; asks no broker
    #[command(
        after_help = "Example: crowdfold topics acl --config crowdfold.toml --format strimzi | kubectl apply -f -"
    )]
    Acl {
        /// For Kafka's own tool, or for Strimzi's operator
        #[arg(
            long,
            value_name = "kafka-acls|strimzi",
            hide_possible_values = true,
            default_value = "kafka-acls"
        )]
        format: AclFormat,
    },
}

/// Form of a list of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AclFormat {
    /// Commands for kafka-acls.sh
    KafkaAcls,
    /// KafkaUser, as YAML
    Strimzi,
}
