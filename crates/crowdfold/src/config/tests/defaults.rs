use crowdfold_config::Settings;
use crowdfold_release::{Policy, PolicySettings};

use super::*;

#[test]
fn defaults_are_those_of_the_other_crates() {
    let config = config("").unwrap();
    assert_eq!(*config.policy(), Policy::threshold(PolicySettings::default()).unwrap());
    assert_eq!(
        format!("{:?}", config.airlock().unwrap()),
        format!("{:?}", crowdfold_airlock::Settings::default())
    );
    assert_eq!(config.windows, Settings::default().windows);
}

#[test]
fn rules_have_the_times_of_the_settings() {
    let config =
        config("[windows]\nlength = \"5m\"\nlateness = \"1s\"\n[sessions]\nidle_timeout = \"2s\"\nmax_per_partition = 7\n")
            .unwrap();
    let rules = config.rules();
    assert_eq!((rules.window, rules.lateness, rules.idle, rules.max_sessions), (300_000, 1_000, 2_000, 7));
}

#[test]
fn collector_has_the_settings_of_other_sections() {
    let text = "[tenants]\nnames = [\"acme\"]\ndefault = \"acme\"\n[consent]\ndnt = false\n[source]\n\
                partitioner = \"crc32\"\nmax_beacons = 3\n[source.fields]\nts = \"t\"\n[collect]\n\
                acknowledge = \"queued\"\n[collect.tls]\ncertificate = \"/c\"\nkey = \"/k\"\n";
    let config = config(text).unwrap();
    let collector = config.collector();
    assert_eq!((collector.tenants, collector.dnt, collector.gpc), (vec!["acme".into()], false, true));
    assert_eq!(collector.partitioner, crowdfold_model::Partitioner::Crc32);
    assert_eq!((collector.max_beacons, &*collector.fields["ts"]), (3, &["t".to_owned()][..]));
    assert_eq!(collector.acknowledge, crowdfold_collector::Acknowledge::Queued);
    let files = config.collector_files().unwrap();
    assert_eq!((files.certificate.to_str(), files.key.to_str()), (Some("/c"), Some("/k")));
}
