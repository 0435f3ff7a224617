//! Conversion of request bodies to records. Each beacon goes to the partition of its session, so that sessions are not
//! split, and excluded beacons are not passed on.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crowdfold_airlock::{Ignored, session_of};
use crowdfold_beacon::{Beacon, Body, Fields, Http, ReadError, Reader, Text};
use crowdfold_model::{Partitioner, Reason};

use crate::packs::{DeliveryResult, Packs};

/// The rules by which beacons are routed or excluded.
pub(crate) struct Rules {
    pub(crate) tenants: HashSet<Box<str>>,
    pub(crate) partitioner: Partitioner,
}

/// A reader of requests that reuses its buffers.
pub(crate) struct Desk {
    reader: Reader,
    spans: Vec<Span>,
    joined: Vec<u8>,
}

/// A beacon that is passed on: its bytes in the body, and its partition.
struct Span {
    partition: u32,
    start: usize,
    end: usize,
}

/// The result of reading a request.
#[derive(Default)]
pub(crate) struct Found {
    /// The number of beacons that are passed on.
    pub(crate) taken: u64,
    /// The number of beacons of sessions that opted out.
    pub(crate) opted_out: u64,
    /// The number of beacons that are rejected, by reason.
    pub(crate) rejected: [u64; Reason::COUNT],
    /// The ignored values of known fields; absent if there are none.
    pub(crate) ignored: Option<Box<Ignored>>,
    /// The delivery results of the records that contain its beacons.
    pub(crate) results: DeliveryResults,
    /// True if something could not be packed.
    pub(crate) unpacked: bool,
}

/// The delivery results of one request; usually one.
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

    /// Waits until all results are known. Returns true if all records were written.
    pub(crate) async fn known(&self) -> bool {
        for result in self.first.iter().chain(&self.more) {
            if !*result.wait().await {
                return false;
            }
        }
        true
    }
}

/// A session that opted out: its id and tenant.
type OptedOutSession = (String, Option<String>);

impl Desk {
    pub(crate) fn new(fields: Arc<Fields>, max_beacons: usize) -> Self {
        let reader = Reader::new(fields).with_most(max_beacons);
        Self { reader, spans: Vec::new(), joined: Vec::new() }
    }

    /// Packs the contents of a request. If a beacon is excluded or goes to another partition than the others, the
    /// beacons are packed separately; otherwise the body is packed unchanged. If the headers of a request opt out
    /// (`gpc`, `dnt`), only the opt-out of its sessions is packed.
    pub(crate) fn take(&mut self, http: &Http<'_>, body: &Body<'_>, rules: &Rules, packs: &Packs) -> Found {
        let partitions = packs.partitions();
        let mut opted_out_sessions = BTreeSet::new();
        let mut found = self.survey(http, body, rules, partitions, &mut opted_out_sessions, &BTreeSet::new());
        if !opted_out_sessions.is_empty() {
            // no beacon of these sessions is passed on, whether it precedes the opt-out or follows it
            found = self.survey(http, body, rules, partitions, &mut BTreeSet::new(), &opted_out_sessions);
        }
        self.pack(http, body, packs, &mut found);
        for (session, tenant) in &opted_out_sessions {
            self.withdraw(http, session, tenant.as_deref(), rules, packs, &mut found);
        }
        found
    }

    /// Finds the beacons that are passed on, except those of the sessions in `without`.
    fn survey(
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

    fn pack(&mut self, http: &Http<'_>, body: &Body<'_>, packs: &Packs, found: &mut Found) {
        let Self { spans, joined, .. } = self;
        let Some(first) = spans.first().map(|span| span.partition) else { return };
        let left_out = found.opted_out + found.rejected.iter().sum::<u64>() > 0;
        if !left_out && spans.iter().all(|span| span.partition == first) {
            found.note(packs.push(first, http, body, bytes_of(body).len()));
            return;
        }
        let bytes = bytes_of(body);
        // stable, so that the beacons of a session keep their order
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

    /// Passes on only the opt-out of a session, so that its beacons in open windows are removed. Its time is the time
    /// of receipt, so that it does not depend on the player's clock.
    fn withdraw(
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
    fn note(&mut self, result: Option<DeliveryResult>) {
        match result {
            Some(result) => self.results.push(result),
            None => self.unpacked = true,
        }
    }
}

fn tenant_of<'a>(beacon: &'a Beacon<'_>, http: &'a Http<'_>) -> Option<&'a str> {
    beacon.text(Text::Tenant).filter(|name| !name.is_empty()).or(http.tenant.as_deref())
}

/// Returns the bytes that contain the beacons of a body; headers, and bodies of one beacon, are never split.
const fn bytes_of<'a>(body: &Body<'a>) -> &'a [u8] {
    match body {
        Body::Json(bytes) | Body::Events(bytes) | Body::Query(bytes) => bytes,
        Body::Headers(_) => &[],
    }
}
