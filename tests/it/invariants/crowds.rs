//! Tests of invariant 5. Every released row covers at least k distinct sessions. The oracle knows the ids of the
//! sessions in each row.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_random::Random;
use crowdfold_testkit::oracle::{Settings, TableKey, evaluate};
use serde_json::Value;

use crate::oracle::{log, operators, settings};

const SCENARIOS: u64 = 3_000;

/// The number of sessions of each row of a table, by dimension values.
type Rows = BTreeMap<Vec<String>, u64>;

/// Groups released rows by table. Asserts that no row occurs twice.
fn tables(rows: &[Value], settings: &Settings) -> BTreeMap<TableKey, Rows> {
    let mut tables = BTreeMap::<TableKey, Rows>::new();
    for row in rows {
        let names: Vec<String> = serde_json::from_value(row["breakdown"].clone()).unwrap();
        let tenant = row["tenant"].as_str().unwrap().to_owned();
        let breakdown = settings.breakdowns_of(&tenant).iter().position(|known| *known == names).unwrap();
        let key = TableKey { start: row["window"]["start"].as_u64().unwrap(), tenant, breakdown };
        let cell_key =
            names.iter().map(|name| row["dimensions"][name].as_str().unwrap().to_owned()).collect();
        let before = tables.entry(key).or_default().insert(cell_key, row["sessions"].as_u64().unwrap());
        assert_eq!(before, None, "a row is published twice");
    }
    tables
}

/// The records of several tenants, windows and partitions are partly out of order, late, repeated, opted out or
/// invalid. Each record is sent three times, to test that repeated reports of a session count as one session.
#[test]
fn invariant_5_every_row_covers_k_distinct_sessions() {
    let (mut rows_seen, mut folded, mut withheld) = (0, 0, 0);
    for seed in 0..SCENARIOS {
        let mut dice = Random::new(1_000_000 + seed);
        let settings = settings(&mut dice);
        let mut partition = |number: u64| -> Vec<_> {
            let log = log(number as usize, &mut dice);
            log.into_iter().flat_map(|record| [record.clone(), record.clone(), record]).collect()
        };
        let logs: Vec<_> = (0..1 + seed % 3).map(&mut partition).collect();
        let outcome = evaluate(&logs, &settings);
        let (rows, _) = operators(&logs, &settings);
        let tables = tables(&rows, &settings);
        rows_seen += rows.len();
        for (key, rows) in &tables {
            let theirs = outcome
                .tables
                .get(key)
                .unwrap_or_else(|| panic!("seed {seed}: the oracle has no row of {key:?}"));
            assert_eq!(rows.len(), theirs.len(), "seed {seed}: rows of {key:?}");
            for row in theirs {
                let sessions = rows.get(&row.cell_key).copied();
                let covered = row.cell.session_ids.len() as u64;
                assert!(
                    covered >= settings.k_of(&key.tenant),
                    "seed {seed}: {:?} of {key:?} covers {covered}",
                    row.cell_key
                );
                assert_eq!(sessions, Some(covered), "seed {seed}: {:?} of {key:?}", row.cell_key);
                folded += u64::from(row.cell_key.iter().any(|value| value == "*"));
            }
            // Each session must be in exactly one row of each table.
            let named: Vec<_> = theirs.iter().flat_map(|row| &row.cell.session_ids).collect();
            let all: BTreeSet<_> = outcome.cells[key].values().flat_map(|cell| &cell.session_ids).collect();
            assert_eq!(named.len(), all.len(), "seed {seed}: {key:?}");
            assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), all, "seed {seed}: {key:?}");
        }
        // A table without rows must have fewer than k sessions.
        for (key, cells) in outcome.cells.iter().filter(|(key, _)| !tables.contains_key(key)) {
            let all: BTreeSet<_> = cells.values().flat_map(|cell| &cell.session_ids).collect();
            assert!(
                (all.len() as u64) < settings.k_of(&key.tenant),
                "seed {seed}: {key:?} is withheld, and has {}",
                all.len()
            );
            withheld += 1;
        }
    }
    eprintln!("{rows_seen} rows, {folded} of them folded, {withheld} tables withheld");
    assert!(
        rows_seen > 10_000 && folded > 500 && withheld > 500,
        "too few: {rows_seen} rows, {folded} folded rows, {withheld} withheld tables"
    );
}
