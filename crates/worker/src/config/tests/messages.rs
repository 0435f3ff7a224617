use crowdfold_airlock::{AirlockError, FieldNames, FieldsError, MappedField, MappedPath};
use crowdfold_engine::EngineError;
use crowdfold_kafka::topics::{Clock, Finding};
use crowdfold_kafka::{KafkaError, OnDamaged, RDKafkaErrorCode, SourceError};
use crowdfold_model::{Span, Timestamp};

use super::super::{
    airlock_message, engine_message, fields_message, finding_message, kafka_message, mapped_path,
    source_message,
};

#[test]
fn messages_for_errors_of_lower_crates_name_the_key_or_the_flag() {
    assert_eq!(
        airlock_message(&AirlockError::DefaultTenant),
        "tenants.default is not in the list of tenants; add it, or set another tenant"
    );
    let fields = |error: FieldsError| {
        assert_eq!(fields_message(&error), airlock_message(&AirlockError::Fields(error)));
    };
    fields(FieldsError::Clash(FieldNames::Log, "time".into()));
    let empty = FieldsError::Empty(FieldNames::Beacon, "ts".into());
    assert!(fields_message(&empty).starts_with("source.fields.ts has an empty path; "));
    let unknown = FieldsError::Unknown(FieldNames::Beacon, "sesion".into());
    assert_eq!(
        fields_message(&unknown),
        "source.fields.sesion is unknown; use one of crowdfold's names, which deploy/default.toml lists"
    );
    let clash = FieldsError::Clash(FieldNames::Log, "time".into());
    assert!(fields_message(&clash).starts_with("source.log.time has the same path as another field; "));
    let custom = FieldsError::CustomClash("a.b".into());
    assert!(fields_message(&custom).starts_with("[dimensions] has the path a.b, "));
    let skew = EngineError::ClockSkew { partition: 1, offset: 2, ahead: Span::SECOND };
    assert!(engine_message(&skew).ends_with(" of this machine, or raise windows.max_skew"));
    assert!(engine_message(&EngineError::NotACheckpoint(0)).ends_with(" once with --restart-from-now"));
}

#[test]
fn paths_of_fields_are_formatted_as_in_the_configuration() {
    let shown = |field, path: &[&str]| {
        mapped_path(&MappedPath { field, path: path.iter().map(|key| (*key).to_owned()).collect() })
    };
    assert_eq!(
        shown(MappedField::Beacon("startup_ms".into()), &["qoe", "startup"]),
        r#"source.fields.startup_ms = "qoe.startup""#
    );
    assert_eq!(
        shown(MappedField::Custom("arm".into()), &["qoe", "first.frame"]),
        r#"dimensions.arm.from = ["qoe", "first.frame"]"#
    );
}

#[test]
fn messages_for_errors_of_kafka_name_the_key_or_the_flag() {
    let (brokers, reason) = ("b:1".to_owned(), "silence".to_owned());
    for (error, message) in [
        (
            KafkaError::Reserved { key: "group.id".into() },
            "property group.id must not be set, because crowdfold sets it; remove the property from [kafka.properties]",
        ),
        (
            KafkaError::Property { key: "no.such".into() },
            "[kafka.properties] no.such is not a property of librdkafka, or its value is invalid; see CONFIGURATION.md \
             at https://github.com/confluentinc/librdkafka",
        ),
        (
            KafkaError::Unreachable { brokers: brokers.clone(), reason: reason.clone() },
            "no broker at b:1 responds (silence); check the network and the addresses of the brokers in kafka.brokers",
        ),
        (
            KafkaError::Refused { brokers, protocol: "ssl".into(), reason, hint: "" },
            "cannot connect to b:1 by ssl (silence); check the properties of the client in [kafka.properties]",
        ),
        (
            KafkaError::TtlTooShort { topic: "t".into(), ttl: Span::HOUR, check: Span::HOUR, ahead: None },
            "records of topic t cannot be deleted within 1h, because brokers check for old records only every 1h; lower \
             log.retention.check.interval.ms of the brokers or raise the time-to-live of the topic in [ttl]",
        ),
        (
            KafkaError::OutageTooLong {
                topic: "t".into(),
                ttl: Span::HOUR,
                retention: Span::MINUTE,
                least: Span::HOUR,
            },
            "with a time-to-live of 1h, topic t keeps records for only 1m, but windows and the longest outage to \
             survive need 1h; raise [ttl] for the topic or lower ttl.max_outage",
        ),
    ] {
        assert_eq!(kafka_message(&error), message);
        assert_eq!(source_message(&SourceError::Request(error)), message);
    }
}

#[test]
fn messages_for_errors_of_a_source_name_the_key_or_the_flag() {
    let gap = SourceError::Gap { topic: "t".into(), partition: 0, committed: 1, log_start: 3, gone: 2 };
    let gap = source_message(&gap);
    let fix = "; raise the topic's time-to-live, and pass --accept-loss to continue without them";
    assert!(gap.ends_with(fix), "{gap}");
    let fenced = source_message(&SourceError::Fenced);
    assert!(fenced.ends_with("; give each worker a different name in kafka.instance"), "{fenced}");
    let code = RDKafkaErrorCode::BadCompression;
    let damaged = |on_damaged| {
        source_message(&SourceError::Damaged { topic: "t".into(), partition: 0, offset: 1, code, on_damaged })
    };
    let fix = "; to count it as lost and continue, start once with --skip-damaged, or set source.on_damaged = \"skip\"; ";
    assert!(damaged(OnDamaged::Stop).contains(fix), "{}", damaged(OnDamaged::Stop));
    let never = damaged(OnDamaged::Never);
    assert!(never.ends_with("so restore the partition's log from another replica"), "{never}");
}

#[test]
fn messages_for_findings_about_a_topic_name_the_key_or_the_flag() {
    let (bound, ttl, slack) = (Span::HOUR, Span::MINUTE, Span::MINUTE);
    for (finding, fix) in [
        (Finding::Beyond { bound, ttl }, "; run `crowdfold topics apply`, or raise [ttl]"),
        (
            Finding::OnDisk { bound, ttl, slack },
            "or run `crowdfold topics apply`, or raise ttl.on_disk_slack",
        ),
        (Finding::TooShort { retention: ttl, least: bound }, "topics apply`, or lower ttl.max_outage"),
        (Finding::Clock { wanted: Clock::Append }, "topics apply`, or set source.trust_timestamps to true"),
        (
            Finding::Clock { wanted: Clock::Create { ahead: Span::MINUTE.into() } },
            "topics apply`, or set source.trust_timestamps to false",
        ),
        (Finding::Missing, "does not exist; run `crowdfold topics apply`"),
    ] {
        let message = finding_message(&finding);
        assert!(message.ends_with(fix), "{message}");
    }
}

#[test]
fn finding_of_a_timestamp_less_than_an_hour_ahead_contains_a_hint_to_check_the_clock() {
    let finding = |by| {
        let (dated, expires) = (Timestamp::EPOCH, Timestamp::EPOCH);
        finding_message(&Finding::Ahead { partition: 0, dated, expires, by })
    };
    let purge =
        "; wait until then, use a new topic, or purge the topic with `crowdfold topics apply --purge-ahead`";
    assert!(finding(Span::HOUR).ends_with(purge), "{}", finding(Span::HOUR));
    let hint = format!("{purge} (or check whether this host's clock is 2m slow)");
    assert!(finding(Span::MINUTE * 2).ends_with(&hint), "{}", finding(Span::MINUTE * 2));
}
