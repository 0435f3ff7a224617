use crowdfold_model::Dimension::{Browser, Cdn, Os, Player};
use crowdfold_model::{Cell, Span, SumMetric, Table, Timestamp, ValueMetric, Window};
use crowdfold_random::Random;
use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{ReleaseError, Released, is_partition_into_crowds, release};
use crate::fold::Row;
use crate::testing::{cell, cell_key, table};
use crate::{Coverage, Detail, Policy, PolicySettings};

const WINDOW: Window = Window::at(Timestamp::from_millis(60_000), Span::MINUTE);

fn policy(min_networks: Option<u32>) -> Policy {
    let breakdowns = vec![vec![Os, Browser], vec![Player], vec![Cdn]];
    Policy::threshold(PolicySettings {
        breakdowns,
        detail: Detail::Index(1),
        min_networks,
        ..Default::default()
    })
    .unwrap()
}

fn released(tables: &[&[(&str, u64)]]) -> Released {
    release("acme", WINDOW, tables.iter().map(|cells| table(cells)).collect(), &policy(None), None)
}

/// Formats each row as its breakdown, its cell key, its row number, the number of rows, and its sessions, such as
/// `os.browser Windows/* 3/12 83`.
fn shown(released: &Released) -> Vec<String> {
    let one = |rollup: &crate::Rollup| {
        let json: serde_json::Value = serde_json::from_slice(&rollup.json()).unwrap();
        let key = rollup.key();
        let values: Vec<_> = rollup.cell_key().collect();
        let place = format!("{}/{}", json["row"], json["rows"]);
        format!("{} {} {place} {}", key.split('/').nth(1).unwrap(), values.join("/"), rollup.sessions())
    };
    released.rollups.iter().map(one).collect()
}

#[test]
fn tables_are_in_policy_order_and_rows_in_cell_key_order() {
    let result = released(&[
        &[("Windows/Chrome", 60), ("Windows/Edge", 50), ("macOS/Safari", 10)],
        &[("hls.js", 120)],
        &[("b", 60), ("a", 60)],
    ]);
    assert_eq!(
        shown(&result),
        [
            "os.browser */* 1/2 60",
            "os.browser Windows/Chrome 2/2 60",
            "player hls.js 1/1 120",
            "cdn a 1/2 60",
            "cdn b 2/2 60",
        ]
    );
    assert_eq!(result.rows, [2, 1, 2]);
    assert_eq!((result.session_windows_released, result.session_windows_withheld), (120, 0));
    assert_eq!(result.fault, None);
    let first = &result.rollups[0];
    assert_eq!((first.tenant(), first.window(), first.breakdown()), ("acme", WINDOW, &[Os, Browser][..]));
}

#[test]
fn window_below_k_has_no_rows_in_any_breakdown() {
    let result = released(&[&[("a/b", 49)], &[("p", 49)], &[("c", 40), ("d", 9)]]);
    assert!(result.rollups.is_empty());
    assert_eq!(result.rows, [0, 0, 0]);
    assert_eq!((result.session_windows_released, result.session_windows_withheld), (0, 49));
    assert_eq!(result.fault, None);
}

#[test]
fn empty_window_has_no_rows() {
    let result = released(&[&[], &[], &[]]);
    assert!(result.rollups.is_empty());
    assert_eq!(
        (result.session_windows_released, result.session_windows_withheld, result.fault),
        (0, 0, None)
    );
}

#[test]
fn window_with_too_few_networks_has_no_rows() {
    let tables = |networks| {
        let mut everyone = cell(500);
        everyone.networks = networks;
        everyone.sums.beacons = 2000;
        let one = |values: &[&str]| Table::from([(cell_key(values), everyone.clone())]);
        vec![one(&["a", "b"]), one(&["p"]), one(&["c"])]
    };
    let few = release("acme", WINDOW, tables(0b11), &policy(Some(3)), None);
    assert_eq!((few.rollups.len(), few.session_windows_withheld, few.beacons_withheld), (0, 500, 2000));
    let enough = release("acme", WINDOW, tables(0b111), &policy(Some(3)), None);
    assert_eq!(
        (enough.rollups.len(), enough.session_windows_released, enough.beacons_released),
        (3, 500, 2000)
    );
}

