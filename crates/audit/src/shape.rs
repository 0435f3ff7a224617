//! Checks a value against its schema, and scans its strings for identifiers.

use std::borrow::Cow;
use std::sync::LazyLock;

use crowdfold_model::{Dimension, ErrorClass, ROLLUP_SCHEMA, SumMetric, ValueMetric};
use crowdfold_scan::Hit;

use crate::json::Node;
use crate::path::Path;
use crate::{Finds, TIMES, What};

/// The type of a field.
pub(crate) enum Kind {
    /// A string.
    Text,
    /// An integer that is not negative.
    Whole,
    /// An integer that is not negative, or null.
    WholeOrNull,
    /// An integer that may be negative because of noise, or null if it is not published.
    Amount,
    /// A boolean.
    Flag,
    /// Any number.
    Number,
    /// An object with these fields.
    Object(&'static [Field]),
    /// A list of strings, such as `["os","browser"]`.
    Texts,
    /// An object whose values are strings, such as `{"os":"Windows"}`.
    Labels,
    /// An object whose values are integers, such as `{"network":1}`, or null.
    Amounts,
    /// An object with these fields, or null.
    ObjectOrNull(&'static [Field]),
    /// The ranges of a histogram: `[[from, to or null, sessions], …]`.
    Ranges,
}

/// A field of an object: its name, its type, and true if it is required.
pub(crate) struct Field(&'static str, Kind, bool);

const MUST: bool = true;
const MAY: bool = false;

const WINDOW: &[Field] = &[Field("start", Kind::Whole, MUST), Field("end", Kind::Whole, MUST)];
const COVERAGE: &[Field] = &[Field("partitions", Kind::Whole, MUST), Field("of", Kind::Whole, MUST)];
const DISTRIBUTION: &[Field] = &[
    Field("sessions", Kind::Whole, MAY),
    Field("sum", Kind::Amount, MUST),
    Field("p50", Kind::WholeOrNull, MAY),
    Field("p90", Kind::WholeOrNull, MAY),
    Field("p95", Kind::WholeOrNull, MAY),
    Field("p99", Kind::WholeOrNull, MAY),
    Field("histogram", Kind::Ranges, MAY),
];
const POLICY: &[Field] = &[
    Field("name", Kind::Text, MUST),
    Field("k", Kind::Whole, MAY),
    Field("margin", Kind::Whole, MAY),
    Field("noise", Kind::Whole, MAY),
    Field("epsilon", Kind::Number, MAY),
    Field("delta", Kind::Number, MAY),
    Field("sigma", Kind::Number, MAY),
    Field("tau", Kind::Number, MAY),
];

/// The fields of the schema `crowdfold.rollup/1` that precede its sums.
const HEAD: [Field; 11] = [
    Field("schema", Kind::Text, MUST),
    Field("tenant", Kind::Text, MUST),
    Field("window", Kind::Object(WINDOW), MUST),
    Field("breakdown", Kind::Texts, MUST),
    Field("detail", Kind::Flag, MAY),
    Field("dimensions", Kind::Labels, MUST),
    Field("row", Kind::Whole, MUST),
    Field("rows", Kind::Whole, MUST),
    Field("coverage", Kind::Object(COVERAGE), MAY),
    Field("sessions", Kind::Whole, MUST),
    Field("beacons", Kind::Amount, MUST),
];

/// The fields of the schema `crowdfold.rollup/1`.
static ROLLUP: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let sums = SumMetric::ALL.into_iter().map(|metric| Field(metric.name(), Kind::Amount, MUST));
    let errors = Field("errors", Kind::Amounts, MUST);
    let values = ValueMetric::ALL.into_iter();
    let values = values.map(|metric| Field(metric.name(), Kind::ObjectOrNull(DISTRIBUTION), MUST));
    let policy = Field("policy", Kind::Object(POLICY), MUST);
    HEAD.into_iter().chain(sums).chain([errors]).chain(values).chain([policy]).collect()
});

/// The fields of the schema `crowdfold.rejection/1`.
const REJECTION: &[Field] = &[
    Field("schema", Kind::Text, MUST),
    Field("reason", Kind::Text, MUST),
    Field("topic", Kind::Text, MUST),
    Field("partition", Kind::Whole, MUST),
    Field("offset", Kind::Whole, MUST),
    Field("time", Kind::Whole, MUST),
];

/// The kind of records in a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contents {
    /// Published rows.
    Rollups,
    /// Notes on rejected beacons.
    Rejections,
}

