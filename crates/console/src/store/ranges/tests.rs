use super::{Ranges, decode, encode, read, write};
use crowdfold_query::Row;
use crowdfold_testkit::rows::table;

#[test]
fn integers_are_equal_after_they_were_written_and_read() {
    let numbers = [0, 1, 127, 128, 300, 1 << 40, u64::MAX - 1, u64::MAX];
    let mut bytes = Vec::new();
    numbers.iter().for_each(|number| write(&mut bytes, *number));
    let mut rest = &bytes[..];
    let found: Vec<u64> = std::iter::from_fn(|| read(&mut rest)).collect();
    assert_eq!(found, numbers);
    // damaged bytes end the list
    assert_eq!(read(&mut &[0x80; 20][..]), None);
    assert_eq!(read(&mut &[0x80][..]), None);
}

#[test]
fn histograms_of_a_row_are_equal_after_they_were_written_and_read() {
    let record = &table(30_000_000, "os", &[("Windows", 900)])[0];
    let row = Row::parse(record.to_string().as_bytes()).unwrap();
    let bytes = encode(&row).unwrap();
    let found: Vec<_> = decode(&bytes).collect();
    let [(b"bandwidth_kbps", ranges)] = found[..] else { panic!("{found:?}") };
    let mut sum = Ranges::default();
    sum.add(ranges);
    assert_eq!(sum.histogram(), [(Some(0), Some(4_000), 20), (Some(4_000), None, 880)]);
    sum.add(&sum.bytes());
    assert_eq!(sum.histogram(), [(Some(0), Some(4_000), 40), (Some(4_000), None, 1_760)]);
    // 4000 to infinity, then 0 to 1, which is not in order
    sum.add(&[0xa1, 0x1f, 0, 1, 1, 2, 5]);
    let expected = [(Some(0), Some(1), 5), (Some(0), Some(4_000), 40), (Some(4_000), None, 1_761)];
    assert_eq!(sum.histogram(), expected);
    // a damaged histogram is shorter, and does not cause a panic
    (0..bytes.len()).for_each(|end| assert!(decode(&bytes[..end]).count() <= 1));
}
