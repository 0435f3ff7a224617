//! Reads the values of custom dimensions from beacons.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Settings;
use super::beacon::is_absent;

/// A custom dimension of one tenant or of all tenants.
#[derive(Clone, Debug)]
pub struct Custom {
    /// The name of the dimension.
    pub name: String,
    /// The tenant of the dimension. If it is `None`, the dimension is used for all tenants without their own dimension
    /// of this name.
    pub tenant: Option<String>,
    /// The path of object keys in JSON beacons to the value.
    pub json: Vec<String>,
    /// The custom CMCD key.
    pub cmcd: String,
    /// The closed list of values, or `None` if every string is a valid value.
    pub values: Option<Vec<String>>,
}

/// The values that may belong to custom dimensions: strings and numbers of JSON objects by their path, and CMCD values
/// by their key.
pub(super) type Values = BTreeMap<Vec<String>, String>;

/// Adds the strings and numbers of an object.
pub(super) fn add(fields: &Map<String, Value>, path: &[String], values: &mut Values) {
    for (name, value) in fields {
        let path = [path, std::slice::from_ref(name)].concat();
        match value {
            Value::String(text) => drop(values.insert(path, text.clone())),
            Value::Number(number) => drop(values.insert(path, number.to_string())),
            Value::Object(inner) => add(inner, &path, values),
            _ => {}
        }
    }
}

/// Returns those custom dimensions of a tenant that have a value.
pub(super) fn dimensions(values: &Values, tenant: &str, settings: &Settings) -> BTreeMap<String, String> {
    let own = |custom: &&Custom| custom.tenant.as_deref() == Some(tenant);
    let of_tenant = settings.custom.iter().filter(|custom| {
        let is_replaced = || settings.custom.iter().filter(own).any(|other| other.name == custom.name);
        own(custom) || custom.tenant.is_none() && !is_replaced()
    });
    let value = |custom: &Custom| {
        let text = values.get(&custom.json).or_else(|| values.get(&vec![custom.cmcd.clone()]))?.trim();
        if is_absent(text) {
            return None;
        }
        let Some(list) = &custom.values else { return Some(text.to_owned()) };
        let listed = list.iter().find(|listed| listed.eq_ignore_ascii_case(text));
        Some(listed.map_or("other", |listed| listed).to_owned())
    };
    of_tenant.filter_map(|custom| Some((custom.name.clone(), value(custom)?))).collect()
}
