//! Compares the published rows with the rows of an undisturbed run.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crowdfold_engine::Counts;
use crowdfold_engine::wire::{self, Partial};
use crowdfold_model::murmur2;

use crate::log::{Broker, Row, has_coverage};
use crate::scenario::WINDOW;
use crate::schedule::{Disruption, Outcome, undisturbed};
use crate::worker::Deployment;

/// The rows of each tenant and window, in order.
type Tables = BTreeMap<(String, u64), Vec<Row>>;

/// The result of an undisturbed run.
pub(crate) struct Reference {
    tables: Tables,
    account: (Counts, u64),
}

/// The undisturbed runs of one scenario. Each run is computed when it is used for the first time.
#[derive(Default)]
pub(crate) struct References(RefCell<HashMap<(usize, bool, u64), Rc<Reference>>>);

impl References {
    /// Returns an undisturbed run. For each partition whose log is empty, the bit in `missing` is set.
    fn get(&self, deployment: &Deployment, version: usize, grown: bool, missing: u64) -> Rc<Reference> {
        let known = self.0.borrow().get(&(version, grown, missing)).cloned();
        known.unwrap_or_else(|| {
            let broker = undisturbed(deployment, version, grown, missing);
            let made = Rc::new(Reference { tables: tables(&broker.rollups), account: account(&broker) });
            self.0.borrow_mut().insert((version, grown, missing), Rc::clone(&made));
            made
        })
    }
}

/// Compares the published rows, and the rows of aborted transactions, with the expected rows.
pub(crate) fn check(deployment: &Deployment, references: &References, outcome: &Outcome) {
    let got = tables(&outcome.broker.rollups);
    let versions: &[usize] = if outcome.rolled { &[0, 1] } else { &[0] };
    let grown: &[bool] = if deployment.scenario.grows() { &[false, true] } else { &[true] };
    let whole: Vec<_> = versions
        .iter()
        .flat_map(|version| grown.iter().map(|grown| references.get(deployment, *version, *grown, 0)))
        .collect();
    let none = Vec::new();
    let mut keys: Vec<_> = whole.iter().flat_map(|reference| reference.tables.keys()).collect();
    keys.extend(got.keys());
    keys.sort();
    keys.dedup();
    for key in keys {
        let (tenant, start) = key;
        let published = got.get(key).unwrap_or(&none);
        let withheld = published.is_empty() && outcome.excused.covers(*start);
        let expected = |one: &Rc<Reference>| one.tables.get(key).unwrap_or(&none) == published;
        match decided(deployment, &outcome.broker, tenant, *start) {
            Some(missing) => {
                let part = references.get(deployment, 0, true, missing);
                let part = with_coverage(deployment, part.tables.get(key).unwrap_or(&none), missing);
                assert_eq!(
                    text(published),
                    text(&part),
                    "{tenant}, {start}: published rows and expected rows"
                );
            }
            None if withheld || whole.iter().any(expected) => {}
            None => {
                let whole = text(whole[0].tables.get(key).unwrap_or(&none));
                assert_eq!(
                    text(published),
                    whole,
                    "{:?}, {tenant}, {start}: published rows and expected rows",
                    outcome.disruption
                );
            }
        }
    }
    for (key, shown) in tables(&outcome.broker.aborted) {
        let published = got.get(&key).unwrap_or(&none);
        let withheld = published.is_empty() && outcome.excused.covers(key.1);
        let known = |row: &Row| {
            published.contains(row)
                || withheld
                    && whole.iter().any(|one| one.tables.get(&key).is_some_and(|rows| rows.contains(row)))
        };
        for row in &shown {
            assert!(
                known(row),
                "{:?}, {:?}: an aborted transaction has unpublished rows:\n{}\nthe published rows are\n{}",
                outcome.disruption,
                outcome.excused,
                text(&shown).join("\n"),
                text(published).join("\n")
            );
        }
    }
    if matches!(outcome.disruption, Disruption::Nothing | Disruption::Stuck) {
        let (counts, in_cells) = account(&outcome.broker);
        assert_eq!((counts, in_cells), whole[0].account, "other outcomes");
        assert_eq!(counts.read, deployment.scenario.beacons, "every beacon is read once");
        assert_eq!(counts.read, in_cells + counts.without_summary(), "every beacon is accounted for");
    }
}

/// Returns the partitions that a committed decision declared missing for a window. Each partition is one bit. Returns
/// `None` if there is no such decision.
fn decided(deployment: &Deployment, broker: &Broker, tenant: &str, start: u64) -> Option<u64> {
    let m = (murmur2(tenant.as_bytes()) & 0x7fff_ffff) % deployment.scenario.partial_partitions;
    let holds = |(by, closed, forced): &&(u32, u64, crowdfold_engine::Forced)| {
        *by == m && *closed < start + WINDOW && crate::at(start + WINDOW) <= forced.end
    };
    let (_, _, forced) = broker.decisions.iter().find(holds)?;
    Some(forced.missing.iter().rev().fold(0, |mask, byte| mask << 8 | u64::from(*byte)))
}

/// Returns the rows with the coverage that they have if the partitions in `missing` are missing.
fn with_coverage(deployment: &Deployment, rows: &[Row], missing: u64) -> Vec<Row> {
    let of = deployment.scenario.partitions[1];
    let came = of - missing.count_ones();
    let with_note = |(key, value): &Row| {
        let value = String::from_utf8_lossy(value);
        let coverage = format!(r#""coverage":{{"partitions":{came},"of":{of}}},"sessions""#);
        (key.clone(), value.replacen("\"sessions\"", &coverage, 1).into_bytes())
    };
    rows.iter().map(with_note).collect()
}

fn tables(rows: &[Row]) -> Tables {
    let mut tables = Tables::new();
    for row in rows {
        let mut words = row.0.split('/');
        let tenant = words.next().unwrap_or_default().to_owned();
        let start = words.next_back().and_then(|start| start.parse().ok()).unwrap_or(0);
        tables.entry((tenant, start)).or_default().push(row.clone());
    }
    tables.values_mut().for_each(|rows| rows.sort());
    tables
}

fn text(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|(key, value)| format!("{key} {}", String::from_utf8_lossy(value))).collect()
}

/// Returns the sum of the outcomes in all close markers, and the number of beacons in all cells.
fn account(broker: &Broker) -> (Counts, u64) {
    let (mut counts, mut in_cells) = (Counts::default(), 0);
    for value in broker.partials.iter().flat_map(BTreeMap::values) {
        match wire::read(value) {
            Ok(Partial::Chunk(chunk)) if chunk.breakdown == 0 => {
                in_cells += chunk.cells.iter().map(|(_, cell)| cell.sums.beacons).sum::<u64>();
            }
            Ok(Partial::CloseMarker(marker)) => counts.add(&marker.counts),
            _ => {}
        }
    }
    (counts, in_cells)
}

/// Returns true if any row was released although some partitions were missing.
pub(crate) fn is_partial(outcome: &Outcome) -> bool {
    outcome.broker.rollups.iter().any(|(_, value)| has_coverage(value))
}
