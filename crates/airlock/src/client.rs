//! Determines the browser, system and device from user agents and client hints.

mod device;
mod firmware;
mod hints;
mod names;
mod pattern;
mod players;
mod system;
mod television;

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use ahash::RandomState;
use lru::LruCache;
use ua_parser::{Extractor, Regexes};

use crate::Symbol;
use crate::words::Words;
use crowdfold_model::Dimension;
pub(crate) use hints::Hints;
pub(crate) use names::{Named, explicit};

/// The properties of a client, as names from the catalogues. A property is `None` if it is unknown, and [`OTHER`] if
/// its value is not in the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) browser: Option<&'static str>,
    pub(crate) browser_version: Option<u16>,
    pub(crate) os: Option<&'static str>,
    pub(crate) os_version: Option<u16>,
    pub(crate) device: Option<&'static str>,
}

/// The value of a property that is not in the catalogue.
pub(crate) const OTHER: &str = "";

/// The browser name for native players and apps. They have no browser version.
const APP: &str = "app";

/// The parser for user agents (ua-parser). It is created when the first user agent is parsed, because the creation is
/// slow and some deployments receive no user agents.
#[derive(Default)]
pub(crate) struct UserAgents {
    extractor: OnceLock<Option<Extractor<'static>>>,
}

/// The maximum length of a user agent in bytes. Bytes beyond it are ignored.
const LONGEST: usize = 512;

impl UserAgents {
    /// Parses a user agent. Parsing takes tens of microseconds, so results are cached.
    fn parse(&self, user_agent: &str) -> Client {
        let Some(extractor) = self.extractor.get_or_init(extractor) else { return Client::default() };
        let (browser, os, device) = extract(extractor, user_agent);
        let family = device.as_ref().map_or("", |device| &device.device);
        let mut client = Client::default();
        client.set_browser(user_agent, browser.as_ref().map(|found| (&*found.family, found.major)));
        client.set_system(user_agent, os.as_ref().map(|stated| (&*stated.os, stated.major.as_deref())));
        if client.os == Some("iOS") && family == "iPad" && client.os_version >= Some(13) {
            client.os = Some("iPadOS");
        }
        if players::is_desktop_page_on_ios(user_agent) {
            client.os = Some("iPadOS");
            client.os_version = None;
        }
        if system::is_frozen(user_agent) {
            client.os_version = None;
        }
        // Safari does not exist on other systems. On such a system, the name only identifies the browser engine.
        if client.browser == Some("Safari") && !players::has_safari(client.os) {
            client.browser = Some(OTHER);
            client.browser_version = None;
        }
        client.browser = client.browser.or_else(|| players::native(user_agent, client.os));
        client.device = device::device(user_agent, family, client.os);
        client
    }
}

fn major(version: Option<&str>) -> Option<u16> {
    version?.parse().ok()
}

impl Client {
    /// Sets the browser. `stated` is the family and the major version that ua-parser found.
    fn set_browser(&mut self, user_agent: &str, stated: Option<(&str, Option<&str>)>) {
        let name = stated.and_then(|(family, _)| names::browser(family));
        let engine = || players::of_product(user_agent);
        if players::is_app(user_agent) {
            self.browser = Some(APP);
        } else if let Some((name, version)) = players::named_browser(user_agent).or_else(engine) {
            self.browser = Some(name);
            self.browser_version = version;
        } else if stated.is_some() || user_agent.starts_with("Mozilla/") {
            self.browser = Some(name.unwrap_or(OTHER));
            // If the product is not in the catalogue or is an app, there is no browser version.
            let version = stated.and_then(|(_, version)| major(version));
            self.browser_version = version.filter(|_| name.is_some_and(|name| name != APP));
        }
    }

    /// Sets the system. `stated` is the family and the major version that ua-parser found.
    fn set_system(&mut self, user_agent: &str, stated: Option<(&str, Option<&str>)>) {
        // If the user agent is that of an HbbTV television, ua-parser returns the maker of the television as the
        // system.
        let hbbtv = user_agent.contains("HbbTV/");
        let linux = (hbbtv && user_agent.contains("Linux")).then_some(("Linux", None));
        let stated = stated.filter(|(family, _)| !hbbtv || names::system(family).is_some()).or(linux);
        if let Some((family, version)) = stated {
            let name = names::system(family).unwrap_or(OTHER);
            self.os = Some(name);
            self.os_version = major(version).filter(|_| name != OTHER);
        }
        if let Some(contained) = system::contained(user_agent).filter(|system| self.os != Some(*system)) {
            self.os = Some(contained);
            self.os_version = None;
        }
        if let Some(system) = self.os
            && (self.os_version.is_none() || matches!(system, "webOS" | "Fire OS"))
        {
            self.os_version = system::version(user_agent, system);
        }
    }
}

type Extracted<'a> = (
    Option<ua_parser::user_agent::ValueRef<'a>>,
    Option<ua_parser::os::ValueRef<'a>>,
    Option<ua_parser::device::ValueRef<'a>>,
);

fn extract<'a>(extractor: &'a Extractor<'a>, user_agent: &'a str) -> Extracted<'a> {
    extractor.extract(user_agent)
}

/// Creates the parser from the embedded file. Returns `None` if the file is damaged. A test verifies that it is not.
fn extractor() -> Option<Extractor<'static>> {
    let regexes: Regexes<'static> =
        serde_yaml_ng::from_str(include_str!("../data/uap-core/regexes.yaml")).ok()?;
    Extractor::try_from(regexes).ok()
}

