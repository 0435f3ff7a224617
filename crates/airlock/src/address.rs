//! Derives the country, region, autonomous system and network from IP addresses, and drops the addresses.

use std::path::PathBuf;

use ahash::RandomState;
use crowdfold_beacon::{Address, Network, Purpose};
use hashbrown::HashMap;
use maxminddb::{LookupResult, MaxMindDbError, Reader, path};

use crate::words::Words;
use crate::{AddressPolicy, AirlockError, AirlockField, Settings, Symbol, guard};
use crowdfold_model::Dimension;

/// The databases in which networks are looked up. Every MMDB file is accepted if its records have the structure of
/// GeoIP2 or are flat.
#[derive(Default)]
pub(crate) struct Databases {
    country: Option<Reader<Vec<u8>>>,
    asn: Option<Reader<Vec<u8>>>,
}

impl Databases {
    /// Reads the configured files completely and verifies their records, so that a damaged file is found at startup.
    ///
    /// # Errors
    /// Returns the field, the path and the reason if a file cannot be read or is damaged.
    pub(crate) fn open(settings: &Settings) -> Result<Self, AirlockError> {
        let open = |field, path: &Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            let read = Reader::open_readfile(path).and_then(|reader| verify(&reader).map(|()| reader));
            read.map(Some).map_err(|source| AirlockError::Database { field, path: path.clone(), source })
        };
        Ok(Self {
            country: open(AirlockField::CountryDatabase, &settings.country_mmdb)?,
            asn: open(AirlockField::AsnDatabase, &settings.asn_mmdb)?,
        })
    }

    fn is_empty(&self) -> bool {
        self.country.is_none() && self.asn.is_none()
    }

    /// Returns the record of a network in the database of countries. Returns `None` if no database is configured, or if
    /// the lookup fails.
    fn located(&self, network: &Network) -> Option<Located<'_>> {
        self.country.as_ref()?.lookup(first(network)).ok()
    }

    fn asn(&self, network: &Network) -> Option<u32> {
        let found = self.asn.as_ref()?.lookup(first(network)).ok()?;
        let number = |path: &[_]| found.decode_path::<u32>(path).ok().flatten();
        let text = |path: &[_]| found.decode_path::<&str>(path).ok().flatten();
        let digits = || text(&path!["asn"]).map(|text| text.trim_start_matches("AS"));
        let flat = || number(&path!["asn"]).or_else(|| digits()?.parse().ok());
        number(&path!["autonomous_system_number"]).or_else(flat)
    }
}

/// Verifies that every record of a file is readable.
fn verify(reader: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
    // `verify` refuses a file without a description, although the format permits such a file. Therefore such a file is
    // not verified.
    let described = !reader.metadata().description.is_empty() && !reader.metadata().database_type.is_empty();
    if described { reader.verify() } else { Ok(()) }
}

type Located<'a> = LookupResult<'a, Vec<u8>>;

fn country<'a>(found: &Located<'a>) -> Option<&'a str> {
    let text = |path: &[_]| found.decode_path::<&str>(path).ok().flatten();
    text(&path!["country", "iso_code"])
        .or_else(|| text(&path!["country_code"]))
        .or_else(|| text(&path!["country"]))
}

/// Returns the code of the region. In GeoIP2, this is the ISO 3166-2 code of the first and largest subdivision, without
/// the country.
fn region<'a>(found: &Located<'a>) -> Option<&'a str> {
    let text = |path: &[_]| found.decode_path::<&str>(path).ok().flatten();
    text(&path!["subdivisions", 0, "iso_code"])
        .or_else(|| text(&path!["region_code"]))
        .or_else(|| text(&path!["region"]))
        .or_else(|| text(&path!["state1"]))
}

#[expect(clippy::disallowed_types, reason = "maxminddb requires it, and the address is masked")]
fn first(network: &Network) -> std::net::IpAddr {
    match network {
        Network::V4(first, _) => (*first).into(),
        Network::V6(first, _) => (*first).into(),
    }
}

/// The values that are derived from an IP address.
#[derive(Clone, Copy)]
pub(crate) struct GeoInfo {
    pub(crate) country: Symbol,
    pub(crate) region: Symbol,
    pub(crate) asn: Symbol,
    pub(crate) network: Symbol,
    pub(crate) guard: u64,
}

impl GeoInfo {
    pub(crate) const UNKNOWN: Self = Self {
        country: Symbol::NONE,
        region: Symbol::NONE,
        asn: Symbol::NONE,
        network: Symbol::NONE,
        guard: 0,
    };
}

/// The maximum number of networks in the cache. A full cache is cleared.
const MAX_CACHED: usize = 65_536;

/// A cache of the values that are derived from networks.
#[derive(Default)]
pub(crate) struct GeoCache {
    known: HashMap<u64, GeoInfo, RandomState>,
}

impl GeoCache {
    /// Returns the values that are derived from an IP address. The address is not parsed if the settings need none of
    /// these values.
    pub(crate) fn of(
        &mut self,
        text: &str,
        settings: &Settings,
        databases: &Databases,
        words: &mut Words,
    ) -> GeoInfo {
        let truncate = settings.address == AddressPolicy::Truncate;
        if databases.is_empty() && !truncate && settings.guard_key.is_none() {
            return GeoInfo::UNKNOWN;
        }
        let Some(address) = Address::parse(text) else { return GeoInfo::UNKNOWN };
        let network = address.network(Purpose::LookUp);
        let key = match &network {
            Network::V4(first, _) => u64::from(first.to_bits()),
            Network::V6(first, _) => 1 << 63 | (first.to_bits() >> 80) as u64,
        };
        if let Some(geo) = self.known.get(&key) {
            return *geo;
        }
        let located = databases.located(&network);
        // A name in a database may be any text, so the rules for names from producers apply to it too.
        let region = located.as_ref().and_then(region);
        let region = region.map_or(Symbol::NONE, |raw| words.symbol(Dimension::Region, raw));
        let mut symbol = |word: Option<String>| word.map_or(Symbol::NONE, |word| words.intern(&word));
        let geo = GeoInfo {
            country: symbol(located.as_ref().and_then(country).and_then(code)),
            region,
            asn: symbol(databases.asn(&network).map(|number| format!("AS{number}"))),
            network: symbol(truncate.then(|| format_network(&address.network(Purpose::Dimension)))),
            guard: settings
                .guard_key
                .as_ref()
                .map_or(0, |key| guard::bit(key, &address.network(Purpose::Guard))),
        };
        if self.known.len() >= MAX_CACHED {
            self.known.clear();
        }
        self.known.insert(key, geo);
        geo
    }

    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// Returns the country code in upper case, or `None` if the text does not consist of two letters. Some databases have
/// country names under the same key.
fn code(text: &str) -> Option<String> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then(|| text.to_ascii_uppercase())
}

fn format_network(network: &Network) -> String {
    match network {
        Network::V4(first, length) => format!("{first}/{length}"),
        Network::V6(first, length) => format!("{first}/{length}"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
