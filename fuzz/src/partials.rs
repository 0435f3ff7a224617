//! The target `partials`: records of the topic `partials`.

use std::sync::Arc;

use crowdfold_engine::Counts;
use crowdfold_engine::wire::{self, CloseMarker, Partial};
use crowdfold_model::{
    Cell, CellKey, Distribution, Span, SumMetric, Sums, Table, Timestamp, ValueMetric, Values, Window,
};

/// Asserts that a partial stays the same when it is written and read again, and that adding up its cells causes no
/// panic.
pub fn check(data: &[u8]) {
    match wire::read(data) {
        Ok(Partial::CloseMarker(marker)) => {
            assert_eq!(wire::read(&wire::close_marker(&marker)), Ok(Partial::CloseMarker(marker)));
        }
        Ok(Partial::Chunk(chunk)) => {
            let mut sum = Cell::default();
            // A chunk may contain a cell key more than once. Therefore its cells are added up in a table first.
            let mut table = Table::new();
            for (cell_key, cell) in &chunk.cells {
                sum.add(cell);
                table.entry(cell_key.clone()).or_default().add(cell);
            }
            let _ = sum.values.0.each_ref().map(|values| (values.sessions(), values.sum()));
            let chunks = wire::chunks(chunk.partition, chunk.window, &chunk.tenant, chunk.breakdown, &table);
            let mut again = Table::new();
            for bytes in chunks {
                let Ok(Partial::Chunk(read)) = wire::read(&bytes) else {
                    panic!("a chunk that the program wrote cannot be read")
                };
                assert_eq!((read.window, &read.tenant), (chunk.window, &chunk.tenant));
                again.extend(read.cells);
            }
            assert!(again == table, "the table changed when it was written and read again");
        }
        Err(_) => {}
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let cell = |sessions: u64| {
        let mut startup = Distribution::default();
        (0..sessions).for_each(|nth| startup.record(850 + 10 * (nth % 5) as u32));
        let sums = Sums { beacons: 3 * sessions, ..Sums::of(&[(SumMetric::PlayingMs, 10_000 * sessions)]) };
        let values =
            Values::of([(ValueMetric::BandwidthKbps, startup.clone()), (ValueMetric::StartupMs, startup)]);
        Cell { sessions, networks: sessions, sums, values, ..Cell::default() }
    };
    let cell_key = |words: &[&str]| -> CellKey { words.iter().map(|word| Arc::from(*word)).collect() };
    let window = Window::at(Timestamp::from_millis(1_795_308_480_000), Span::MINUTE);
    let table: Table =
        [(cell_key(&["Windows", "Chrome"]), cell(9)), (cell_key(&["Tizen", "other"]), cell(1))].into();
    let small: Table = [(cell_key(&["é"]), cell(2))].into();
    let marker = CloseMarker {
        partition: 1,
        partitions: 4,
        layout_fingerprint: u64::MAX,
        from: window.start,
        to: window.end,
        withhold_before: Timestamp::EPOCH,
        chunks: 2,
        checksum: 7,
        counts: Counts { read: 100, ..Counts::default() },
    };
    let mut seeds = wire::chunks(1, window, "acme", 0, &table);
    seeds.extend(wire::chunks(0, window, "default", 3, &small));
    seeds.push(wire::close_marker(&marker));
    seeds
}
