//! The findings of an audit.

use std::fmt;

use crowdfold_scan::{Identifier, Writing};

/// The location of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordLocation {
    /// The name of the topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: u32,
    /// The offset in the partition.
    pub offset: i64,
}

/// A finding and its location. A finding contains no value from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The kind of the finding.
    pub what: What,
    /// The location of the record. If the finding is about several records, this is the location of one of them. The
    /// message describes the chosen record.
    pub location: RecordLocation,
    /// The part of the record: `key`, `header 2`, `value`, or a JSON pointer into the value. If the schema does not
    /// define a name, the name is replaced by its position, such as `{0}`, unless it is a short word. `None` if the
    /// finding is about the whole record.
    pub field: Option<String>,
    /// The second record, if the finding is that two records are inconsistent.
    pub other: Option<RecordLocation>,
    /// True if the record is committed.
    pub committed: bool,
}

/// The kinds of findings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The record contains a personal identifier of this kind, in this encoding.
    Identifier(Identifier, Writing),
    /// The schema of the value differs from the schema of the topic's records.
    NotAnObject,
    /// The value has another schema than the records of the topic should have.
    Schema,
    /// A required field is missing.
    Missing,
    /// The schema does not define this field.
    Unknown,
    /// A field occurs twice. Programs that read the record may use different values of the field.
    Repeated,
    /// The type of a field differs from its type in the schema.
    Type,
    /// An amount is not an integer, or is negative.
    NotWhole,
    /// The key does not match the row.
    Key,
    /// A dimension is unknown or occurs twice.
    Dimension,
    /// A dimension value is empty, too long, or contains characters that are not allowed.
    Value,
    /// A `*` precedes another dimension value or is part of a value, or a reserved word is spelled differently.
    Reserved,
    /// The row has fewer sessions than this minimum, which is the larger of two values: the minimum of the policy in
    /// the row (k, or τ + k − 1 under `differential-privacy`), and the minimum of the tenant in the configuration.
    BelowK(u64),
    /// The policy of the row has a k below this minimum.
    SmallK(u64),
    /// The policy of the row is unknown, or one of its parameters is missing or out of range.
    Policy,
    /// The window is not aligned to its length, or its length does not divide a day.
    Window,
    /// A number is larger than a number that contains it. For example, more sessions have a value than the row has
    /// sessions.
    Parts,
    /// A percentile or a range of a histogram is based on fewer sessions than this minimum.
    FewInRange(u64),
    /// A percentile is less than a lower percentile, such as p90 less than p50.
    Falling,
    /// A histogram has gaps, does not add up to the sessions of its distribution, or contradicts a percentile.
    Histogram,
    /// A row contains a field that must not be published in its table.
    NotShown,
    /// A sum is larger or smaller than the contributions of the sessions, which are clamped, and the noise allow.
    Clamp,
    /// The sums of a row are each allowed, but together they exceed the contribution budget of its sessions.
    Budget,
    /// A table declares noise, but its numbers have none.
    NoNoise,
    /// The margin or the noise of a row's policy is less than the minimum of the tenant.
    Weaker(u64),
    /// A row has `"detail": true`, but its breakdown is not the configured detail table of the tenant.
    NotDetail,
    /// A tenant has two detail tables in one window.
    Details,
    /// The number of a row is outside its table, or rows of one table disagree about the number of rows.
    Numbers,
    /// This many rows of a table are missing.
    Incomplete(u64),
    /// A table is missing in a window, although the tenant has it in earlier and later windows.
    MissingTable,
    /// A row occurs twice in its table.
    RepeatedRow,
    /// Rows of one table are not sorted by their dimension values, or have the same dimension values.
    Order,
    /// The rows of one table are in two partitions, or rows of many other tables are between them.
    Scattered,
    /// A table was published twice.
    Twice,
    /// The totals of two tables of one tenant and window differ.
    Totals,
    /// A row with `*` contains at most one value, because all other values of a closed list have rows.
    Star,
    /// Two tables of one tenant and window contain the same family of dimensions.
    Families(&'static str),
    /// Two tables of one tenant and window, or two rows of one table, have different policies.
    TwoPolicies,
    /// Two windows of one tenant overlap, so one could be subtracted from the other.
    Overlap,
    /// A note on a rejected beacon has an unknown reason.
    Reason,
    /// The time in a note on a rejected beacon is not rounded to the minute.
    Minute,
}

