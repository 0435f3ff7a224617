//! The effective configuration, as TOML.

use std::fmt::Write as _;

use crate::error::Origin;
use crate::loaded::Loaded;
use crate::settings::{Properties, Property};
use crate::tree::{Content, Section, join};
use crate::value::Value;

impl Loaded {
    /// Returns the effective configuration as TOML, with each key once. A comment names the origin of each value that
    /// is not a default. Values that may be secrets are masked.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut text = String::new();
        self.write(&self.layers().root, "", &mut text);
        text
    }

    /// Writes the values of a section, and then the sections in it.
    fn write(&self, section: &Section, key: &str, text: &mut String) {
        for (name, node) in &section.0 {
            if let Content::Value(value) = &node.content {
                let shown = self.shown(key, name, value);
                let name = bare_or_quoted(name);
                let _ = match &node.origin {
                    Origin::Default { .. } => writeln!(text, "{name} = {shown}"),
                    origin => writeln!(text, "{name} = {shown} # {origin}"),
                };
            }
        }
        for (name, node) in &section.0 {
            if let Content::Section(inner) = &node.content {
                let key = join(key, &bare_or_quoted(name));
                let _ = writeln!(text, "{}[{key}]", if text.is_empty() { "" } else { "\n" });
                self.write(inner, &key, text);
            }
        }
    }

    /// Formats a value. A value that may be a secret is masked.
    fn shown(&self, section: &str, name: &str, value: &Value) -> String {
        let property = |properties: &Properties| {
            let found = properties.iter().find(|(known, _)| *known == name);
            let shown = found.map_or("", |(name, property): (&str, &Property)| property.shown(name));
            Value::Text(shown.into()).to_string()
        };
        match (section, name) {
            ("kafka.properties", _) => property(&self.settings.kafka.properties),
            ("kafka.eraser", _) => property(&self.settings.kafka.eraser),
            ("audit", "known") => {
                let masked = vec![Value::Text("********".into()); self.settings.audit.known.len()];
                Value::List(masked).to_string()
            }
            _ => value.to_string(),
        }
    }
}

/// Formats a name as a TOML key, which is quoted if the name contains a dot or another special character.
fn bare_or_quoted(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) {
        name.into()
    } else {
        Value::Text(name.into()).to_string()
    }
}
