//! Validates single beacons.

use std::sync::Arc;

use crowdfold_beacon::{Amount, Beacon, Field, Http, Mode, Number, Text, is_nothing};

use crate::address::{Databases, GeoCache, GeoInfo};
use crate::client::{ClientCache, ClientSymbols, Hints};
use crate::identity::identity;
use crate::ignored::Ignored;
use crate::measures::{bitrate, measures};
use crate::session::session_of;
use crate::session_hash::belongs;
use crate::shared::Shared;
use crate::words::Words;
use crate::{Dictionary, Observation, Placement, Rejection, SessionHash, Symbol, Tenant, catalogue, cmcd};
use crowdfold_model::{Dimension, Reason, Span, Timestamp, ValueMetric};

type Dimensions = [Symbol; Dimension::COUNT];

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
    ignored: Ignored,
    has_ignored: bool,
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
            ignored: Ignored::default(),
            has_ignored: false,
        }
    }

    pub(crate) fn take_ignored(&mut self) -> Option<Ignored> {
        std::mem::take(&mut self.has_ignored).then(|| std::mem::take(&mut self.ignored))
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
        if Ignored::is_in(beacon) {
            self.ignore_in(beacon);
        }
        if http.time_ignored {
            self.ignore([Field::Number(Number::Ts)].into_iter());
        }
        if http.ttfb_ignored {
            self.ignore([Field::Number(Number::Value(ValueMetric::TtfbMs))].into_iter());
        }
        let session = session_of(beacon)?;
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
        let mut dimensions = self.reported(settings.keep_content, beacon);
        if beacon.has_custom() || !http.custom.is_empty() {
            self.add_custom(&mut dimensions, shared.custom_of(tenant), http, beacon);
        }
        self.add_located(&mut dimensions, http);
        self.add_geo(&mut dimensions, geo);
        let is_bot = self.add_client(&mut dimensions, shared, http, beacon);
        let child_directed = shared.is_child_directed(tenant, beacon.text(Text::Of(Dimension::Content)));
        Ok(Observation {
            session_hash: shared.hasher.hash(tenant, session),
            tenant,
            event_time: own_time.min(record_time),
            ahead_ms: u32::try_from(own_time.saturating_since(record_time).as_millis()).unwrap_or(u32::MAX),
            clock_ahead,
            dimensions,
            measures: measures(beacon, http.ttfb),
            playback: cmcd::playback(beacon, http.endpoint),
            identity,
            opt_out,
            excluded: child_directed || settings.drop_bots && is_bot,
            network_bit: geo.guard,
        })
    }

    /// Returns the symbols of the dimension values that the beacon contains.
    fn reported(&mut self, keep_content: bool, beacon: &Beacon<'_>) -> Dimensions {
        let mut dimensions = [Symbol::NONE; Dimension::COUNT];
        let mut set = |dimension: Dimension, raw: &str| {
            dimensions[dimension.index()] = self.words.symbol(dimension, raw)
        };
        let json = beacon.mode == Mode::Json;
        for (dimension, raw) in beacon.dimensions() {
            let raw = match dimension {
                _ if json && keep_content => raw,
                Dimension::Stream if !json => cmcd::stream(raw),
                Dimension::Format if !json => cmcd::format(raw),
                Dimension::Content if !keep_content => continue,
                _ => raw,
            };
            set(dimension, raw);
        }
        let height = beacon.number(Number::Height).map(Amount::rounded).filter(|height| *height > 0);
        let by_height = height.map(catalogue::quality_of_height);
        if let Some(class) = by_height.or_else(|| bitrate(beacon).map(catalogue::quality_of_bitrate)) {
            set(Dimension::Quality, class);
        }
        if !json && beacon.text(Text::Error).is_some() {
            dimensions[Dimension::ErrorCode.index()] = self.error_code(beacon);
        }
        dimensions
    }

    /// Returns the symbol of the first valid error code of a CMCD record. If there is no valid code, returns the symbol
    /// of the first code.
    #[cold]
    fn error_code(&mut self, beacon: &Beacon<'_>) -> Symbol {
        let mut symbol = |code: &str| self.words.symbol(Dimension::ErrorCode, code);
        let is_code = |symbol: &Symbol| !matches!(*symbol, Symbol::NONE | Symbol::OTHER | Symbol::REDACTED);
        let first = cmcd::code(beacon).map_or(Symbol::NONE, &mut symbol);
        if is_code(&first) {
            return first;
        }
        beacon.more_errors().map(|code| symbol(&code)).find(is_code).unwrap_or(first)
    }

    /// Adds the custom dimensions of the tenant. If both the beacon and the log contain a value, the value in the
    /// beacon is used.
    #[cold]
    fn add_custom(
        &mut self,
        dimensions: &mut Dimensions,
        custom: &[Dimension],
        http: &Http<'_>,
        beacon: &Beacon<'_>,
    ) {
        for dimension in custom.iter().copied() {
            let index = dimension.index();
            let logged = http.custom.iter().find(|(source, _)| Dimension::BUILT_IN + source == index);
            let reported = beacon.text(Text::Of(dimension)).filter(|text| !is_nothing(text));
            if let Some(raw) = reported.or_else(|| logged.map(|(_, raw)| &**raw)) {
                dimensions[index] = self.words.symbol(dimension, raw);
            }
        }
    }

    /// Adds the location that a CDN determined, for each dimension for which the beacon contains no value.
    fn add_located(&mut self, dimensions: &mut Dimensions, http: &Http<'_>) {
        for (dimension, raw) in [
            (Dimension::Country, &http.country),
            (Dimension::Region, &http.region),
            (Dimension::Asn, &http.asn),
        ] {
            let known = &mut dimensions[dimension.index()];
            if let Some(raw) = raw.as_deref().filter(|_| !known.is_some()) {
                *known = self.words.symbol(dimension, raw);
            }
        }
    }

    /// Adds the values that are derived from the IP address, for each dimension that has no value.
    fn add_geo(&self, dimensions: &mut Dimensions, geo: GeoInfo) {
        for (dimension, symbol) in [
            (Dimension::Country, geo.country),
            (Dimension::Region, geo.region),
            (Dimension::Asn, geo.asn),
            (Dimension::Network, geo.network),
        ] {
            let known = &mut dimensions[dimension.index()];
            if !known.is_some() {
                *known = symbol;
            }
        }
    }

    /// Adds the client that the user agent and the client hints identify. If the beacon contains a value from the
    /// catalogue, the value in the beacon remains. Returns true if the client is a bot that the settings exclude.
    fn add_client(
        &mut self,
        dimensions: &mut Dimensions,
        shared: &Shared,
        http: &Http<'_>,
        beacon: &Beacon<'_>,
    ) -> bool {
        if let Some(client) = self.client(shared, http, beacon) {
            for (family, version, symbol, major) in [
                (Dimension::Browser, Dimension::BrowserVersion, client.browser, client.browser_version),
                (Dimension::Os, Dimension::OsVersion, client.os, client.os_version),
            ] {
                let explicit = dimensions[family.index()];
                let known = prefer_explicit(explicit, symbol);
                dimensions[family.index()] = known;
                let version = &mut dimensions[version.index()];
                if explicit.is_some() && explicit != known {
                    // The name in the beacon is not used, so the version in the beacon, which belongs to this name, is
                    // not used either.
                    *version = major;
                } else if known == symbol {
                    *version = prefer_explicit(*version, major);
                }
            }
            let device = &mut dimensions[Dimension::Device.index()];
            *device = prefer_explicit(*device, client.device);
            let firmware = &mut dimensions[Dimension::Firmware.index()];
            if !firmware.is_some() {
                *firmware = client.firmware;
            }
            let app = dimensions[Dimension::App.index()];
            if !app.is_some() || app == client.app {
                dimensions[Dimension::App.index()] = client.app;
                let version = &mut dimensions[Dimension::AppVersion.index()];
                *version = prefer_explicit(*version, client.app_version);
            }
        }
        shared.settings.drop_bots
            && dimensions[Dimension::Device.index()] == self.words.symbol(Dimension::Device, "bot")
    }

    fn client(&mut self, shared: &Shared, http: &Http<'_>, beacon: &Beacon<'_>) -> Option<ClientSymbols> {
        let explicit = beacon.text(Text::UserAgent).filter(|text| !is_nothing(text));
        let user_agent = explicit.or(http.user_agent.as_deref()).filter(|text| !text.is_empty());
        let known = match Hints::of(http) {
            Some(hints) => self.clients.hinted(&shared.agents, user_agent, &hints),
            None => self.clients.get(&shared.agents, user_agent?),
        };
        Some(known.symbols(&mut self.words))
    }
}

fn tenant_of(shared: &Shared, http: &Http<'_>, beacon: &Beacon<'_>) -> Option<Tenant> {
    let named = beacon.text(Text::Tenant).filter(|name| !name.is_empty());
    shared.tenant(named.or(http.tenant.as_deref()))
}

/// Returns the value in the beacon. If the beacon contains no value, or a value that is not in the catalogue, returns
/// the value of the client.
fn prefer_explicit(explicit: Symbol, client: Symbol) -> Symbol {
    match explicit {
        Symbol::NONE => client,
        Symbol::OTHER if client.is_some() => client,
        _ => explicit,
    }
}

#[cfg(test)]
mod tests;
