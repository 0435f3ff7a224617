//! Encodes closed windows as records for the mergers.

use crate::wire::{self, CloseMarker};
use crate::{ClosedWindow, Counts};
use crowdfold_model::murmur2;

/// A record for the topic of partials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialRecord {
    /// The partition to which the record is sent.
    pub partition: u32,
    /// The key of the record: the tenant for a chunk, and empty for a close marker.
    pub key: Vec<u8>,
    /// The value of the record: an encoded chunk or close marker ([`wire`]).
    pub value: Vec<u8>,
}

/// Returns the chunks of every tenant, and a close marker for every partition of the topic of partials. All chunks of a
/// tenant are sent to the same partition. `marker` contains the fields that all close markers have in common. Only the
/// first close marker contains the counts, so that each beacon is counted once.
pub(crate) fn pack(
    closed: &[ClosedWindow],
    tenants: &[String],
    partial_partitions: u32,
    marker: &CloseMarker,
) -> Vec<PartialRecord> {
    let mut partials: Vec<PartialRecord> = Vec::new();
    let mut sums = vec![(0, crc32fast::Hasher::new()); partial_partitions as usize];
    for window in closed {
        for (tenant, tables) in &window.tenants {
            let Some(tenant) = tenants.get(*tenant as usize) else { continue };
            let partition = partial_partition(tenant, partial_partitions);
            let (chunks, checksum) = &mut sums[partition as usize];
            for (breakdown, table) in tables.iter().enumerate() {
                for value in wire::chunks(marker.partition, window.window, tenant, breakdown as u16, table) {
                    *chunks += 1;
                    checksum.update(&value);
                    partials.push(PartialRecord { partition, key: tenant.clone().into_bytes(), value });
                }
            }
        }
    }
    for (partition, (chunks, checksum)) in sums.into_iter().enumerate() {
        let counts = if partition == 0 { marker.counts } else { Counts::default() };
        let marker = CloseMarker { chunks, checksum: checksum.finalize(), counts, ..marker.clone() };
        let value = wire::close_marker(&marker);
        partials.push(PartialRecord { partition: partition as u32, key: Vec::new(), value });
    }
    partials
}

/// Returns the partition of the topic of partials for a tenant. The default partitioner of Java clients selects the
/// same partition.
fn partial_partition(tenant: &str, partial_partitions: u32) -> u32 {
    (murmur2(tenant.as_bytes()) & 0x7fff_ffff) % partial_partitions
}
