//! The findings of an audit in records: a closed list.

use std::fmt;

use crowdfold_scan::{Identifier, Writing};

/// The location of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordLocation {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: u32,
    /// Its offset in the partition.
    pub offset: i64,
}

/// A finding and its location. It contains nothing of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The finding.
    pub what: What,
    /// The location of the record; of several records, the last.
    pub location: RecordLocation,
    /// The part of the record: `key`, `header 2`, `value`, or a JSON pointer in the value. Names that the schema does
    /// not define are shown only if they are words.
    pub field: Option<String>,
    /// The record with which it is inconsistent.
    pub other: Option<RecordLocation>,
    /// True if the record is committed.
    pub committed: bool,
}

/// The kinds of findings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A personal identifier.
    Identifier(Identifier, Writing),
    /// A record without a value, or with one that is not a JSON object.
    NotAnObject,
    /// Another schema than the topic's.
    Schema,
    /// A field that is missing.
    Missing,
    /// A field that the schema does not know.
    Unknown,
    /// A field that occurs twice, so that readers differ in the value they use.
    Repeated,
    /// A field of another type than the schema's.
    Type,
    /// An amount that is not an integer, or negative.
    NotWhole,
    /// A key that does not match the row.
    Key,
    /// An unknown or repeated dimension, so that it is unclear which rows belong together.
    Dimension,
    /// An invalid dimension value: empty, too long, or with characters that are not allowed.
    Label,
    /// A star before a value, or a reserved word in another spelling.
    Reserved,
    /// Fewer sessions than the row's own policy allows (k, and τ + k − 1 with noise), or than its tenant's policy in
    /// the configuration.
    BelowK(u64),
    /// A policy with a k that is too small.
    SmallK(u64),
    /// A policy without k, without τ despite noise, or with an unknown name.
    Policy,
    /// A window that is not aligned to its length, or whose length does not divide a day.
    Window,
    /// A part that is larger than the whole, such as more sessions with a value than sessions.
    Parts,
    /// A percentile or a range of a histogram based on too few sessions.
    FewInRange(u64),
    /// A percentile that is less than a lower percentile.
    Falling,
    /// A histogram with gaps, with ranges that do not add up to its sessions, or inconsistent with a percentile.
    Histogram,
    /// A field that must not be published in the row's table.
    NotShown,
    /// A sum larger than clamped sessions and noise allow.
    Clamp,
    /// Sums that together exceed the budget of their sessions.
    Budget,
    /// A table that declares noise but has none.
    NoNoise,
    /// Less margin or noise than the tenant's minimum.
    Weaker(u64),
    /// A detail table that is not the tenant's.
    NotDetail,
    /// Two detail tables in one window.
    Details,
    /// A row number outside its table, or rows of one table that disagree on their number.
    Numbers,
    /// A table in which this many rows are missing.
    Incomplete(u64),
    /// A window without a table that its tenant has before and after.
    MissingTable,
    /// A row that occurs twice in its table.
    RepeatedRow,
    /// Rows of one table that are not sorted by their cell keys, or have the same cell key.
    Order,
    /// Rows of one table that are separated: in two partitions, or by many tables between them.
    Scattered,
    /// A table that was already published.
    Twice,
    /// A table whose totals differ from those of another table of its tenant and window.
    Totals,
    /// Two tables of one tenant and window that contain the same family of dimensions.
    Families(&'static str),
    /// Two tables of one tenant and window, or two rows of one table, under different policies.
    TwoPolicies,
    /// Two windows of one tenant that overlap.
    Overlap,
    /// A rejection with an unknown reason.
    Reason,
    /// A rejection whose time is not rounded to the minute.
    Minute,
}

impl What {
    /// Returns the name used in reports.
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
            Self::Label => "bad-label",
            Self::Reserved => "reserved-label",
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
            Self::Families(_) => "overlapping-families",
            Self::TwoPolicies => "two-policies",
            Self::Overlap => "overlapping-windows",
            Self::Reason => "unknown-reason",
            Self::Minute => "time-not-rounded",
        }
    }
}

/// Formats the finding as a predicate without a subject.
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
            Self::Label => f.write_str("is not a valid dimension value"),
            Self::Reserved => f.write_str("is a star before a value, or a reserved word in another spelling"),
            Self::BelowK(k) => write!(f, "covers fewer than {k} sessions"),
            Self::SmallK(k) => write!(f, "was released with a k below {k}"),
            Self::Policy => f.write_str("is not a known policy"),
            Self::Window => f.write_str("is not aligned to a window length that divides a day"),
            Self::Parts => f.write_str("counts more sessions than the row"),
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
