use std::time::Duration;

use rdkafka::admin::{ConfigEntry, ConfigResource, ConfigSource, OwnedResourceSpecifier};

use super::*;

fn resource(
    specifier: OwnedResourceSpecifier,
    source: fn() -> ConfigSource,
    entries: &[(&str, &str)],
) -> ConfigResource {
    let entry = |(name, value): &(&str, &str)| ConfigEntry {
        name: (*name).into(),
        value: Some((*value).into()),
        source: source(),
        is_read_only: false,
        is_default: false,
        is_sensitive: false,
    };
    ConfigResource { specifier, entries: entries.iter().map(entry).collect() }
}

fn broker(id: i32, entries: &[(&str, &str)]) -> ConfigResource {
    resource(OwnedResourceSpecifier::Broker(id), || ConfigSource::StaticBroker, entries)
}

/// Checks a topic whose settings are those of `topics apply` with a time-to-live of an hour, except for the settings
/// in `changed`.
fn findings(changed: &[(&str, &str)], brokers: &[ConfigResource], spec: &Spec) -> Vec<Finding> {
    let good = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "2640000"),
        ("retention.bytes", "-1"),
        ("segment.ms", "660000"),
        ("message.timestamp.type", "LogAppendTime"),
        ("file.delete.delay.ms", "60000"),
    ];
    let kept = good.into_iter().filter(|(key, _)| !changed.iter().any(|(other, _)| other == key));
    let entries: Vec<_> = kept.chain(changed.iter().copied()).collect();
    let topic = resource(OwnedResourceSpecifier::Topic("t".into()), || ConfigSource::DynamicTopic, &entries);
    of_settings(spec, 4, &Configs { topic, brokers: brokers.iter().collect() })
}

