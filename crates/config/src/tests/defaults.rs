use std::time::Duration;

use serde::Deserialize as _;

use super::*;
use crate::tree::Content;
use crate::{Bounds, DEFAULT, Kafka, Origin, Settings};

#[test]
fn defaults_of_the_structs_equal_the_default_file() {
    let mut layers = Layers::defaults().unwrap();
    layers.derive_defaults("host-1");
    let read = Settings::deserialize(crate::deserializer::RootDeserializer(&mut layers.root)).unwrap();
    let kafka = Kafka { instance: "host-1".into(), ..Kafka::default() };
    assert_eq!(read, Settings { kafka, ..Settings::default() });
}

/// Returns the keys of all sections and values in `deploy/default.toml`.
fn known_keys() -> Vec<String> {
    let mut keys = Vec::new();
    Layers::defaults().unwrap().root.list("", &mut keys);
    keys
}

#[test]
fn every_key_of_the_default_file_is_read() {
    for key in known_keys() {
        let error =
            load(&format!("{key} = 1979-05-27\n")).err().unwrap_or_else(|| panic!("{key} is not read"));
        assert!(error.to_string().starts_with(&format!("x.toml:1: {key} is ")), "{error}");
    }
}

/// The test finds the fields of each struct in the error for an unknown key. This error lists the known keys of the
/// section.
#[test]
fn every_key_of_the_structs_is_in_the_default_file() {
    let known = known_keys();
    let mut listed = 0;
    for section in known.iter().map(String::as_str).chain([""]) {
        let unknown = crate::tree::join(section, "zzzzzzzzzz");
        let message =
            load(&format!("{unknown} = 1\n")).err().map(|error| error.to_string()).unwrap_or_default();
        let Some((_, names)) = message.split_once("known here: ") else { continue };
        for name in names.split(", ") {
            let key = crate::tree::join(section, name);
            assert!(known.contains(&key), "{key} is not in deploy/default.toml");
            listed += 1;
        }
    }
    // The error for the section `dimensions` does not list `dimensions.tenants`, because all other keys of this section
    // are names of dimensions.
    assert_eq!(listed + 1, known.len());
}

#[test]
fn every_key_of_the_default_file_has_a_comment() {
    fn check(section: &crate::tree::Section, lines: &[&str]) {
        for (name, node) in &section.0 {
            match (&node.content, &node.origin) {
                (Content::Section(inner), _) => check(inner, lines),
                (Content::Value(_), Origin::Default { line }) => {
                    assert!(lines[line - 2].starts_with("# "), "{name} has no comment above it");
                }
                (Content::Value(_), origin) => panic!("{name} comes from {origin}"),
            }
        }
    }
    check(&Layers::defaults().unwrap().root, &DEFAULT.lines().collect::<Vec<_>>());
}

#[test]
fn effective_configuration_can_be_loaded_again() {
    let text = "[tenants]\nnames = [\"acme\", \"kids\"]\ndefault = \"acme\"\nper_tenant_topics = true\n\
                [source.fields]\nts = \"time.at\"\nsession = [\"player\", \"session.id\"]\n\
                [kafka.properties]\n\"security.protocol\" = \"ssl\"\nsocket.keepalive.enable = true\n";
    let first = load(text).unwrap();
    let second = load(&first.effective()).unwrap();
    assert_eq!(first.settings, second.settings);
    assert_eq!(second.settings.topic_names().rollups(), ["crowdfold.rollups.acme", "crowdfold.rollups.kids"]);
    assert!(first.effective().contains("names = [\"acme\", \"kids\"] # x.toml:2\n"), "{}", first.effective());
}

/// For the default check interval of 5 minutes, a time-to-live of one hour leaves a retention of 44 minutes.
#[test]
fn bounds_include_the_interval_of_the_retention_check() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let bounds = Bounds::of(minutes(60), Duration::ZERO);
    let all = [bounds.retention, bounds.segment, bounds.readable, bounds.on_disk];
    assert_eq!(all, [44, 11, 60, 61].map(minutes));
    let ahead = Bounds::of(minutes(60), minutes(1));
    assert_eq!((ahead.retention, ahead.readable), (Duration::from_millis(2_592_000), minutes(60)));
    let least = Bounds::least_ttl(minutes(33), Duration::ZERO);
    assert!(Bounds::of(least, Duration::ZERO).retention >= minutes(33));
    assert!(Bounds::of(least - minutes(2), Duration::ZERO).retention < minutes(33));
}
