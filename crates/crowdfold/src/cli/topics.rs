//! The command line of `crowdfold topics`.

use clap::{Args, Subcommand, ValueEnum};

/// The flags of `crowdfold topics`.
#[derive(Args, Debug)]
pub struct Topics {
    /// The action.
    #[command(subcommand)]
    pub command: TopicsCommand,
}

/// The actions of `crowdfold topics`.
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Create missing topics and set their retention as configured, after printing the differences; exit 3 if a topic
    /// contains records dated in the future, whose lifetime no setting limits
    #[command(after_help = "Example: crowdfold topics apply --dry-run")]
    Apply {
        /// Print the differences without changing anything
        #[arg(long)]
        dry_run: bool,
        /// Print which records must be deleted to remove the records dated in the future; with --yes, delete them
        #[arg(long)]
        purge_ahead: bool,
        /// Delete the records that --purge-ahead prints
        #[arg(long, requires = "purge_ahead", conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Compare topics and brokers with the configuration, and measure the age of records; exit 3 if a time-to-live is
    /// exceeded or unbounded
    #[command(after_help = "Example: crowdfold topics check --config crowdfold.toml")]
    Check,
    /// Print the minimal ACLs of each role, for the administrator who grants them; does not connect to a broker
    #[command(
        after_help = "Example: crowdfold topics acl --config crowdfold.toml --format strimzi | kubectl apply -f -"
    )]
    Acl {
        /// Output for Kafka's kafka-acls.sh or for Strimzi's user operator
        #[arg(
            long,
            value_name = "kafka-acls|strimzi",
            hide_possible_values = true,
            default_value = "kafka-acls"
        )]
        format: AclFormat,
    },
}

/// The format of a list of ACLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AclFormat {
    /// Commands for kafka-acls.sh
    KafkaAcls,
    /// KafkaUser resources as YAML
    Strimzi,
}
