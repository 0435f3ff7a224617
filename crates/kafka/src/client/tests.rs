use super::*;

fn settings(key: &str, value: &str) -> ClientSettings {
    ClientSettings {
        brokers: "127.0.0.1:1".into(),
        client_id: "test".into(),
        properties: [(key.to_owned(), value.to_owned())].into(),
    }
}

#[test]
fn values_of_properties_never_show() {
    let shown = format!("{:?}", settings("sasl.password", "hunter2"));
    assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_exactly_once_rests_on_cannot_be_set() {
    for key in RESERVED {
        let error = settings(key, "x").config(&[], &[]).unwrap_err();
        assert_eq!(error, Error::Reserved { key: key.into() });
    }
}

#[test]
fn the_operator_overrides_defaults_and_nothing_that_is_fixed() {
    let config =
        settings("a", "theirs").config(&[("a", "default"), ("b", "default")], &[("c", "ours")]).unwrap();
    assert_eq!(
        (config.get("a"), config.get("b"), config.get("c")),
        (Some("theirs"), Some("default"), Some("ours"))
    );
}

#[test]
fn a_property_that_librdkafka_refuses_is_named_without_its_value() {
    let settings = settings("compression.codec", "hunter2");
    let config = settings.config(&[], &[]).unwrap();
    let error = Error::from(config.create_native_config().err().unwrap());
    assert_eq!(error, Error::Property { key: "compression.codec".into() });
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn the_library_is_built_with_tls_and_all_codecs() {
    let config = ClientConfig::new().create_native_config().unwrap();
    let features = config.get("builtin.features").unwrap();
    let features: Vec<_> = features.split(',').collect();
    for wanted in ["ssl", "sasl_scram", "sasl_plain", "sasl_oauthbearer", "gzip", "snappy", "lz4", "zstd"] {
        assert!(features.contains(&wanted), "{wanted} is not among {features:?}");
    }
}
