//! Compares folding with the oracle, and tests properties that every result of folding must have.

use std::collections::BTreeMap;

use crowdfold_model::{Cell, CellKey, SumMetric, Table, ValueMetric};
use proptest::collection::btree_map;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::oracle::{Crowd, Group, fold as oracle};
use crate::fold::{Margin, Row, fold};
use crate::testing::cell_key;

/// Values that sort before and after `*`, values that are prefixes of other values, and a value that is not ASCII.
const VALUES: [&str; 8] = ["!", "&", "+", "a", "ab", "b", "z", "é"];
/// The maximum number of leaves. Each leaf needs its own bit of `beacons`.
const LEAVES: usize = 60;

fn sessions() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 1_u64..12, 3 => 1_u64..60, 1 => 1_u64..1000]
}

fn networks() -> impl Strategy<Value = u64> {
    // About one in eight bits is set, because small cells come from few networks.
    (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(a, b, c)| a & b & c)
}

/// Generates leaves. Each has its own bit in `leaves`.
fn leaves() -> impl Strategy<Value = Vec<Group>> {
    (1_usize..=4)
        .prop_flat_map(|depth| {
            let cell_keys = proptest::collection::vec(select(&VALUES[..]), depth);
            btree_map(cell_keys, (sessions(), networks()), 0..LEAVES)
        })
        .prop_map(|leaves| {
            let group = |(index, (cell_key, (sessions, networks))): (usize, (Vec<&str>, (u64, u64)))| Group {
                cell_key: cell_key.into_iter().map(String::from).collect(),
                sessions,
                networks,
                leaves: 1 << index,
            };
            leaves.into_iter().enumerate().map(group).collect()
        })
}

fn crowd() -> impl Strategy<Value = Crowd> {
    let k = prop_oneof![1_u64..5, Just(10), Just(50), 1_u64..100];
    let networks = prop_oneof![3 => Just(0_u32), 1 => 1_u32..40];
    (k, networks, 0_u64..=50).prop_map(|(k, networks, margin)| Crowd {
        k,
        networks,
        margin: margin.min(k / 2),
    })
}

fn margin(Crowd { k, margin, .. }: Crowd) -> Margin {
    Margin { k, least: margin }
}

/// Converts leaves to a table. The bits of `beacons` identify the leaves in a row.
fn table(leaves: &[Group]) -> Table {
    leaves.iter().map(|leaf| (cell_key(&leaf.cell_key), cell(leaf))).collect()
}

fn cell(leaf: &Group) -> Cell {
    let mut cell = Cell { sessions: leaf.sessions, networks: leaf.networks, ..Cell::default() };
    cell.sums.beacons = leaf.leaves;
    cell.sums[SumMetric::PlayingMs] = leaf.sessions * 100;
    cell.values[ValueMetric::BandwidthKbps].record_many((leaf.sessions % 7) as u32, leaf.sessions);
    cell
}

fn groups(rows: &[Row]) -> Vec<Group> {
    let group = |Row { cell_key, cell }: &Row| Group {
        cell_key: cell_key.iter().map(|value| value.to_string()).collect(),
        sessions: cell.sessions,
        networks: cell.networks,
        leaves: cell.sums.beacons,
    };
    rows.iter().map(group).collect()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2000))]

    #[test]
    fn folding_equals_the_oracle(leaves in leaves(), crowd in crowd()) {
        let rows = fold(table(&leaves), margin(crowd), |cell| crowd.accepts_cell(cell));
        prop_assert_eq!(groups(&rows), oracle(&leaves, crowd));
    }

    #[test]
    fn rows_are_disjoint_crowds_that_cover_all_sessions_or_there_are_none(leaves in leaves(), crowd in crowd()) {
        let rows = fold(table(&leaves), margin(crowd), |cell| crowd.accepts_cell(cell));
        let mut seen = 0_u64;
        for row in &rows {
            prop_assert!(crowd.accepts_cell(&row.cell), "{:?}", row.cell_key);
            prop_assert_eq!(seen & row.cell.sums.beacons, 0, "a leaf is in two rows");
            seen |= row.cell.sums.beacons;
        }
        let mut whole = Cell::default();
        leaves.iter().for_each(|leaf| whole.add(&cell(leaf)));
        prop_assert_eq!(rows.is_empty(), !crowd.accepts_cell(&whole) || leaves.is_empty());
        if !rows.is_empty() {
            let mut published = Cell::default();
            rows.iter().for_each(|row| published.add(&row.cell));
            prop_assert_eq!(published, whole);
        }
    }

    #[test]
    fn rows_contain_leaves_of_their_prefix_and_cell_keys_are_distinct_and_sorted(leaves in leaves(), crowd in crowd()) {
        let rows = groups(&fold(table(&leaves), margin(crowd), |cell| crowd.accepts_cell(cell)));
        prop_assert!(rows.is_sorted_by(|one, other| one.cell_key < other.cell_key));
        for row in &rows {
            let depth = row.cell_key.iter().position(|value| value == "*").unwrap_or(row.cell_key.len());
            prop_assert!(row.cell_key[depth..].iter().all(|value| value == "*"));
            for leaf in leaves.iter().filter(|leaf| leaf.leaves & row.leaves != 0) {
                prop_assert_eq!(&leaf.cell_key[..depth], &row.cell_key[..depth]);
            }
        }
    }

    #[test]
    fn folding_twice_equals_folding_once(leaves in leaves(), crowd in crowd()) {
        let once = fold(table(&leaves), margin(crowd), |cell| crowd.accepts_cell(cell));
        let again: BTreeMap<CellKey, Cell> = once.iter().map(|row| (row.cell_key.clone(), row.cell.clone())).collect();
        let twice = fold(again, margin(crowd), |cell| crowd.accepts_cell(cell));
        prop_assert_eq!(groups(&twice), groups(&once));
    }

    #[test]
    fn at_most_one_row_of_each_node_is_merged_without_a_margin(leaves in leaves(), crowd in crowd()) {
        let rows = groups(&fold(table(&leaves), Margin::NONE, |cell| crowd.accepts_cell(cell)));
        let mut nodes: Vec<&[String]> =
            leaves.iter().flat_map(|leaf| (0..leaf.cell_key.len()).map(|depth| &leaf.cell_key[..depth])).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let kept = |leaf: &&Group| rows.iter().any(|row| row.cell_key == leaf.cell_key);
        let crowds = leaves.iter().filter(|leaf| crowd.accepts_cell(&cell(leaf)));
        prop_assert!(crowds.filter(|leaf| !kept(leaf)).count() <= nodes.len());
    }
}
