//! Where a captured request, or a line of a CDN's log, keeps what is looked at.

use std::collections::BTreeMap;

use super::keys::KEYS;
use crate::FieldsError;
use crate::paths::{Branch, Taken, Tree};

/// What is looked at. Nothing else of a request is ever read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    /// When it was received, as a number of ms.
    Received,
    /// The same, however a log writes it.
    Time,
    /// The date of it, and the time of day, where they are kept apart.
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
    /// All of CMCD, as in a query.
    Dictionary,
    /// `CMCD-Object`, `CMCD-Request`, `CMCD-Session`, `CMCD-Status`.
    Cmcd(usize),
    /// One member of CMCD, by its position among the keys.
    Key(usize),
}

/// Keys of a captured request itself, and its headers.
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

/// Our names of what a log may hold, but for single members of CMCD, which are `cmcd_{key}`.
const LOGGED: [(&str, Name); 23] = [
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

/// Where captured requests keep what is looked at: their own keys, or those of a log (`[source.log]`).
pub struct LogFields {
    /// The root comes last: a node is made after those inside it.
    nodes: Vec<Node>,
    /// Whether it is a log of somebody else, which writes values in ways of its own.
    pub(super) foreign: bool,
}

/// The keys of one object, told apart without regard to case, as headers are.
type Node = Vec<(Box<str>, Target)>;

#[derive(Clone, Copy)]
pub(super) enum Target {
    Name(Name),
    /// The index of the node it leads into, and what is there where it is no object.
    Inside(usize, Option<Name>),
}

impl Default for LogFields {
    fn default() -> Self {
        let mut root = Tree::default();
        let headers =
            HEADERS.iter().map(|(key, name)| (vec!["headers".to_owned(), (*key).to_owned()], *name));
        let request = REQUEST.iter().map(|(key, name)| (vec![(*key).to_owned()], *name));
        for (path, name) in request.chain(headers) {
            // They are all different.
            let _ = root.plant(&path, name);
        }
        Self::of(root, false)
    }
}

impl LogFields {
    /// A log's: from our name to the path of object keys in its lines. Nothing that is not named is read. Where none is
    /// named, the keys of captured requests.
    ///
    /// # Errors
    /// If a name is not ours, a path is empty, or two fields have the same path.
    pub fn new(named: &BTreeMap<String, Vec<String>>) -> Result<Self, FieldsError> {
        const TABLE: &str = "source.log";
        if named.is_empty() {
            return Ok(Self::default());
        }
        let mut root = Tree::default();
        for (ours, path) in named {
            let name = logged(ours).ok_or_else(|| FieldsError::Unknown(TABLE, ours.clone()))?;
            if path.is_empty() {
                return Err(FieldsError::Empty(TABLE, ours.clone()));
            }
            root.plant(path, name).map_err(|Taken| FieldsError::Clash(TABLE, ours.clone()))?;
        }
        // `time = ["date", "time"]` are two fields as well, where `date` is no object.
        let joined = named.get("time").filter(|path| path.len() == 2);
        if let Some([_, clock]) = joined.map(Vec::as_slice) {
            // A path that is taken already is not the time.
            let _ = root.plant(std::slice::from_ref(clock), Name::Clock);
        }
        let mut log = Self::of(root, true);
        if let Some([date, _]) = joined.map(Vec::as_slice) {
            log.join(date);
        }
        Ok(log)
    }

    /// Our names of what a log may hold.
    pub fn names() -> impl Iterator<Item = String> {
        let members = KEYS.iter().map(|(key, _)| format!("cmcd_{key}"));
        LOGGED.iter().map(|(name, _)| (*name).to_owned()).chain(members)
    }

    fn of(root: Tree<Name>, foreign: bool) -> Self {
        let mut nodes = Vec::new();
        make(root, &mut nodes);
        Self { nodes, foreign }
    }

    /// Looks for the date under a key of the root where there is no object.
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

    /// The target of a key of a node.
    pub(super) fn find(&self, node: usize, key: &[u8]) -> Option<Target> {
        let mut named = self.nodes[node].iter();
        named.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key)).map(|(_, target)| *target)
    }
}

/// Adds the node of a tree to the others, after those inside it. Returns its index.
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
