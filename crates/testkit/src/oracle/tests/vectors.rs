//! Against references in other languages.

use serde_json::Value;

use super::*;

#[test]
fn folds_as_the_vectors_do() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fold.json")).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let pairs =
            |name: &str| -> Vec<(Vec<String>, u64)> { serde_json::from_value(case[name].clone()).unwrap() };
        let cell = |sessions| Cell { sessions, ..Cell::default() };
        let cells: Cells = pairs("cells").into_iter().map(|(label, n)| (label, cell(n))).collect();
        let rows = fold(&cells, case["k"].as_u64().unwrap());
        let rows: Vec<_> = rows.into_iter().map(|row| (row.label, row.cell.sessions)).collect();
        assert_eq!(rows, pairs("rows"), "{case}");
    }
}

#[test]
fn gives_the_world_that_was_computed_elsewhere() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    let settings = Settings {
        tenants: names(&["acme", "blip", "tiny"]),
        default_tenant: "acme".into(),
        k: 20,
        drilldowns: vec![names(&["os", "browser"]), names(&["cdn"]), names(&["stream", "format", "content"])],
        ..Settings::default()
    };
    let beacons = include_str!("../../../../../tests/data/world/beacons.ndjson");
    let lines = beacons.lines().map(|line| Record { timestamp: None, payload: line.into() }).collect();
    let verdict = judge(&[lines], &settings);

    let world: Value =
        serde_json::from_str(include_str!("../../../../../tests/data/world/expected.json")).unwrap();
    let mut expected = Vec::new();
    for table in world["tables"].as_array().unwrap() {
        for row in table["rows"].as_array().unwrap() {
            let mut row = row.as_object().unwrap().clone();
            row.extend(["tenant", "start", "drilldown"].map(|name| (name.to_string(), table[name].clone())));
            expected.push(Value::from(row));
        }
    }
    expected.sort_by_key(|row| (row["start"].as_u64(), row["tenant"].to_string()));

    let ours = verdict.rollups(&settings).into_iter().map(|mut row| {
        let fields = row.as_object_mut().unwrap();
        let startup = fields.remove("startup_ms").unwrap();
        fields.insert("startup_sessions".into(), startup["sessions"].clone());
        fields.insert("startup_sum".into(), startup["sum"].clone());
        let window = fields.remove("window").unwrap();
        fields.insert("start".into(), window["start"].clone());
        // What the reference did not compute.
        for name in ["schema", "row", "rows", "errors", "bandwidth_kbps", "bitrate_kbps", "policy"] {
            fields.remove(name).unwrap();
        }
        for name in ["startup_failures", "playback_failures"] {
            assert_eq!(fields.remove(name).unwrap(), 0);
        }
        row
    });
    assert_eq!(ours.collect::<Vec<_>>(), expected);

    let ledger = &verdict.ledger;
    let fates = |name: &str| {
        let number = |what: &str| world[name][what].as_u64().unwrap();
        (number("beacons"), number("sittings"), number("windows"))
    };
    assert_eq!(
        (ledger.beacons.released, ledger.sittings.released, ledger.windows.released),
        fates("released")
    );
    assert_eq!(
        (ledger.beacons.withheld, ledger.sittings.withheld, ledger.windows.withheld),
        fates("withheld")
    );
    assert_eq!(ledger.beacons.read, 955);
    assert!(ledger.balanced());
}
