//! `console`: reads the rollups into a store, and serves the page, the API and the gauges.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use crowdfold_console::{
    Added, Batch, Console, ConsoleError, ConsoleField, Export, Facts, Lifetimes, Server, Settings, Token,
};
use crowdfold_kafka::{ClientSettings, KafkaError, TopicReader};
use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use crowdfold_worker::config::kafka_message;
use crowdfold_worker::{Config, Stop, clock, wiring};

use crate::error::CrowdfoldError;

mod workers;

/// The time limit of one read of a topic.
const LOOK: Duration = Duration::from_millis(200);

/// The maximum number of records in a batch. It is small, so that requests do not wait long for the store.
const MOST: usize = 2_000;

/// The interval at which windows are added up to hours, and expired rows are deleted.
const MAINTENANCE: Span = Span::MINUTE;

/// The interval at which topics are opened again, so that new partitions are found.
const REOPEN: Span = Span::from_millis(5 * 60_000);

/// The time without errors after which the problem of a store is over.
const RECOVERED: Span = Span::from_millis(10_000);

/// The pause after an error that may be temporary.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the console until SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if the configuration is invalid, the store cannot be opened, or a topic may not be read.
pub fn run(config: &Config) -> Result<(), CrowdfoldError> {
    let console = Console::open(settings(config)?, clock::now)?;
    let client = wiring::client(config)?;
    let stop = Stop::at_signals()?;
    // A store on disk may contain rows that expired while the console did not run.
    let maintained = console.store().maintain(clock::now());
    let mut problems =
        Problems { maintenance: maintained.map_err(|error| message(&error)).err(), ..Problems::default() };
    problems.show(&console);
    let server = Server::start(Arc::clone(&console))?;
    tracing::info!("the page is at http://{}", server.address);
    workers::watch(&console, &config.console.workers, &stop);
    let topics = config.topic_names().rollups().to_vec();
    let mut feed = Feed { console: &console, client: &client, readers: Vec::new() };
    let (mut opened, mut maintained) = (None, clock::now());
    while !stop.is_set() {
        let now = clock::now();
        let read = feed.step(&topics, &mut opened, now);
        // Rows expire also while Kafka cannot be read.
        if now.saturating_since(maintained) >= MAINTENANCE {
            maintained = now;
            problems.maintenance = console.store().maintain(now).map_err(|error| message(&error)).err();
        }
        let is_failed = read.is_err();
        match read {
            Ok(added) => problems.after(added.as_ref(), now),
            Err(FeedError::Kafka(error)) if !error.is_transient() => return Err(error.into()),
            Err(error) => {
                problems.is_added = false;
                problems.store_failed = matches!(error, FeedError::Store(_)).then_some(now);
                problems.feed = Some(error.to_string());
            }
        }
        problems.show(&console);
        if is_failed {
            // Records that were read but not stored are read again.
            opened = None;
            stop.sleep(PAUSE);
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// The reasons why the store is not up to date.
#[derive(Default)]
struct Problems {
    /// The last error of reading a topic or of adding rows.
    feed: Option<String>,
    /// The time at which rows could not be added to the store.
    store_failed: Option<Timestamp>,
    /// True if rows were added after that time.
    is_added: bool,
    /// The error of the last maintenance.
    maintenance: Option<String>,
    /// The problem of the last rows whose window was in the future.
    clock: Option<String>,
    shown: Option<String>,
}

impl Problems {
    /// Updates the problems after a step without an error. `added` is the result of adding rows, or `None` if no record
    /// was read.
    fn after(&mut self, added: Option<&Added>, now: Timestamp) {
        self.is_added |= added.is_some();
        // If rows could not be added, neither a step without records nor a small batch shows that the store can be
        // written again.
        if self.store_failed.is_none_or(|failed| self.is_added && now.saturating_since(failed) >= RECOVERED) {
            (self.feed, self.store_failed) = (None, None);
        }
        match added {
            Some(added) if added.ahead > 0 => {
                let text = "rows of windows that end more than an hour after the current time were ignored; check the \
                            clocks of this machine and of the worker";
                self.clock = Some(text.to_owned());
            }
            Some(added) if added.rows > 0 => self.clock = None,
            _ => {}
        }
    }

    /// Shows the problems on the page. Logs them if they have changed.
    fn show(&mut self, console: &Console) {
        let all = [&self.feed, &self.maintenance, &self.clock].into_iter().flatten();
        let mut texts: Vec<&str> = all.map(String::as_str).collect();
        texts.dedup();
        let text = (!texts.is_empty()).then(|| texts.join("; also: "));
        if text != self.shown {
            match &text {
                Some(text) => tracing::warn!("{text}"),
                None => tracing::info!("the store is up to date again"),
            }
            console.set_problem(text.clone());
            self.shown = text;
        }
    }
}

/// Returns the settings of the console.
pub(super) fn settings(config: &Config) -> Result<Settings, CrowdfoldError> {
    let custom = config.custom_dimensions().names();
    let export = config.console.export.iter().map(|entry| Export::parse(entry, &custom));
    let tokens = config.console.tokens.iter().filter_map(|(name, token)| {
        let file = token.file.as_ref()?;
        Some(Token::read(name, file, token.tenants.iter().cloned().collect()))
    });
    let lifetimes = Lifetimes { detail: config.console.detail.into(), rollups: config.ttl.rollups.into() };
    let millis = |duration: Duration| Span::from(duration).as_millis();
    Ok(Settings {
        listen: config.console.listen,
        hosts: config.console.hosts.clone(),
        hosts_name: "console.hosts",
        data_dir: config.console.data_dir.clone(),
        lifetimes,
        tokens: tokens.collect::<Result<_, ConsoleError>>()?,
        export: export.collect::<Result<_, ConsoleError>>()?,
        tenants: config.tenants.names.clone(),
        facts: Facts {
            ttl_rollups_ms: millis(config.ttl.rollups),
            ttl_beacons_ms: millis(config.ttl.beacons),
            ttl_partials_ms: millis(config.ttl.partials),
            detail_ms: millis(config.console.detail),
            version: env!("CARGO_PKG_VERSION"),
        },
        audit_report: config.console.audit_report.clone(),
    })
}

/// Describes an error of the console. The description names the configuration key that can fix the error.
fn message(error: &ConsoleError) -> String {
    let key = match error.field() {
        Some(ConsoleField::Directory) => "console.data_dir".into(),
        Some(ConsoleField::Listen) => "console.listen".into(),
        Some(ConsoleField::Token(name)) => format!("console.tokens.{name}.file"),
        Some(ConsoleField::Export) => "console.export".into(),
        None => return error.problem(),
    };
    format!("{key}: {}", error.problem())
}

/// An error of reading a topic or of writing to the store.
#[derive(Debug)]
enum FeedError {
    Kafka(KafkaError),
    Store(ConsoleError),
}

impl std::fmt::Display for FeedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kafka(error) => f.write_str(&kafka_message(error)),
            Self::Store(error) => f.write_str(&message(error)),
        }
    }
}

