use std::path::PathBuf;

use super::*;
use mmdb::Data;

pub(crate) mod mmdb;

/// A temporary file, which is deleted when the value is dropped.
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

/// Returns a database with records as in GeoIP2, for documentation networks.
pub(crate) fn nested() -> Vec<u8> {
    let country = |code| {
        Data::Map(vec![
            ("continent", Data::Map(vec![("code", Data::Text("EU"))])),
            ("country", Data::Map(vec![("geoname_id", Data::Number(1)), ("iso_code", Data::Text(code))])),
            (
                "subdivisions",
                Data::List(["BY", "X9"].map(|code| Data::Map(vec![("iso_code", Data::Text(code))])).into()),
            ),
            ("autonomous_system_number", Data::Number(64_500)),
        ])
    };
    mmdb::file(&[("198.51.100.0", 24, country("DE")), ("2001:db8:1::", 48, country("SE"))])
}

/// Returns flat records in the form that some smaller databases use.
fn flat_records() -> [(&'static str, u8, Data); 2] {
    let record = |code, region, asn| {
        let geo = [("country_code", Data::Text(code)), ("region", Data::Text(region)), ("asn", asn)];
        Data::Map(geo.into())
    };
    [
        ("198.51.100.0", 24, record("fr", "Bretagne", Data::Text("AS64501"))),
        ("203.0.113.0", 24, record("France", "192.0.2.1", Data::Number(64_502))),
    ]
}

fn open(country: Option<&std::path::Path>, asn: Option<&std::path::Path>) -> Result<Databases, AirlockError> {
    Databases::open(&Settings {
        country_mmdb: country.map(Into::into),
        asn_mmdb: asn.map(Into::into),
        ..Settings::default()
    })
}

/// Returns the values that are derived from an address, as text (country, region, autonomous system, network). Also
/// returns the bit of the network.
fn kept(settings: &Settings, file: Option<&[u8]>, name: &str, address: &str) -> (String, u64) {
    let file = file.map(|bytes| Temporary::new(name, bytes));
    let path = file.as_ref().map(|file| file.0.as_path());
    let databases = open(path, path).unwrap_or_else(|error| panic!("{error}"));
    let (mut geo_cache, mut words) = (GeoCache::default(), Words::new(std::sync::Arc::default(), None));
    let first = geo_cache.of(address, settings, &databases, &mut words);
    let again = geo_cache.of(address, settings, &databases, &mut words);
    let shown = |geo: GeoInfo| {
        [geo.country, geo.region, geo.asn, geo.network]
            .map(|symbol| match words.dictionary().word(symbol).as_ref() {
                "unknown" => "-".to_owned(),
                word => word.to_owned(),
            })
            .join(" ")
    };
    assert_eq!((shown(first), first.guard), (shown(again), again.guard));
    (shown(first), first.guard)
}

#[test]
fn country_region_and_asn_of_a_masked_address_are_found() {
    let strip = Settings::default();
    for (address, expect) in [
        ("198.51.100.7", "DE BY AS64500 -"),
        ("198.51.100.254", "DE BY AS64500 -"),
        ("::ffff:198.51.100.7", "DE BY AS64500 -"),
        ("2001:db8:1:2::3", "SE BY AS64500 -"),
        ("2001:db8:2::1", "- - - -"),
        ("192.0.2.1", "- - - -"),
        ("198.51.100.7:80", "DE BY AS64500 -"),
        ("[2001:db8:1:2::3]:443", "SE BY AS64500 -"),
        ("198.51.100.7, 10.0.0.6", "- - - -"),
        ("", "- - - -"),
    ] {
        assert_eq!(kept(&strip, Some(&nested()), "nested", address), (expect.to_owned(), 0), "{address}");
    }
}

#[test]
fn flat_database_records_are_read() {
    let kept = |address| kept(&Settings::default(), Some(&mmdb::file(&flat_records())), "flat", address).0;
    assert_eq!(kept("198.51.100.7"), "FR Bretagne AS64501 -");
    // In this record, the database contains a country name instead of a code. The rules for text redact the region.
    assert_eq!(kept("203.0.113.7"), "- redacted AS64502 -");
}

#[test]
fn ipv6_address_is_not_found_in_an_ipv4_database() {
    let file = mmdb::file_of_ipv4(&flat_records());
    let kept = |address| kept(&Settings::default(), Some(&file), "ipv4", address).0;
    assert_eq!(kept("198.51.100.7"), "FR Bretagne AS64501 -");
    assert_eq!(kept("64:ff9b::198.51.100.7"), "FR Bretagne AS64501 -");
    assert_eq!(kept("2001:db8:1:2::3"), "- - - -");
}

#[test]
fn network_is_kept_only_with_the_policy_truncate() {
    let truncate = Settings { address: AddressPolicy::Truncate, ..Settings::default() };
    assert_eq!(kept(&truncate, None, "", "198.51.100.7").0, "- - - 198.51.100.0/24");
    assert_eq!(kept(&truncate, None, "", "2001:db8:1:2::3").0, "- - - 2001:db8::/32");
    assert_eq!(kept(&truncate, None, "", "198.51.100.07").0, "- - - -");
    assert_eq!(kept(&Settings::default(), None, "", "198.51.100.7").0, "- - - -");
}

#[test]
fn network_bit_depends_only_on_the_network() {
    let guarded = Settings { guard_key: Some([3; 32]), ..Settings::default() };
    let bit = |address| kept(&guarded, None, "", address).1;
    assert_eq!(bit("198.51.100.7").count_ones(), 1);
    assert_eq!(bit("198.51.100.7"), bit("198.51.100.8"));
    assert_eq!(bit("nonsense"), 0);
}

#[test]
fn damaged_database_is_refused() {
    let refused = |bytes: &[u8]| {
        let file = Temporary::new("damaged", bytes);
        let error = open(None, Some(&file.0)).err().unwrap_or_else(|| panic!("taken")).to_string();
        assert!(
            error.starts_with("the database of autonomous systems ") && error.contains("damaged.mmdb"),
            "{error}"
        );
    };
    let whole = nested();
    refused(b"not an MMDB");
    refused(b"");
    // One file is truncated, and the other file contains damaged bytes.
    refused(&whole[..whole.len() / 2]);
    let data = whole.len() - 350;
    let hole = [&whole[..data], &[0xff; 20], &whole[data + 20..]].concat();
    refused(&hole);
    let missing = open(Some(std::path::Path::new("/nonexistent/x.mmdb")), None).err();
    assert!(
        missing.is_some_and(|error| error
            .to_string()
            .starts_with("the database of countries /nonexistent/x.mmdb"))
    );
}

#[test]
fn lookup_in_a_damaged_database_finds_nothing() {
    let whole = nested();
    let tree = whole.len() - 200;
    for at in (0..tree).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let Ok(reader) = Reader::from_source(bytes) else { continue };
        let databases = Databases { country: Some(reader), asn: None };
        let network = Address::parse("198.51.100.7").unwrap().network(Purpose::LookUp);
        let _ = databases.located(&network).as_ref().and_then(country).and_then(code);
    }
}
