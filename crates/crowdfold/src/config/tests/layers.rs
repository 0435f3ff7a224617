use super::*;

#[test]
fn flags_overrule_the_environment_that_overrules_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.toml");
    std::fs::write(&path, "[release]\nk = 60\n[windows]\nlength = \"5m\"\nlateness = \"10s\"\n").unwrap();
    let environment = [
        ("CROWDFOLD_RELEASE__K", "70"),
        ("CROWDFOLD_WINDOWS__LENGTH", "10m"),
        ("CROWDFOLD_HOME", "/x"),
        ("K", "1"),
    ];
    let sources = Sources {
        file: Some(path),
        environment: environment.map(|(name, text)| (name.into(), text.into())).to_vec(),
        flags: vec![Override { key: "release.k", value: "80".into(), flag: "--k" }],
        host: "host-1".into(),
    };
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.policy().k(), config.windows.length, config.windows.lateness), (80, 600_000, 10_000));
    assert!(config.effective().contains("k = 80 # --k\n"));
    assert!(config.effective().contains("length = \"10m\" # CROWDFOLD_WINDOWS__LENGTH\n"));
}

#[test]
fn the_environment_reaches_every_kind_of_key() {
    let config = from_environment(&[
        ("CROWDFOLD_RELEASE__PRIVACY__EPSILON", "2"),
        ("CROWDFOLD_RELEASE__BREAKDOWNS", "[[\"country\"], [\"os\"]]"),
        ("CROWDFOLD_TENANTS__NAMES", "acme, default"),
        ("CROWDFOLD_CONSENT__DNT", "false"),
        ("CROWDFOLD_SOURCE__FIELDS__BANDWIDTH_KBPS", "net.down"),
        ("CROWDFOLD_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "ssl"),
        ("CROWDFOLD_METRICS__LISTEN", ""),
    ])
    .unwrap();
    assert!(config.effective().contains("epsilon = 2 # CROWDFOLD_RELEASE__PRIVACY__EPSILON\n"));
    assert_eq!(config.policy().breakdowns().len(), 2);
    assert_eq!(config.tenants.names, ["acme", "default"]);
    assert_eq!(config.tenants.default, 1);
    assert!(!config.consent.dnt);
    assert_eq!(config.source.fields["bandwidth_kbps"], ["net", "down"]);
    assert_eq!(config.kafka.properties.resolve().unwrap(), [("security.protocol".into(), "ssl".into())]);
    assert_eq!(config.metrics.listen, None);
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    for (name, text, expect) in [
        (
            "CROWDFOLD_WINDOWS__LENGHT",
            "1m",
            "CROWDFOLD_WINDOWS__LENGHT: windows.lenght: unknown key; did you mean CROWDFOLD_WINDOWS__LENGTH?",
        ),
        (
            "CROWDFOLD_RELEASE__K",
            "many",
            "CROWDFOLD_RELEASE__K: release.k: found a string \"many\", want a whole number from 1 to 1000000",
        ),
        (
            "CROWDFOLD_WINDOWS__LENGTH",
            "60",
            "CROWDFOLD_WINDOWS__LENGTH: windows.length: found a string \"60\", want a duration from 1s to 1d, such as \
             \"90s\"",
        ),
    ] {
        assert_eq!(from_environment(&[(name, text)]).err().unwrap().to_string(), expect);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let sources = Sources { file: Some("no/such.toml".into()), ..Sources::default() };
    assert_eq!(
        Config::load(&sources).err().unwrap().to_string(),
        "no/such.toml: cannot be read: entity not found"
    );
}
