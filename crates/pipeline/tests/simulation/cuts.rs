//! A combiner that starts from any checkpoint seals what the one before it would have sealed.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record};
use crowdfold_pipeline::{Combiner, CombinerCheckpoint, Sealed, Start};

use crate::worker::Shop;
use crate::world::{Rng, World};

const WORLDS: u64 = 4_000;

/// Returns the batches that a combiner of that partition seals from an offset on.
fn sealed(shop: &Shop, partition: u32, offset: i64, checkpoint: Option<CombinerCheckpoint>) -> Vec<Sealed> {
    let n = shop.world.partitions[1];
    let airlock = Airlock::new(&shop.shared, Some(Placement { partition, of: n }));
    let start = Start { partition, checkpoint, floor: 0, offsets_lost: false };
    let mut combiner = Combiner::new(shop.combine(0, n), airlock, &start, offset, false);
    let mut all = Vec::new();
    for (at, record) in shop.world.logs[partition as usize].iter().enumerate().skip(offset as usize) {
        let (payload, content_type) = (record.payload.as_slice(), record.content_type());
        let record = Record { payload, content_type, timestamp: Some(record.timestamp) };
        combiner.record(&record, at as i64, u64::MAX / 2).unwrap_or_else(|halt| panic!("{halt}"));
        let new = combiner.sealed().len();
        all.extend(combiner.sealed().iter().cloned());
        combiner.committed(new);
    }
    combiner.finish();
    all.extend(combiner.sealed().iter().cloned());
    all
}

fn partials(sealed: &[Sealed]) -> Vec<&Vec<u8>> {
    sealed.iter().flat_map(|sealed| &sealed.partials).map(|partial| &partial.value).collect()
}

/// Returns the first world and partition in which a restart comes to something else, and the seal it starts from.
pub(crate) fn first_difference() -> Option<(u64, u32, usize)> {
    let shared = crate::shared();
    (0..WORLDS).find_map(|number| {
        let shop = Shop { world: World::random(&mut Rng(number)), shared: Arc::clone(&shared) };
        (0..shop.world.partitions[1]).find_map(|partition| {
            let whole = sealed(&shop, partition, shop.world.first, None);
            // the last one is the end of the log
            (0..whole.len() - 1).find_map(|at| {
                let again = sealed(&shop, partition, whole[at].safe_offset, Some(whole[at].checkpoint));
                (partials(&again) != partials(&whole[at + 1..])).then_some((number, partition, at))
            })
        })
    })
}

#[test]
fn restart_from_any_checkpoint_seals_the_same() {
    assert_eq!(first_difference(), None);
}