/// The maximum number of cached user agents of a partition. It is also the maximum number of cached combinations of a
/// user agent and client hints.
const MAX_CACHED: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// A cache of clients by user agent, with and without client hints. User agents are stored only in this cache, which
/// evicts the least recently used entries.
pub(crate) struct ClientCache {
    clients: LruCache<String, CachedClient, RandomState>,
    hinted: LruCache<Vec<u8>, CachedClient, RandomState>,
    /// A buffer for the key of a user agent and its client hints.
    key: Vec<u8>,
}

/// The client of a user agent, and the symbols of its values. The symbols are `None` until they are used for the first
/// time.
#[derive(Default)]
pub(crate) struct CachedClient {
    client: Client,
    texts: Texts,
    symbols: Option<ClientSymbols>,
}

/// The free-text values in a user agent.
#[derive(Clone, Default)]
struct Texts {
    firmware: Option<Box<str>>,
    app: Option<Box<str>>,
    app_version: Option<Box<str>>,
}

impl Texts {
    /// Reads the free-text values of a user agent. If the client is not a native player, the name of the app is not
    /// read.
    fn of(user_agent: &str, client: &Client) -> Self {
        let app = if client.browser == Some(APP) { players::app(user_agent) } else { None };
        let (app, app_version) = app.map_or((None, None), |(app, version)| (Some(app), version));
        Self {
            firmware: firmware::firmware(user_agent).map(Into::into),
            app: app.map(Into::into),
            app_version: app_version.map(Into::into),
        }
    }
}

impl ClientCache {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::new();
        Self {
            clients: LruCache::with_hasher(MAX_CACHED, hasher.clone()),
            hinted: LruCache::with_hasher(MAX_CACHED, hasher),
            key: Vec::new(),
        }
    }

    /// Returns the client for a user agent without client hints.
    pub(crate) fn get(&mut self, agents: &UserAgents, user_agent: &str) -> &mut CachedClient {
        let user_agent = shortened(user_agent, LONGEST);
        self.clients.get_or_insert_mut_ref(user_agent, || CachedClient::of(agents, user_agent))
    }

    /// Returns the client for client hints and, if the request has one, a user agent.
    pub(crate) fn hinted(
        &mut self,
        agents: &UserAgents,
        user_agent: Option<&str>,
        hints: &Hints<'_>,
    ) -> &mut CachedClient {
        let user_agent = user_agent.map(|text| shortened(text, LONGEST));
        self.key.clear();
        hints.write_key(user_agent, &mut self.key);
        let clients = &mut self.clients;
        self.hinted.get_or_insert_mut_ref(&self.key[..], || {
            let Some(user_agent) = user_agent else { return CachedClient::default().with(hints) };
            let known = clients.get_or_insert_ref(user_agent, || CachedClient::of(agents, user_agent));
            CachedClient { client: known.client, texts: known.texts.clone(), symbols: None }.with(hints)
        })
    }

    /// Removes all cached symbols, because a sweep may have assigned them to other words.
    pub(crate) fn forget_symbols(&mut self) {
        self.clients.iter_mut().for_each(|(_, known)| known.symbols = None);
        self.hinted.iter_mut().for_each(|(_, known)| known.symbols = None);
    }
}

/// Returns the beginning of a text, cut at a character boundary to at most `longest` bytes.
fn shortened(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

impl CachedClient {
    fn of(agents: &UserAgents, user_agent: &str) -> Self {
        let client = agents.parse(user_agent);
        Self { client, texts: Texts::of(user_agent, &client), symbols: None }
    }

    fn with(self, hints: &Hints<'_>) -> Self {
        Self { client: hints.correct(self.client), ..self }
    }

    /// Returns the symbols of the client's values.
    pub(crate) fn symbols(&mut self, words: &mut Words) -> ClientSymbols {
        *self.symbols.get_or_insert_with(|| self.client.symbols(&self.texts, words))
    }
}

/// The symbols of a client's values.
#[derive(Clone, Copy)]
pub(crate) struct ClientSymbols {
    pub(crate) browser: Symbol,
    pub(crate) browser_version: Symbol,
    pub(crate) os: Symbol,
    pub(crate) os_version: Symbol,
    pub(crate) device: Symbol,
    pub(crate) firmware: Symbol,
    pub(crate) app: Symbol,
    pub(crate) app_version: Symbol,
}

impl Client {
    fn symbols(self, texts: &Texts, words: &mut Words) -> ClientSymbols {
        let mut name = |name: Option<&str>| match name {
            None => Symbol::NONE,
            Some(OTHER) => Symbol::OTHER,
            Some(name) => words.intern(name),
        };
        let (browser, os, device) = (name(self.browser), name(self.os), name(self.device));
        let mut version = |version: Option<u16>| match version {
            None => Symbol::NONE,
            Some(major) => words.intern(&major.to_string()),
        };
        let (browser_version, os_version) = (version(self.browser_version), version(self.os_version));
        // The rules for values from producers apply to these values too.
        let mut text = |dimension, text: &Option<Box<str>>| {
            text.as_ref().map_or(Symbol::NONE, |text| words.symbol(dimension, text))
        };
        let firmware = text(Dimension::Firmware, &texts.firmware);
        let app = text(Dimension::App, &texts.app);
        let app_version = text(Dimension::AppVersion, &texts.app_version);
        ClientSymbols { browser, browser_version, os, os_version, device, firmware, app, app_version }
    }
}

#[cfg(test)]
mod tests;
