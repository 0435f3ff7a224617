//! Tests of records that cannot be read, and of sorted records.

use crate::wire::{self, Partial};
use crowdfold_airlock::{LineTime, Record, SessionHasher, Settings, Shared};
use crowdfold_model::{Dimension, Qualities};

use super::*;

const W: u64 = 60_000;
const LATENESS: u64 = 30_000;
const IDLE: u64 = 90_000;
/// The time of the first record in milliseconds since the epoch, at the start of a window.
const T: u64 = 1_800_000_000_000 / W * W;

/// Returns the time this many milliseconds after [`T`].
const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(T + millis)
}

fn combiner(start: &Start<CombinerCheckpoint>, offset: i64) -> Combiner {
    let rules = Rules {
        window: Span::from_millis(W),
        lateness: Span::from_millis(LATENESS),
        idle: Span::from_millis(IDLE),
        breakdowns: vec![vec![Dimension::Os]].into(),
        qualities: Qualities::default(),
        max_sessions: 100,
    };
    let settings = Arc::new(CombinerSettings {
        rules: Arc::new(rules),
        partitions: 1,
        partial_partitions: 1,
        tenants: vec!["default".into()],
        topic: "beacons".into(),
        trust_timestamps: true,
        max_skew: Span::from_millis(W),
        idle_timeout: Span::SECOND,
    });
    let shared = Arc::new(Shared::new(Settings::default(), SessionHasher::fixed(1)).unwrap());
    Combiner::new(settings, Airlock::new(&shared, None), start, offset, false)
}

fn fresh() -> Start<CombinerCheckpoint> {
    Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false }
}

