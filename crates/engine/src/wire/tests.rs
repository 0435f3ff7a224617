use proptest::prelude::*;

use super::*;
use crowdfold_model::{Span, Sums, ValueMetric};

fn cell() -> impl Strategy<Value = Cell> {
    let distribution = proptest::collection::btree_map(any::<u32>(), 1..1_000_u64, 0..5);
    (any::<u64>(), any::<u64>(), any::<u32>(), distribution).prop_map(|(sessions, networks, sums, values)| {
        let mut cell = Cell {
            sessions,
            networks,
            sums: Sums { beacons: sums.into(), errors: [1, 2, 3, 4, 5, sums.into()], ..Sums::default() },
            ..Cell::default()
        };
        for (value, sessions) in values {
            cell.values[ValueMetric::StartupMs].record_many(value, sessions);
        }
        cell
    })
}

fn table() -> impl Strategy<Value = Table> {
    let cell_key = proptest::collection::vec("[a-zé*]{0,8}", 2);
    let cell_key =
        cell_key.prop_map(|words| words.iter().map(|word| Arc::from(word.as_str())).collect::<CellKey>());
    proptest::collection::btree_map(cell_key, cell(), 1..20)
}

fn read_back(chunks: &[Vec<u8>]) -> Vec<Chunk> {
    let read = chunks.iter().map(|bytes| match read(bytes).unwrap() {
        Partial::Chunk(chunk) => chunk,
        Partial::CloseMarker(_) => panic!("a chunk was written"),
    });
    read.collect()
}

const WINDOW: Window = Window::at(Timestamp::from_millis(60_000), Span::MINUTE);

proptest! {
    #[test]
    fn encoded_table_is_decoded_unchanged(table in table()) {
        let chunks = read_back(&chunks(3, WINDOW, "acme", 1, &table));
        let cells: Table = chunks.iter().flat_map(|chunk| chunk.cells.iter().cloned()).collect();
        prop_assert_eq!(cells, table);
        for chunk in chunks {
            prop_assert_eq!((chunk.partition, chunk.window, chunk.breakdown), (3, WINDOW, 1));
            prop_assert_eq!(chunk.tenant, "acme");
        }
    }

    #[test]
    fn encoded_close_marker_is_decoded_unchanged(numbers in any::<[u64; 4]>(), small in any::<[u32; 4]>()) {
        let [layout_fingerprint, from, to, withhold_before] = numbers;
        let [partition, partitions, chunks, checksum] = small;
        let counts = Counts { read: from, rejected: [to; 9], ..Counts::default() };
        let marker = CloseMarker { partition, partitions, layout_fingerprint, from: Timestamp::from_millis(from), to: Timestamp::from_millis(to), withhold_before: Timestamp::from_millis(withhold_before), chunks, checksum, counts };
        prop_assert_eq!(read(&close_marker(&marker)), Ok(Partial::CloseMarker(marker)));
    }

    #[test]
    fn times_are_encoded_as_milliseconds_since_the_epoch(millis in any::<u64>()) {
        let (mut plain, mut time, mut span) = (Vec::new(), Vec::new(), Vec::new());
        encode(millis, &mut plain);
        encode(Timestamp::from_millis(millis), &mut time);
        encode(Span::from_millis(millis), &mut span);
        prop_assert_eq!((&time, &span), (&plain, &plain));
        prop_assert_eq!(take(&mut &plain[..]), Some(Timestamp::from_millis(millis)));
    }

    #[test]
    fn decoder_does_not_panic_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        for kind in [CHUNK, CLOSE_MARKER] {
            let _ = read(&[&[VERSION, kind], bytes.as_slice()].concat());
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_decoded_differently(table in table(), at in any::<usize>(), bit in 0..8_u32) {
        let mut bytes = chunks(3, WINDOW, "acme", 1, &table).remove(0);
        let shorter = bytes.len() - 1 - at % (bytes.len() - 2);
        prop_assert_eq!(read(&bytes[..shorter]), Err(WireError::Corrupt), "cut off");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _ = read(&bytes);
    }
}

#[test]
fn unknown_version_is_an_error() {
    assert_eq!(read(&[VERSION + 1, CHUNK]), Err(WireError::Version(VERSION + 1)));
    assert_eq!(read(&[]), Err(WireError::Corrupt));
}

#[test]
fn large_tables_are_split_into_chunks() {
    let cell_key =
        |nth: u32| -> CellKey { [format!("title-{nth:06}"), "x".repeat(64)].map(Arc::from).into() };
    let table: Table =
        (0..20_000).map(|nth| (cell_key(nth), Cell { sessions: 1, ..Cell::default() })).collect();
    let written = chunks(0, WINDOW, "acme", 0, &table);
    assert!(written.len() > 2, "{} chunks", written.len());
    assert!(written.iter().all(|chunk| chunk.len() <= CHUNK_BYTES + 100));
    assert_eq!(read_back(&written).iter().map(|chunk| chunk.cells.len()).sum::<usize>(), table.len());
}