impl Contents {
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Rollups => ROLLUP_SCHEMA,
            Self::Rejections => "crowdfold.rejection/1",
        }
    }

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Rollups => &ROLLUP,
            Self::Rejections => REJECTION,
        }
    }
}

/// The minimum of a number in an unknown field that is scanned for identifiers. Timestamps are not scanned.
const LONG: u64 = 100_000_000;

/// The traversal of one value.
pub(crate) struct Walk<'a> {
    /// Finds identifiers in a string. The second argument is the name of the field that contains the string.
    pub(crate) scan: &'a mut dyn FnMut(&str, &str) -> Vec<Hit>,
    pub(crate) finds: &'a mut Finds,
}

type Members<'n> = [(Cow<'n, str>, Node<'n>)];

impl Walk<'_> {
    /// Returns true if a value has the structure of its schema. Unknown fields are findings, but they do not make the
    /// result false.
    pub(crate) fn of(&mut self, contents: Contents, node: &Node<'_>) -> bool {
        let Node::Object(members) = node else {
            self.finds.push(What::NotAnObject, "value".into());
            self.strange(node, &Path::root("value"));
            return false;
        };
        let root = Path::root("");
        if node.member("schema").and_then(Node::text) != Some(contents.schema()) {
            self.finds.push(What::Schema, "/schema".into());
            self.strange(node, &root);
            return false;
        }
        self.object(members, &root, contents.fields())
    }

    fn object(&mut self, members: &Members<'_>, at: &Path<'_>, fields: &'static [Field]) -> bool {
        let mut good = true;
        let (mut next, mut seen) = (0, 0_u64);
        for (number, (name, node)) in members.iter().enumerate() {
            // The search begins after the previous field, because fields usually have the order of the schema.
            let found = (next..fields.len()).chain(0..next).find(|field| fields[*field].0 == name);
            let Some(found) = found else {
                let at = self.shown(name, number, at);
                self.finds.push(What::Unknown, at.to_string());
                self.name(name, &at);
                self.strange(node, &at);
                continue;
            };
            let Field(name, kind, _) = &fields[found];
            let at = at.name(name);
            if seen & 1 << found != 0 {
                self.finds.push(What::Repeated, at.to_string());
                good = false;
            }
            seen |= 1 << found;
            next = found + 1;
            good &= self.field(node, &at, name, kind);
        }
        for (number, Field(name, _, must)) in fields.iter().enumerate() {
            if *must && seen & 1 << number == 0 {
                self.finds.push(What::Missing, at.name(name).to_string());
                good = false;
            }
        }
        good
    }

    fn field(&mut self, node: &Node<'_>, at: &Path<'_>, name: &str, kind: &'static Kind) -> bool {
        match (kind, node) {
            (Kind::Text, Node::Text(text)) => {
                self.text(text, name, at);
                true
            }
            (Kind::Whole | Kind::WholeOrNull | Kind::Amount | Kind::Number, Node::Whole(_))
            | (Kind::WholeOrNull | Kind::Amount | Kind::Amounts | Kind::ObjectOrNull(_), Node::Null)
            | (Kind::Amount, Node::Negative(_))
            | (Kind::Number, Node::Number(_))
            | (Kind::Flag, Node::Bool(_)) => true,
            (Kind::Whole | Kind::WholeOrNull, Node::Number(_) | Node::Negative(_))
            | (Kind::Amount, Node::Number(_)) => {
                self.finds.push(What::NotWhole, at.to_string());
                self.strange(node, at);
                false
            }
            (Kind::Object(fields) | Kind::ObjectOrNull(fields), Node::Object(members)) => {
                self.object(members, at, fields)
            }
            (Kind::Texts, Node::List(list)) => list.iter().enumerate().fold(true, |good, (number, node)| {
                good & self.field(node, &at.number(number), name, &Kind::Text)
            }),
            (Kind::Labels, Node::Object(members)) => self.members(members, at, &Kind::Text),
            (Kind::Amounts, Node::Object(members)) => self.members(members, at, &Kind::Amount),
            (Kind::Ranges, Node::List(ranges)) => {
                let is = |range: &Node<'_>| {
                    let Node::List(range) = range else { return false };
                    matches!(range[..], [Node::Whole(_), Node::Whole(_) | Node::Null, Node::Whole(_)])
                };
                ranges.iter().all(is) || self.wrong(node, at)
            }
            _ => self.wrong(node, at),
        }
    }

    fn members(&mut self, members: &Members<'_>, at: &Path<'_>, kind: &'static Kind) -> bool {
        members.iter().enumerate().fold(true, |good, (number, (name, node))| {
            let at = if is_known_name(name) { at.name(name) } else { self.shown(name, number, at) };
            if !is_known_name(name) {
                self.name(name, &at);
            }
            let twice = members[..number].iter().any(|(earlier, _)| earlier == name);
            if twice {
                self.finds.push(What::Repeated, at.to_string());
            }
            good & self.field(node, &at, name, kind) & !twice
        })
    }

    fn wrong(&mut self, node: &Node<'_>, at: &Path<'_>) -> bool {
        self.finds.push(What::Type, at.to_string());
        self.strange(node, at);
        false
    }

    /// Scans all strings, names and long numbers in a value that the schema does not define.
    fn strange(&mut self, node: &Node<'_>, at: &Path<'_>) {
        match node {
            Node::Null | Node::Bool(_) => {}
            Node::Whole(number) if *number >= LONG && !TIMES.contains(number) => {
                self.text(&number.to_string(), "", at);
            }
            Node::Number(number) if number.abs() >= LONG as f64 => {
                self.text(&format!("{number:.0}"), "", at);
            }
            Node::Negative(number) if number.unsigned_abs() >= LONG => {
                self.text(&number.to_string(), "", at);
            }
            Node::Whole(_) | Node::Negative(_) | Node::Number(_) => {}
            Node::Text(text) => self.text(text, "", at),
            Node::List(list) => {
                list.iter().enumerate().for_each(|(number, node)| self.strange(node, &at.number(number)));
            }
            Node::Object(members) => {
                for (number, (name, node)) in members.iter().enumerate() {
                    let at = self.shown(name, number, at);
                    self.name(name, &at);
                    self.strange(node, &at);
                }
            }
        }
    }

    fn text(&mut self, text: &str, name: &str, at: &Path<'_>) {
        for (kind, writing) in (self.scan)(text, name) {
            self.finds.push(What::Identifier(kind, writing), at.to_string());
        }
    }

    fn name(&mut self, name: &str, at: &Path<'_>) {
        for (kind, writing) in (self.scan)(name, "") {
            self.finds.push(What::Identifier(kind, writing), format!("{at} (its name)"));
        }
    }

    /// Returns the path of a member that the schema does not define. The path contains the name of the member if the
    /// name is a short word without identifiers. Otherwise it contains the position of the member.
    fn shown<'p>(&mut self, name: &'p str, number: usize, at: &'p Path<'p>) -> Path<'p> {
        let word = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        if name.len() <= 24 && name.chars().all(word) && (self.scan)(name, "").is_empty() {
            return at.name(name);
        }
        at.hidden(number)
    }
}

/// Returns true if a name is the name of a dimension or of a class of errors.
fn is_known_name(name: &str) -> bool {
    Dimension::named(name).is_some() || ErrorClass::ALL.iter().any(|class| class.name() == name)
}
