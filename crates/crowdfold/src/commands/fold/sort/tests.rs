use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn sorter(memory: usize, directory: &Path) -> Sorter {
    Sorter::within(memory, directory.to_owned(), 1)
}

/// Adds the next record of the input.
fn push(sorter: &mut Sorter, millis: u64, record: &[u8]) -> io::Result<()> {
    let key = Key { share: 0, time: Timestamp::from_millis(millis), place: sorter.records() };
    sorter.push(key, record)
}

/// Returns the sorted records, each with its time in milliseconds.
fn drain(sorter: Sorter) -> Vec<(u64, Vec<u8>)> {
    let mut sorted = sorter.sorted().unwrap().remove(0);
    let mut all = Vec::new();
    while let Some((key, record)) = sorted.next().unwrap() {
        all.push((key.time.as_millis(), record.to_vec()));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// With 64 bytes of memory, each run has only a few records, so there are runs of several levels.
    #[test]
    fn records_are_sorted_stably_with_any_amount_of_memory(
        records in vec((0_u64..50, vec(any::<u8>(), 0..40)), 0..600),
        memory in prop_oneof![Just(64_usize), Just(1 << 10), Just(1 << 14), Just(1 << 30)],
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut sorter = sorter(memory, directory.path());
        for (time, record) in &records {
            push(&mut sorter, *time, record).unwrap();
        }
        prop_assert_eq!(sorter.records(), records.len() as u64);
        let mut expected = records;
        // The sort of the standard library is stable.
        expected.sort_by_key(|(time, _)| *time);
        prop_assert_eq!(drain(sorter), expected);
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn each_share_is_sorted_separately(
        records in vec((0_u32..3, 0_u64..50, vec(any::<u8>(), 0..40)), 0..600),
        memory in prop_oneof![Just(1_usize << 10), Just(1 << 30)],
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::within(memory, directory.path().to_owned(), 3);
        for (place, (share, time, record)) in records.iter().enumerate() {
            let key = Key { share: *share, time: Timestamp::from_millis(*time), place: place as u64 };
            sorter.push(key, record).unwrap();
        }
        for (share, mut sorted) in sorter.sorted().unwrap().into_iter().enumerate() {
            let mut expected: Vec<_> = records.iter().filter(|record| record.0 as usize == share).collect();
            expected.sort_by_key(|(_, time, _)| *time);
            for (_, time, record) in expected {
                let key = sorted.key().unwrap();
                let (next, bytes) = sorted.next().unwrap().unwrap();
                prop_assert_eq!((key, next.time.as_millis(), bytes), (Some(next), *time, record.as_slice()));
            }
            prop_assert!(sorted.key().unwrap().is_none() && sorted.next().unwrap().is_none());
        }
    }
}

#[test]
fn memory_of_records_stays_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let memory = 1 << 20;
    let mut sorter = sorter(memory, directory.path());
    for number in 0..50_000_u64 {
        let length = if number % 1000 == 7 { 90_000 } else { number as usize % 300 };
        push(&mut sorter, number.wrapping_mul(7919) % 1000, &vec![b'x'; length]).unwrap();
        let entries = sorter.batch.entries.capacity() * size_of::<Entry>();
        let blocks: usize = sorter.batch.blocks.iter().map(Vec::capacity).sum();
        assert!(blocks + entries <= memory, "{blocks} + {entries} bytes");
        assert_eq!(sorter.batch.size, blocks);
    }
    assert!(!sorter.runs.is_empty());
    let sorted = drain(sorter);
    assert_eq!(sorted.len(), 50_000);
    assert!(sorted.is_sorted_by_key(|(time, _)| *time));
}

#[test]
fn record_larger_than_the_memory_is_sorted() {
    let directory = tempfile::tempdir().unwrap();
    let mut sorter = sorter(1 << 16, directory.path());
    let large = vec![b'y'; 1 << 20];
    for (time, record) in [(3, &b"c"[..]), (2, &large), (1, b"a"), (2, b"b")] {
        push(&mut sorter, time, record).unwrap();
    }
    let expected: Vec<(u64, Vec<u8>)> =
        vec![(1, b"a".into()), (2, large), (2, b"b".into()), (3, b"c".into())];
    assert!(drain(sorter) == expected);
}

#[test]
fn temporary_files_have_no_name_and_are_readable_by_the_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let mut sorter = sorter(1 << 10, directory.path());
    for time in 0..100 {
        push(&mut sorter, time, &[b'x'; 100]).unwrap();
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    let files: Vec<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let descriptor = entry.unwrap().path();
            let target = fs::read_link(&descriptor).ok()?;
            target.starts_with(directory.path()).then(|| fs::metadata(descriptor).unwrap())
        })
        .collect();
    assert!(files.len() > 1, "{} runs", files.len());
    for file in files {
        assert_eq!((file.nlink(), file.mode() & 0o777), (0, 0o600));
    }
}

#[test]
fn six_hundred_runs_keep_at_most_48_files_open() {
    let directory = tempfile::tempdir().unwrap();
    // Only one record fits into the memory, so each record is a run. 16 runs are merged into one, so there are three
    // levels of at most 16 files each.
    let mut sorter = sorter(1 << 16, directory.path());
    for time in (0..600).rev() {
        push(&mut sorter, time, &[b'x'; 1 << 16]).unwrap();
    }
    let open = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(directory.path()))
        .count();
    assert!((2..=48).contains(&open), "{open} files are open");
    let times: Vec<_> = drain(sorter).into_iter().map(|(time, _)| time).collect();
    assert_eq!(times, (0..600).collect::<Vec<_>>());
}

#[test]
fn memory_below_64_kib_is_raised_to_64_kib() {
    assert_eq!(Sorter::new(1, PathBuf::new(), 1).memory, 1 << 16);
    assert_eq!(Sorter::new((1 << 16) + 1, PathBuf::new(), 1).memory, (1 << 16) + 1);
}

#[test]
fn directory_that_cannot_be_written_to_is_an_error() {
    let mut sorter = sorter(1 << 10, Path::new("/no/such/directory"));
    let written = (0..100).try_for_each(|time| push(&mut sorter, time, &[b'x'; 100]));
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::NotFound);
}