impl What {
    /// Returns the name of the finding in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Identifier(..) => "identifier",
            Self::NotAnObject => "malformed",
            Self::Schema => "unknown-schema",
            Self::Missing => "missing-field",
            Self::Unknown => "unknown-field",
            Self::Repeated => "repeated-field",
            Self::Type => "wrong-type",
            Self::NotWhole => "not-an-integer",
            Self::Key => "wrong-key",
            Self::Dimension => "unknown-dimension",
            Self::Value => "invalid-value",
            Self::Reserved => "reserved-value",
            Self::BelowK(_) => "below-k",
            Self::SmallK(_) => "small-k",
            Self::Policy => "unknown-policy",
            Self::Window => "window-not-aligned",
            Self::Parts => "part-exceeds-row",
            Self::FewInRange(_) => "few-in-range",
            Self::Falling => "percentile-falls",
            Self::Histogram => "histogram-does-not-fit",
            Self::NotShown => "field-not-for-table",
            Self::Clamp => "beyond-clamp",
            Self::Budget => "beyond-budget",
            Self::NoNoise => "no-noise",
            Self::Weaker(_) => "weaker-policy",
            Self::NotDetail => "wrong-detail-table",
            Self::Details => "two-detail-tables",
            Self::Numbers => "wrong-row-number",
            Self::Incomplete(_) => "incomplete-table",
            Self::MissingTable => "missing-table",
            Self::RepeatedRow => "repeated-row",
            Self::Order => "rows-out-of-order",
            Self::Scattered => "scattered-table",
            Self::Twice => "published-twice",
            Self::Totals => "totals-disagree",
            Self::Star => "single-value-in-star",
            Self::Families(_) => "overlapping-families",
            Self::TwoPolicies => "two-policies",
            Self::Overlap => "overlapping-windows",
            Self::Reason => "unknown-reason",
            Self::Minute => "time-not-rounded",
        }
    }
}

/// Formats the finding as a predicate, for messages that begin with a location.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier(kind, Writing::Plain) => write!(f, "contains {kind}"),
            Self::Identifier(kind, writing) => write!(f, "contains {kind}, {}", writing.name()),
            Self::NotAnObject => f.write_str("is not a JSON object"),
            Self::Schema => f.write_str("has another schema than the topic"),
            Self::Missing => f.write_str("is missing"),
            Self::Unknown => f.write_str("is not a field of the schema"),
            Self::Repeated => f.write_str("occurs twice"),
            Self::Type => f.write_str("does not have the type of the schema"),
            Self::NotWhole => f.write_str("is not a whole number"),
            Self::Key => f.write_str("does not equal tenant/breakdown/start of its row"),
            Self::Dimension => f.write_str("is not a known dimension, or occurs twice"),
            Self::Value => f.write_str("is not a valid dimension value"),
            Self::Reserved => f.write_str("is a star before a value, or a reserved word in another spelling"),
            Self::BelowK(k) => write!(f, "covers fewer than {k} sessions"),
            Self::SmallK(k) => write!(f, "was released with a k below {k}"),
            Self::Policy => f.write_str("is not a known policy"),
            Self::Window => f.write_str("is not aligned to a window length that divides a day"),
            Self::Parts => f.write_str("is larger than a number that includes it"),
            Self::FewInRange(least) => write!(f, "is based on fewer than {least} sessions"),
            Self::Falling => f.write_str("is less than a lower percentile"),
            Self::Histogram => f.write_str("is inconsistent with the rest of its distribution"),
            Self::NotShown => f.write_str("must not be published in this table"),
            Self::Clamp => f.write_str("is larger than clamped sessions and noise allow"),
            Self::Budget => f.write_str("has sums that together exceed the budget of its sessions"),
            Self::NoNoise => f.write_str("begins a table that declares noise but has none"),
            Self::Weaker(least) => write!(f, "is less than its tenant's minimum of {least}"),
            Self::NotDetail => f.write_str("is not the detail table of its tenant"),
            Self::Details => f.write_str("begins a second detail table of its window"),
            Self::Numbers => f.write_str("is inconsistent with the number of rows of its table"),
            Self::Incomplete(rows) => write!(f, "begins a table that lacks {rows} of its rows"),
            Self::MissingTable => {
                f.write_str("belongs to a window without a table that its tenant has before and after it")
            }
            Self::RepeatedRow => f.write_str("is already in its table"),
            Self::Order => f.write_str("is not sorted after the previous row by its dimensions"),
            Self::Scattered => f.write_str("is separated from the rest of its table"),
            Self::Twice => f.write_str("begins a table that was already published"),
            Self::Totals => {
                f.write_str("ends a table whose totals differ from those of another table of its window")
            }
            Self::Star => f.write_str("can contain only one value, because all other values have rows"),
            Self::Families(family) => {
                write!(f, "belongs to a table that contains the {family}, like another table of its window")
            }
            Self::TwoPolicies => f.write_str("has another policy than its table or window"),
            Self::Overlap => f.write_str("belongs to a window that overlaps another one"),
            Self::Reason => f.write_str("is not a known reason"),
            Self::Minute => f.write_str("is not rounded to the minute"),
        }
    }
}