impl From<KafkaError> for FeedError {
    fn from(error: KafkaError) -> Self {
        Self::Kafka(error)
    }
}

impl From<ConsoleError> for FeedError {
    fn from(error: ConsoleError) -> Self {
        Self::Store(error)
    }
}

impl From<ConsoleError> for CrowdfoldError {
    fn from(error: ConsoleError) -> Self {
        match &error {
            ConsoleError::Listen { .. } | ConsoleError::Store(_) => Self::Running(anyhow!(message(&error))),
            other => Self::Usage(message(other)),
        }
    }
}

/// The readers of the topics. They write rows to the store.
struct Feed<'a> {
    console: &'a Console,
    client: &'a ClientSettings,
    readers: Vec<(String, TopicReader)>,
}

impl Feed<'_> {
    /// Reads the next records of each topic, and writes them to the store. Returns `None` if there were no records.
    fn step(
        &mut self,
        topics: &[String],
        opened: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Added>, FeedError> {
        if opened.is_none_or(|opened| now.saturating_since(opened) >= REOPEN) {
            self.readers.clear();
            for topic in topics {
                let next = self.console.store().offsets(topic)?;
                self.readers.push((topic.clone(), TopicReader::resume(self.client, topic, &next)?));
            }
            *opened = Some(now);
        }
        let wait = LOOK / u32::try_from(topics.len().max(1)).unwrap_or(u32::MAX);
        let mut batch = Batch::default();
        let mut skipped = 0;
        for (topic, reader) in &mut self.readers {
            reader.next_at(wait, MOST, |partition, offset, value| {
                match Row::parse(value) {
                    Some(row) => batch.rows.push(row),
                    None => skipped += 1,
                }
                batch.offsets.insert((topic.clone(), partition), offset + 1);
            })?;
        }
        let added = add(self.console, &batch, now)?;
        if skipped > 0 {
            tracing::warn!("skipped records that are not rollups of this version: {skipped}");
        }
        self.console.count_ignored(skipped, added.as_ref().map_or(0, |added| added.ahead));
        Ok(added)
    }
}

/// Adds a batch to the store, and sends an event for each of its windows. Returns `None` if the batch is empty.
pub(super) fn add(console: &Console, batch: &Batch, now: Timestamp) -> Result<Option<Added>, ConsoleError> {
    if batch.offsets.is_empty() && batch.rows.is_empty() {
        return Ok(None);
    }
    let added = console.store().add(batch, now)?;
    console.live().announce(&added.windows);
    Ok(Some(added))
}
