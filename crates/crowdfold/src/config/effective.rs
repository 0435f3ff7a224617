//! The configuration that is in force, as TOML.

use std::fmt::Write as _;

use super::Config;
use super::value::Value;

impl Config {
    /// The configuration that is in force, as TOML, every key once; behind what is not a default, where it was given.
    /// What may be a secret is masked.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut text = String::new();
        let of_tenants = self.layers.of_tenants.keys();
        let by_tenant = |section: &str| {
            let section = section.to_owned();
            of_tenants.clone().filter(move |own| own.rsplit_once('.').is_some_and(|(of, _)| of == section))
        };
        let sections = self.layers.sections.iter();
        for section in sections.flat_map(|section| std::iter::once(section).chain(by_tenant(section))) {
            let _ = writeln!(text, "{}[{section}]", if text.is_empty() { "" } else { "\n" });
            for (name, value, origin) in self.keys_of(section) {
                let _ = match origin {
                    None => writeln!(text, "{name} = {value}"),
                    Some(origin) => writeln!(text, "{name} = {value} # {origin}"),
                };
            }
        }
        text
    }

    fn keys_of(&self, section: &str) -> Vec<(String, String, Option<String>)> {
        let properties = match section {
            "kafka.properties" => Some(&self.kafka.properties),
            "kafka.eraser" => Some(&self.kafka.eraser),
            _ => None,
        };
        if let Some(properties) = properties {
            let shown = properties.iter().map(|property| {
                let value = Value::Text(property.shown());
                (bare_or_quoted(property.name()), value.to_string(), Some(property.origin().to_string()))
            });
            return shown.collect();
        }
        let listed = self.layers.under(section).filter(|(name, _)| !name.contains('.'));
        let mut entries: Vec<_> = listed.collect();
        let order = |name: &str| self.layers.keys.iter().position(|key| *key == format!("{section}.{name}"));
        entries.sort_by_key(|(name, _)| order(name));
        let shown = entries.into_iter().map(|(name, entry)| {
            let instance =
                section == "kafka" && name == "instance" && entry.value == Value::Text(String::new());
            if instance {
                let value = Value::Text(self.kafka.instance.clone());
                return (name.into(), value.to_string(), Some("the host's name".into()));
            }
            if section == "audit" && name == "known" {
                // what is looked for must not be shown
                let count = self.audit.known.len();
                let masked = Value::List(vec![Value::Text("********".into()); count]);
                let origin = Some(&entry.origin).filter(|origin| !origin.is_default());
                return (name.into(), masked.to_string(), origin.map(ToString::to_string));
            }
            let origin = Some(&entry.origin).filter(|origin| !origin.is_default());
            (bare_or_quoted(name), entry.value.to_string(), origin.map(ToString::to_string))
        });
        shown.collect()
    }
}

/// A key as TOML writes it: quoted where there is a dot in it.
fn bare_or_quoted(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.bytes().all(bare) { name.into() } else { Value::Text(name.into()).to_string() }
}
