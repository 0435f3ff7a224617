//! The section `[release]`: the conditions for publishing a row.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};

use crate::fields;

/// The section `[release]`: the conditions for publishing rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Release {
    /// The method that protects the published numbers.
    pub policy: ReleasePolicy,
    /// The minimum number of sessions of a published row.
    #[serde(deserialize_with = "k")]
    pub k: u64,
    /// True to permit a k below 10.
    pub allow_small_k: bool,
    /// The breakdowns, as names of dimensions. The last dimension of a breakdown is folded first.
    #[serde(deserialize_with = "fields::tables")]
    pub breakdowns: Vec<Vec<String>>,
    /// The selection of the detail table.
    pub detail_breakdown: DetailTable,
    /// The minimum number of possible sizes of a small group that was folded into a row with `*`. `None` if it follows
    /// from k.
    #[serde(deserialize_with = "fields::whole_or_auto::<0, 500_000, _, _>")]
    pub margin: Option<u64>,
    /// The standard deviation of the noise outside the detail table, in multiples of the maximum contribution of one
    /// session.
    #[serde(deserialize_with = "fields::whole::<1, 100, _, _>")]
    pub noise: u64,
    /// The minimum number of networks of a published row. 0 means no minimum.
    #[serde(deserialize_with = "fields::whole::<0, 64, _, _>")]
    pub min_networks: u32,
    /// The section `[release.tenants]`: the settings of single tenants, by tenant.
    pub tenants: BTreeMap<String, TenantRelease>,
    /// The section `[release.privacy]`: the privacy budget and the secret.
    pub privacy: Privacy,
}

impl Default for Release {
    fn default() -> Self {
        let breakdowns: [&[&str]; 5] = [
            &["country", "asn"],
            &["device", "os", "browser"],
            &["player", "player_version"],
            &["stream", "format", "content"],
            &["cdn", "connection"],
        ];
        let names = |breakdown: &[&str]| breakdown.iter().map(|name| (*name).to_owned()).collect();
        Self {
            policy: ReleasePolicy::default(),
            k: 50,
            allow_small_k: false,
            breakdowns: breakdowns.into_iter().map(names).collect(),
            detail_breakdown: DetailTable::default(),
            margin: None,
            noise: 8,
            min_networks: 0,
            tenants: BTreeMap::new(),
            privacy: Privacy::default(),
        }
    }
}

/// The method that protects the published numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleasePolicy {
    /// Rows below k are folded, and numbers outside the detail table have noise.
    #[default]
    Threshold,
    /// Every number has noise, as differential privacy requires.
    DifferentialPrivacy,
}

/// The section `[release.tenants.NAME]`: the settings of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantRelease {
    /// The value that replaces `release.k`. `None` if the tenant has the common value.
    #[serde(deserialize_with = "own_k")]
    pub k: Option<u64>,
    /// The value that replaces `release.breakdowns`. `None` if the tenant has the common value.
    #[serde(deserialize_with = "own_breakdowns")]
    pub breakdowns: Option<Vec<Vec<String>>>,
    /// The value that replaces `release.detail_breakdown`. `None` if the tenant has the common value.
    pub detail_breakdown: Option<DetailTable>,
}

/// The selection of the detail table, whose numbers are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DetailTable {
    /// The table of the last breakdown.
    #[default]
    Last,
    /// No detail table.
    None,
    /// The table of the breakdown with these dimensions.
    Breakdown(Vec<String>),
}

/// The section `[release.privacy]`: the privacy budget and the secret.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// The parameter ε: the privacy budget of one session within one tenant and UTC day.
    #[serde(deserialize_with = "epsilon")]
    pub epsilon: f64,
    /// The parameter δ: the probability that the guarantee fails.
    #[serde(deserialize_with = "delta")]
    pub delta: f64,
    /// The path of the file with the secret, which is the key of the noise.
    #[serde(deserialize_with = "fields::optional_path")]
    pub secret_file: Option<PathBuf>,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { epsilon: 1.0, delta: 1e-8, secret_file: None }
    }
}

fn k<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    fields::whole::<1, 1_000_000, _, _>(deserializer)
}

fn own_k<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    k(deserializer).map(Some)
}

fn own_breakdowns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Vec<String>>>, D::Error> {
    fields::tables(deserializer).map(Some)
}

fn epsilon<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    fields::above_zero(deserializer, 10.0)
}

fn delta<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    fields::above_zero(deserializer, 1e-4)
}

impl<'de> Deserialize<'de> for DetailTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DetailVisitor)
    }
}

struct DetailVisitor;

impl<'de> Visitor<'de> for DetailVisitor {
    type Value = DetailTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"last\", \"none\" or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DetailTable, E> {
        match text {
            "last" => Ok(DetailTable::Last),
            "none" => Ok(DetailTable::None),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<DetailTable, A::Error> {
        let list = fields::TextOrListVisitor { want: "\"last\", \"none\" or a list of strings" };
        list.visit_seq(items).map(|found| match found {
            fields::TextOrList::List(names) => DetailTable::Breakdown(names),
            fields::TextOrList::Text(name) => DetailTable::Breakdown(vec![name]),
        })
    }
}
