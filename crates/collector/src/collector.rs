//! Handles a request, from its head to its response.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use crowdfold_airlock::SentFields;
use crowdfold_beacon::{Body, Fields, FieldsError, Form, Http};
use crowdfold_kafka::{KafkaError, Writer};
use crowdfold_model::Reason;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Request, Response, Version};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::address::Proxies;
use crate::answer::{Answer, Origins};
use crate::body::{self, Unread};
use crate::connection::Connection;
use crate::context::{self, Encoding};
use crate::counts::{Counted, Counts, Outcome};
use crate::intake::{Found, RequestReader, Rules};
use crate::limits::{Budget, Share};
use crate::packs::Packs;
use crate::route::{Endpoint, Route, route};
use crate::{Acknowledge, Settings, clock};

/// The memory in bytes that is reserved for a request in addition to its body: its head, and its state while it
/// waits.
const OVERHEAD: usize = 4_096;

/// The difference between the time-out of a request and the shorter time-out of its records. Because of this
/// difference, the outcome of the records is known before the request times out.
const MARGIN: Duration = Duration::from_secs(2);

/// The state shared by all connections.
pub struct Collector {
    pub(crate) settings: Settings,
    pub(crate) proxies: Proxies,
    pub(crate) counts: Counts,
    pub(crate) packs: Packs,
    budget: Arc<Budget>,
    origins: Origins,
    rules: Rules,
    fields: Arc<Fields>,
    readers: Mutex<Readers>,
    /// True on shutdown, when requests must not wait any longer.
    pub(crate) hurry: watch::Sender<bool>,
}

/// The readers of request bodies.
#[derive(Default)]
struct Readers {
    /// The readers that no request uses at present.
    idle: Vec<RequestReader>,
    /// The fields of the beacons of all finished requests.
    sent_fields: SentFields,
}

impl Collector {
    /// Creates a collector that writes records with `writer`. It responds with 503 until
    /// [`Collector::set_partitions`] succeeds.
    ///
    /// # Errors
    /// Returns an error if [`Settings::fields`] is invalid.
    pub fn new(settings: Settings, writer: Writer) -> Result<Arc<Self>, FieldsError> {
        let budget = Budget::new(settings.memory);
        let fields = Arc::new(Fields::with_custom(&settings.fields, &settings.custom_sources)?);
        Ok(Arc::new(Self {
            proxies: Proxies::new(&settings.trusted_proxies),
            counts: Counts::default(),
            packs: Packs::new(writer, Arc::clone(&budget), Arc::clone(&fields), settings.record),
            budget,
            origins: Origins::new(&settings.origins),
            rules: Rules {
                tenants: settings.tenants.iter().map(|name| name.as_str().into()).collect(),
                partitioner: settings.partitioner,
            },
            fields,
            readers: Mutex::default(),
            hurry: watch::Sender::new(false),
            settings,
        }))
    }

    /// Sets the number of partitions of the topic. Returns true if records are sent to all partitions from now on.
    /// Returns false if the producer does not know all partitions yet, or if no broker responded in time. In this case,
    /// call the function again.
    #[must_use]
    pub fn set_partitions(&self, partitions: u32) -> bool {
        self.packs.grow(partitions)
    }

