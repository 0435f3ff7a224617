//! A simulated broker, which stores committed partials, rollups and offsets. Transactions are atomic, but their
//! producer may not receive the result.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;

use crowdfold_engine::{Committed, Forced, MergerCheckpoint, PartialRecord};

use crate::scenario::Scenario;

/// The result of a transaction. It also defines if the producer receives this result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionResult {
    Committed,
    Aborted,
    /// The transaction was committed, but the producer does not receive the result.
    CommittedUnknown,
    /// The transaction was aborted, but the producer does not receive the result.
    AbortedUnknown,
}

/// The key and the value of a rollup record.
pub(crate) type Row = (String, Vec<u8>);

/// A consumer group, with its generation and its committed offsets.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) generation: u64,
    pub(crate) committed: Vec<Option<Committed>>,
}

#[derive(Default)]
pub(crate) struct Broker {
    pub(crate) combine: Group,
    pub(crate) merge: Group,
    /// True if the topic of beacons has grown to its new number of partitions.
    pub(crate) grown: bool,
    /// The first offset of each log of beacons.
    pub(crate) log_starts: Vec<i64>,
    /// The values in each partition of the topic of partials, by offset. Aborted records and transaction markers have
    /// offsets too.
    pub(crate) partials: Vec<BTreeMap<i64, Vec<u8>>>,
    pub(crate) partial_ends: Vec<i64>,
    /// The rows that a reader with `read_committed` receives.
    pub(crate) rollups: Vec<Row>,
    /// The rows that only a reader with `read_uncommitted` receives.
    pub(crate) aborted: Vec<Row>,
    /// Every committed decision, with its partition of the topic of partials, and with the end of the last window that
    /// was committed before the decision.
    pub(crate) decisions: Vec<(u32, u64, Forced)>,
}

pub(crate) enum Load {
    Partials(Vec<PartialRecord>),
    /// The rows, each with the partition of the topic of partials from which it comes.
    Rollups(Vec<(u32, Row)>),
}

impl Broker {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let (n, m) = (scenario.partitions[1] as usize, scenario.partial_partitions as usize);
        Self {
            combine: Group { generation: 1, committed: vec![None; n] },
            merge: Group { generation: 1, committed: vec![None; m] },
            log_starts: vec![scenario.first; n],
            partials: vec![BTreeMap::new(); m],
            partial_ends: vec![0; m],
            ..Self::default()
        }
    }

    /// Applies a transaction. Returns true if it was committed and false if it was aborted. Returns `None` if the
    /// producer does not receive the result.
    pub(crate) fn transact(
        &mut self,
        load: Load,
        offsets: Vec<(u32, i64, String)>,
        result: TransactionResult,
    ) -> Option<bool> {
        let happens = matches!(result, TransactionResult::Committed | TransactionResult::CommittedUnknown);
        match load {
            Load::Partials(records) => {
                if !records.is_empty() {
                    self.partial_ends.iter_mut().for_each(|end| *end += 1);
                }
                for record in records {
                    let end = &mut self.partial_ends[record.partition as usize];
                    if happens {
                        self.partials[record.partition as usize].insert(*end, record.value);
                    }
                    *end += 1;
                }
                commit(&mut self.combine, offsets, happens);
            }
            Load::Rollups(rows) => {
                for (m, (key, value)) in rows {
                    if has_coverage(&value) {
                        self.assert_decided(m, &key);
                    }
                    if happens { &mut self.rollups } else { &mut self.aborted }.push((key, value));
                }
                for (m, _, metadata) in offsets.iter().filter(|_| happens) {
                    let known = MergerCheckpoint::parse(metadata).unwrap();
                    self.decisions
                        .extend(known.forced.map(|forced| (*m, known.closed_until.as_millis(), forced)));
                }
                commit(&mut self.merge, offsets, happens);
            }
        }
        match result {
            TransactionResult::Committed => Some(true),
            TransactionResult::Aborted => Some(false),
            TransactionResult::CommittedUnknown | TransactionResult::AbortedUnknown => None,
        }
    }

    /// Asserts that the decision about a row without some partitions is committed before the row is sent.
    fn assert_decided(&self, m: u32, key: &str) {
        let known = self.merge.committed[m as usize].as_ref();
        let known = known.and_then(|known| MergerCheckpoint::parse(&known.metadata)?.forced);
        let window = key.rsplit('/').next().unwrap().parse::<u64>().unwrap();
        let decided = known.is_some_and(|forced| crate::at(window) < forced.end);
        assert!(decided, "{key} was sent without partitions before the decision");
    }
}

pub(crate) fn has_coverage(row: &[u8]) -> bool {
    std::str::from_utf8(row).is_ok_and(|row| row.contains("\"coverage\""))
}

fn commit(group: &mut Group, offsets: Vec<(u32, i64, String)>, happens: bool) {
    if happens {
        for (partition, offset, metadata) in offsets {
            assert!(metadata.is_ascii() && metadata.len() < 2048);
            group.committed[partition as usize] = Some(Committed { offset, metadata, is_lost: false });
        }
    }
}
