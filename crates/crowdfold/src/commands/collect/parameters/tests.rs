use crowdfold_config::Sources;

use super::*;

#[test]
fn collector_receives_settings_of_consent_source_and_tenants() {
    let text = "[tenants]\nnames = [\"acme\"]\ndefault = \"acme\"\n[consent]\ndnt = false\n[source]\n\
                partitioner = \"crc32\"\nmax_beacons = 3\n[source.fields]\nts = \"t\"\n[collect]\n\
                acknowledge = \"queued\"\n[collect.tls]\ncertificate = \"/c\"\nkey = \"/k\"\n";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources { file: Some(file), host: "host-1".into(), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    let collector = settings(&config);
    assert_eq!((collector.tenants, collector.dnt, collector.gpc), (vec!["acme".into()], false, true));
    assert_eq!(collector.partitioner, crowdfold_model::Partitioner::Crc32);
    assert_eq!((collector.max_beacons, &*collector.fields["ts"]), (3, &["t".to_owned()][..]));
    assert_eq!(collector.acknowledge, crowdfold_collector::Acknowledge::Queued);
    let files = files(&config).unwrap();
    assert_eq!((files.certificate.to_str(), files.key.to_str()), (Some("/c"), Some("/k")));
}
