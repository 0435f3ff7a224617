use std::path::PathBuf;

use super::*;
use mmdb::Data;

pub(crate) mod mmdb;

/// A file that is gone when the test is over.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("crowdfold-{}-{name}.mmdb", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Records as GeoIP2 has them, for documentation networks.
pub(crate) fn nested() -> Vec<u8> {
    let country = |code| {
        Data::Map(vec![
            ("continent", Data::Map(vec![("code", Data::Text("EU"))])),
            ("country", Data::Map(vec![("geoname_id", Data::Number(1)), ("iso_code", Data::Text(code))])),
            ("autonomous_system_number", Data::Number(64_500)),
        ])
    };
    mmdb::file(&[("198.51.100.0", 24, country("DE")), ("2001:db8:1::", 48, country("SE"))])
}

fn flat() -> Vec<u8> {
    let record = |code, asn| Data::Map(vec![("country_code", Data::Text(code)), ("asn", asn)]);
    mmdb::file(&[
        ("198.51.100.0", 24, record("fr", Data::Text("AS64501"))),
        ("203.0.113.0", 24, record("France", Data::Number(64_502))),
    ])
}

/// What is kept of an address, in words: country, autonomous system, network, and the bit.
fn kept(settings: &Settings, file: Option<&[u8]>, name: &str, address: &str) -> (String, u64) {
    let file = file.map(|bytes| Temporary::new(name, bytes));
    let path = file.as_ref().map(|file| file.0.as_path());
    let databases = Databases::open(path, path).ok().unwrap();
    let (mut places, mut words) = (Places::default(), Words::new());
    let first = places.of(address, settings, &databases, &mut words);
    let again = places.of(address, settings, &databases, &mut words);
    let shown = |place: Place| {
        [place.country, place.asn, place.network]
            .map(|symbol| words.dictionary().word(symbol).to_string())
            .join(" ")
    };
    assert_eq!((shown(first), first.guard), (shown(again), again.guard));
    (shown(first), first.guard)
}

#[test]
fn masked_addresses_are_looked_up() {
    let strip = Settings::default();
    for (address, expect) in [
        ("198.51.100.7", "DE AS64500 unknown"),
        ("198.51.100.254", "DE AS64500 unknown"),
        ("::ffff:198.51.100.7", "DE AS64500 unknown"),
        ("2001:db8:1:2::3", "SE AS64500 unknown"),
        ("2001:db8:2::1", "unknown unknown unknown"),
        ("192.0.2.1", "unknown unknown unknown"),
        ("198.51.100.7:80", "unknown unknown unknown"),
        ("", "unknown unknown unknown"),
    ] {
        assert_eq!(kept(&strip, Some(&nested()), "nested", address), (expect.to_owned(), 0), "{address}");
    }
}

#[test]
fn flat_records_are_understood() {
    let strip = Settings::default();
    assert_eq!(kept(&strip, Some(&flat()), "flat", "198.51.100.7").0, "FR AS64501 unknown");
    assert_eq!(kept(&strip, Some(&flat()), "flat", "203.0.113.7").0, "unknown AS64502 unknown");
}

#[test]
fn networks_are_kept_only_where_asked_for() {
    let truncate = Settings { address: AddressPolicy::Truncate, ..Settings::default() };
    assert_eq!(kept(&truncate, None, "", "198.51.100.7").0, "unknown unknown 198.51.100.0/24");
    assert_eq!(kept(&truncate, None, "", "2001:db8:1:2::3").0, "unknown unknown 2001:db8::/32");
    assert_eq!(kept(&truncate, None, "", "198.51.100.07").0, "unknown unknown unknown");
    assert_eq!(kept(&Settings::default(), None, "", "198.51.100.7").0, "unknown unknown unknown");
}

#[test]
fn the_guards_bit_goes_by_network() {
    let guarded = Settings { guard_key: Some([3; 32]), ..Settings::default() };
    let bit = |address| kept(&guarded, None, "", address).1;
    assert_eq!(bit("198.51.100.7").count_ones(), 1);
    assert_eq!(bit("198.51.100.7"), bit("198.51.100.8"));
    assert_eq!(bit("nonsense"), 0);
}

#[test]
fn damaged_databases_are_refused() {
    let file = Temporary::new("damaged", b"not an MMDB");
    assert!(Databases::open(Some(&file.0), None).is_err());
    assert!(Databases::open(None, Some(std::path::Path::new("/nonexistent/x.mmdb"))).is_err());
}

#[test]
fn what_is_read_from_a_damaged_database_ends_in_nothing() {
    let whole = nested();
    let tree = whole.len() - 200;
    for at in (0..tree).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let Ok(reader) = Reader::from_source(bytes) else { continue };
        let databases = Databases { country: Some(reader), asn: None };
        let network = Address::parse("198.51.100.7").unwrap().network(Purpose::LookUp);
        let _ = databases.country(&network).and_then(code);
    }
}
