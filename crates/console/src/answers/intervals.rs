//! The intervals of a time series.

use std::collections::BTreeMap;

use crowdfold_model::Timestamp;
use serde_json::{Value, json};

use crate::Store;
use crate::question::{Question, Refusal};

/// The intervals of a time series, with the number of windows in each that are expected, published, incomplete and
/// withheld.
#[derive(Default)]
pub(super) struct Intervals {
    pub(super) starts: Vec<Timestamp>,
    expected: Vec<u64>,
    published: Vec<u64>,
    incomplete: Vec<u64>,
    /// The windows in which another tenant has a table, but this tenant has none.
    withheld: Vec<u64>,
}

impl Intervals {
    pub(super) fn of(store: &Store, question: &Question) -> Result<Self, Refusal> {
        let selection = &question.selection;
        let step = selection.step.unwrap_or(question.length);
        let mut intervals = Self::default();
        let mut start = selection.since.floor(step);
        let mut index = BTreeMap::new();
        while start < selection.until {
            index.insert(start, intervals.starts.len());
            // do not expect windows before the first window and after the newest window of all tenants
            let end = start.saturating_add(step).min(selection.until).min(question.newest);
            let first = start.max(selection.since).max(question.first);
            let expected = end.saturating_since(first).as_millis();
            intervals.expected.push(expected / question.length.as_millis().max(1));
            intervals.starts.push(start);
            start = start.saturating_add(step);
        }
        intervals.published = vec![0; intervals.starts.len()];
        intervals.incomplete = vec![0; intervals.starts.len()];
        intervals.withheld = vec![0; intervals.starts.len()];
        for (start, (published, incomplete)) in store.published(selection)? {
            let Some(at) = index.get(&start) else { continue };
            intervals.published[*at] = published;
            intervals.incomplete[*at] = incomplete;
        }
        // the search for withheld windows takes time, so it is done only if windows are absent
        if intervals
            .expected
            .iter()
            .zip(&intervals.published)
            .any(|(expected, published)| published < expected)
        {
            for (start, withheld) in store.withheld(selection)? {
                let Some(at) = index.get(&start) else { continue };
                intervals.withheld[*at] = withheld;
            }
        }
        Ok(intervals)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "start": self.starts.iter().map(|start| start.as_millis()).collect::<Vec<_>>(),
            "expected": self.expected, "published": self.published, "incomplete": self.incomplete,
            "withheld": self.withheld,
        })
    }
}
