use std::ffi::OsString;
use std::time::Duration;

use super::*;
use crate::{Override, TopicNames};

/// Loads a configuration with one command-line flag.
fn load_flag(key: &'static str, value: &str, flag: &'static str) -> Result<Loaded, ConfigError> {
    let flags = vec![Override { key, value: value.into(), flag }];
    Loaded::load(&Sources { flags, host: "host-1".into(), ..Sources::default() })
}

#[test]
fn flags_override_variables_which_override_files_which_override_defaults() {
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
        file: Some(path.clone()),
        environment: environment.map(|(name, text)| (name.into(), text.into())).to_vec(),
        flags: vec![Override { key: "release.k", value: "80".into(), flag: "--k" }],
        host: "host-1".into(),
    };
    let loaded = Loaded::load(&sources).unwrap();
    let windows = loaded.settings.windows;
    assert_eq!(loaded.settings.release.k, 80);
    assert_eq!((windows.length, windows.lateness), (Duration::from_secs(600), Duration::from_secs(10)));
    assert_eq!(windows.max_skew, Duration::from_secs(60));
    for line in [
        "k = 80 # --k\n".to_owned(),
        "length = \"10m\" # CROWDFOLD_WINDOWS__LENGTH\n".into(),
        format!("lateness = \"10s\" # {}:5\n", path.display()),
        "max_skew = \"60s\"\n".into(),
        "instance = \"host-1\" # the host's name\n".into(),
    ] {
        assert!(loaded.effective().contains(&line), "{line}: {}", loaded.effective());
    }
}

#[test]
fn environment_variable_can_set_a_value_of_every_type() {
    let loaded = load_environment(&[
        ("CROWDFOLD_RELEASE__PRIVACY__EPSILON", "2"),
        ("CROWDFOLD_RELEASE__BREAKDOWNS", "[[\"country\"], [\"os\"]]"),
        ("CROWDFOLD_RELEASE__MARGIN", "20"),
        ("CROWDFOLD_RELEASE__DETAIL_BREAKDOWN", "none"),
        ("CROWDFOLD_TENANTS__NAMES", "acme, default"),
        ("CROWDFOLD_CONSENT__DNT", "false"),
        ("CROWDFOLD_SOURCE__FIELDS__BANDWIDTH_KBPS", "net.down"),
        ("CROWDFOLD_KAFKA__BROKERS", "a:1,b:2"),
        ("CROWDFOLD_KAFKA__INSTANCE", "7"),
        ("CROWDFOLD_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "ssl"),
        ("CROWDFOLD_KAFKA__ERASER__SASL_USERNAME", "[\"x\"]"),
        ("CROWDFOLD_METRICS__LISTEN", ""),
        ("CROWDFOLD_SOURCE__FORMAT", "cmcd"),
    ])
    .unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.release.breakdowns, [["country"], ["os"]]);
    assert_eq!((settings.release.margin, settings.kafka.instance.as_str()), (Some(20), "7"));
    assert_eq!(settings.release.detail_breakdown, crate::DetailTable::None);
    assert_eq!(settings.tenants.names, ["acme", "default"]);
    assert_eq!(settings.tenants.default_index(), 1);
    assert!(!settings.consent.dnt);
    assert_eq!(settings.source.fields["bandwidth_kbps"], ["net", "down"]);
    assert_eq!(settings.source.format, crate::Format::Cmcd);
    assert_eq!(settings.kafka.brokers, ["a:1", "b:2"]);
    let properties = |properties: &crate::Properties| properties.resolve("").unwrap();
    assert_eq!(properties(&settings.kafka.properties), [("security.protocol".into(), "ssl".into())]);
    assert_eq!(properties(&settings.kafka.eraser), [("sasl.username".into(), "[\"x\"]".into())]);
    assert_eq!(settings.metrics.listen, None);
    for line in [
        "epsilon = 2 # CROWDFOLD_RELEASE__PRIVACY__EPSILON\n",
        "names = [\"acme\", \"default\"] # CROWDFOLD_TENANTS__NAMES\n",
        "dnt = false # CROWDFOLD_CONSENT__DNT\n",
        "margin = 20 # CROWDFOLD_RELEASE__MARGIN\n",
        "instance = \"7\" # CROWDFOLD_KAFKA__INSTANCE\n",
    ] {
        assert!(loaded.effective().contains(line), "{line}: {}", loaded.effective());
    }
    assert_eq!(load(&loaded.effective()).unwrap().settings, loaded.settings);
}

#[test]
fn value_of_a_wrong_type_is_refused_in_every_layer() {
    for (key, text, expect) in [
        ("release.k", "many", "is \"many\"; set it to a whole number from 1 to 1000000"),
        (
            "windows.length",
            "60",
            "is \"60\"; set it to a duration from 1s to 1d, such as \"90s\" (units: ms, s, m, h, d, w)",
        ),
        ("consent.dnt", "yes", "is \"yes\"; set it to true or false"),
        ("source.format", "jsn", "is \"jsn\"; set it to \"json\", \"cmcd\" or \"capture\""),
        ("release.privacy.epsilon", "0", "is 0; set it to a number above 0, up to 10"),
        ("release.margin", "wide", "is \"wide\"; set it to \"auto\" or a whole number from 0 to 500000"),
        ("collect.tls", "x", "is set to a string, but it is a section; write [collect.tls] and its keys"),
    ] {
        let variable = format!("CROWDFOLD_{}", key.replace('.', "__").to_uppercase());
        let error = load_environment(&[(&variable, text)]).err().unwrap();
        assert_eq!(error.to_string(), format!("{variable}: {key} {expect}"));
        let error = load_flag(key, text, "--flag").err().unwrap();
        assert_eq!(error.to_string(), format!("--flag: {key} {expect}"));
        let quoted = if text == "0" { text.to_owned() } else { format!("\"{text}\"") };
        check(&format!("{key} = {quoted}\n"), &format!("x.toml:1: {key} {expect}"));
    }
}

