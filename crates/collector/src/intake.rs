//! Converts request bodies to records. Each beacon goes to the partition of its session, so that the worker finds all
//! beacons of a session in one partition. Rejected beacons, and beacons of sessions that opted out, are not written.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crowdfold_airlock::{Ignored, session_of};
use crowdfold_beacon::{Beacon, Body, Fields, Http, ReadError, Reader, Text};
use crowdfold_model::{Partitioner, Reason};

use crate::packs::{DeliveryResult, Packs};

/// The rules that determine the partition of a beacon, and the tenants that exist.
pub(crate) struct Rules {
    pub(crate) tenants: HashSet<Box<str>>,
    pub(crate) partitioner: Partitioner,
}

/// A reader of request bodies. It keeps its buffers for the next request.
pub(crate) struct RequestReader {
    reader: Reader,
    /// The beacons of the current request that will be written.
    spans: Vec<Span>,
    /// A buffer for beacons that are packed separately from the rest of their body.
    joined: Vec<u8>,
}

/// The location of a beacon in the body, and the partition to which it is written.
struct Span {
    partition: u32,
    start: usize,
    end: usize,
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
        Self { reader, spans: Vec::new(), joined: Vec::new() }
    }

    /// Packs the beacons of a request. If all beacons belong to one partition and no beacon is left out, the body is
    /// packed unchanged. Otherwise the beacons for each partition are packed as a new body. For a session that opts
    /// out, only the opt-out is packed. A header (`gpc`, `dnt`) opts out all sessions of the request.
    pub(crate) fn take(&mut self, http: &Http<'_>, body: &Body<'_>, rules: &Rules, packs: &Packs) -> Found {
        let partitions = packs.partitions();
        let mut opted_out_sessions = BTreeSet::new();
        let mut found =
            self.read_beacons(http, body, rules, partitions, &mut opted_out_sessions, &BTreeSet::new());
        if !opted_out_sessions.is_empty() {
            // read the body again without the sessions that opted out, because their beacons before the opt-out must be
            // left out too
            found =
                self.read_beacons(http, body, rules, partitions, &mut BTreeSet::new(), &opted_out_sessions);
        }
        self.pack(http, body, packs, &mut found);
        for (session, tenant) in &opted_out_sessions {
            self.pack_opt_out(http, session, tenant.as_deref(), rules, packs, &mut found);
        }
        found
    }

    /// Reads the body, and stores the location of each beacon that must be written. Leaves out beacons of the sessions
    /// in `without`. Adds sessions that opt out to `opted_out_sessions`.
    fn read_beacons(
        &mut self,
        http: &Http<'_>,
        body: &Body<'_>,
        rules: &Rules,
        partitions: u32,
        opted_out_sessions: &mut BTreeSet<OptedOutSession>,
        without: &BTreeSet<OptedOutSession>,
    ) -> Found {
        let Self { reader, spans, .. } = self;
        spans.clear();
        let mut found = Found::default();
        let origin = bytes_of(body).as_ptr().addr();
        reader.survey(body, &mut |read| {
            let read = read.map_err(|error| match error {
                ReadError::Malformed => Reason::Malformed,
                ReadError::TooMany => Reason::TooLarge,
            });
            let checked = read.and_then(|(beacon, span)| {
                if Ignored::is_in(beacon) {
                    found.ignored.get_or_insert_default().count_beacon(beacon);
                }
                let session = session_of(beacon)?;
                let tenant = tenant_of(beacon, http);
                if tenant.is_some_and(|tenant| !rules.tenants.contains(tenant)) {
                    return Err(Reason::UnknownTenant);
                }
                Ok((beacon, session, tenant, span))
            });
            match checked {
                Err(reason) => found.rejected[reason as usize] += 1,
                Ok((beacon, session, tenant, span)) => {
                    let opted_out_session = || (session.to_owned(), tenant.map(str::to_owned));
                    if beacon.opt_out || http.gpc || http.dnt {
                        found.opted_out += 1;
                        opted_out_sessions.insert(opted_out_session());
                    } else if !without.is_empty() && without.contains(&opted_out_session()) {
                        found.opted_out += 1;
                    } else {
                        let partition = rules.partitioner.partition_of(session.as_bytes(), partitions);
                        let start = span.as_ptr().addr().saturating_sub(origin);
                        spans.push(Span { partition, start, end: start + span.len() });
                    }
                }
            }
        });
        found.taken = spans.len() as u64;
        found
    }

    /// Packs the beacons that `read_beacons` found.
    fn pack(&mut self, http: &Http<'_>, body: &Body<'_>, packs: &Packs, found: &mut Found) {
        let Self { spans, joined, .. } = self;
        let Some(first) = spans.first().map(|span| span.partition) else { return };
        let left_out = found.opted_out + found.rejected.iter().sum::<u64>() > 0;
        if !left_out && spans.iter().all(|span| span.partition == first) {
            found.note(packs.push(first, http, body, bytes_of(body).len()));
            return;
        }
        let bytes = bytes_of(body);
        // this sort is stable, so the beacons of a session keep their order
        spans.sort_by_key(|span| span.partition);
        for group in spans.chunk_by(|one, other| one.partition == other.partition) {
            let json = matches!(body, Body::Json(_));
            joined.clear();
            for span in group {
                joined.push(match (json, joined.is_empty()) {
                    (true, true) => b'[',
                    (true, false) => b',',
                    (false, _) => b'\n',
                });
                joined.extend_from_slice(bytes.get(span.start..span.end).unwrap_or_default());
            }
            let part = if json {
                joined.push(b']');
                Body::Json(joined)
            } else {
                Body::Events(joined)
            };
            found.note(packs.push(group[0].partition, http, &part, joined.len()));
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
        self.joined.clear();
        self.reader.write_withdrawal(session, tenant, http.received_at.unwrap_or_default(), &mut self.joined);
        let partition = rules.partitioner.partition_of(session.as_bytes(), packs.partitions());
        let bare = Http { received_at: http.received_at, ..Http::default() };
        found.note(packs.push(partition, &bare, &Body::Json(&self.joined), self.joined.len()));
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

/// Returns the tenant in a beacon, or the tenant in the path of the request if the beacon has none.
fn tenant_of<'a>(beacon: &'a Beacon<'_>, http: &'a Http<'_>) -> Option<&'a str> {
    beacon.text(Text::Tenant).filter(|name| !name.is_empty()).or(http.tenant.as_deref())
}

/// Returns the bytes of a body. Headers contain a single beacon and are never split, so their result is empty.
const fn bytes_of<'a>(body: &Body<'a>) -> &'a [u8] {
    match body {
        Body::Json(bytes) | Body::Events(bytes) | Body::Query(bytes) => bytes,
        Body::Headers(_) => &[],
    }
}
