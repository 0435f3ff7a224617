//! `demo`: runs a broker, synthetic players, the worker and a reader of the rollups in one process.
//!
//! The data flow is real. The players produce to a topic, the worker runs the same code as `run`, and the table shows
//! the records that a consumer reads from the rollups topic. Only event time is simulated. It begins in the past, and
//! runs faster than real time until it equals real time.

mod broker;
mod event_clock;
mod gauges;
mod live;
mod load_generator;
mod page;
mod plain;
mod rate_meter;
mod stats;
mod table;
mod text;
mod view;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use crowdfold_config::{Format, Partitioner, Sessions, Source, Tenants, Windows};
use crowdfold_kafka::TopicReader;
use crowdfold_model::Timestamp;
use crowdfold_query::Row;
use crowdfold_release::{PolicyError, Secret};
use crowdfold_worker::config::policy_key;
use crowdfold_worker::telemetry::{Component, Status};
use crowdfold_worker::{Config, Stop, Worker, WorkerContext, clock, wiring};

use crate::cli;
use crate::error::CrowdfoldError;
use crate::terminal;

use broker::Broker;
use event_clock::EventClock;
use gauges::Gauges;
use load_generator::{LoadGenerator, Progress};
use page::Page;
use rate_meter::RateMeter;
use stats::Stats;
use view::{DashboardView, View};

/// The tenant with many sessions. Its rows are published.
const CROWDED: &str = "acme";
/// The tenant with fewer than *k* sessions. Its rows are withheld.
const SMALL: &str = "village-tv";

/// The time limit of one read of the rollups topic.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the demo until the time of `--for` has passed, or until SIGINT or SIGTERM.
///
/// # Errors
/// Returns an error if the cluster cannot be used, a stage of the worker ends, or `out` cannot be written to.
pub fn run(args: &cli::Demo, config: Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let began = clock::now();
    let stop = Stop::at_signals()?;
    let secret = Secret::random().context("the operating system provides no random numbers for a secret")?;
    let config = demo_config(config.keyed()?.keyed_with(secret))?;
    let (broker, config) = match &args.brokers {
        None => Broker::mock(config)?,
        Some(_) => Broker::real(config)?,
    };
    let page = Page::start(&config)?;
    writeln!(out, "page: {}", page.address())?;
    out.flush()?;
    let config = Arc::new(config);
    let client = wiring::client(&config)?;
    let gauges = Gauges::install()?;
    let stages = [Component::Combine, Component::Merge];
    let status = Arc::new(Status::new(&stages));
    let reader = TopicReader::open(&client, &config.topic_names().rollups()[0], None)?;
    let context = WorkerContext {
        config: Arc::clone(&config),
        client: client.clone(),
        status: Arc::clone(&status),
        stop: Arc::clone(&stop),
        restart_from_now: false,
        accept_loss: false,
    };
    let event_clock = EventClock::new(clock::now(), broker.most_behind(), config.windows.length.into());
    let progress = Arc::new(Progress::default());
    let load_generator =
        LoadGenerator::open(&config, &client, event_clock, Arc::clone(&progress), Arc::clone(&gauges))?;
    let worker = Worker::start(&context, &stages);
    let players = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let played = load_generator.play(&stop);
            stop.now();
            played
        })
    };
    let dashboard = DashboardView {
        began,
        event_clock,
        broker: &broker,
        config: &config,
        progress: &progress,
        gauges: &gauges,
        status: &status,
        page: &page,
    };
    let until = args.duration.map(|length| began.saturating_add(length.into()));
    let shown = show(&dashboard, reader, &stop, until, out);
    stop.now();
    let played = players
        .join()
        .unwrap_or_else(|_| Err(anyhow::anyhow!("the thread of the synthetic players panicked")));
    let worked = worker.join().map_err(CrowdfoldError::from);
    let stats = worked.and(played.map_err(CrowdfoldError::from)).and(shown)?;
    view::summary(&dashboard, &stats, clock::now(), terminal::width(io::stdout()), out)?;
    Ok(out.flush()?)
}

/// Shows new rows until the demo ends. Returns the statistics of all rows.
fn show(
    dashboard: &DashboardView<'_>,
    mut reader: TopicReader,
    stop: &Stop,
    until: Option<Timestamp>,
    out: &mut impl Write,
) -> Result<Stats, CrowdfoldError> {
    let mut stats = Stats::new(dashboard.config);
    let mut rate_meter = RateMeter::default();
    let mut view: Box<dyn View> = match terminal::size(io::stdout()) {
        Some(_) if io::stdout().is_terminal() => Box::new(live::Live::open(out)?),
        _ => Box::new(plain::Plain::open(dashboard, out)?),
    };
    let ended = loop {
        let now = clock::now();
        if stop.is_set() || until.is_some_and(|until| now >= until) {
            break Ok(());
        }
        let (mut strange, mut rows) = (false, Vec::new());
        let read = reader.next(LOOK, |value| {
            strange |= !stats.push(value, clock::now());
            rows.extend(Row::parse(value));
        });
        if let Err(error) = read {
            break Err(error.into());
        }
        if strange {
            break Err(anyhow::anyhow!(
                "the rollups topic contains a record that is not a rollup; check whether another program writes to it").into());
        }
        let now = clock::now();
        let event_time = dashboard.event_clock.at(now);
        if let Err(error) = dashboard.page.add(rows, now, event_time, dashboard.gauges) {
            break Err(error);
        }
        rate_meter.record(now, dashboard.progress.sent());
        if let Err(error) = view.show(dashboard, &stats, &rate_meter, now, out) {
            break Err(error.into());
        }
    };
    view.close(out)?;
    ended.map(|()| stats)
}

/// Replaces settings for which the demo needs certain values, such as the tenants.
fn demo_config(mut config: Config) -> Result<Config, CrowdfoldError> {
    config.source = Source {
        topic: None,
        format: Format::Json,
        partitioner: Partitioner::Murmur2,
        trust_timestamps: true,
        idle_timeout: config.source.idle_timeout,
        on_damaged: config.source.on_damaged,
        max_beacons: config.source.max_beacons,
        fields: Default::default(),
        log: Default::default(),
    };
    config.windows = Windows {
        length: Duration::from_secs(60),
        lateness: Duration::from_secs(30),
        max_skew: Duration::from_secs(60),
    };
    config.sessions = Sessions {
        idle_timeout: Duration::from_secs(90),
        max_per_partition: config.sessions.max_per_partition,
    };
    config.tenants = Tenants {
        names: vec![CROWDED.into(), SMALL.into()],
        default: CROWDED.into(),
        per_tenant_topics: false,
        excluded_from_groupings: Vec::new(),
        attributes: BTreeMap::new(),
    };
    config.consent.child_directed.tenants.clear();
    config.metrics.listen = None;
    let (length, idle) = (config.windows.length.into(), config.sessions.idle_timeout.into());
    let policy = config.policy().clone().for_windows(length, idle);
    // The configured policies of single tenants are dropped, because the demo has its own tenants.
    let refused = |error: PolicyError| format!("{} {}", policy_key(error.field()), error.problem());
    let policies = policy.map_err(|error| CrowdfoldError::Usage(refused(error)))?.into();
    Ok(config.with_policies(policies))
}

impl From<crowdfold_loadgen::LoadgenError> for CrowdfoldError {
    fn from(error: crowdfold_loadgen::LoadgenError) -> Self {
        Self::Usage(error.to_string())
    }
}
