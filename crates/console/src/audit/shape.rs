//! Whether a value has the shape of its schema, and what its texts hold.

use crowdfold_scan::Hit;

use super::json::Node;
use super::{Finds, TIMES, What};
use crate::row::SCHEMA;

/// What a field holds.
pub(super) enum Kind {
    Text,
    /// An amount.
    Whole,
    WholeOrNull,
    /// An amount that noise may have brought below 0, or null where it is not published.
    Amount,
    Flag,
    /// Any number, in what only some policies say.
    Number,
    Object(&'static [Field]),
    /// `["os","browser"]`.
    Texts,
    /// Names and texts, `{"os":"Windows"}`.
    Labels,
    /// Names and amounts, `{"network":1}`, or null.
    Amounts,
    /// An object, or null.
    ObjectOrNull(&'static [Field]),
    /// `[[from, to or null, sessions], …]`.
    Ranges,
}

/// One field of an object: its name, what it holds, and whether it must be there.
pub(super) struct Field(&'static str, Kind, bool);

const MUST: bool = true;
const MAY: bool = false;

const WINDOW: &[Field] = &[Field("start", Kind::Whole, MUST), Field("end", Kind::Whole, MUST)];
const COVERAGE: &[Field] = &[Field("partitions", Kind::Whole, MUST), Field("of", Kind::Whole, MUST)];
const SPREAD: &[Field] = &[
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

/// `crowdfold.rollup/1`.
const ROLLUP: &[Field] = &[
    Field("schema", Kind::Text, MUST),
    Field("tenant", Kind::Text, MUST),
    Field("window", Kind::Object(WINDOW), MUST),
    Field("drilldown", Kind::Texts, MUST),
    Field("detail", Kind::Flag, MAY),
    Field("dimensions", Kind::Labels, MUST),
    Field("row", Kind::Whole, MUST),
    Field("rows", Kind::Whole, MUST),
    Field("coverage", Kind::Object(COVERAGE), MAY),
    Field("sessions", Kind::Whole, MUST),
    Field("beacons", Kind::Amount, MUST),
    Field("attempts", Kind::Amount, MUST),
    Field("plays", Kind::Amount, MUST),
    Field("startup_failures", Kind::Amount, MUST),
    Field("playback_failures", Kind::Amount, MUST),
    Field("playing_ms", Kind::Amount, MUST),
    Field("stalled_ms", Kind::Amount, MUST),
    Field("stalls", Kind::Amount, MUST),
    Field("dropped_frames", Kind::Amount, MUST),
    Field("switches", Kind::Amount, MUST),
    Field("errors", Kind::Amounts, MUST),
    Field("startup_ms", Kind::ObjectOrNull(SPREAD), MUST),
    Field("bandwidth_kbps", Kind::ObjectOrNull(SPREAD), MUST),
    Field("bitrate_kbps", Kind::ObjectOrNull(SPREAD), MUST),
    Field("policy", Kind::Object(POLICY), MUST),
];

/// `crowdfold.rejection/1`.
const REJECTION: &[Field] = &[
    Field("schema", Kind::Text, MUST),
    Field("reason", Kind::Text, MUST),
    Field("topic", Kind::Text, MUST),
    Field("partition", Kind::Whole, MUST),
    Field("offset", Kind::Whole, MUST),
    Field("time", Kind::Whole, MUST),
];

/// What a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contents {
    /// Released rows.
    Rollups,
    /// Notes on rejected beacons.
    Rejections,
}

impl Contents {
    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Rollups => SCHEMA,
            Self::Rejections => "crowdfold.rejection/1",
        }
    }

    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Rollups => ROLLUP,
            Self::Rejections => REJECTION,
        }
    }
}

/// Numbers from here on are looked at where nobody knows what they are, unless they are times.
const LONG: u64 = 100_000_000;

/// A walk over one value.
pub(super) struct Walk<'a> {
    /// Finds identifiers in the text of a field, of which the last name is given.
    pub(super) scan: &'a mut dyn FnMut(&str, &str) -> Vec<Hit>,
    pub(super) finds: &'a mut Finds,
}

