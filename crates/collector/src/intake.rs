//! Converts request bodies to records. Each beacon goes to the partition of its session, so that the worker finds all
//! beacons of a session in one partition. Rejected beacons, and beacons of sessions that opted out, are not written.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crowdfold_airlock::{Ignored, SentFields, session_of};
use crowdfold_beacon::{Beacon, Body, Fields, Http, Mode, Parsed, ReadError, Reader, Text};
use crowdfold_model::{Partitioner, Reason};

use crate::packs::{DeliveryResult, Packs};

/// The maximum packed size of the beacons of one request in one record, in bytes. Together with the context of the
/// request, with beacons of other requests in the record and with Kafka's overhead, it is smaller than
/// `max.message.bytes` of the topic. The size of a body is limited to less, but each byte of it that is not UTF-8 is
/// replaced by a character of three bytes.
const LONGEST: usize = 900 << 10;

/// The rules that determine the partition of a beacon, and the tenants that exist.
pub(crate) struct Rules {
    pub(crate) tenants: HashSet<Box<str>>,
    pub(crate) partitioner: Partitioner,
}

/// A reader of request bodies. It keeps its buffers for the next request.
pub(crate) struct RequestReader {
    reader: Reader,
    /// The beacons of the current request that will be written.
    parsed: Parsed,
    /// The partition of each beacon in `parsed`.
    chosen: Vec<Chosen>,
    /// The fields of the beacons that were read since [`RequestReader::sent_fields`] was called.
    sent_fields: SentFields,
}

/// A beacon in [`RequestReader::parsed`], and the partition to which it is written.
struct Chosen {
    partition: u32,
    index: usize,
}

/// The result of reading and packing a request.
#[derive(Default)]
pub(crate) struct Found {
    /// The number of beacons that were packed.
    pub(crate) taken: u64,
    /// The number of beacons of sessions that opted out in this request.
    pub(crate) opted_out: u64,
    /// The number of rejected beacons, by reason.
    pub(crate) rejected: [u64; Reason::COUNT],
    /// The number of ignored values by field, or `None` if no value was ignored.
    pub(crate) ignored: Option<Box<Ignored>>,
    /// The delivery results of the records that contain the beacons.
    pub(crate) results: DeliveryResults,
    /// The number of beacons that are too large for a record. They are also counted in `rejected`.
    pub(crate) too_large: u64,
    /// True if a beacon could not be packed, which is an internal error.
    pub(crate) has_unpacked: bool,
}

/// The delivery results of the records with beacons of one request. A request usually has one record, so the first
/// result is stored without an allocation.
#[derive(Default)]
pub(crate) struct DeliveryResults {
    first: Option<DeliveryResult>,
    more: Vec<DeliveryResult>,
}

impl DeliveryResults {
    fn push(&mut self, result: DeliveryResult) {
        match self.first {
            None => self.first = Some(result),
            Some(_) => self.more.push(result),
        }
    }

    /// Waits for the results one after the other. Returns false at the first record that was not written, and true if
    /// all records were written.
    pub(crate) async fn known(&self) -> bool {
        for result in self.first.iter().chain(&self.more) {
            if !*result.wait().await {
                return false;
            }
        }
        true
    }
}

/// The id and the tenant of a session that opted out.
type OptedOutSession = (String, Option<String>);

impl RequestReader {
    pub(crate) fn new(fields: Arc<Fields>, max_beacons: usize) -> Self {
        let reader = Reader::new(fields).with_most(max_beacons);
        Self { reader, parsed: Parsed::default(), chosen: Vec::new(), sent_fields: SentFields::default() }
    }

    /// Returns the fields of the beacons that were read since the last call.
    pub(crate) fn sent_fields(&mut self) -> SentFields {
        std::mem::take(&mut self.sent_fields)
    }

    /// Packs the beacons of a request. For a session that opts out, only the opt-out is packed. A header (`gpc`, `dnt`)
    /// opts out all sessions of the request.
    pub(crate) fn take(&mut self, http: &Http<'_>, body: &Body<'_>, rules: &Rules, packs: &Packs) -> Found {
        let partitions = packs.partitions();
        let mut opted_out_sessions = BTreeSet::new();
        let mut found =
            self.read_beacons(http, body, rules, partitions, &mut opted_out_sessions, &BTreeSet::new());
        if !opted_out_sessions.is_empty() {
            // read the body again without the sessions that opted out, because their beacons before the opt-out must be
            // left out too
            let sent_fields = self.sent_fields;
            found =
                self.read_beacons(http, body, rules, partitions, &mut BTreeSet::new(), &opted_out_sessions);
            self.sent_fields = sent_fields;
        }
        self.pack(http, packs, &mut found);
        for (session, tenant) in &opted_out_sessions {
            self.pack_opt_out(http, session, tenant.as_deref(), rules, packs, &mut found);
        }
        found
    }