    /// Returns the counts since the start.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.counts.read()
    }

    /// Returns the fields of the JSON beacons since the start.
    #[must_use]
    pub fn sent_fields(&self) -> SentFields {
        self.readers().sent_fields
    }

    /// Returns the size of all data that was received but not yet written, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.budget.held()
    }

    /// Returns the maximum of [`Self::held`], in bytes.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.settings.memory
    }

    /// Returns the last error of Kafka since the previous call, or `None` if there was none.
    #[must_use]
    pub fn last_error(&self) -> Option<KafkaError> {
        self.packs.last_error()
    }

    /// Returns the fatal error of the producer, or `None` if it has none. After a fatal error, the producer can write
    /// no record.
    #[must_use]
    pub fn fatal(&self) -> Option<KafkaError> {
        self.packs.fatal()
    }

    /// Returns true if the broker sets the timestamps of the topic's records, and false if the collector does.
    /// Returns `None` if no record was written yet.
    #[must_use]
    pub fn stamped_by_broker(&self) -> Option<bool> {
        self.packs.stamped_by_broker()
    }

    /// Handles a request and counts its response.
    pub(crate) async fn answer(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let _in_flight = connection.activity.begin(head.version == Version::HTTP_2);
        let answer = self.handle(connection, &head, body).await;
        let mut response = answer.response();
        self.counts.request(response.status().as_u16());
        self.origins.allow(&head.headers, response.headers_mut());
        response
    }

    async fn handle(&self, connection: &Connection, head: &Parts, body: Incoming) -> Answer {
        if let Err(seconds) = connection.rate.take(connection.activity.now()) {
            return Answer::TooManyRequests(seconds);
        }
        match route(&head.method, head.uri.path()) {
            Route::Preflight => Answer::Preflight,
            Route::Nowhere => Answer::NotFound,
            Route::Not(allowed) => Answer::MethodNotAllowed(allowed),
            Route::Beacons => self.handle_body(connection, head, body, None).await,
            Route::Events(endpoint) => self.handle_body(connection, head, body, Some(endpoint)).await,
            Route::Request(endpoint) => self.handle_headers_or_query(connection, head, endpoint).await,
        }
    }

    /// Handles a request with beacons in its body. The body contains CMCD if `endpoint` is set, and JSON otherwise.
    async fn handle_body(
        &self,
        connection: &Connection,
        head: &Parts,
        body: Incoming,
        endpoint: Option<Endpoint<'_>>,
    ) -> Answer {
        let Settings { body: limit, slow, .. } = self.settings;
        let wanted = if endpoint.is_some() { Form::Cmcd } else { Form::Json };
        let refused = if !self.knows(endpoint) {
            Some(Answer::Gone)
        } else if context::content_type(&head.headers).is_some_and(|kind| Form::of(kind) != Some(wanted)) {
            Some(Answer::Unsupported(match wanted {
                Form::Cmcd => "unsupported content-type; send application/cmcd or text/cmcd\n",
                _ => "unsupported content-type; send application/json, application/x-ndjson or text/plain\n",
            }))
        } else {
            None
        };
        let encoding = context::encoding(&head.headers);
        let waits = context::waits(&head.headers);
        let (encoding, mut share) = match (refused, encoding, self.share()) {
            (None, Some(encoding), Some(share)) => (encoding, share),
            (refused, encoding, _) => {
                // a client that waits for `100 Continue` has not sent the body
                if !waits {
                    body::discard(body, limit, slow).await;
                }
                let unsupported = encoding
                    .is_none()
                    .then_some(Answer::Unsupported("unsupported content-encoding; send gzip or none\n"));
                return refused.or(unsupported).unwrap_or(Answer::Unavailable);
            }
        };
        let read = body::read(body, waits, limit, slow, &mut share).await;
        let read = read.and_then(|body| match encoding {
            Encoding::Plain => Ok(body),
            Encoding::Gzip => body::inflate(&body, limit, &mut share),
        });
        match read {
            Ok(body) if wanted == Form::Cmcd => {
                let answer = self.take(connection, head, endpoint, &Body::Events(&body), share).await;
                // a player stops after status 410, as it should for a session that opted out
                let is_taken = matches!(answer, Answer::Accepted);
                if is_taken && self.opts_out(&head.headers) { Answer::Gone } else { answer }
            }
            Ok(body) => self.take(connection, head, endpoint, &Body::Json(&body), share).await,
            Err(Unread::TooLong) => Answer::TooLarge,
            Err(Unread::Slow) => Answer::TimedOut,
            Err(Unread::Full) => Answer::Unavailable,
            Err(Unread::Broken) => {
                Answer::BadRequest("the body is incomplete, or not encoded as content-encoding declares\n")
            }
        }
    }

    /// Handles a request with CMCD in its headers or its query. It is the request for a tracking pixel, or the copy
    /// of a request to a CDN.
    async fn handle_headers_or_query(
        &self,
        connection: &Connection,
        head: &Parts,
        endpoint: Endpoint<'_>,
    ) -> Answer {
        if !self.knows(Some(endpoint)) {
            return Answer::Gone;
        }
        let Some(body) = context::cmcd(&head.headers, head.uri.query()) else {
            return Answer::BadRequest("no CMCD data in the headers or the query\n");
        };
        match self.share() {
            Some(share) => self.take(connection, head, Some(endpoint), &body, share).await,
            None => Answer::Unavailable,
        }
    }

    /// Packs the beacons of a request into records. Waits until the records are written, unless the settings require
    /// only that the beacons are in memory.
    async fn take(
        &self,
        connection: &Connection,
        head: &Parts,
        endpoint: Option<Endpoint<'_>>,
        body: &Body<'_>,
        share: Share,
    ) -> Answer {
        let found = self.pack(connection, head, endpoint, body);
        // the memory of the records is reserved separately
        drop(share);
        for reason in Reason::ALL {
            self.counts.beacons(Outcome::Rejected(reason), found.rejected[reason as usize]);
        }
        self.counts.beacons(Outcome::OptedOut, found.opted_out);
        if let Some(ignored) = &found.ignored {
            self.counts.ignored(ignored);
        }
        if found.taken + found.opted_out == 0 && found.too_large > 0 {
            return Answer::TooLarge;
        }
        if found.taken + found.opted_out == 0 {
            let unknown = found.rejected[Reason::UnknownTenant as usize];
            return if unknown == found.rejected.iter().sum::<u64>() {
                Answer::Gone
            } else {
                Answer::BadRequest("no beacon with a session id\n")
            };
        }
        if found.has_unpacked {
            return Answer::InternalError;
        }
        if self.settings.acknowledge == Acknowledge::Written && !self.written(&found).await {
            self.counts.beacons(Outcome::Unwritten, found.taken);
            return Answer::Unavailable;
        }
        self.counts.beacons(Outcome::Accepted, found.taken);
        Answer::Accepted
    }

    /// Packs the beacons of a request into records.
    fn pack(
        &self,
        connection: &Connection,
        head: &Parts,
        endpoint: Option<Endpoint<'_>>,
        body: &Body<'_>,
    ) -> Found {
        let client = self.proxies.client(&connection.peer, &head.headers);
        if client.spoofed {
            self.counts.spoofed();
        }
        let mut http: Http<'_> = context::http(&head.headers, client.address(), clock::now());
        if let Some(Endpoint { number, tenant }) = endpoint {
            (http.endpoint, http.tenant) = (number, tenant.map(Into::into));
        }
        (http.gpc, http.dnt) = self.signals(&head.headers);
        let new = || RequestReader::new(Arc::clone(&self.fields), self.settings.max_beacons);
        let mut reader = self.readers().idle.pop().unwrap_or_else(new);
        let found = reader.take(&http, body, &self.rules, &self.packs);
        let mut readers = self.readers();
        readers.sent_fields.add(&reader.sent_fields());
        readers.idle.push(reader);
        found
    }

    /// Waits until all records with beacons of a request were written. Returns false if a record was not written, or on
    /// shutdown.
    async fn written(&self, found: &Found) -> bool {
        let mut hurry = self.hurry.subscribe();
        let time_limit = self.settings.time_limit + self.settings.linger + MARGIN;
        tokio::select! {
            known = timeout(time_limit, found.results.known()) => known.unwrap_or(false),
            _ = hurry.wait_for(|hurry| *hurry) => false,
        }
    }

    /// Reserves memory for one request. Returns `None` if there is not enough memory, or if the number of partitions is
    /// not known yet.
    fn share(&self) -> Option<Share> {
        let share = self.budget.share(OVERHEAD)?;
        (self.packs.partitions() > 0).then_some(share)
    }

    /// Returns true if the tenant of an endpoint exists, or if the endpoint names no tenant.
    fn knows(&self, endpoint: Option<Endpoint<'_>>) -> bool {
        endpoint.and_then(|endpoint| endpoint.tenant).is_none_or(|tenant| self.rules.tenants.contains(tenant))
    }

    fn opts_out(&self, headers: &HeaderMap) -> bool {
        let (gpc, dnt) = self.signals(headers);
        gpc || dnt
    }

    /// Returns the opt-out signals GPC and DNT of a request, in this order. A signal that the settings disable is
    /// false.
    fn signals(&self, headers: &HeaderMap) -> (bool, bool) {
        (self.settings.gpc && context::gpc(headers), self.settings.dnt && context::dnt(headers))
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