/// Passes the record with this offset to the combiner. Each record contains one beacon, and is ten seconds later than
/// the previous record.
fn give(combiner: &mut Combiner, offset: i64) {
    let time = at(offset as u64 * 10_000);
    let ts = time.as_millis();
    let payload =
        format!(r#"{{"ts":{ts},"session":"s","event":"heartbeat","os":"Linux","playing_ms":9000}}"#);
    let record = Record { payload: payload.as_bytes(), content_type: None, timestamp: Some(time) };
    combiner.record(&record, offset, time).unwrap();
    assert!(combiner.balanced());
}

/// Returns, for each close marker, the end of its window and the time before which windows are withheld, both
/// relative to [`T`].
fn close_markers(prepared: &VecDeque<PreparedBatch>) -> Vec<(i64, i64)> {
    let partials = prepared.iter().flat_map(|batch| &batch.partials);
    let marker = |partial: &PartialRecord| match wire::read(&partial.value).unwrap() {
        Partial::CloseMarker(marker) => {
            let since = |time: Timestamp| {
                if time == Timestamp::EPOCH { 0 } else { time.as_millis() as i64 - T as i64 }
            };
            Some((since(marker.to), since(marker.withhold_before)))
        }
        Partial::Chunk(_) => None,
    };
    partials.filter_map(marker).collect()
}

/// Reads the records up to the offset `end`. The 20 records with the offsets 10 to 29, which cover 200 s, cannot be
/// read.
fn read(combiner: &mut Combiner, end: i64) {
    while combiner.position() < end {
        match combiner.position() {
            10 => combiner.skip_to(30),
            offset => give(combiner, offset),
        }
    }
}

#[test]
fn windows_of_unreadable_records_are_withheld() {
    let mut combiner = combiner(&fresh(), 0);
    read(&mut combiner, 60);
    assert_eq!(combiner.lost(), 20);
    assert_eq!(combiner.totals().read, 40);
    let markers = close_markers(combiner.prepared());
    // The last record before the gap is at 90 s, so only the window that ends at 60 s is closed before the gap. The
    // first record after the gap is at 300 s.
    let withheld = 300_000 + IDLE as i64 + 1;
    let first = markers.iter().position(|(_, before)| *before != 0).unwrap();
    assert!(markers[..first].iter().all(|(to, _)| *to <= 60_000), "{markers:?}");
    assert!(markers[first..].iter().all(|(_, before)| *before == withheld), "{markers:?}");
    assert_eq!(markers[first].0, 240_000, "{markers:?}");
}

#[test]
fn replay_with_skipped_records_withholds_the_same_windows() {
    let mut undisturbed = combiner(&fresh(), 0);
    read(&mut undisturbed, 100);
    let expected = close_markers(undisturbed.prepared());
    // The process crashes after a different record in each run.
    for crash in 1..100 {
        let mut first = combiner(&fresh(), 0);
        read(&mut first, crash);
        let Some(last) = first.prepared().back() else { continue };
        let mut seen = close_markers(first.prepared());
        let start = Start { checkpoint: Some(last.checkpoint), ..fresh() };
        let mut second = combiner(&start, last.safe_offset);
        read(&mut second, 100);
        seen.extend(close_markers(second.prepared()));
        // A value that withholds no window of its close marker is replaced by 0, so all such values are equal.
        let withholding =
            |(to, before): &(i64, i64)| (*to, if *before > to - W as i64 { *before } else { 0 });
        let withheld_of = |seen: &[(i64, i64)]| seen.iter().map(withholding).collect::<Vec<_>>();
        assert_eq!(withheld_of(&seen), withheld_of(&expected), "crash after {crash}");
        // The second process counts the lost records again only if the first process did not commit their number.
        let committed = last.checkpoint.read_offset > 10;
        assert_eq!(second.lost(), if committed { 0 } else { 20 }, "crash after {crash}");
    }
}

#[test]
fn gap_at_the_end_of_a_partition_withholds_windows_until_the_partition_is_idle() {
    let mut combiner = combiner(&fresh(), 0);
    read(&mut combiner, 30);
    let (offset, checkpoint) = combiner.idle_commit();
    assert_eq!((offset, checkpoint.withhold_before), (0, CombinerCheckpoint::UNTIL_KNOWN));
    combiner.at_end(at(500_000));
    combiner.at_end(at(501_000));
    let (_, before) = *close_markers(combiner.prepared()).last().unwrap();
    assert_eq!(before, 501_000 + W as i64 + IDLE as i64 + 1);
}

/// Returns a combiner that has read sorted records. Each entry of `records` consists of the timestamp of the record and
/// the beacon's own time, both in milliseconds after [`T`].
fn sorted(records: &[(u64, u64)]) -> Combiner {
    let mut combiner = combiner(&fresh(), 0).of_sorted_records();
    for (offset, (recorded, ts)) in (0..).zip(records) {
        let payload = format!(r#"{{"ts":{},"session":"s{offset}","event":"play"}}"#, T + ts);
        let record =
            Record { payload: payload.as_bytes(), content_type: None, timestamp: Some(at(*recorded)) };
        combiner.reached(at(*recorded));
        combiner.buffer(&record, offset, at(W * 100)).unwrap();
    }
    combiner.insert_buffered();
    assert!(combiner.balanced());
    combiner
}

#[test]
fn lateness_of_a_sorted_beacon_depends_only_on_its_own_record() {
    let late = |records: &[(u64, u64)]| sorted(records).totals().late;
    // The window of this beacon ends at W, so it closes at W + LATENESS.
    assert_eq!(late(&[(W + LATENESS, 0)]), 0);
    assert_eq!(late(&[(W + LATENESS + 1, 0)]), 1);
    // The records before a beacon do not change the result.
    assert_eq!(late(&[(W + LATENESS, W), (W + LATENESS, 0), (W + LATENESS, W - 1)]), 0);
    assert_eq!(late(&[(W + LATENESS, W), (W + LATENESS + 1, 0), (W + LATENESS + 2, W)]), 1);
}

#[test]
fn line_with_several_beacon_times_closes_no_window_of_the_lines_after_it() {
    let mut combiner = combiner(&fresh(), 0).of_sorted_records();
    let far = 10 * W;
    let lines = [
        format!(r#"[{{"ts":{},"session":"a"}},{{"ts":{T},"session":"b"}}]"#, T + far),
        format!(r#"{{"ts":{},"session":"c"}}"#, T + 1),
        format!(r#"{{"ts":{},"session":"d"}}"#, T + 5 * W),
    ];
    for (offset, line) in (0..).zip(&lines) {
        let LineTime::At(time) = combiner.line_time(line.as_bytes(), at(far)).0 else { panic!("no time") };
        combiner.reached(time);
        let record = Record { payload: line.as_bytes(), content_type: None, timestamp: None };
        combiner.buffer(&record, offset, at(far)).unwrap();
    }
    let last = combiner.last_end();
    combiner.finish(last);
    assert_eq!((combiner.totals().read, combiner.totals().without_summary()), (4, 0));
}
