//! The keys under which captured requests and lines of CDN logs contain the values that crowdfold reads.

use std::collections::BTreeMap;

use crowdfold_model::CustomSource;

use super::keys::KEYS;
use crate::paths::{Branch, PathInUse, Tree};
use crate::{FieldNames, FieldsError};

/// The values of a request that crowdfold reads. It reads no other part of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    /// The time of receipt in milliseconds since the epoch.
    Received,
    /// The time of receipt in any form that [`crate::time`] reads.
    Time,
    /// The date of receipt, if the time of day is a separate field (`Clock`).
    Date,
    Clock,
    Client,
    Path,
    Query,
    Body,
    ContentType,
    UserAgent,
    Brands,
    Platform,
    PlatformVersion,
    Mobile,
    Model,
    Gpc,
    Dnt,
    Tenant,
    Country,
    Region,
    Asn,
    /// The complete CMCD data, in the encoding of the query parameter `CMCD`.
    Dictionary,
    /// One of the headers `CMCD-Object`, `CMCD-Request`, `CMCD-Session`, `CMCD-Status`, by its index in this order.
    Cmcd(usize),
    /// One CMCD member in a field of its own, by its index in [`KEYS`].
    Key(usize),
    /// The value of the custom dimensions with this source.
    Custom(usize),
    /// The time to the first byte of the response, in this number of ms.
    Ttfb(u16),
}

/// The keys of a captured request. Its headers are in the object `headers`.
const REQUEST: [(&str, Name); 5] = [
    ("received_at_ms", Name::Received),
    ("client_ip", Name::Client),
    ("path", Name::Path),
    ("query", Name::Query),
    ("body", Name::Body),
];
const HEADERS: [(&str, Name); 13] = [
    ("content-type", Name::ContentType),
    ("user-agent", Name::UserAgent),
    ("sec-ch-ua", Name::Brands),
    ("sec-ch-ua-platform", Name::Platform),
    ("sec-ch-ua-platform-version", Name::PlatformVersion),
    ("sec-ch-ua-mobile", Name::Mobile),
    ("sec-ch-ua-model", Name::Model),
    ("sec-gpc", Name::Gpc),
    ("dnt", Name::Dnt),
    ("cmcd-object", Name::Cmcd(0)),
    ("cmcd-request", Name::Cmcd(1)),
    ("cmcd-session", Name::Cmcd(2)),
    ("cmcd-status", Name::Cmcd(3)),
];

/// The names of the values in a log. In addition, `cmcd_{key}` is the name of a single CMCD member.
const LOGGED: [(&str, Name); 25] = [
    ("time", Name::Time),
    ("address", Name::Client),
    ("path", Name::Path),
    ("query", Name::Query),
    ("user_agent", Name::UserAgent),
    ("sec_ch_ua", Name::Brands),
    ("sec_ch_ua_platform", Name::Platform),
    ("sec_ch_ua_platform_version", Name::PlatformVersion),
    ("sec_ch_ua_mobile", Name::Mobile),
    ("sec_ch_ua_model", Name::Model),
    ("sec_gpc", Name::Gpc),
    ("dnt", Name::Dnt),
    ("content_type", Name::ContentType),
    ("body", Name::Body),
    ("tenant", Name::Tenant),
    ("country", Name::Country),
    ("region", Name::Region),
    ("asn", Name::Asn),
    ("ttfb_ms", Name::Ttfb(1)),
    ("ttfb_s", Name::Ttfb(1_000)),
    ("cmcd", Name::Dictionary),
    ("cmcd_object", Name::Cmcd(0)),
    ("cmcd_request", Name::Cmcd(1)),
    ("cmcd_session", Name::Cmcd(2)),
    ("cmcd_status", Name::Cmcd(3)),
];

fn logged(name: &str) -> Option<Name> {
    let named = LOGGED.iter().find(|(ours, _)| *ours == name).map(|(_, name)| *name);
    let key = || {
        let key = name.strip_prefix("cmcd_")?;
        KEYS.iter().position(|(known, _)| *known == key).map(Name::Key)
    };
    named.or_else(key)
}

/// The keys under which the values of a captured request are found. They are the keys of crowdfold's own captures, or
/// the keys of a CDN log.
pub struct LogFields {
    /// The objects of the format. A node is created after its children, so the outermost object is the last node.
    nodes: Vec<Node>,
    /// True for a CDN log. Its values may contain escapes, or represent an absent field.
    pub(super) foreign: bool,
}

/// The keys of one object. Their case is ignored, because the names of headers are keys.
type Node = Vec<(Box<str>, Target)>;

