//! The error type of this crate.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crowdfold_model::DURATION_UNITS;

/// The reason why a query cannot be answered. The messages name parameters of the query, such as `by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// A list of dimensions contains an empty name, or the same name twice.
    List {
        /// The name of the parameter: `breakdown` or `by`.
        parameter: &'static str,
        /// The list as it was written.
        list: String,
    },
    /// A condition has no `=`, no name, or no value.
    Condition(
        /// The condition as it was written.
        String,
    ),
    /// The value of a parameter is not a duration.
    Duration {
        /// The name of the parameter: `since` or `every`.
        parameter: &'static str,
        /// The value as it was written.
        text: String,
    },
    /// The dimensions to group by are not the first dimensions of the breakdown.
    NotAPrefix {
        /// The dimensions to group by.
        by: String,
        /// The dimensions of the breakdown.
        breakdown: String,
        /// The lists of dimensions by which this breakdown can be grouped.
        choices: String,
    },
    /// A condition names a dimension that the breakdown does not have.
    NotInBreakdown {
        /// The dimension in the condition.
        dimension: String,
        /// The dimensions of the breakdown.
        breakdown: String,
    },
    /// The query selects one tenant, and also adds up several tenants.
    OneAndSeveral {
        /// The selected tenant.
        tenant: String,
        /// The parameter that adds up several tenants, with its value, such as `by plan`.
        across: String,
    },
    /// The query names no breakdown, and either none or several of the published breakdowns have all dimensions of the
    /// query.
    BreakdownChoice {
        /// The number of published breakdowns that have all dimensions of the query.
        fitting: usize,
        /// All published breakdowns.
        known: Vec<String>,
    },
}

impl QueryError {
    /// Describes the error and the fix. `prefix` is written before the name of each parameter. It is `--` if the
    /// parameters are flags of a command line.
    #[must_use]
    pub fn message(&self, prefix: &str) -> String {
        match self {
            Self::List { parameter, list } => format!(
                "{prefix}{parameter} {list:?} contains a dimension twice or an empty one; write it like os,browser"
            ),
            Self::Condition(condition) => {
                format!("{prefix}where {condition:?} is not a condition; write it like os=Windows")
            }
            Self::Duration { parameter, text } => {
                format!(
                    "{prefix}{parameter} {text:?} is not a duration; write a number above 0 and a unit, such as 90s \
                     (units: {DURATION_UNITS})"
                )
            }
            Self::NotAPrefix { by, breakdown, choices } => format!(
                "{prefix}by {by} is not a prefix of breakdown {breakdown}, so folded rows cannot be grouped by it; \
                 group by {choices}"
            ),
            Self::NotInBreakdown { dimension, breakdown } => format!(
                "{prefix}where {dimension}=… does not apply to breakdown {breakdown}, which has no {dimension}; tables \
                 cannot be joined, so query a breakdown that has it"
            ),
            Self::OneAndSeveral { tenant, across } => format!(
                "{prefix}tenant {tenant} selects one tenant, but {prefix}{across} adds up several; remove one of the two"
            ),
            Self::BreakdownChoice { fitting, known } => format!(
                "{} of the published breakdowns has all dimensions of the query; choose one with {prefix}breakdown ({})",
                if *fitting == 0 { "none" } else { "more than one" },
                known.join(" · ")
            ),
        }
    }
}

impl Display for QueryError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message(""))
    }
}

impl Error for QueryError {}
