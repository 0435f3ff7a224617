//! A row as an audit reads it, borrowed from its record. Any policy may have released the row.

use std::borrow::Cow;

use crowdfold_model::{
    BOUNDED_FIELDS, ErrorClass, FIRST_ERROR, Metric, Span, SumMetric, Timestamp, ValueMetric,
};

use crate::json::Node;

/// The number of fields with noise in a row outside the detail table.
pub(crate) const BOUNDED: usize = BOUNDED_FIELDS.len();
/// The names of the percentiles of a distribution, each with its percentage.
pub(crate) const PERCENTILES: [(&str, u64); 4] = [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)];

/// The release policy that a row names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Threshold,
    DifferentialPrivacy,
    /// The row names no policy, or an unknown policy.
    #[default]
    Unknown,
}

/// The field `policy` of a row. A member is `None` if it is absent or not a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) kind: Kind,
    pub(crate) k: Option<u64>,
    pub(crate) margin: Option<u64>,
    pub(crate) noise: Option<u64>,
    pub(crate) tau: Option<u64>,
}

/// A range of a histogram: its start, its end, and its number of sessions. The end is `None` if the range is open.
pub(crate) type Range = (u64, Option<u64>, u64);

/// The summary of a distribution in a row. A member is `None` if it is absent or null.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DistributionSummary {
    pub(crate) sessions: Option<u64>,
    pub(crate) sum: Option<i64>,
    pub(crate) percentiles: [Option<u64>; 4],
    /// True if the row contains percentiles, even if they are null.
    pub(crate) has_percentiles: bool,
    pub(crate) histogram: Option<Vec<Range>>,
}

/// A row. A member is `None` if the field is absent or null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) breakdown: Vec<&'a str>,
    pub(crate) dimensions: &'a [(Cow<'a, str>, Node<'a>)],
    pub(crate) detail: Option<bool>,
    pub(crate) row: u64,
    pub(crate) rows: u64,
    pub(crate) coverage: Option<(u64, u64)>,
    pub(crate) sessions: u64,
    pub(crate) beacons: Option<i64>,
    /// The sums and counts of fields that rows of all tables contain, in the order of [`BOUNDED_FIELDS`].
    pub(crate) amounts: [Option<i64>; BOUNDED],
    /// The sums of fields that only the detail table contains, in the order of [`SumMetric::ALL`]. `None` for all other
    /// sums.
    pub(crate) hidden: [Option<i64>; SumMetric::COUNT],
    /// The members of the field `errors`.
    pub(crate) errors: Option<&'a [(Cow<'a, str>, Node<'a>)]>,
    /// The distributions, in the order of [`ValueMetric::ALL`].
    pub(crate) distributions: [Option<DistributionSummary>; ValueMetric::COUNT],
    pub(crate) policy: Policy,
}

impl<'a> Entry<'a> {
    /// Reads a row from a value. Returns `None` if the value is not an object.
    pub(crate) fn of(node: &'a Node<'a>) -> Option<Self> {
        let Node::Object(members) = node else { return None };
        let mut entry = Self::default();
        for (name, node) in members {
            entry.set(name, node);
        }
        Some(entry)
    }

    fn set(&mut self, name: &str, node: &'a Node<'a>) {
        let whole = || node.whole().unwrap_or_default();
        let member = |name| node.member(name).and_then(Node::whole);
        match name {
            "tenant" => self.tenant = node.text().unwrap_or_default(),
            "window" => {
                let time = |name| Timestamp::from_millis(member(name).unwrap_or_default());
                (self.start, self.end) = (time("start"), time("end"));
            }
            "breakdown" => {
                if let Node::List(names) = node {
                    self.breakdown = names.iter().filter_map(Node::text).collect();
                }
            }
            "dimensions" => {
                if let Node::Object(members) = node {
                    self.dimensions = members;
                }
            }
            "detail" => {
                if let Node::Bool(is) = node {
                    self.detail = Some(*is);
                }
            }
            "row" => self.row = whole(),
            "rows" => self.rows = whole(),
            "coverage" => self.coverage = member("partitions").zip(member("of")),
            "sessions" => self.sessions = whole(),
            "beacons" => self.beacons = node.amount(),
            "errors" => {
                if let Node::Object(members) = node {
                    self.errors = Some(members);
                    for (at, class) in ErrorClass::ALL.iter().enumerate() {
                        let found = members.iter().find(|(name, _)| name == class.name());
                        self.amounts[FIRST_ERROR + at] = found.and_then(|(_, node)| node.amount());
                    }
                }
            }
            "policy" => self.policy = policy(node),
            _ => match Metric::named(name) {
                Some(Metric::Sum(metric)) if is_hidden(metric) => {
                    self.hidden[metric as usize] = node.amount();
                }
                Some(Metric::Sum(metric)) => self.set_amount(metric.into(), node.amount()),
                Some(Metric::Value(metric)) => self.set_distribution(metric, node),
                None => {}
            },
        }
    }

