//! Compares the oracle with results that were computed by programs in other languages.

use serde_json::Value;

use super::*;

#[test]
fn folding_equals_the_test_vectors() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fold.json")).unwrap();
    assert_eq!(cases.len(), 104);
    for case in cases {
        let pairs =
            |name: &str| -> Vec<(Vec<String>, u64)> { serde_json::from_value(case[name].clone()).unwrap() };
        let cell = |sessions| Cell { sessions, ..Cell::default() };
        let cells: Cells = pairs("cells").into_iter().map(|(cell_key, n)| (cell_key, cell(n))).collect();
        let number = |name: &str| case[name].as_u64().unwrap();
        let rows = fold(&cells, number("k"), number("margin"));
        let rows: Vec<_> = rows.into_iter().map(|row| (row.cell_key, row.cell.sessions)).collect();
        assert_eq!(rows, pairs("rows"), "{case}");
    }
}

/// Returns the settings of the scenario in `tests/data/scenario`.
fn scenario_settings() -> Settings {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    Settings {
        tenants: names(&["acme", "blip", "tiny"]),
        default_tenant: "acme".into(),
        k: 20,
        breakdowns: vec![names(&["os", "browser"]), names(&["cdn"]), names(&["stream", "format", "content"])],
        ..Settings::default()
    }
}

fn scenario(settings: &Settings) -> Outcome {
    let beacons = include_str!("../../../../../tests/data/scenario/beacons.ndjson");
    let lines = beacons.lines().map(|line| Record { timestamp: None, payload: line.into() }).collect();
    evaluate(&[lines], settings)
}

/// Returns the results of the reference program.
fn expected() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/data/scenario/expected.json")).unwrap()
}

/// Returns the rows of the reference program. Each has the fields `tenant`, `start` and `breakdown` of its table.
fn expected_rows(scenario: &Value, tables: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for table in scenario[tables].as_array().unwrap() {
        for row in table["rows"].as_array().unwrap() {
            let mut row = row.as_object().unwrap().clone();
            for name in ["tenant", "start", "breakdown"] {
                row.insert(name.into(), table[name].clone());
            }
            rows.push(Value::from(row));
        }
    }
    sorted(rows)
}

/// Returns the rows of the oracle, without the fields that the reference program does not compute.
fn our_rows(rollups: Vec<Value>) -> Vec<Value> {
    let ours = rollups.into_iter().map(|mut row| {
        let fields = row.as_object_mut().unwrap();
        let startup = fields.remove("startup_ms").unwrap();
        let detail = fields["detail"] == true;
        if detail {
            fields.insert("startup_sessions".into(), startup["sessions"].clone());
            fields.insert("startup_sum".into(), startup["sum"].clone());
        }
        let window = fields.remove("window").unwrap();
        fields.insert("start".into(), window["start"].clone());
        let names = fields.remove("breakdown").unwrap();
        fields.insert("breakdown".into(), names);
        for name in ["schema", "detail", "row", "rows", "errors", "bandwidth_kbps", "bitrate_kbps", "policy"]
            .into_iter()
            .chain(crate::rows::IN_DETAIL_ONLY)
        {
            fields.remove(name).unwrap();
        }
        for name in ["startup_failures", "playback_failures"] {
            let failures = fields.remove(name).unwrap();
            assert!(if detail { failures == 0 } else { failures.is_null() }, "{name}: {failures}");
        }
        row
    });
    sorted(ours.collect())
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| {
        (row["start"].as_u64(), ["tenant", "breakdown", "dimensions"].map(|name| row[name].to_string()))
    });
    rows
}

#[test]
fn scenario_without_a_secret_equals_an_independent_computation() {
    let settings = scenario_settings();
    let outcome = scenario(&settings);
    let scenario = expected();
    let ours = our_rows(outcome.rollups(&settings));
    assert!(ours.len() > 100, "{} rows", ours.len());
    assert_eq!(ours, expected_rows(&scenario, "tables2"));

    let ledger = &outcome.ledger;
    for (name, ours) in [
        ("released", (ledger.beacons.released, ledger.session_windows.released)),
        ("withheld", (ledger.beacons.withheld, ledger.session_windows.withheld)),
    ] {
        let number = |what: &str| scenario[name][what].as_u64().unwrap();
        assert_eq!(ours, (number("beacons"), number("session_windows")), "{name}");
    }
    assert_eq!(ledger.beacons.read, 7_491);
    assert!(ledger.balanced());
}

#[test]
fn scenario_without_a_margin_equals_an_independent_computation() {
    // The evaluation is repeated with each table as the detail table, because only the detail table contains all
    // fields.
    let mut rollups = Vec::new();
    for index in 0..3 {
        let settings = Settings { margin: Some(0), detail: Detail::Index(index), ..scenario_settings() };
        let rows = scenario(&settings).rollups(&settings);
        rollups.extend(rows.into_iter().filter(|row| row["detail"] == true));
    }
    assert_eq!(our_rows(rollups), expected_rows(&expected(), "tables"));
}
