use super::*;

#[test]
fn suggested_properties_are_known_to_librdkafka() {
    assert!(PROPERTIES.lines().any(|name| name == "sasl.username"));
    for name in PROPERTIES.lines() {
        let mut trial = ClientConfig::new();
        trial.set(name, "x");
        let result = trial.create_native_config();
        let unknown = |error: &KafkaError| {
            matches!(error, KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..))
        };
        assert!(!result.err().as_ref().is_some_and(unknown), "{name}");
    }
}
