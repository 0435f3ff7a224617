//! The messages for errors of lower crates. Lower crates report the field or the variant of an error. This module adds
//! configuration keys and flags, which lower crates do not know.

use crowdfold_airlock::{AirlockError, AirlockField, FieldNames, FieldsError};
use crowdfold_engine::EngineError;

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
