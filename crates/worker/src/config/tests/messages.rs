use crowdfold_airlock::{AirlockError, FieldNames, FieldsError};
use crowdfold_engine::EngineError;
use crowdfold_model::Span;

use super::super::{airlock_message, engine_message, fields_message};

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
