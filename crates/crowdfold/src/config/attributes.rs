//! `[tenants.attributes]`: what readers group tenants by.

use std::collections::BTreeMap;

use crowdfold_model::Dimension;

use super::Tenants;
use super::layers::Layers;
use super::problem::Problem;
use super::value::Value;

const SECTION: &str = "tenants.attributes";

/// Names of columns that stand beside attributes where rows are read.
const TAKEN: [&str; 5] = ["tenant", "tenants", "from", "to", "windows"];

/// By tenant and name.
pub(super) fn read(
    layers: &Layers,
    tenants: &Tenants,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Problem> {
    let mut all = BTreeMap::new();
    for tenant in tenants.sections(layers, SECTION)? {
        let section = format!("{SECTION}.{tenant}");
        let mut attributes = BTreeMap::new();
        for (name, entry) in layers.under(&section) {
            let refuse = |what: String| Problem::at(&entry.origin, &format!("{section}.{name}"), what);
            if Dimension::named(name).is_some() {
                return Err(refuse(
                    "is a dimension, and a reader could not tell which is meant: name it otherwise".into(),
                ));
            }
            if !is_name(name) || TAKEN.contains(&name) {
                let taken = TAKEN.join(", ");
                let what = format!(
                    "want a name of 1 to 40 of a-z, 0-9 and _, from a letter on, and none of {taken}"
                );
                return Err(refuse(what));
            }
            match &entry.value {
                Value::Text(value) if is_value(value) => attributes.insert(name.to_owned(), value.clone()),
                Value::Strange(kind) => return Err(refuse(format!("found {kind}, want a string"))),
                other => {
                    let kind = other.kind();
                    return Err(refuse(format!(
                        "found {kind} {other}, want a string of 1 to 64 characters on one line"
                    )));
                }
            };
        }
        all.insert(tenant.to_owned(), attributes);
    }
    Ok(all)
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(word)
}

fn is_value(value: &str) -> bool {
    (1..=64).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}