#[derive(Clone, Copy)]
pub(super) enum Target {
    Name(Name),
    /// The index of the node for the nested object. If the value is not an object, it is the value with this name.
    Inside(usize, Option<Name>),
}

impl Default for LogFields {
    fn default() -> Self {
        let mut root = Tree::default();
        let headers =
            HEADERS.iter().map(|(key, name)| (vec!["headers".to_owned(), (*key).to_owned()], *name));
        let request = REQUEST.iter().map(|(key, name)| (vec![(*key).to_owned()], *name));
        for (path, name) in request.chain(headers) {
            // The insertion cannot fail, because all paths are different.
            let _ = root.insert(&path, name);
        }
        Self::of(root, false)
    }
}

impl LogFields {
    /// Creates the keys of a CDN log. `named` maps the name of each value to the path of object keys to this value. A
    /// value without a path is not read. If `named` is empty, the result is the same as [`LogFields::default`], which
    /// has the keys of crowdfold's own captures.
    ///
    /// # Errors
    /// Returns an error if a name is unknown, if a path is empty, or if two fields have the same path.
    pub fn new(named: &BTreeMap<String, Vec<String>>) -> Result<Self, FieldsError> {
        Self::with_custom(named, &[])
    }

    /// Creates the keys of a CDN log, including those of custom dimensions. `custom` contains the sources of custom
    /// dimensions, by their index.
    ///
    /// # Errors
    /// Returns the errors of [`Self::new`]. Also returns an error if a custom dimension has the path of another field.
    pub fn with_custom(
        named: &BTreeMap<String, Vec<String>>,
        custom: &[CustomSource],
    ) -> Result<Self, FieldsError> {
        if named.is_empty() {
            return Ok(Self::default());
        }
        let mut root = Tree::default();
        for (ours, path) in named {
            let name = logged(ours).ok_or_else(|| FieldsError::Unknown(FieldNames::Log, ours.clone()))?;
            if path.is_empty() {
                return Err(FieldsError::Empty(FieldNames::Log, ours.clone()));
            }
            root.insert(path, name).map_err(|PathInUse| FieldsError::Clash(FieldNames::Log, ours.clone()))?;
        }
        for (index, path) in
            custom.iter().enumerate().filter_map(|(at, source)| Some((at, source.log.as_ref()?)))
        {
            let inserted = root.insert(path, Name::Custom(index));
            inserted.map_err(|PathInUse| FieldsError::CustomClash(path.join(".")))?;
        }
        // If the path of the time is `["date", "time"]`, it has two possible meanings: the key `time` inside an object
        // `date`, or two separate fields. The lines show which meaning applies, so both are inserted.
        let joined = named.get("time").filter(|path| path.len() == 2);
        if let Some([_, clock]) = joined.map(Vec::as_slice) {
            // If another value has this path, the insertion fails, and the key belongs to the other value.
            let _ = root.insert(std::slice::from_ref(clock), Name::Clock);
        }
        let mut log = Self::of(root, true);
        if let Some([date, _]) = joined.map(Vec::as_slice) {
            log.join(date);
        }
        Ok(log)
    }

    /// Returns the names of the values that are read from a CDN log.
    pub fn names() -> impl Iterator<Item = String> {
        let members = KEYS.iter().map(|(key, _)| format!("cmcd_{key}"));
        LOGGED.iter().map(|(name, _)| (*name).to_owned()).chain(members)
    }

    fn of(root: Tree<Name>, foreign: bool) -> Self {
        let mut nodes = Vec::new();
        make(root, &mut nodes);
        Self { nodes, foreign }
    }

    /// Assigns a key of the outermost object to the date. It is used in lines in which the value of this key is not an
    /// object.
    fn join(&mut self, date: &str) {
        let root = self.root();
        for (key, target) in &mut self.nodes[root] {
            if let Target::Inside(_, other) = target
                && **key == *date
            {
                *other = Some(Name::Date);
            }
        }
    }

    pub(super) const fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Returns the target of a key in a node, or `None` for an unknown key.
    pub(super) fn find(&self, node: usize, key: &[u8]) -> Option<Target> {
        let mut named = self.nodes[node].iter();
        named.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key)).map(|(_, target)| *target)
    }
}

/// Appends the node of a tree to `nodes`, after the nodes of its subtrees. Returns the index of the node.
fn make(tree: Tree<Name>, nodes: &mut Vec<Node>) -> usize {
    let mut node = Node::new();
    for (key, branch) in tree.branches {
        let target = match branch {
            Branch::Leaf(name) => Target::Name(name),
            Branch::Tree(tree) => Target::Inside(make(tree, nodes), None),
        };
        node.push((key.into(), target));
    }
    nodes.push(node);
    nodes.len() - 1
}
