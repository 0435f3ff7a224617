//! Browser, system and device, from user agents and client hints.

mod hints;
mod names;

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use ahash::RandomState;
use lru::LruCache;
use ua_parser::{Extractor, Regexes};

use crate::Symbol;
use crate::words::Words;
pub(crate) use hints::hinted;

/// What is known of a client, in words of the catalogues. `Some("")` stands for something outside a catalogue, `None` for
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) browser: Option<&'static str>,
    pub(crate) browser_version: Option<u16>,
    pub(crate) os: Option<&'static str>,
    pub(crate) os_version: Option<u16>,
    pub(crate) device: Option<&'static str>,
}

/// Outside a catalogue.
pub(crate) const OTHER: &str = "";

/// A player that is no browser, and whose version is not a browser's.
const APP: &str = "app";

/// What ua-parser reads. Made at the first user agent, for it takes a while, and where none are sent it is not needed.
#[derive(Default)]
pub(crate) struct UserAgents {
    extractor: OnceLock<Option<Extractor<'static>>>,
}

/// The longest user agent that is read, bytes; what comes after is cut off.
const LONGEST: usize = 512;

impl UserAgents {
    /// What a user agent says. Takes tens of microseconds.
    fn parse(&self, user_agent: &str) -> Client {
        let Some(extractor) = self.extractor.get_or_init(extractor) else { return Client::default() };
        let (browser, os, device) = extract(extractor, user_agent);
        let major = |version: Option<&str>| version.and_then(|major| major.parse::<u16>().ok());
        let amazon = names::amazon(user_agent);
        let family = device.as_ref().map_or("", |device| &device.device);
        let mut client = Client::default();
        if let Some(browser) = browser {
            let name = names::browser(&browser.family);
            client.browser = Some(name.unwrap_or(OTHER));
            // The version of a product without a name tells nothing.
            client.browser_version = name.filter(|name| *name != APP).and_then(|_| major(browser.major));
        } else if names::is_app(user_agent) {
            client.browser = Some(APP);
        }
        if let Some(os) = os {
            let name = names::system(&os.os);
            client.os = Some(name.unwrap_or(OTHER));
            client.os_version = name.and_then(|_| major(os.major.as_deref()));
        }
        if let Some(held) = names::held_system(user_agent).filter(|held| client.os != Some(*held)) {
            client.os = Some(held);
            client.os_version = None;
        }
        if amazon.is_some() {
            // The version is that of the Android beneath.
            client.os = Some("Fire OS");
            client.os_version = None;
        }
        if client.os == Some("iOS") && family == "iPad" && client.os_version >= Some(13) {
            client.os = Some("iPadOS");
        }
        // Elsewhere an engine only calls itself so.
        if client.browser == Some("Safari") && !names::has_safari(client.os) {
            client.browser = Some(OTHER);
            client.browser_version = None;
        }
        client.device = names::device(user_agent, family, client.os).or(client.os.map(|_| OTHER));
        client
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

/// `None` only if the shipped file were damaged, which a test would tell.
fn extractor() -> Option<Extractor<'static>> {
    let regexes: Regexes<'static> =
        serde_yaml_ng::from_str(include_str!("../data/uap-core/regexes.yaml")).ok()?;
    Extractor::try_from(regexes).ok()
}

/// How many user agents a partition remembers.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// Whole user agents and what they say. The strings stay in memory here, and no longer than they are used.
pub(crate) struct Remembered {
    clients: LruCache<String, Known, RandomState>,
}

/// What a user agent says, and the same in symbols, once they were asked for.
pub(crate) struct Known {
    pub(crate) client: Client,
    pub(crate) symbols: Option<ClientSymbols>,
}

impl Remembered {
    pub(crate) fn new() -> Self {
        Self { clients: LruCache::with_hasher(REMEMBERED, RandomState::new()) }
    }

    /// What a user agent says.
    pub(crate) fn get(&mut self, agents: &UserAgents, user_agent: &str) -> &mut Known {
        let user_agent = &user_agent[..user_agent.floor_char_boundary(LONGEST)];
        self.clients
            .get_or_insert_mut_ref(user_agent, || Known { client: agents.parse(user_agent), symbols: None })
    }

    /// Symbols mean something else from now on.
    pub(crate) fn forget_symbols(&mut self) {
        self.clients.iter_mut().for_each(|(_, known)| known.symbols = None);
    }
}

/// A client in symbols.
#[derive(Clone, Copy)]
pub(crate) struct ClientSymbols {
    pub(crate) browser: Symbol,
    pub(crate) browser_version: Symbol,
    pub(crate) os: Symbol,
    pub(crate) os_version: Symbol,
    pub(crate) device: Symbol,
}

impl Client {
    /// In symbols.
    pub(crate) fn symbols(self, words: &mut Words) -> ClientSymbols {
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
        ClientSymbols { browser, browser_version, os, os_version, device }
    }
}

#[cfg(test)]
mod tests;