fn spec() -> Spec {
    Spec {
        topic: "t".into(),
        purpose: Purpose::Beacons,
        partitions: 4,
        replication: 1,
        ttl: Duration::from_secs(3_600),
        least: Duration::from_secs(33 * 60),
        clock: Clock::Append,
        max_skew: Duration::from_secs(60),
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}

fn default_brokers() -> Vec<ConfigResource> {
    vec![broker(1, &[("log.retention.check.interval.ms", "300000")])]
}

#[test]
fn topic_created_by_apply_has_no_findings() {
    assert_eq!(findings(&[], &default_brokers(), &spec()), []);
}

#[test]
fn every_setting_that_keeps_records_without_limit_is_found() {
    use Unbounded as U;
    let cases = [
        (("retention.ms", "-1"), U::Retention),
        (("cleanup.policy", "compact,delete"), U::CleanupPolicy("compact,delete".into())),
        (("cleanup.policy", "compact"), U::CleanupPolicy("compact".into())),
        (("remote.storage.enable", "true"), U::RemoteStorage),
        (("segment.ms", "9223372036854775807"), U::Other("segment.ms")),
    ];
    for (changed, why) in cases {
        assert_eq!(findings(&[changed], &default_brokers(), &spec()), [Finding::Unbounded(why)]);
    }
    let create = Spec { clock: Clock::Create { ahead: Duration::from_secs(60) }, ..spec() };
    let unlimited =
        [("message.timestamp.type", "CreateTime"), ("message.timestamp.after.max.ms", "9223372036854775807")];
    assert_eq!(findings(&unlimited, &default_brokers(), &create), [Finding::Unbounded(U::Ahead)]);
}

#[test]
fn bound_is_computed_from_the_longest_check_interval_of_all_brokers() {
    let lazy = broker(2, &[("log.retention.check.interval.ms", "600000")]);
    let brokers: Vec<_> = default_brokers().into_iter().chain([lazy]).collect();
    let beyond = Finding::Beyond { bound: Span::MINUTE * 65, ttl: Span::HOUR };
    assert_eq!(findings(&[], &brokers, &spec()), [beyond]);
}

#[test]
fn setting_that_is_absent_on_the_topic_has_the_longest_default_of_all_brokers() {
    let hours = |id, hours| {
        broker(id, &[("log.retention.check.interval.ms", "300000"), ("log.retention.hours", hours)])
    };
    let topic = resource(
        OwnedResourceSpecifier::Topic("t".into()),
        || ConfigSource::StaticBroker,
        &[("cleanup.policy", "delete"), ("retention.ms", "3600000"), ("segment.ms", "660000")],
    );
    let brokers = [hours(1, "1"), hours(2, "168")];
    let configs = Configs { topic, brokers: brokers.iter().collect() };
    assert_eq!(configs.times().retention, Span::HOUR * 168);
}

#[test]
fn short_retention_is_found_only_for_topics_that_the_worker_reads() {
    let changed = [("retention.ms", "60000"), ("retention.bytes", "1000000")];
    let short = Finding::TooShort { retention: Span::MINUTE, least: Span::MINUTE * 33 };
    let bytes = Finding::RetentionBytes("1000000".into());
    assert_eq!(findings(&changed, &default_brokers(), &spec()), [short, bytes]);
    let rollups = Spec { purpose: Purpose::Rollups, least: Duration::ZERO, ..spec() };
    assert_eq!(findings(&changed, &default_brokers(), &rollups), []);
}

#[test]
fn timestamp_type_that_differs_from_the_configuration_is_found() {
    let create = Clock::Create { ahead: Duration::from_secs(60) };
    let trusting = Spec { clock: create, ..spec() };
    assert_eq!(findings(&[], &default_brokers(), &trusting), [Finding::Clock { wanted: create }]);
    let changed = [("message.timestamp.type", "CreateTime"), ("message.timestamp.after.max.ms", "60000")];
    let found = findings(&changed, &default_brokers(), &spec());
    assert!(found.contains(&Finding::Clock { wanted: Clock::Append }), "{found:?}");
    assert!(found.contains(&Finding::Beyond { bound: Span::MINUTE * 61, ttl: Span::HOUR }), "{found:?}");
}

#[test]
fn number_of_partitions_of_the_partials_topic_must_equal_the_configured_number() {
    let partials = Spec { purpose: Purpose::Partials, partitions: 8, ..spec() };
    let expected = Finding::Partitions { there: 4, wanted: 8 };
    assert_eq!(findings(&[], &default_brokers(), &partials), [expected]);
    assert_eq!(findings(&[], &default_brokers(), &Spec { partitions: 8, ..spec() }), []);
}

#[test]
fn record_older_than_its_bound_is_a_breach_but_does_not_prevent_the_start_of_a_worker() {
    let ages = [Some(Span::SECOND), None, Some(Span::from_millis(70_000))];
    assert_eq!(of_ages(&ages, Span::from_millis(65_000)), []);
    let found = of_ages(&ages, Span::MINUTE);
    assert_eq!(
        found,
        [Finding::Overstayed { partition: 2, age: Span::from_millis(70_000), bound: Span::MINUTE }]
    );
    assert!(found[0].is_breach() && !found[0].refuses_start());
}

#[test]
fn gzip_batches_that_may_exceed_4_gib_when_decompressed_are_a_finding_but_no_breach() {
    let with = |batch: &str, compression: &str| {
        findings(
            &[("max.message.bytes", batch), ("compression.type", compression)],
            &default_brokers(),
            &spec(),
        )
    };
    for compression in ["producer", "gzip"] {
        let found = with("8388608", compression);
        assert_eq!(found, [Finding::GzipTooLarge { batch: 8_388_608 }]);
        assert!(!found[0].is_breach() && !found[0].refuses_start() && !found[0].is_of_age());
        assert_eq!(with("4000000", compression), []);
    }
    for compression in ["zstd", "lz4", "snappy", "uncompressed"] {
        assert_eq!(with("8388608", compression), []);
    }
    let rollups = Spec { purpose: Purpose::Rollups, ..spec() };
    assert_eq!(findings(&[("max.message.bytes", "8388608")], &default_brokers(), &rollups), []);
}
