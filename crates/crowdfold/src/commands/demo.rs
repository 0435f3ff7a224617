//! `demo`: a broker, synthetic players, the worker and a reader of what it releases, in one process over loopback.
//!
//! Nothing is staged: the players produce to a topic, the worker is the one of `run`, and the table shows what a
//! consumer finds in the rollups' topic. Only time is: it runs faster than the clock until it has caught up with it.

mod broker;
mod event_clock;
mod gauges;
mod live;
mod load_generator;
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
use crowdfold_model::Millis;
use crowdfold_release::Secret;

use crate::cli;
use crate::config::{Config, millis};
use crate::failure::Failure;
use crate::telemetry::{Component, Status};
use crate::worker::{Setting, Stop, Worker};
use crate::{clock, terminal, wiring};

use broker::Broker;
use event_clock::EventClock;
use gauges::Gauges;
use load_generator::{LoadGenerator, Progress};
use rate_meter::RateMeter;
use stats::Stats;
use view::{DashboardView, View};

/// Tenants: one with a crowd of viewers, and one that has none.
const CROWDED: &str = "acme";
const QUIET: &str = "village-tv";

/// How long one look at the rollups' topic may take.
const LOOK: Duration = Duration::from_millis(100);

/// Shows it, until `--for` is over, or SIGINT or SIGTERM comes.
///
/// # Errors
/// When the cluster does not serve, a stage of the worker ends, or `out` cannot be written to.
pub fn run(args: &cli::Demo, config: Config, out: &mut impl Write) -> Result<(), Failure> {
    let began = clock::now();
    let stop = Stop::at_signals()?;
    let secret = Secret::random().context("the system has no random numbers for a secret")?;
    let config = demo_config(config.keyed()?.keyed_with(secret))?;
    let (broker, config) = match &args.brokers {
        None => Broker::mock(config)?,
        Some(_) => Broker::real(config)?,
    };
    let config = Arc::new(config);
    let client = wiring::client(&config)?;
    let gauges = Gauges::install()?;
    let stages = [Component::Combine, Component::Merge];
    let status = Arc::new(Status::new(&stages));
    let reader = TopicReader::open(&client, &config.topic_names().rollups()[0], None)?;
    let setting = Setting {
        config: Arc::clone(&config),
        client: client.clone(),
        status: Arc::clone(&status),
        stop: Arc::clone(&stop),
        restart_from_now: false,
        accept_loss: false,
    };
    let event_clock = EventClock::new(clock::now(), broker.most_behind(), millis(config.windows.length));
    let progress = Arc::new(Progress::default());
    let load_generator =
        LoadGenerator::open(&config, &client, event_clock, Arc::clone(&progress), Arc::clone(&gauges))?;
    let worker = Worker::start(&setting, &stages);
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
    };
    let until = args.duration.map(|length| began.saturating_add(length.as_millis() as Millis));
    let shown = show(&dashboard, reader, &stop, until, out);
    stop.now();
    let played = players.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the players panicked")));
    let stats = worker.join().and(played.map_err(Failure::from)).and(shown)?;
    view::summary(&dashboard, &stats, clock::now(), terminal::width(io::stdout()), out)?;
    Ok(out.flush()?)
}

/// Shows what comes until the end, and hands back what came.
fn show(
    dashboard: &DashboardView<'_>,
    mut reader: TopicReader,
    stop: &Stop,
    until: Option<Millis>,
    out: &mut impl Write,
) -> Result<Stats, Failure> {
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
        let mut strange = false;
        let read = reader.next(LOOK, |value| strange |= !stats.push(value, clock::now()));
        if let Err(error) = read {
            break Err(error.into());
        }
        if strange {
            break Err(anyhow::anyhow!("the rollups' topic holds what is no rollup: is it another's?").into());
        }
        let now = clock::now();
        rate_meter.record(now, dashboard.progress.sent());
        if let Err(error) = view.show(dashboard, &stats, &rate_meter, now, out) {
            break Err(error.into());
        }
    };
    view.close(out)?;
    ended.map(|()| stats)
}

/// The configuration, with what the demo rests on put over it.
fn demo_config(mut config: Config) -> Result<Config, Failure> {
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
        names: vec![CROWDED.into(), QUIET.into()],
        default: CROWDED.into(),
        per_tenant_topics: false,
        excluded_from_groupings: Vec::new(),
        attributes: BTreeMap::new(),
    };
    config.consent.child_directed.tenants.clear();
    config.metrics.listen = None;
    let (length, idle) = (millis(config.windows.length), millis(config.sessions.idle_timeout));
    let policy = config.policy().clone().for_windows(length, idle);
    // without policies of single tenants, because the demo has tenants of its own
    let policies = policy.map_err(|error| Failure::Usage(error.to_string()))?.into();
    Ok(config.with_policies(policies))
}

impl From<crowdfold_loadgen::ConfigError> for Failure {
    fn from(error: crowdfold_loadgen::ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}
