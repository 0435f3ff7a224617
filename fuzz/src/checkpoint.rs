//! The target `checkpoint`: the metadata of committed offsets. Every member of the group can write such metadata.

use crowdfold_engine::{CombinerCheckpoint, MergerCheckpoint};
use crowdfold_model::Timestamp;

/// Asserts that a checkpoint stays the same when it is written and read again.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(read) = CombinerCheckpoint::parse(text) {
        assert_eq!(CombinerCheckpoint::parse(&read.to_string()), Some(read));
    }
    if let Some(read) = MergerCheckpoint::parse(text) {
        assert_eq!(MergerCheckpoint::parse(&read.to_string()), Some(read));
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let combiner = CombinerCheckpoint {
        layout_fingerprint: 0xabc,
        closed_until: Timestamp::from_millis(60_000),
        floor: Timestamp::EPOCH,
        read_offset: 5,
        partitions: 4,
        withhold_before: Timestamp::EPOCH,
        begins: Timestamp::EPOCH,
    };
    vec![combiner.to_string().into_bytes()]
}
