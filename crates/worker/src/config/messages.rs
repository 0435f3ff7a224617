//! The messages for errors of lower crates. Lower crates report the field or the variant of an error. This module adds
//! configuration keys and flags, which lower crates do not know.

use crowdfold_airlock::{AirlockError, AirlockField, FieldNames, FieldsError, MappedField, MappedPath};
use crowdfold_engine::EngineError;
use crowdfold_kafka::topics::{Clock, Finding};
use crowdfold_kafka::{KafkaError, OnDamaged, SourceError};
use crowdfold_model::Span;

/// Describes an error of the settings of the airlock. The description names the configuration key.
#[must_use]
pub fn airlock_message(error: &AirlockError) -> String {
    let key = match error.field() {
        Ok(AirlockField::Tenants) => "tenants.names",
        Ok(AirlockField::DefaultTenant) => "tenants.default",
        Ok(AirlockField::CountryDatabase) => "address.country_mmdb",
        Ok(AirlockField::AsnDatabase) => "address.asn_mmdb",
        Err(fields) => return fields_message(fields),
    };
    let separator = if matches!(error, AirlockError::Database { .. }) { ": " } else { " " };
    format!("{key}{separator}{}", error.problem())
}

/// Describes an error of the names of fields. The description names the configuration key.
#[must_use]
pub fn fields_message(error: &FieldsError) -> String {
    let mut problem = error.problem();
    if matches!(error, FieldsError::Unknown(..)) {
        problem.push_str(", which deploy/default.toml lists");
    }
    match error.field() {
        Some((FieldNames::Beacon, name)) => format!("source.fields.{name} {problem}"),
        Some((FieldNames::Log, name)) => format!("source.log.{name} {problem}"),
        None => format!("[dimensions] {problem}"),
    }
}

/// Formats the path of a field as in the configuration, such as `source.fields.startup_ms = "qoe.startup"`.
#[must_use]
pub fn mapped_path(path: &MappedPath) -> String {
    match &path.field {
        MappedField::Beacon(name) => format!("source.fields.{name} = {path}"),
        MappedField::Custom(name) => format!("dimensions.{name}.from = {path}"),
    }
}

/// Describes an error of a combiner or merger. The description contains the keys or flags that can fix it.
pub(crate) fn engine_message(error: &EngineError) -> String {
    let fix = match error {
        EngineError::ClockSkew { .. } => ", or raise windows.max_skew",
        EngineError::NotACheckpoint(_) => {
            "; set another kafka.prefix, or ignore the committed offsets once with --restart-from-now"
        }
        EngineError::Wire { .. } => "",
    };
    format!("{error}{fix}")
}

/// Describes an error of a Kafka client or of a request. The description contains the keys that can fix it.
#[must_use]
pub fn kafka_message(error: &KafkaError) -> String {
    let fix = match error {
        KafkaError::Reserved { .. } => " from [kafka.properties]",
        KafkaError::Property { .. } => return format!("[kafka.properties] {error}"),
        KafkaError::Unreachable { .. } => " in kafka.brokers",
        KafkaError::Refused { .. } => " in [kafka.properties]",
        KafkaError::TtlTooShort { .. } => " in [ttl]",
        KafkaError::OutageTooLong { .. } => "; raise [ttl] for the topic or lower ttl.max_outage",
        KafkaError::Client { .. }
        | KafkaError::NoTopic { .. }
        | KafkaError::Forbidden { .. }
        | KafkaError::NotApplied { .. }
        | KafkaError::OffsetsPending { .. }
        | KafkaError::Kafka { .. } => "",
    };
    format!("{error}{fix}")
}

/// Describes an error of a source. The description contains the keys or flags that can fix it.
pub(crate) fn source_message(error: &SourceError) -> String {
    let fix = match error {
        SourceError::Request(error) => return kafka_message(error),
        SourceError::Gap { .. } => ", and pass --accept-loss to continue without them",
        SourceError::Fenced => " in kafka.instance",
        SourceError::Damaged { on_damaged: OnDamaged::Stop | OnDamaged::Skip, .. } => {
            "; to count it as lost and continue, start once with --skip-damaged, or set source.on_damaged = \"skip\"; \
             if it is only too large when decompressed, raise \"receive.message.max.bytes\" in [kafka.properties]"
        }
        SourceError::Damaged { on_damaged: OnDamaged::Never, .. }
        | SourceError::Transient { .. }
        | SourceError::UnknownCode { .. }
        | SourceError::OutOfRange { .. }
        | SourceError::Unreadable { .. }
        | SourceError::Fatal { .. } => "",
    };
    format!("{error}{fix}")
}

/// Describes a finding about a topic, for messages that begin with the name of the topic. The description contains the
/// keys or flags that can fix it.
#[must_use]
pub fn finding_message(finding: &Finding) -> String {
    let fix = match finding {
        Finding::Beyond { .. } => ", or raise [ttl]",
        Finding::OnDisk { .. } => ", or raise ttl.on_disk_slack",
        Finding::Ahead { by, .. } => return format!("{finding}{}", purge(*by)),
        Finding::TooShort { .. } => ", or lower ttl.max_outage",
        Finding::Clock { wanted: Clock::Append } => ", or set source.trust_timestamps to true",
        Finding::Clock { wanted: Clock::Create { .. } } => ", or set source.trust_timestamps to false",
        Finding::Missing
        | Finding::Unbounded(_)
        | Finding::TooOld { .. }
        | Finding::RetentionBytes(_)
        | Finding::Partitions { .. }
        | Finding::Overstayed { .. }
        | Finding::GzipTooLarge { .. }
        | Finding::Unmeasured { .. } => "",
    };
    format!("{finding}{fix}")
}

/// Returns the command that purges a topic of records dated in the future. `by` is the time by which a record is ahead of
/// the clock of this host. If this time is short, the clock may be wrong; clocks are rarely wrong by more than an hour.
fn purge(by: Span) -> String {
    let clock = if by < Span::HOUR {
        format!(" (or check whether this host's clock is {by} slow)")
    } else {
        String::new()
    };
    format!(" with `crowdfold topics apply --purge-ahead`{clock}")
}
