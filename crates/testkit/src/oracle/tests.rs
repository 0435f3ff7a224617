mod bounded;
mod rules;
mod vectors;

use super::*;

/// A minute's windows, half a minute of lateness, one breakdown and crowds of one, so that every session-window shows.
fn settings() -> Settings {
    Settings {
        tenants: vec!["acme".into(), "blip".into()],
        default_tenant: "acme".into(),
        k: 1,
        breakdowns: vec![vec!["cdn".into()]],
        ..Settings::default()
    }
}

/// One partition: record timestamps, each with its payload.
fn partition(records: &[(Millis, &str)]) -> Vec<Record> {
    let record = |(timestamp, payload): &(Millis, &str)| Record {
        timestamp: Some(*timestamp),
        payload: payload.as_bytes().to_vec(),
    };
    records.iter().map(record).collect()
}

/// What must come of one partition.
fn evaluated(records: &[(Millis, &str)]) -> Outcome {
    let outcome = evaluate(&[partition(records)], &settings());
    assert!(outcome.ledger.balanced(), "{:?}", outcome.ledger);
    outcome
}

/// All that one tenant's window adds up to, whatever the cell keys.
fn total(outcome: &Outcome, start: Millis) -> Cell {
    let mut total = Cell::default();
    let tables = outcome.cells.iter().filter(|(key, _)| key.start == start && key.breakdown == 0);
    for cell in tables.flat_map(|(_, cells)| cells.values()) {
        total.add(cell);
    }
    total
}