#[test]
fn window_with_an_invalid_table_is_withheld_and_the_error_is_reported() {
    let fault = |tables: &[&[(&str, u64)]]| {
        let result = released(tables);
        assert!(result.rollups.is_empty());
        assert_eq!((result.rows.len(), result.session_windows_released), (3, 0));
        assert_eq!(
            result.session_windows_withheld,
            tables.first().map_or(0, |cells| cells.iter().map(|(_, n)| n).sum())
        );
        result.fault
    };
    let player = || Some(ReleaseError::Cell { breakdown: "player".into() });
    assert_eq!(
        fault(&[&[("a/b", 60)], &[("p", 60)]]),
        Some(ReleaseError::TableCount { tables: 2, breakdowns: 3 })
    );
    assert_eq!(fault(&[]), Some(ReleaseError::TableCount { tables: 0, breakdowns: 3 }));
    assert_eq!(fault(&[&[("a/b", 60)], &[("p/q", 60)], &[("c", 60)]]), player());
    assert_eq!(fault(&[&[("a/b", 60)], &[("*", 60)], &[("c", 60)]]), player());
    assert_eq!(fault(&[&[("a/b", 60)], &[("p", 60), ("q", 0)], &[("c", 60)]]), player());
    assert_eq!(
        fault(&[&[("a/b", 60)], &[("p", 60)], &[("c", 61)]]),
        Some(ReleaseError::Totals { breakdown: "cdn".into(), first: "os.browser".into() })
    );
}

#[test]
fn window_whose_tables_have_different_sums_is_withheld() {
    let mut tables = vec![table(&[("a/b", 60)]), table(&[("p", 60)]), table(&[("c", 60)])];
    if let Some(cell) = tables[1].values_mut().next() {
        cell.sums[SumMetric::Stalls] = 1;
    }
    let result = release("acme", WINDOW, tables, &policy(None), None);
    assert_eq!(
        result.fault,
        Some(ReleaseError::Totals { breakdown: "player".into(), first: "os.browser".into() })
    );
    let mut tables = vec![table(&[("a/b", 60)]), table(&[("p", 60)]), table(&[("c", 60)])];
    if let Some(cell) = tables[2].values_mut().next() {
        cell.bounded.0[0] = 1;
    }
    let result = release("acme", WINDOW, tables, &policy(None), None);
    assert_eq!(
        result.fault,
        Some(ReleaseError::Totals { breakdown: "cdn".into(), first: "os.browser".into() })
    );
}

#[test]
fn final_check_refuses_a_row_below_k_and_a_wrong_total() {
    let is_accepted = |sessions: &[u64], total| {
        let rows: Vec<_> =
            sessions.iter().map(|n| Row { cell_key: cell_key(&["a"]), cell: cell(*n) }).collect();
        is_partition_into_crowds(&rows, &cell(total), &policy(None))
    };
    assert!(is_accepted(&[50, 70], 120));
    assert!(!is_accepted(&[49, 71], 120));
    assert!(!is_accepted(&[50, 70], 121));
}

