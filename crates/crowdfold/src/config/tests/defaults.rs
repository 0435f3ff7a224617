use crowdfold_release::{Policy, PolicySettings};

use super::*;

#[test]
fn defaults_are_what_the_crates_take_for_default() {
    let config = config("").unwrap();
    assert_eq!(*config.policy(), Policy::threshold(PolicySettings::default()).unwrap());
    assert_eq!(
        format!("{:?}", config.airlock().unwrap()),
        format!("{:?}", crowdfold_airlock::Settings::default())
    );
    assert_eq!(config.kafka.instance, "host-1");
    assert_eq!(config.replay(), 180_000);
    let names = config.topic_names();
    assert_eq!((&*names.beacons, names.rollups_of(0)), ("crowdfold.beacons", "crowdfold.rollups"));
}

#[test]
fn every_key_of_the_defaults_has_a_comment() {
    let lines: Vec<&str> = DEFAULT.lines().collect();
    for key in &Layers::defaults().unwrap().keys {
        let Origin::Default { line } = Layers::defaults().unwrap().entries[key].origin else {
            panic!("{key}")
        };
        assert!(lines[line - 2].starts_with("# "), "{key} has no comment above it");
    }
}

/// A wrong type for a key must be noticed: else nobody reads that key, and it has no business in the file.
#[test]
fn every_key_of_the_defaults_is_read() {
    for key in &Layers::defaults().unwrap().keys {
        let (section, name) = key.rsplit_once('.').unwrap();
        let problem = config(&format!("[{section}]\n{name} = 1979-05-27\n")).err();
        let problem = problem.unwrap_or_else(|| panic!("{key} is not read")).to_string();
        assert!(problem.starts_with(&format!("x.toml:2: {key}: found a date or time, want ")), "{problem}");
    }
}

#[test]
fn what_is_in_force_can_be_loaded_again() {
    let text = "[tenants]\nnames = [\"acme\", \"kids\"]\ndefault = \"acme\"\nper_tenant_topics = true\n\
                [source.fields]\nts = \"time.at\"\nsession = [\"player\", \"session.id\"]\n\
                [kafka.properties]\n\"security.protocol\" = \"ssl\"\nsocket.keepalive.enable = true\n";
    let first = config(text).unwrap();
    let second = config(&first.effective()).unwrap();
    assert_eq!(first.source, second.source);
    assert_eq!(first.tenants, second.tenants);
    assert_eq!(first.kafka.properties.resolve().unwrap(), second.kafka.properties.resolve().unwrap());
    assert_eq!(second.topic_names().rollups(), ["crowdfold.rollups.acme", "crowdfold.rollups.kids"]);
    assert!(first.effective().contains("names = [\"acme\", \"kids\"] # x.toml:2\n"), "{}", first.effective());
}
