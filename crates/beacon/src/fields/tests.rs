use crowdfold_model::CustomSource;

use super::*;

fn renamed(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    pairs
        .iter()
        .map(|(ours, path)| ((*ours).into(), path.iter().map(|key| (*key).into()).collect()))
        .collect()
}

fn refusal(pairs: &[(&str, &[&str])]) -> Option<FieldsError> {
    Fields::new(&renamed(pairs)).err()
}

fn root(fields: &Fields) -> &Node {
    fields.node(fields.root())
}

#[test]
fn every_field_is_found_only_under_its_name() {
    let fields = Fields::new(&BTreeMap::new()).unwrap();
    for (name, field) in NAMES.iter().copied() {
        let Some(Target::Field(found)) = root(&fields).target(name.as_bytes()) else { panic!("{name}") };
        assert_eq!(found.bit(), field.bit(), "{name}");
    }
    for name in ["", "t", "tss", "Ts", "sessions", "state", "sn", "*"] {
        assert!(root(&fields).target(name.as_bytes()).is_none(), "{name}");
    }
}

#[test]
fn every_field_has_a_unique_bit_and_name() {
    let all = Field::all().fold(0, |seen, field| {
        assert_eq!(seen & field.bit(), 0, "{field:?}");
        seen | field.bit()
    });
    assert!(Field::all().all(|field| field.index() < Field::COUNT));
    let names: std::collections::BTreeSet<_> = Field::all().map(Field::name).collect();
    // All custom dimensions have the same name.
    let shared = Field::custom().count() - 1;
    assert!(names.len() + shared == all.count_ones() as usize && !names.contains(""));
}

#[test]
fn custom_dimension_has_its_own_path() {
    let source = |path: &[&str]| CustomSource {
        json: Some(path.iter().map(ToString::to_string).collect()),
        ..CustomSource::default()
    };
    let fields = Fields::with_custom(&BTreeMap::new(), &[source(&["x"]), source(&["trial", "arm"])]).unwrap();
    let Some(Target::Inside(trial)) = root(&fields).target(b"trial") else { panic!("trial") };
    let Some(Target::Field(found)) = fields.node(trial).target(b"arm") else { panic!("arm") };
    assert_eq!(found, Field::Text(Text::Custom(1)));
    for path in [&["os"][..], &["os", "x"], &["x"], &["trial"]] {
        let sources = [source(&["x"]), source(&["trial", "arm"]), source(path)];
        let refused = Fields::with_custom(&BTreeMap::new(), &sources).err();
        assert_eq!(refused, Some(FieldsError::CustomClash(path.join("."))), "{path:?}");
    }
}

#[test]
fn renamed_field_is_not_found_under_its_standard_name() {
    let fields = Fields::new(&renamed(&[("session", &["content"]), ("ts", &["meta", "time"])])).unwrap();
    assert!(root(&fields).target(b"session").is_none());
    assert!(root(&fields).target(b"ts").is_none());
    let Some(Target::Field(found)) = root(&fields).target(b"content") else { panic!("content") };
    assert_eq!(found.bit(), Field::Text(Text::Session).bit());
    let Some(Target::Inside(meta)) = root(&fields).target(b"meta") else { panic!("meta") };
    assert!(matches!(fields.node(meta).target(b"time"), Some(Target::Field(Field::Number(Number::Ts)))));
}

#[test]
fn invalid_paths_are_refused() {
    assert_eq!(
        refusal(&[("sesion", &["s"])]),
        Some(FieldsError::Unknown(FieldNames::Beacon, "sesion".into()))
    );
    assert_eq!(refusal(&[("session", &[])]), Some(FieldsError::Empty(FieldNames::Beacon, "session".into())));
    assert_eq!(
        refusal(&[("session", &["a"]), ("ts", &["a"])]),
        Some(FieldsError::Clash(FieldNames::Beacon, "ts".into()))
    );
    assert_eq!(
        refusal(&[("session", &["a"]), ("ts", &["a", "b"])]),
        Some(FieldsError::Clash(FieldNames::Beacon, "ts".into()))
    );
    assert_eq!(
        refusal(&[("session", &["a", "b"]), ("ts", &["a"])]),
        Some(FieldsError::Clash(FieldNames::Beacon, "ts".into()))
    );
    assert_eq!(refusal(&[("session", &["a", "b"]), ("ts", &["a", "c"])]), None);
}