#[test]
fn histograms_are_in_the_detail_table_only_and_coverage_is_in_every_table() {
    let everyone = |values: &[&str]| {
        let mut cell = cell(60);
        cell.values[ValueMetric::StartupMs].record_many(850, 60);
        Table::from([(cell_key(values), cell)])
    };
    let tables = vec![everyone(&["a", "b"]), everyone(&["p"]), everyone(&["c"])];
    let coverage = Some(Coverage { partitions: 3, of: 4 });
    let result = release("acme", WINDOW, tables, &policy(None), coverage);
    let with = |text: &str| -> Vec<bool> {
        let holds = |rollup: &crate::Rollup| String::from_utf8(rollup.json()).unwrap().contains(text);
        result.rollups.iter().map(holds).collect()
    };
    assert_eq!(with(r#""histogram":[[0,null,60]]"#), [false, true, false]);
    assert_eq!(with(r#""coverage":{"partitions":3,"of":4}"#), [true; 3]);
}

/// The summary of one session, with four dimension values: two for the first table, one for the second table and one
/// for the third.
#[derive(Clone, Debug)]
struct SessionSummary {
    values: [u8; 4],
    cell: Cell,
}

fn summary(numbers: &mut Random) -> SessionSummary {
    let mut cell = Cell { sessions: 1, networks: 1 << (numbers.bits() % 64), ..Cell::default() };
    cell.sums.beacons = 1 + numbers.bits() % 5;
    cell.sums[SumMetric::PlayingMs] = 100 * (numbers.bits() % 600);
    cell.sums.errors[(numbers.bits() % 6) as usize] = numbers.bits() % 2;
    cell.values[ValueMetric::BandwidthKbps].record((numbers.bits() % 90) as u32 * 100);
    cell.bounded.0[17] = cell.sums[SumMetric::PlayingMs];
    let value = |unit: f64| (unit * unit * unit * 6.0) as u8;
    SessionSummary { values: std::array::from_fn(|_| value(numbers.unit())), cell }
}

/// Builds the three tables. Adds up the session summaries of each partition, in the given order, and then the
/// partitions.
fn tables(partitions: &[Vec<SessionSummary>]) -> Vec<Table> {
    let mut whole = vec![Table::new(); 3];
    for partition in partitions {
        let mut part = vec![Table::new(); 3];
        for SessionSummary { values: [a, b, c, d], cell } in partition {
            for (table, values) in part.iter_mut().zip([&[*a, *b][..], &[*c], &[*d]]) {
                let values: Vec<_> = values.iter().map(u8::to_string).collect();
                table.entry(cell_key(&values)).or_default().add(cell);
            }
        }
        for (whole, part) in whole.iter_mut().zip(part) {
            part.into_iter().for_each(|(cell_key, cell)| whole.entry(cell_key).or_default().add(&cell));
        }
    }
    whole
}

proptest! {
    #[test]
    fn order_and_partitions_of_sessions_do_not_change_a_byte_of_the_rows(
        seed in 0_u64..1_000_000, count in 0_usize..400, cuts in vec(0_usize..400, 0..4)
    ) {
        let mut numbers = Random::new(seed);
        let mut summaries: Vec<_> = (0..count).map(|_| summary(&mut numbers)).collect();
        let bytes = |partitions: &[Vec<SessionSummary>]| -> Vec<Vec<u8>> {
            let result = release("acme", WINDOW, tables(partitions), &policy(Some(5)), None);
            result.rollups.iter().map(crate::Rollup::json).collect()
        };
        let straight = bytes(&[summaries.clone()]);
        summaries.sort_by_cached_key(|_| numbers.bits());
        let mut partitions = vec![summaries];
        for cut in cuts {
            if let Some(last) = partitions.last_mut() {
                let rest = last.split_off(cut.min(last.len()));
                partitions.push(rest);
            }
        }
        prop_assert_eq!(bytes(&partitions), straight);
    }

    #[test]
    fn every_table_accounts_for_all_sessions_and_beacons_of_the_window(
        seed in 0_u64..1_000_000, count in 0_usize..200
    ) {
        let mut numbers = Random::new(seed);
        let summaries: Vec<_> = (0..count).map(|_| summary(&mut numbers)).collect();
        let beacons: u64 = summaries.iter().map(|summary| summary.cell.sums.beacons).sum();
        let result = release("acme", WINDOW, tables(&[summaries]), &policy(None), None);
        prop_assert_eq!(&result.fault, &None);
        prop_assert_eq!(result.session_windows_released + result.session_windows_withheld, count as u64);
        prop_assert_eq!(result.beacons_released + result.beacons_withheld, beacons);
        prop_assert_eq!(result.session_windows_released > 0, count >= 50);
        let mut rollups = result.rollups.iter();
        for rows in &result.rows {
            let table: Vec<_> = rollups.by_ref().take(*rows as usize).collect();
            prop_assert_eq!(table.iter().map(|row| row.sessions()).sum::<u64>(), result.session_windows_released);
            let beacons: Option<u64> = table.iter().map(|row| row.beacons()).sum();
            prop_assert!(beacons.is_none_or(|beacons| beacons == result.beacons_released));
            prop_assert!(table.iter().all(|row| row.sessions() >= 50));
        }
        prop_assert!(rollups.next().is_none());
    }
}