#[test]
fn misspelled_environment_variable_is_refused_with_its_name() {
    for (name, expect) in [
        (
            "CROWDFOLD_WINDOWS__LENGHT",
            "windows.lenght is not a known key; did you mean CROWDFOLD_WINDOWS__LENGTH?",
        ),
        (
            "CROWDFOLD_COLLECT__TLS__KEYS",
            "collect.tls.keys is not a known key; did you mean CROWDFOLD_COLLECT__TLS__KEY?",
        ),
        ("CROWDFOLD_WINDOW__LENGTH", "window is not a known key; did you mean CROWDFOLD_WINDOWS?"),
        ("CROWDFOLD_RELEASE__K__X", "release.k is written as a section; write it as a key with a value"),
        (
            "CROWDFOLD_RELEASE_K",
            "release.k is not set by this variable; write CROWDFOLD_RELEASE__K, with two underscores",
        ),
        (
            "CROWDFOLD_RELEASE_PRIVACY_EPSILON",
            "release.privacy.epsilon is not set by this variable; write CROWDFOLD_RELEASE__PRIVACY__EPSILON, with two \
             underscores",
        ),
    ] {
        let error = load_environment(&[(name, "1m")]).err().unwrap();
        assert_eq!(error.to_string(), format!("{name}: {expect}"));
    }
    let error = load_flag("release.kk", "1", "--k").err().unwrap();
    assert_eq!(error.to_string(), "--k: release.kk is not a known key; did you mean release.k?");
}

#[test]
fn key_of_more_than_16_words_is_refused_unless_it_is_a_property() {
    for (words, expect) in [
        (16, "A is not a known key; known here: kafka,"),
        (17, "is not a known key; see deploy/default.toml"),
        (100_000, "is not a known key; see deploy/default.toml"),
    ] {
        let name = format!("CROWDFOLD_{}", vec!["A"; words].join("__"));
        let message = load_environment(&[(&name, "1")]).err().unwrap().to_string();
        assert!(message.to_lowercase().contains(&expect.to_lowercase()), "{}", message.len());
        let file = format!("{} = 1\n", vec!["a"; words].join("."));
        assert!(load(&file).is_err());
    }
    let property = vec!["a"; 1_000].join("_");
    let name = format!("CROWDFOLD_KAFKA__PROPERTIES__{property}");
    let loaded = load_environment(&[(&name, "1")]).unwrap();
    let resolved = loaded.settings.kafka.properties.resolve("").unwrap();
    assert_eq!(resolved, [(property.replace('_', "."), "1".into())]);
}

#[cfg(unix)]
#[test]
fn variable_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let environment = vec![(OsString::from("CROWDFOLD_KAFKA__PREFIX"), OsString::from_vec(vec![0xff]))];
    let error = Loaded::load(&Sources { environment, ..Sources::default() }).err().unwrap();
    let expect = "CROWDFOLD_KAFKA__PREFIX: kafka.prefix is not UTF-8; set it to text in UTF-8";
    assert_eq!(error.to_string(), expect);
}

#[test]
fn missing_file_is_refused_with_its_path() {
    let sources = Sources { file: Some("no/such.toml".into()), ..Sources::default() };
    let error = Loaded::load(&sources).err().unwrap();
    assert_eq!(error.to_string(), "no/such.toml: cannot be read: there is no such file");
}

#[test]
fn name_of_the_host_replaces_an_empty_instance() {
    let instance = |text: &str| load(text).map(|loaded| loaded.settings.kafka.instance);
    assert_eq!(instance("").unwrap(), "host-1");
    assert_eq!(instance("[kafka]\ninstance = \"\"\n").unwrap(), "host-1");
    assert_eq!(instance("[kafka]\ninstance = \"w\"\n").unwrap(), "w");
    let error = Loaded::load(&Sources { host: "my host".into(), ..Sources::default() }).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the host's name: kafka.instance is \"my host\"; set it to a name of 1 to 100 letters, digits, `.`, `_` or `-`, \
         starting with a letter or digit"
    );
}

#[test]
fn topic_names_consist_of_prefix_purpose_and_tenant() {
    let names = |text: &str| -> TopicNames { load(text).unwrap().settings.topic_names() };
    let plain = names("");
    assert_eq!((&*plain.beacons, plain.rollups_of(3)), ("crowdfold.beacons", "crowdfold.rollups"));
    let own = names(
        "[kafka]\nprefix = \"v\"\n[source]\ntopic = \"events\"\n[tenants]\nnames = [\"a\", \"b\"]\ndefault = \"a\"\n\
         per_tenant_topics = true\n",
    );
    assert_eq!((&*own.beacons, &*own.partials, &*own.rejections), ("events", "v.partials", "v.rejections"));
    assert_eq!(
        (own.rollups(), own.rollups_of(1)),
        (&["v.rollups.a".into(), "v.rollups.b".into()][..], "v.rollups.b")
    );
}