    /// Sets the amount of a metric, if rows outside the detail table contain the metric.
    fn set_amount(&mut self, metric: Metric, amount: Option<i64>) {
        if let Some(at) = metric.bounded_position() {
            self.amounts[at] = amount;
        }
    }

    fn set_distribution(&mut self, metric: ValueMetric, node: &Node<'_>) {
        let Node::Object(members) = node else { return };
        let mut summary = DistributionSummary::default();
        for (name, node) in members {
            match &**name {
                "sessions" => summary.sessions = node.whole(),
                "sum" => summary.sum = node.amount(),
                "histogram" => {
                    let Node::List(ranges) = node else { continue };
                    summary.histogram = Some(ranges.iter().filter_map(range).collect());
                }
                name => {
                    let known = PERCENTILES.iter().position(|(known, _)| *known == name);
                    if let Some(known) = known {
                        (summary.percentiles[known], summary.has_percentiles) = (node.whole(), true);
                    }
                }
            }
        }
        self.set_amount(metric.into(), summary.sum);
        self.distributions[metric as usize] = Some(summary);
    }

    /// Returns the value of a dimension, or `None` if the row has none.
    pub(crate) fn value(&self, dimension: &str) -> Option<&'a str> {
        self.dimensions.iter().find(|(name, _)| name == dimension).and_then(|(_, node)| node.text())
    }

    /// Returns the values of the dimensions, in the order of the breakdown.
    pub(crate) fn cell_key(&self) -> impl Iterator<Item = &'a str> {
        self.breakdown.iter().filter_map(|name| self.value(name))
    }

    /// Returns the length of the window.
    pub(crate) const fn length(&self) -> Span {
        self.end.saturating_since(self.start)
    }

    /// Returns true if the row can be assigned to a table: it has exactly one value for each dimension of its
    /// breakdown, a row number within its table, and a window that ends after its start.
    pub(crate) fn is_sound(&self) -> bool {
        !self.breakdown.is_empty()
            && self.breakdown.iter().all(|name| self.value(name).is_some())
            && self.dimensions.len() == self.breakdown.len()
            && (1..=self.rows).contains(&self.row)
            && self.start < self.end
    }

    /// Writes the key that the record of this row should have, such as `tenant/os.browser/1795308480000`.
    pub(crate) fn write_key(&self, key: &mut String) {
        use std::fmt::Write as _;
        key.clear();
        key.push_str(self.tenant);
        key.push('/');
        self.write_breakdown(key);
        let _ = write!(key, "/{}", self.start.as_millis());
    }

    /// Appends the name of the breakdown, such as `os.browser`.
    pub(crate) fn write_breakdown(&self, to: &mut String) {
        for (at, name) in self.breakdown.iter().enumerate() {
            if at > 0 {
                to.push('.');
            }
            to.push_str(name);
        }
    }
}

/// Returns true if only the detail table contains this sum.
pub(crate) const fn is_hidden(metric: SumMetric) -> bool {
    Metric::Sum(metric).bounded_position().is_none()
}

fn range(node: &Node<'_>) -> Option<Range> {
    let Node::List(range) = node else { return None };
    let [from, to, sessions] = &range[..] else { return None };
    Some((from.whole()?, to.whole(), sessions.whole()?))
}

fn policy(node: &Node<'_>) -> Policy {
    let member = |name| node.member(name).and_then(Node::whole);
    let kind = match node.member("name").and_then(Node::text) {
        Some("threshold") => Kind::Threshold,
        Some("differential-privacy") => Kind::DifferentialPrivacy,
        _ => Kind::Unknown,
    };
    Policy { kind, k: member("k"), margin: member("margin"), noise: member("noise"), tau: member("tau") }
}

/// Returns the JSON pointer of a field, by its index in [`BOUNDED_FIELDS`].
pub(crate) fn pointer(field: usize) -> String {
    let name = BOUNDED_FIELDS[field].name;
    let is_value = ValueMetric::ALL.into_iter().any(|metric| metric.name() == name);
    let sum = if is_value { "/sum" } else { "" };
    format!("/{}{sum}", name.replace('.', "/"))
}
