//! Writes packed records.

use super::parsed::{Packable, Parsed};
use super::table::Table;
use super::{
    CLIENT, DNT, GPC, HAS_ADDRESS, HAS_CLIENT, HAS_ENDPOINT, HAS_TENANT, HAS_TIME, LONGEST, PATH_TENANT,
    REPEATS, VERSION, code, is_unique, varint,
};
use crate::{Fields, Http, Number};

/// Packs requests into one record.
pub struct Packer {
    /// The version and the sources of custom dimensions, with which each record begins.
    header: Vec<u8>,
    bytes: Vec<u8>,
    table: Table,
    /// A buffer for the user agent and the client hints of a request.
    client: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self::with_header(vec![VERSION, 0])
    }
}

impl Packer {
    /// Creates a packer for beacons that were read with these fields.
    #[must_use]
    pub fn new(fields: &Fields) -> Self {
        let sources = fields.custom_names();
        let mut header = vec![VERSION, sources.len() as u8];
        sources.iter().for_each(|source| varint::write_text(source.as_bytes(), &mut header));
        Self::with_header(header)
    }

    /// Replaces the random keys of a hash. With the same keys, records with the same beacons are equal byte for byte, as
    /// measurements need. Texts from outside could be chosen so that their hashes collide, so the collector does not use
    /// fixed keys.
    #[must_use]
    pub fn with_fixed_keys(mut self) -> Self {
        self.table = Table::with_fixed_keys();
        self
    }

    fn with_header(header: Vec<u8>) -> Self {
        Self { bytes: header.clone(), header, table: Table::default(), client: Vec::new() }
    }

    /// Adds the beacons with these indexes of a request. If a reader would reject the request, returns false without
    /// adding it. A reader rejects a request if it has no beacon, if its time of receipt is 2^53 ms or more, or if it
    /// needs more than 1 MiB.
    #[must_use]
    pub fn push(
        &mut self,
        http: &Http<'_>,
        parsed: &Parsed,
        which: impl ExactSizeIterator<Item = usize>,
    ) -> bool {
        let before = self.bytes.len();
        let possible =
            which.len() > 0 && http.received_at.is_none_or(|at| at.as_millis() <= Number::Ts.limit());
        let listed = self.table.listed();
        let fits = possible && self.request(http, parsed, which) && self.bytes.len() - before <= LONGEST;
        if !fits {
            self.bytes.truncate(before);
            self.table.truncate(before, listed);
        }
        fits
    }

    /// Writes a request. Returns false if there is no beacon with one of the indexes.
    fn request(
        &mut self,
        http: &Http<'_>,
        parsed: &Parsed,
        which: impl ExactSizeIterator<Item = usize>,
    ) -> bool {
        self.context(http);
        varint::write(which.len() as u64, &mut self.bytes);
        let mut before = None;
        for index in which {
            let Some(beacon) = parsed.get(index) else { return false };
            self.beacon(beacon, before);
            before = Some(beacon);
        }
        true
    }

    fn context(&mut self, http: &Http<'_>) {
        let Self { bytes, table, client, .. } = self;
        let has_client = http.user_agent.is_some() || http.has_hints();
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        bytes.push(
            flag(http.gpc, GPC)
                | flag(http.dnt, DNT)
                | flag(http.received_at.is_some(), HAS_TIME)
                | flag(http.address.is_some(), HAS_ADDRESS)
                | flag(http.tenant.is_some(), HAS_TENANT)
                | flag(has_client, HAS_CLIENT)
                | flag(http.endpoint != 0, HAS_ENDPOINT),
        );
        if let Some(received_at) = http.received_at {
            varint::write(received_at.as_millis(), bytes);
        }
        if let Some(address) = &http.address {
            varint::write_text(address.as_bytes(), bytes);
        }
        if let Some(tenant) = &http.tenant {
            table.write(PATH_TENANT, tenant.as_bytes(), bytes);
        }
        if has_client {
            client.clear();
            for text in [
                &http.user_agent,
                &http.brands,
                &http.platform,
                &http.platform_version,
                &http.mobile,
                &http.model,
            ] {
                varint::write_some(text.as_deref(), client);
            }
            table.write(CLIENT, client, bytes);
        }
        if http.endpoint != 0 {
            varint::write(http.endpoint.into(), bytes);
        }
    }

    /// Writes a beacon. `before` is the beacon before it in the same request.
    fn beacon(&mut self, beacon: Packable<'_>, before: Option<Packable<'_>>) {
        let Self { bytes, table, .. } = self;
        let repeats = before.is_some_and(|before| beacon.has_profile_of(before));
        bytes.push(if repeats { beacon.head | REPEATS } else { beacon.head });
        bytes.extend_from_slice(beacon.numbers);
        for (field, text) in beacon.event_fields().zip(beacon.event_texts()) {
            table.write(code(field.index(), beacon.head), text, bytes);
        }
        if repeats {
            return;
        }
        varint::write(beacon.profile, bytes);
        let mut left = beacon.profile;
        for text in beacon.profile_texts() {
            let index = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            if is_unique(index) {
                varint::write_text(text, bytes);
            } else {
                table.write(code(index, beacon.head), text, bytes);
            }
        }
    }

    /// Returns true if no request has been added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.len() == self.header.len()
    }

    /// Returns the current length of the record in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the record. Afterwards the packer is empty, and has capacity for another record of the same length.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let mut next = Vec::with_capacity(self.bytes.len());
        next.extend_from_slice(&self.header);
        self.table.clear();
        std::mem::replace(&mut self.bytes, next)
    }
}
