//! What a broker keeps: committed partials, rollups and offsets. Transactions are atomic; their fate may be unknown.

use std::collections::BTreeMap;

use crowdfold_pipeline::{Committed, PartialRecord};

/// How a transaction ends, and what its producer hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed,
    Aborted,
    /// It was committed, and the producer does not know.
    Unheard,
    /// It was not, and the producer does not know.
    Lost,
}

#[derive(Default)]
pub(crate) struct Broker {
    pub(crate) generation: u64,
    /// By merge partition: offset and value. Aborted records and markers take offsets too.
    pub(crate) partials: Vec<BTreeMap<i64, Vec<u8>>>,
    ends: Vec<i64>,
    pub(crate) combined: Vec<Option<Committed>>,
    pub(crate) merged: Vec<Option<Committed>>,
    /// Rows as `read_committed` sees them: key and value.
    pub(crate) rollups: Vec<(String, Vec<u8>)>,
    /// Rows that only `read_uncommitted` sees.
    pub(crate) aborted: Vec<(String, Vec<u8>)>,
}

pub(crate) enum Load {
    Partials(Vec<PartialRecord>),
    Rollups(Vec<(String, Vec<u8>)>),
}

impl Broker {
    pub(crate) fn new(partitions: u32, merge_partitions: u32) -> Self {
        let m = merge_partitions as usize;
        Self {
            partials: vec![BTreeMap::new(); m],
            ends: vec![0; m],
            combined: vec![None; partitions as usize],
            merged: vec![None; m],
            ..Self::default()
        }
    }

    /// What the producer hears: `Some(true)` committed, `Some(false)` aborted, `None` nothing.
    pub(crate) fn transact(
        &mut self,
        load: Load,
        offsets: Vec<(u32, i64, String)>,
        fate: Fate,
    ) -> Option<bool> {
        let happens = matches!(fate, Fate::Committed | Fate::Unheard);
        match load {
            Load::Partials(records) => {
                for record in records {
                    let end = &mut self.ends[record.partition as usize];
                    if happens {
                        self.partials[record.partition as usize].insert(*end, record.value);
                    }
                    *end += 1;
                }
                self.ends.iter_mut().for_each(|end| *end += 1);
                commit(&mut self.combined, offsets, happens);
            }
            Load::Rollups(rows) => {
                if happens { &mut self.rollups } else { &mut self.aborted }.extend(rows);
                commit(&mut self.merged, offsets, happens);
            }
        }
        match fate {
            Fate::Committed => Some(true),
            Fate::Aborted => Some(false),
            Fate::Unheard | Fate::Lost => None,
        }
    }
}

fn commit(group: &mut [Option<Committed>], offsets: Vec<(u32, i64, String)>, happens: bool) {
    if happens {
        for (partition, offset, metadata) in offsets {
            assert!(metadata.is_ascii() && metadata.len() < 2048);
            group[partition as usize] = Some(Committed { offset, metadata });
        }
    }
}
