use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_model::{Custom, CustomDimensions, CustomSource, CustomValues};

use crate::{Airlock, Format, MappedField, Record, SessionHasher, Settings, Shared};

const T: u64 = 1_795_308_528_421;

fn settings() -> Settings {
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let fields = [
        ("fatal", path(&["error", "is_fatal"])),
        ("opt_out", path(&["consent.denied"])),
        ("startup_ms", path(&["qoe", "first.frame"])),
        ("cdn", path(&["net", "cdn"])),
    ];
    let arm = Custom::dimension("arm", 0, None, &CustomValues::Open).expect("a dimension");
    Settings {
        fields: fields.map(|(name, path)| (name.to_owned(), path)).into_iter().collect::<BTreeMap<_, _>>(),
        custom_sources: vec![CustomSource {
            json: Some(path(&["experiment", "arm"])),
            ..CustomSource::default()
        }],
        custom: CustomDimensions::new(vec![arm], []),
        ..Settings::default()
    }
}

/// Returns the number of JSON beacons in these records, and the absent paths with their fields.
fn absent(settings: Settings, records: &[String]) -> (u64, Vec<String>) {
    let shared = Arc::new(Shared::new(settings, SessionHasher::random()).expect("an airlock"));
    let mut airlock = Airlock::new(&shared, None);
    for record in records {
        let record = Record { payload: record.as_bytes(), content_type: None, timestamp: None };
        airlock.admit(&record, &mut |_, _| {});
    }
    let absent = airlock.sent_fields().absent(shared.settings());
    let absent = absent.iter().map(|path| match &path.field {
        MappedField::Beacon(name) => format!("{name} = {path}"),
        MappedField::Custom(name) => format!("custom {name} = {path}"),
    });
    (airlock.sent_fields().beacons(), absent.collect())
}

fn beacon(fields: &str) -> String {
    format!(r#"{{"ts":{T},"session":"s"{fields}}}"#)
}

#[test]
fn paths_that_occur_in_no_beacon_are_listed_with_their_fields() {
    let all = [
        r#"cdn = "net.cdn""#,
        r#"fatal = "error.is_fatal""#,
        r#"opt_out = ["consent.denied"]"#,
        r#"startup_ms = ["qoe", "first.frame"]"#,
        r#"custom arm = "experiment.arm""#,
    ];
    let near_misses =
        beacon(r#","cdn":"a","net":{"CDN":"a"},"error":"is_fatal","qoe":{"first":{"frame":1}}"#);
    assert_eq!(absent(settings(), &[near_misses]), (1, all.map(str::to_owned).into()));
}

#[test]
fn path_occurs_even_if_its_value_is_false_or_unusable() {
    for (fields, expected) in [
        (r#","net":{"cdn":null},"error":{"is_fatal":false},"consent.denied":false"#, 2),
        (r#","net":{"cdn":[1]},"error":{"is_fatal":"no"},"consent.denied":0,"experiment":{"arm":"A"}"#, 1),
        (r#","net":{"cdn":"a"},"error":{"is_fatal":7},"qoe":{"first.frame":-1},"experiment":{"arm":{}}"#, 1),
    ] {
        // The second beacon of a record is read with the remembered order of keys.
        let record = beacon(fields) + &beacon(fields);
        let (beacons, absent) = absent(settings(), &[record]);
        assert_eq!((beacons, absent.len()), (2, expected), "{fields}: {absent:?}");
    }
    // Together, the beacons contain every path. A beacon without a session is rejected, but was read.
    let records = [
        beacon(r#","net":{"cdn":"a"},"error":{"is_fatal":true}"#),
        format!(r#"{{"ts":{T},"consent.denied":false}}"#),
        beacon(r#","qoe":{"first.frame":850},"experiment":{"arm":"B"}"#),
    ];
    assert_eq!(absent(settings(), &records), (3, Vec::new()));
}

#[test]
fn only_json_beacons_are_counted() {
    let settings = Settings { format: Format::Cmcd, ..settings() };
    let (beacons, absent) = absent(settings, &[format!(r#"sid="s",e=ps,ts={T},v=2"#), "garbage".into()]);
    assert_eq!((beacons, absent.len()), (0, 5));
}
