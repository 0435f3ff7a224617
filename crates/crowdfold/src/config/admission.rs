//! Who is let in, and what is kept of them: `[tenants]`, `[address]`, `[consent]`, `[content]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crowdfold_airlock::AddressPolicy;
use crowdfold_scan::PublicIds;

use super::attributes;
use super::layers::Layers;
use super::problem::Problem;
use super::read::meant;

/// Tenants are numbered with 16 bits; far fewer fit one deployment.
const MOST_TENANTS: usize = 10_000;

/// `[tenants]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenants {
    /// The closed catalogue.
    pub names: Vec<String>,
    /// The tenant of beacons that name none: an index into `names`.
    pub default: usize,
    /// Each tenant's rollups have a topic of their own.
    pub per_tenant_topics: bool,
    /// Tenants whose rows are added to nobody else's.
    pub excluded_from_groupings: Vec<String>,
    /// What readers group tenants by: tenant, attribute, value.
    pub attributes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Tenants {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        const NAMES: &str = "tenants.names";
        let names = layers.words(NAMES)?;
        if names.is_empty() || names.len() > MOST_TENANTS {
            return Err(
                layers.refuse(NAMES, format!("found {} tenants, want 1 to {MOST_TENANTS}", names.len()))
            );
        }
        if let Some(name) = names.iter().find(|name| !is_tenant(name)) {
            let name = name.escape_debug();
            return Err(layers.refuse(NAMES, format!("found \"{name}\", want 1 to 40 of a-z, 0-9 and -")));
        }
        if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(layers.refuse(NAMES, format!("names {name} twice: take one out")));
        }
        let default = layers.text("tenants.default")?;
        let found = names.iter().position(|name| name == default);
        let default = found.ok_or_else(|| {
            let of = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
            let what =
                format!("\"{}\" is not in tenants.names: set it to one of {of}", default.escape_debug());
            if layers.untouched("tenants.default") {
                layers.refuse_as(NAMES, &format!("tenants.default: {what}"))
            } else {
                layers.refuse("tenants.default", what)
            }
        })?;
        let mut tenants = Self {
            names,
            default,
            per_tenant_topics: layers.flag("tenants.per_tenant_topics")?,
            excluded_from_groupings: Vec::new(),
            attributes: BTreeMap::new(),
        };
        tenants.excluded_from_groupings = tenants.listed(layers, "tenants.excluded_from_groupings")?;
        tenants.attributes = attributes::read(layers, &tenants)?;
        Ok(tenants)
    }

    /// Tenants that may be grouped by an attribute, with what it is for each.
    pub fn grouped_by<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let given =
            self.attributes.iter().filter_map(move |(t, given)| Some((t.as_str(), given.get(attribute)?)));
        given
            .filter(|(tenant, _)| self.may_be_grouped(tenant))
            .map(|(tenant, value)| (tenant, value.as_str()))
    }

    /// Whether a tenant's rows may be added to others': one of the catalogue that did not ask to be left out.
    #[must_use]
    pub fn may_be_grouped(&self, tenant: &str) -> bool {
        let is = |name: &String| name == tenant;
        self.names.iter().any(is) && !self.excluded_from_groupings.iter().any(is)
    }

    /// A list of tenants, each of the catalogue.
    fn listed(&self, layers: &Layers, key: &str) -> Result<Vec<String>, Problem> {
        let listed = layers.words(key)?;
        match listed.iter().find(|name| !self.names.contains(name)) {
            None => Ok(listed),
            Some(name) => {
                let what = format!("\"{}\" is not in tenants.names{}", name.escape_debug(), self.meant(name));
                Err(layers.refuse(key, what))
            }
        }
    }

    /// The tenants that have a section of their own in that one, each of the catalogue.
    pub(super) fn sections<'a>(&self, layers: &'a Layers, section: &str) -> Result<Vec<&'a str>, Problem> {
        let mut found = Vec::new();
        for (own, origin) in &layers.of_tenants {
            let Some(tenant) = own.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            if !self.names.iter().any(|name| name == tenant) {
                let what = format!("is no tenant of tenants.names{}", self.meant(tenant));
                return Err(Problem::at(origin, own, what));
            }
            found.push(tenant);
        }
        Ok(found)
    }

    fn meant(&self, name: &str) -> String {
        meant(name, self.names.iter().map(String::as_str))
    }
}

fn is_tenant(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(letter)
}

/// `[address]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What is kept.
    pub policy: AddressPolicy,
    /// MMDB with countries.
    pub country_mmdb: Option<PathBuf>,
    /// MMDB with autonomous systems.
    pub asn_mmdb: Option<PathBuf>,
}

impl Address {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let policies = [("strip", AddressPolicy::Strip), ("truncate", AddressPolicy::Truncate)];
        Ok(Self {
            policy: layers.choice("address.policy", &policies)?,
            country_mmdb: layers.optional("address.country_mmdb")?.map(PathBuf::from),
            asn_mmdb: layers.optional("address.asn_mmdb")?.map(PathBuf::from),
        })
    }
}

/// `[consent]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// `DNT: 1` opts out.
    pub dnt: bool,
    /// Bots are dropped.
    pub drop_bots: bool,
    /// Tenants dropped whole.
    pub child_directed_tenants: Vec<String>,
    /// Contents dropped whole.
    pub child_directed_content: Vec<String>,
}

impl Consent {
    pub(super) fn read(layers: &Layers, tenants: &Tenants) -> Result<Self, Problem> {
        let child_directed_tenants = tenants.listed(layers, "consent.child_directed.tenants")?;
        Ok(Self {
            gpc: layers.flag("consent.gpc")?,
            dnt: layers.flag("consent.dnt")?,
            drop_bots: layers.flag("consent.drop_bots")?,
            child_directed_tenants,
            child_directed_content: layers.words("consent.child_directed.content")?,
        })
    }
}

/// `[content]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Content ids are a dimension.
    pub keep: bool,
    /// Ids that match this regular expression are public.
    pub pattern: Option<String>,
    /// `content` may share a breakdown with region, asn or network.
    pub allow_below_place: bool,
}

impl Content {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        Ok(Self {
            keep: layers.choice("content.policy", &[("keep", true), ("drop", false)])?,
            pattern: pattern(layers)?,
            allow_below_place: layers.flag("content.allow_below_place")?,
        })
    }
}

impl Content {
    /// Returns the ids that `content.pattern` declares public.
    #[must_use]
    pub fn public_ids(&self) -> Option<PublicIds> {
        PublicIds::new(self.pattern.as_deref()?).ok()
    }
}

fn pattern(layers: &Layers) -> Result<Option<String>, Problem> {
    const PATTERN: &str = "content.pattern";
    let Some(pattern) = layers.optional(PATTERN)? else { return Ok(None) };
    match PublicIds::new(pattern) {
        Ok(_) => Ok(Some(pattern.to_owned())),
        Err(reason) => {
            let what = format!("is not a regular expression ({reason}); correct it, or set it to \"\"");
            Err(layers.refuse(PATTERN, what))
        }
    }
}
