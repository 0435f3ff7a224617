//! Validates single beacons.

mod dimensions;

use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Field, Http, Mode, Number, Text};

use crate::address::{Databases, GeoCache, GeoInfo};
use crate::client::{ClientCache, ClientSymbols};
use crate::identity::identity;
use crate::ignored::Ignored;
use crate::measures::measures;
use crate::session::session_of;
use crate::session_hash::belongs;
use crate::shared::Shared;
use crate::words::Words;
use crate::{Dictionary, Observation, Placement, Rejection, SentFields, SessionHash, Symbol, Tenant, cmcd};
use crowdfold_model::{Dimension, Reason, Span, Timestamp, ValueMetric};

type Dimensions = [Symbol; Dimension::COUNT];

/// The part of an observation that depends only on the HTTP context and the profile of a beacon
/// ([`Beacon::repeats`]).
#[derive(Clone, Copy)]
struct Origin {
    session_hash: SessionHash,
    tenant: Tenant,
    excluded: bool,
    network_bit: u64,
}

/// The largest accepted difference between a beacon's own time and the timestamp of its record: ten years. If the
/// difference is larger, the clock of the device was probably never set.
const LONGEST_AGO: Span = Span::DAY.times(3_652);

/// The validator of one partition, with its caches.
pub(crate) struct Validator {
    placement: Option<Placement>,
    words: Words,
    clients: ClientCache,
    geo_cache: GeoCache,
    databases: Arc<Databases>,
    loaded: u64,
    /// The origin of the last valid beacon of the current request in a packed record, and its dimensions. The numbers
    /// and the event may change the quality and the error code.
    origin: Option<(Origin, Dimensions)>,
    /// The symbols of the clients that the current packed record lists, by their number.
    listed_clients: Vec<Option<ClientSymbols>>,
    ignored: Ignored,
    has_ignored: bool,
    sent_fields: SentFields,
}

impl Validator {
    pub(crate) fn new(shared: &Shared, placement: Option<Placement>) -> Self {
        Self {
            placement,
            words: Words::new(shared.scanner.clone(), shared.settings.public_content.clone()),
            clients: ClientCache::new(),
            geo_cache: GeoCache::default(),
            loaded: shared.loaded(),
            databases: shared.databases(),
            origin: None,
            listed_clients: Vec::new(),
            ignored: Ignored::default(),
            has_ignored: false,
            sent_fields: SentFields::default(),
        }
    }

    pub(crate) fn take_ignored(&mut self) -> Option<Ignored> {
        std::mem::take(&mut self.has_ignored).then(|| std::mem::take(&mut self.ignored))
    }

    pub(crate) const fn sent_fields(&self) -> &SentFields {
        &self.sent_fields
    }

    #[cold]
    fn ignore(&mut self, fields: impl Iterator<Item = Field>) {
        self.has_ignored = true;
        fields.for_each(|field| self.ignored.count(field));
    }

    #[cold]
    fn ignore_in(&mut self, beacon: &Beacon<'_>) {
        self.has_ignored = true;
        self.ignored.count_beacon(beacon);
    }

    pub(crate) const fn dictionary(&self) -> &Dictionary {
        self.words.dictionary()
    }

    pub(crate) fn sweep(&mut self, held: impl Iterator<Item = Symbol>) {
        self.words.sweep(held);
        self.clients.forget_symbols();
        self.geo_cache.forget();
        self.begin_packed();
    }

    /// Removes all values that are stored for one packed record. It must be called before each packed record.
    pub(crate) fn begin_packed(&mut self) {
        self.origin = None;
        self.listed_clients.clear();
        self.words.forget_listed();
    }

    /// Starts to use the databases of the last reload. Does nothing if there was no reload since the last call.
    pub(crate) fn update_databases(&mut self, shared: &Shared) {
        let loaded = shared.loaded();
        if self.loaded != loaded {
            self.loaded = loaded;
            self.databases = shared.databases();
            self.geo_cache.forget();
        }
    }

    /// Validates a beacon. Returns the observation, or the first rejection reason in the documented order. An opt-out
    /// takes effect even if the beacon is rejected.
    pub(crate) fn validate(
        &mut self,
        shared: &Shared,
        record_time: Option<Timestamp>,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
    ) -> Result<Observation, Rejection> {
        if beacon.is_packed() && !beacon.repeats() {
            self.origin = None;
        }
        self.sent_fields.add_beacon(beacon);
        if Ignored::is_in(beacon) {
            self.ignore_in(beacon);
        }
        if http.time_ignored {
            self.ignore([Field::Number(Number::Ts)].into_iter());
        }
        if http.ttfb_ignored {
            self.ignore([Field::Number(Number::Value(ValueMetric::TtfbMs))].into_iter());
        }
        // If the origin is known, its session is valid.
        let session = match beacon.text(Text::Session) {
            Some(session) if beacon.repeats() && self.origin.is_some() => session,
            _ => session_of(beacon).map_err(|reason| match beacon.mode {
                Mode::Unsupported => Reason::Malformed,
                _ => reason,
            })?,
        };
        let opt_out = beacon.opt_out || shared.settings.gpc && http.gpc || shared.settings.dnt && http.dnt;
        self.observe(shared, record_time, http, beacon, session, opt_out).map_err(|reason| Rejection {
            reason,
            opts_out: if opt_out { self.opted_out_session(shared, http, beacon, session) } else { None },
        })
    }

