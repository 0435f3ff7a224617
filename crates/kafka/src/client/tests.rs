use super::*;

fn settings(key: &str, value: &str) -> ClientSettings {
    ClientSettings {
        brokers: "127.0.0.1:1".into(),
        client_id: "test".into(),
        properties: [(key.to_owned(), value.to_owned())].into(),
    }
}

#[test]
fn property_values_are_never_shown() {
    let shown = format!("{:?}", settings("sasl.password", "hunter2"));
    assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn each_reserved_property_is_refused() {
    for key in RESERVED {
        let error = settings(key, "x").config(&[], &[]).unwrap_err();
        assert_eq!(error, KafkaError::Reserved { key: key.into() });
    }
}

#[test]
fn configured_property_overrides_a_default_value_but_not_a_fixed_value() {
    let config =
        settings("a", "theirs").config(&[("a", "default"), ("b", "default")], &[("c", "ours")]).unwrap();
    assert_eq!(
        (config.get("a"), config.get("b"), config.get("c")),
        (Some("theirs"), Some("default"), Some("ours"))
    );
}

#[test]
fn invalid_property_is_reported_without_its_value() {
    let settings = settings("compression.codec", "hunter2");
    let config = settings.config(&[], &[]).unwrap();
    let error = KafkaError::from(config.create_native_config().err().unwrap());
    assert_eq!(error, KafkaError::Property { key: "compression.codec".into() });
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn librdkafka_is_built_with_tls_sasl_and_all_codecs() {
    let config = ClientConfig::new().create_native_config().unwrap();
    let features = config.get("builtin.features").unwrap();
    let features: Vec<_> = features.split(',').collect();
    for wanted in
        ["ssl", "sasl_scram", "sasl_plain", "sasl_oauthbearer", "oidc", "gzip", "snappy", "lz4", "zstd"]
    {
        assert!(features.contains(&wanted), "{wanted} is not among {features:?}");
    }
}

fn with(properties: &[(&str, &str)]) -> ClientSettings {
    let properties = properties.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    ClientSettings { brokers: "b:1".into(), client_id: "test".into(), properties: properties.collect() }
}

#[test]
fn principal_is_known_only_if_sasl_sends_a_username() {
    let scram =
        [("security.protocol", "SASL_SSL"), ("sasl.mechanism", "SCRAM-SHA-512"), ("sasl.username", "u")];
    assert_eq!(with(&scram).principal().to_string(), "principal User:u");
    assert_eq!(with(&scram).protocol(), "SASL_SSL with SCRAM-SHA-512");
    // without `security.protocol`, SASL is not used and the name is not sent to the broker
    assert_eq!(with(&scram[1..]).principal().to_string(), "this principal");
    assert_eq!(with(&[]).protocol(), "plaintext");
}

#[test]
fn failed_authentication_is_not_transient_but_an_unreachable_cluster_is() {
    use RDKafkaErrorCode as C;
    let unreachable = |code, reason: &str| {
        with(&[("security.protocol", "ssl")])
            .unreachable(Some(BrokerError { code, reason: reason.into() }), String::new)
    };
    let message = "ssl://b:1/bootstrap: SSL handshake failed: certificate verify failed (after 3ms in state SSL_HANDSHAKE)";
    let refused = unreachable(C::SSL, message);
    assert!(!refused.is_transient());
    assert_eq!(
        refused.to_string(),
        "cannot connect to b:1 by ssl (SSL handshake failed: certificate verify failed); the brokers' \
         certificate is expired, issued for another name, or not signed by the authority in ssl.ca.location; check the \
         properties of the client"
    );
    // a broker that stops during the handshake may be restarted
    assert!(unreachable(C::SSL, "ssl://b:1/1: SSL handshake failed: Disconnected").is_transient());
    assert!(
        unreachable(C::BrokerTransportFailure, "ssl://b:1/1: Connect failed: Connection refused")
            .is_transient()
    );
    assert!(with(&[]).unreachable(None, || "silence".into()).is_transient());
}
