mod bounded;
mod rules;
mod vectors;

use super::*;

/// Returns settings with windows of a minute, a lateness of half a minute, one breakdown and k = 1. Because k is 1,
/// every session-window is released.
fn settings() -> Settings {
    Settings {
        tenants: vec!["acme".into(), "blip".into()],
        default_tenant: "acme".into(),
        k: 1,
        breakdowns: vec![vec!["cdn".into()]],
        ..Settings::default()
    }
}

/// Returns the records of a partition. Each pair contains the timestamp and the payload of a record.
fn partition(records: &[(Millis, &str)]) -> Vec<Record> {
    let record = |(timestamp, payload): &(Millis, &str)| Record {
        timestamp: Some(*timestamp),
        payload: payload.as_bytes().to_vec(),
    };
    records.iter().map(record).collect()
}

/// Evaluates a topic with one partition, and asserts that the ledger balances.
fn evaluated(records: &[(Millis, &str)]) -> Outcome {
    let outcome = evaluate(&[partition(records)], &settings());
    assert!(outcome.ledger.balanced(), "{:?}", outcome.ledger);
    outcome
}

/// Returns the sum over all cells of the window that begins at `start`.
fn total(outcome: &Outcome, start: Millis) -> Cell {
    let mut total = Cell::default();
    let tables = outcome.cells.iter().filter(|(key, _)| key.start == start && key.breakdown == 0);
    for cell in tables.flat_map(|(_, cells)| cells.values()) {
        total.add(cell);
    }
    total
}
