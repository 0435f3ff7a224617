//! From the body of a request to what is packed of it: sessions stay whole, so each beacon goes to its session's
//! partition; and what nobody may count is not passed on.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crowdfold_airlock::{Ignored, session_of};
use crowdfold_beacon::{Beacon, Body, Fields, Http, ReadError, Reader, Text};
use crowdfold_model::{Partitioner, Reason};

use crate::packs::{DeliveryResult, Packs};

/// What decides where a beacon goes, and whether.
pub(crate) struct Rules {
    pub(crate) tenants: HashSet<Box<str>>,
    pub(crate) partitioner: Partitioner,
}

/// Reads requests. Keeps its room from one to the next.
pub(crate) struct Desk {
    reader: Reader,
    spans: Vec<Span>,
    joined: Vec<u8>,
}

/// A beacon that is passed on: which bytes of the body, and where to.
struct Span {
    partition: u32,
    start: usize,
    end: usize,
}

/// What was found in a request.
#[derive(Default)]
pub(crate) struct Found {
    /// Beacons that are passed on.
    pub(crate) taken: u64,
    /// Beacons of sessions that ask not to be counted.
    pub(crate) opted_out: u64,
    /// Beacons that are not passed on, by reason.
    pub(crate) rejected: [u64; Reason::COUNT],
    /// Values of known fields that could not be used; absent if there are none.
    pub(crate) ignored: Option<Box<Ignored>>,
    /// The records that hold something of it.
    pub(crate) results: DeliveryResults,
    /// Something could not be packed.
    pub(crate) unpacked: bool,
}

/// Mostly one.
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

    /// Waits until all are known; whether all records were written.
    pub(crate) async fn known(&self) -> bool {
        for result in self.first.iter().chain(&self.more) {
            if !*result.wait().await {
                return false;
            }
        }
        true
    }
}

/// A session that asks not to be counted.
type OptedOutSession = (String, Option<String>);

impl Desk {
    pub(crate) fn new(fields: Arc<Fields>, max_beacons: usize) -> Self {
        let reader = Reader::new(fields).with_most(max_beacons);
        Self { reader, spans: Vec::new(), joined: Vec::new() }
    }

    /// Packs what a request says. Where one that is left out (or goes elsewhere) lies beside others, the others are
    /// packed by themselves; else the body is packed as it came. Of a request whose headers opt out (`gpc`, `dnt`) nothing
    /// is packed except that its sessions do.
    pub(crate) fn take(&mut self, http: &Http<'_>, body: &Body<'_>, rules: &Rules, packs: &Packs) -> Found {
        let partitions = packs.partitions();
        let mut opted_out_sessions = BTreeSet::new();
        let mut found = self.survey(http, body, rules, partitions, &mut opted_out_sessions, &BTreeSet::new());
        if !opted_out_sessions.is_empty() {
            // nothing of them is passed on, whether it came before or after they said so
            found = self.survey(http, body, rules, partitions, &mut BTreeSet::new(), &opted_out_sessions);
        }
        self.pack(http, body, packs, &mut found);
        for (session, tenant) in &opted_out_sessions {
            self.withdraw(http, session, tenant.as_deref(), rules, packs, &mut found);
        }
        found
    }

    /// Finds the beacons that are passed on, but those of `without`.
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
        // stable: what a session says stays in its order
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

    /// Passes on that a session asks not to be counted, and nothing else: so that what it did in a window that is still
    /// open is taken out. Its time is that of receipt, so that it is heard whatever the player's clock says.
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
        self.reader.write_withdrawal(session, tenant, http.received_at.unwrap_or(0), &mut self.joined);
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

/// The bytes that the beacons of a body lie in; headers, and what stands for one beacon, are never taken apart.
const fn bytes_of<'a>(body: &Body<'a>) -> &'a [u8] {
    match body {
        Body::Json(bytes) | Body::Events(bytes) | Body::Query(bytes) => bytes,
        Body::Headers(_) => &[],
    }
}
