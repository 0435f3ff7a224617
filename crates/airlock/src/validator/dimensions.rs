//! Determines the dimension values of beacons.

use crowdfold_beacon::{Amount, Beacon, Http, Mode, Number, Text, is_nothing};
use crowdfold_model::Dimension;

use super::{Dimensions, Validator};
use crate::address::GeoInfo;
use crate::client::{ClientSymbols, Hints};
use crate::measures::bitrate;
use crate::shared::Shared;
use crate::{Symbol, catalogue, cmcd};

impl Validator {
    /// Adds the dimension values that the beacon contains.
    #[inline]
    pub(super) fn add_reported(
        &mut self,
        dimensions: &mut Dimensions,
        keep_content: bool,
        beacon: &Beacon<'_>,
    ) {
        let json = beacon.mode == Mode::Json;
        for (dimension, raw) in beacon.dimensions() {
            let raw = match dimension {
                _ if json && keep_content => raw,
                Dimension::Stream if !json => cmcd::stream(raw),
                Dimension::Format if !json => cmcd::format(raw),
                Dimension::Content if !keep_content => continue,
                _ => raw,
            };
            dimensions[dimension.index()] = match beacon.listed(Text::Of(dimension)) {
                Some(number) => self.words.listed(number, dimension, raw),
                None => self.words.symbol(dimension, raw),
            };
        }
    }

    /// Adds the quality and the error code, which may differ between the beacons of a request.
    #[inline]
    pub(super) fn add_measured(&mut self, dimensions: &mut Dimensions, beacon: &Beacon<'_>) {
        let height = beacon.number(Number::Height).map(Amount::rounded).filter(|height| *height > 0);
        let by_height = height.map(catalogue::quality_of_height);
        if let Some(class) = by_height.or_else(|| bitrate(beacon).map(catalogue::quality_of_bitrate)) {
            dimensions[Dimension::Quality.index()] = self.words.symbol(Dimension::Quality, class);
        }
        if beacon.mode != Mode::Json && beacon.text(Text::Error).is_some() {
            dimensions[Dimension::ErrorCode.index()] = self.error_code(beacon);
        }
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
    pub(super) fn add_custom(
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
    pub(super) fn add_located(&mut self, dimensions: &mut Dimensions, http: &Http<'_>) {
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
    pub(super) fn add_geo(&self, dimensions: &mut Dimensions, geo: GeoInfo) {
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
    pub(super) fn add_client(
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
        let listed = http.listed_client.map(usize::from).filter(|_| explicit.is_none());
        if let Some(number) = listed
            && let Some(Some(symbols)) = self.listed_clients.get(number)
        {
            return Some(*symbols);
        }
        let user_agent = explicit.or(http.user_agent.as_deref()).filter(|text| !text.is_empty());
        let known = match Hints::of(http) {
            Some(hints) => self.clients.hinted(&shared.agents, user_agent, &hints),
            None => self.clients.get(&shared.agents, user_agent?),
        };
        let symbols = known.symbols(&mut self.words);
        if let Some(number) = listed {
            if self.listed_clients.len() <= number {
                self.listed_clients.resize(number + 1, None);
            }
            self.listed_clients[number] = Some(symbols);
        }
        Some(symbols)
    }
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