    /// Returns the session that a rejected beacon opts out. Returns `None` if the tenant or the partition of the beacon
    /// is invalid.
    #[cold]
    fn opted_out_session(
        &self,
        shared: &Shared,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
        session: &str,
    ) -> Option<SessionHash> {
        let tenant = tenant_of(shared, http, beacon)?;
        self.belongs_here(shared, session).then(|| shared.hasher.hash(tenant, session))
    }

    /// Returns true if the session belongs to the partition of this validator.
    fn belongs_here(&self, shared: &Shared, session: &str) -> bool {
        let partitioner = shared.settings.partitioner;
        self.placement.is_none_or(|at| belongs(at, partitioner, session.as_bytes()))
    }

    fn observe(
        &mut self,
        shared: &Shared,
        record_time: Option<Timestamp>,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
        session: &str,
        opt_out: bool,
    ) -> Result<Observation, Reason> {
        if beacon.mode == Mode::Unsupported {
            return Err(Reason::Malformed);
        }
        let settings = &shared.settings;
        let stated = beacon.number(Number::Ts).map(Amount::timestamp);
        let is_far = |at: Timestamp| record_time.is_some_and(|record| at.abs_diff(record) > LONGEST_AGO);
        let usable = stated.filter(|at| !is_far(*at));
        // Requests of CMCD version 1 contain no time. A request is received when it is sent, so its time of receipt is
        // used. The record of the request may be much later if it comes from a log.
        let received_at = http.received_at.or(record_time).filter(|_| beacon.mode == Mode::Request);
        let identity = identity(beacon, usable, http.endpoint, received_at);
        let own_time = usable.or_else(|| {
            if stated.is_none() {
                return received_at;
            }
            self.ignore([Field::Number(Number::Ts)].into_iter());
            record_time
        });
        let (Some(own_time), Some(record_time)) = (own_time, record_time) else { return Err(Reason::NoTime) };
        // A wrong clock does not make the beacon invalid, because the event time is the earlier time of the two.
        let clock_ahead = own_time > record_time.saturating_add(settings.max_skew);
        let own_time = if clock_ahead { record_time } else { own_time };
        let mut dimensions = [Symbol::NONE; Dimension::COUNT];
        let origin = match &self.origin {
            Some((known, known_dimensions)) if beacon.repeats() => {
                dimensions = *known_dimensions;
                *known
            }
            _ => self.origin(shared, http, beacon, session, &mut dimensions)?,
        };
        let Origin { session_hash, tenant, excluded, network_bit } = origin;
        self.add_measured(&mut dimensions, beacon);
        Ok(Observation {
            session_hash,
            tenant,
            event_time: own_time.min(record_time),
            ahead_ms: u32::try_from(own_time.saturating_since(record_time).as_millis()).unwrap_or(u32::MAX),
            clock_ahead,
            dimensions,
            measures: measures(beacon, http.ttfb),
            playback: cmcd::playback(beacon, http.endpoint),
            identity,
            opt_out,
            excluded,
            network_bit,
        })
    }

    /// Determines the origin and the dimensions of a beacon. Stores them if the beacon comes from a packed record,
    /// because the next beacons may repeat it.
    #[inline]
    fn origin(
        &mut self,
        shared: &Shared,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
        session: &str,
        dimensions: &mut Dimensions,
    ) -> Result<Origin, Reason> {
        let settings = &shared.settings;
        let tenant = tenant_of(shared, http, beacon).ok_or(Reason::UnknownTenant)?;
        if !self.belongs_here(shared, session) {
            return Err(Reason::Misplaced);
        }
        // The content of a beacon may contain any address, so the address of the HTTP client is used if it is present.
        // If this address is empty, the collector does not know the address, and no address is used.
        let address = http.address.as_deref().or_else(|| beacon.text(Text::Ip));
        let geo = match address {
            Some(address) => self.geo_cache.of(address, settings, &self.databases, &mut self.words),
            None => GeoInfo::UNKNOWN,
        };
        self.add_reported(dimensions, settings.keep_content, beacon);
        if beacon.has_custom() || !http.custom.is_empty() {
            self.add_custom(dimensions, shared.custom_of(tenant), http, beacon);
        }
        self.add_located(dimensions, http);
        self.add_geo(dimensions, geo);
        let is_bot = self.add_client(dimensions, shared, http, beacon);
        let child_directed = shared.is_child_directed(tenant, beacon.text(Text::Of(Dimension::Content)));
        let origin = Origin {
            session_hash: shared.hasher.hash(tenant, session),
            tenant,
            excluded: child_directed || settings.drop_bots && is_bot,
            network_bit: geo.guard,
        };
        if beacon.is_packed() {
            self.origin = Some((origin, *dimensions));
        }
        Ok(origin)
    }
}

fn tenant_of(shared: &Shared, http: &Http<'_>, beacon: &Beacon<'_>) -> Option<Tenant> {
    let named = beacon.text(Text::Tenant).filter(|name| !name.is_empty());
    shared.tenant(named.or(http.tenant.as_deref()))
}

#[cfg(test)]
mod tests;