    /// Reads the body, and stores each beacon that must be written. Leaves out beacons of the sessions in `without`. Adds
    /// sessions that opt out to `opted_out_sessions`.
    fn read_beacons(
        &mut self,
        http: &Http<'_>,
        body: &Body<'_>,
        rules: &Rules,
        partitions: u32,
        opted_out_sessions: &mut BTreeSet<OptedOutSession>,
        without: &BTreeSet<OptedOutSession>,
    ) -> Found {
        let Self { reader, parsed, chosen, sent_fields } = self;
        parsed.clear();
        chosen.clear();
        let mut found = Found::default();
        reader.read_body(body, &mut |read| {
            let read = read.map_err(|error| match error {
                ReadError::Malformed => Reason::Malformed,
                ReadError::TooMany => Reason::TooLarge,
            });
            let checked = read.and_then(|beacon| {
                sent_fields.add_beacon(beacon);
                if Ignored::is_in(beacon) {
                    found.ignored.get_or_insert_default().count_beacon(beacon);
                }
                let session = session_of(beacon)?;
                let tenant = tenant_of(beacon, http);
                if tenant.is_some_and(|tenant| !rules.tenants.contains(tenant)) {
                    return Err(Reason::UnknownTenant);
                }
                Ok((beacon, session, tenant))
            });
            match checked {
                Err(reason) => found.rejected[reason as usize] += 1,
                Ok((beacon, session, tenant)) => {
                    let opted_out_session = || (session.to_owned(), tenant.map(str::to_owned));
                    if beacon.opt_out || http.gpc || http.dnt {
                        found.opted_out += 1;
                        opted_out_sessions.insert(opted_out_session());
                    } else if !without.is_empty() && without.contains(&opted_out_session()) {
                        found.opted_out += 1;
                    } else if beacon.mode == Mode::Unsupported {
                        found.rejected[Reason::Malformed as usize] += 1;
                    } else {
                        let partition = rules.partitioner.partition_of(session.as_bytes(), partitions);
                        chosen.push(Chosen { partition, index: parsed.len() });
                        parsed.add(http, beacon);
                    }
                }
            }
        });
        found.taken = chosen.len() as u64;
        found
    }

    /// Packs the beacons that `read_beacons` found. If they are too large for one record, they are divided into several
    /// records. A beacon that is too large by itself is rejected.
    fn pack(&mut self, http: &Http<'_>, packs: &Packs, found: &mut Found) {
        let Self { parsed, chosen, .. } = self;
        if parsed.size() > LONGEST {
            chosen.retain(|beacon| parsed.size_of(beacon.index) <= LONGEST);
            found.too_large = found.taken - chosen.len() as u64;
            found.rejected[Reason::TooLarge as usize] += found.too_large;
            found.taken -= found.too_large;
        }
        // this sort is stable, so the beacons of a session keep their order
        chosen.sort_by_key(|beacon| beacon.partition);
        for mut group in chosen.chunk_by(|one, other| one.partition == other.partition) {
            while let Some(first) = group.first() {
                let (number, size) = fitting(parsed, group);
                let (these, rest) = group.split_at(number);
                let which = these.iter().map(|beacon| beacon.index);
                found.note(packs.push(first.partition, http, parsed, which, size));
                group = rest;
            }
        }
    }

    /// Packs the opt-out of a session. When the worker reads the opt-out, it removes the beacons of the session from
    /// open windows. The time of the opt-out is the time of receipt, because the player's clock may be wrong.
    fn pack_opt_out(
        &mut self,
        http: &Http<'_>,
        session: &str,
        tenant: Option<&str>,
        rules: &Rules,
        packs: &Packs,
        found: &mut Found,
    ) {
        self.parsed.clear();
        self.parsed.add_withdrawal(session, tenant, http.received_at.unwrap_or_default());
        let partition = rules.partitioner.partition_of(session.as_bytes(), packs.partitions());
        let bare = Http { received_at: http.received_at, ..Http::default() };
        found.note(packs.push(partition, &bare, &self.parsed, 0..1, self.parsed.size()));
    }
}

impl Found {
    /// Stores the delivery result of a record. `None` means that a beacon could not be packed.
    fn note(&mut self, result: Option<DeliveryResult>) {
        match result {
            Some(result) => self.results.push(result),
            None => self.has_unpacked = true,
        }
    }
}

/// Returns the number of beacons at the beginning of `beacons` that one record can contain, which is at least 1, and
/// their maximum packed size in bytes.
fn fitting(parsed: &Parsed, beacons: &[Chosen]) -> (usize, usize) {
    let mut size = 0;
    for (number, beacon) in beacons.iter().enumerate() {
        let with_this = size + parsed.size_of(beacon.index);
        if number > 0 && with_this > LONGEST {
            return (number, size);
        }
        size = with_this;
    }
    (beacons.len(), size)
}

/// Returns the tenant in a beacon, or the tenant in the path of the request if the beacon has none.
fn tenant_of<'a>(beacon: &'a Beacon<'_>, http: &'a Http<'_>) -> Option<&'a str> {
    beacon.text(Text::Tenant).filter(|name| !name.is_empty()).or(http.tenant.as_deref())
}
