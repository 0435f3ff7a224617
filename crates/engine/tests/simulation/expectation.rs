//! What may be published, and what must be: that of an undisturbed run.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crowdfold_engine::Counts;
use crowdfold_engine::wire::{self, Partial};
use crowdfold_model::murmur2;

use crate::log::{Broker, Row, has_coverage};
use crate::scenario::WINDOW;
use crate::schedule::{Outcome, Trouble, undisturbed};
use crate::worker::Shop;

/// All rows of one tenant and window, in order.
type Tables = BTreeMap<(String, u64), Vec<Row>>;

/// What an undisturbed run came to.
pub(crate) struct Reference {
    tables: Tables,
    account: (Counts, u64),
}

/// Undisturbed runs of one scenario, each made when it is first asked for.
#[derive(Default)]
pub(crate) struct References(RefCell<HashMap<(usize, bool, u64), Rc<Reference>>>);

impl References {
    /// `missing`: a bit for each partition that did not come.
    fn get(&self, shop: &Shop, version: usize, grown: bool, missing: u64) -> Rc<Reference> {
        let known = self.0.borrow().get(&(version, grown, missing)).cloned();
        known.unwrap_or_else(|| {
            let broker = undisturbed(shop, version, grown, missing);
            let made = Rc::new(Reference { tables: tables(&broker.rollups), account: account(&broker) });
            self.0.borrow_mut().insert((version, grown, missing), Rc::clone(&made));
            made
        })
    }
}

/// Holds what was published, and what only aborted transactions held, to what may be.
pub(crate) fn check(shop: &Shop, references: &References, outcome: &Outcome) {
    let got = tables(&outcome.broker.rollups);
    let versions: &[usize] = if outcome.rolled { &[0, 1] } else { &[0] };
    let grown: &[bool] = if shop.scenario.grows() { &[false, true] } else { &[true] };
    let whole: Vec<_> = versions
        .iter()
        .flat_map(|version| grown.iter().map(|grown| references.get(shop, *version, *grown, 0)))
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
        match decided(shop, &outcome.broker, tenant, *start) {
            Some(missing) => {
                let part = references.get(shop, 0, true, missing);
                let part = with_coverage(shop, part.tables.get(key).unwrap_or(&none), missing);
                assert_eq!(text(published), text(&part), "{tenant}, {start}: published, and expected");
            }
            None if withheld || whole.iter().any(expected) => {}
            None => {
                let whole = text(whole[0].tables.get(key).unwrap_or(&none));
                assert_eq!(
                    text(published),
                    whole,
                    "{:?}, {tenant}, {start}: published, and expected",
                    outcome.trouble
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
                "{:?}, {:?}: an aborted attempt held what was never published:\n{}\npublished is\n{}",
                outcome.trouble,
                outcome.excused,
                text(&shown).join("\n"),
                text(published).join("\n")
            );
        }
    }
    if matches!(outcome.trouble, Trouble::Nothing | Trouble::Stuck) {
        let (counts, in_cells) = account(&outcome.broker);
        assert_eq!((counts, in_cells), whole[0].account, "other outcomes");
        assert_eq!(counts.read, shop.scenario.beacons, "every beacon is read once");
        assert_eq!(counts.read, in_cells + counts.without_summary(), "every beacon is accounted for");
    }
}

/// The partitions that a committed decision gave up in a window.
fn decided(shop: &Shop, broker: &Broker, tenant: &str, start: u64) -> Option<u64> {
    let m = (murmur2(tenant.as_bytes()) & 0x7fff_ffff) % shop.scenario.merge_partitions;
    let holds = |(by, closed, forced): &&(u32, u64, crowdfold_engine::Forced)| {
        *by == m && *closed < start + WINDOW && crate::at(start + WINDOW) <= forced.end
    };
    let (_, _, forced) = broker.decisions.iter().find(holds)?;
    Some(forced.missing.iter().rev().fold(0, |mask, byte| mask << 8 | u64::from(*byte)))
}

/// Rows as they are told when some partitions are missing.
fn with_coverage(shop: &Shop, rows: &[Row], missing: u64) -> Vec<Row> {
    let of = shop.scenario.partitions[1];
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

/// Outcomes and beacons in cells, as the partials' topic has them.
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

/// Whether any row was released without some partitions.
pub(crate) fn is_partial(outcome: &Outcome) -> bool {
    outcome.broker.rollups.iter().any(|(_, value)| has_coverage(value))
}