impl Walk<'_> {
    /// Whether a value has the shape of its schema; fields that are too many do not matter for that.
    pub(super) fn of(&mut self, contents: Contents, node: &Node) -> bool {
        let Node::Object(_) = node else {
            self.finds.push(What::NotAnObject, "value".into());
            self.strange(node, "value");
            return false;
        };
        if node.member("schema").and_then(Node::text) != Some(contents.schema()) {
            self.finds.push(What::Schema, "/schema".into());
            self.strange(node, "");
            return false;
        }
        self.object(node, "", contents.fields())
    }

    fn object(&mut self, node: &Node, at: &str, fields: &'static [Field]) -> bool {
        let Node::Object(members) = node else { return self.wrong(node, at) };
        let mut good = true;
        for (number, (name, node)) in members.iter().enumerate() {
            let Some(Field(name, kind, _)) = fields.iter().find(|field| field.0 == name) else {
                let at = format!("{at}/{}", self.shown(name, number));
                self.finds.push(What::Unknown, at.clone());
                self.name(name, &at);
                self.strange(node, &at);
                continue;
            };
            let at = format!("{at}/{name}");
            if members[..number].iter().any(|(earlier, _)| earlier == name) {
                self.finds.push(What::Repeated, at.clone());
                good = false;
            }
            good &= self.field(node, &at, name, kind);
        }
        for Field(name, _, must) in fields {
            if *must && node.member(name).is_none() {
                self.finds.push(What::Missing, format!("{at}/{name}"));
                good = false;
            }
        }
        good
    }

    fn field(&mut self, node: &Node, at: &str, name: &str, kind: &'static Kind) -> bool {
        match (kind, node) {
            (Kind::Text, Node::Text(text)) => {
                self.text(text, name, at);
                true
            }
            (Kind::Whole | Kind::WholeOrNull | Kind::Amount | Kind::Number, Node::Whole(_))
            | (Kind::WholeOrNull | Kind::Amount | Kind::Amounts | Kind::ObjectOrNull(_), Node::Null)
            | (Kind::Amount, Node::Negative(_))
            | (Kind::Number, Node::Number(_))
            | (Kind::Flag, Node::Bool) => true,
            (Kind::Whole | Kind::WholeOrNull, Node::Number(_) | Node::Negative(_))
            | (Kind::Amount, Node::Number(_)) => {
                self.finds.push(What::NotWhole, at.into());
                self.strange(node, at);
                false
            }
            (Kind::Object(fields) | Kind::ObjectOrNull(fields), _) => self.object(node, at, fields),
            (Kind::Texts, Node::List(list)) => list.iter().enumerate().fold(true, |good, (number, node)| {
                good & self.field(node, &format!("{at}/{number}"), name, &Kind::Text)
            }),
            (Kind::Labels, Node::Object(members)) => self.members(members, at, &Kind::Text),
            (Kind::Amounts, Node::Object(members)) => self.members(members, at, &Kind::Amount),
            (Kind::Ranges, Node::List(ranges)) => {
                let is = |range: &Node| {
                    let Node::List(range) = range else { return false };
                    matches!(range[..], [Node::Whole(_), Node::Whole(_) | Node::Null, Node::Whole(_)])
                };
                ranges.iter().all(is) || self.wrong(node, at)
            }
            _ => self.wrong(node, at),
        }
    }

    fn members(&mut self, members: &[(String, Node)], at: &str, kind: &'static Kind) -> bool {
        members.iter().enumerate().fold(true, |good, (number, (name, node))| {
            let at = format!("{at}/{}", self.shown(name, number));
            self.name(name, &at);
            let twice = members[..number].iter().any(|(earlier, _)| earlier == name);
            if twice {
                self.finds.push(What::Repeated, at.clone());
            }
            good & self.field(node, &at, name, kind) & !twice
        })
    }

    fn wrong(&mut self, node: &Node, at: &str) -> bool {
        self.finds.push(What::Type, at.into());
        self.strange(node, at);
        false
    }

    /// A value of which nothing is known: everything in it is looked at.
    fn strange(&mut self, node: &Node, at: &str) {
        match node {
            Node::Null | Node::Bool => {}
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
                list.iter()
                    .enumerate()
                    .for_each(|(number, node)| self.strange(node, &format!("{at}/{number}")));
            }
            Node::Object(members) => {
                for (number, (name, node)) in members.iter().enumerate() {
                    let at = format!("{at}/{}", self.shown(name, number));
                    self.name(name, &at);
                    self.strange(node, &at);
                }
            }
        }
    }

    fn text(&mut self, text: &str, name: &str, at: &str) {
        for (kind, writing) in (self.scan)(text, name) {
            self.finds.push(What::Identifier(kind, writing), at.into());
        }
    }

    fn name(&mut self, name: &str, at: &str) {
        for (kind, writing) in (self.scan)(name, "") {
            self.finds.push(What::Identifier(kind, writing), format!("{at} (its name)"));
        }
    }

    /// A name as it may be shown: a word, and no more; else its number among its sisters, from 0.
    fn shown(&mut self, name: &str, number: usize) -> String {
        let word = |sign: char| sign.is_ascii_lowercase() || sign == '_';
        if name.len() <= 24 && name.chars().all(word) && (self.scan)(name, "").is_empty() {
            return name.into();
        }
        format!("{{{number}}}")
    }
}
