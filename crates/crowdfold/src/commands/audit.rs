//! `audit`: what is on the broker, held to the promises: nobody in it, crowds only, once, not for too long, for those
//! alone who should read it. Trusts neither the worker nor the configuration it ran with.

mod json;
mod readers;
mod report;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::time::Duration;

use crowdfold_kafka::topics::{Admin, Clock, Finding, Purpose, Spec};
use crowdfold_kafka::{ClientSettings, Error, TopicReader};

use crowdfold_console::audit::{Auditor, Bounds, Contents, Least, Record, Rules};
use crowdfold_release::{LEAST_K, Policy, breakdown_name};

use crate::cli::{self, ReportFormat};
use crate::config::Config;
use crate::failure::Failure;
use crate::{clock, specs, wiring};

use report::{Ageing, Report, Subject, Unseen};

/// Reads, and prints what was found.
///
/// # Errors
/// [`Failure::Breach`] where a promise is broken; [`Failure::Running`] where something could not be looked at and
/// nothing else was found, or no broker answers.
pub fn run(args: &cli::Audit, config: &Config, out: &mut impl Write) -> Result<(), Failure> {
    let client = wiring::client(config)?;
    let now = clock::now();
    let report = look(args, config, &client, now)?;
    match args.format {
        ReportFormat::Table => table::print(&report, out)?,
        ReportFormat::Json => json::print(&report, out)?,
    }
    out.flush()?;
    let (breaches, unseen) = (report.breaches(), report.unseen.len());
    if breaches > 0 {
        let plural = if breaches == 1 { "breach" } else { "breaches" };
        return Err(Failure::Breach(format!("{breaches} {plural}, named above by finding and location")));
    }
    match report.unseen.first() {
        None => Ok(()),
        Some(Unseen { what, why }) if unseen == 1 => {
            Err(anyhow::anyhow!("could not look at {what}: {why}").into())
        }
        Some(Unseen { what, why }) => {
            Err(anyhow::anyhow!("could not look at {what}, nor at {} more: {why}", unseen - 1).into())
        }
    }
}

fn look(args: &cli::Audit, config: &Config, client: &ClientSettings, now: u64) -> Result<Report, Failure> {
    let admin = Admin::open(client)?;
    let mut report = Report { now, subjects: subjects(args, config), ..Report::default() };
    for at in 0..report.subjects.len() {
        let spec = report.subjects[at].spec.clone();
        // an audit of many topics takes a while, and brokers go on
        match admin.check(std::slice::from_ref(&spec), clock::now()).map(|mut checked| checked.topics.pop()) {
            Ok(Some(checked)) if checked.findings.contains(&Finding::Missing) => {
                let why = "it does not exist".into();
                report.unseen.push(Unseen { what: format!("topic {}", spec.topic), why });
                report.subjects[at].is_missing = true;
            }
            Ok(checked) => report.subjects[at].age = checked.map(Ageing),
            Err(error) if is_final(&error) => return Err(error.into()),
            Err(error) => report.miss(format!("the time-to-live of topic {}", spec.topic), &error),
        }
    }
    report
        .subjects
        .iter_mut()
        .filter(|subject| subject.is_missing)
        .for_each(|subject| subject.contents = None);
    if !args.no_acls {
        let there = report.subjects.iter().filter(|subject| !subject.is_missing);
        let topics: Vec<String> = there.map(|subject| subject.spec.topic.clone()).collect();
        match admin.permissions(&topics) {
            Ok(checked) => readers::check(&topics, checked, config, &mut report),
            Err(error) if is_final(&error) => return Err(error.into()),
            Err(error) => report.miss("who may read the topics".into(), &error),
        }
    }
    let since = args.since.map(|since| now.saturating_sub(since.as_millis() as u64));
    let mut auditor = Auditor::new(rules(args, config));
    for at in 0..report.subjects.len() {
        let Subject { spec, contents: Some(contents), .. } = &report.subjects[at] else { continue };
        let (topic, contents) = (spec.topic.clone(), *contents);
        if let Err(error) = read(client, &topic, contents, since, &mut auditor) {
            report.subjects[at].is_missing = true;
            report.miss(format!("what is in topic {topic}"), &error);
        }
    }
    report.audit = Some(auditor.finish());
    if report.audit.as_ref().is_some_and(|audit| audit.is_partial) {
        let why = "there are more tables than are held at a time: audit less with --since".into();
        report.unseen.push(Unseen { what: "whether all tables agree".into(), why });
    }
    Ok(report)
}

/// Whether nothing else need be tried: no broker answers, or none lets us in.
const fn is_final(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::Refused { .. })
}

fn read(
    client: &ClientSettings,
    topic: &str,
    contents: Contents,
    since: Option<u64>,
    auditor: &mut Auditor,
) -> Result<(), Error> {
    // opened first, so that what is committed later is beyond its end
    let all = TopicReader::open_uncommitted(client, topic, since)?;
    let reader = TopicReader::open(client, topic, since)?;
    let number = auditor.topic(topic, contents, reader.cut());
    let mut committed = Committed::default();
    reader.records_to_end(|record| {
        committed.push(record.partition(), record.offset());
        auditor.record(number, &taken(record));
    })?;
    all.records_to_end(|record| {
        if !committed.contains(record.partition(), record.offset()) {
            auditor.uncommitted(number, &taken(record));
        }
    })?;
    Ok(())
}

fn taken<'a>(record: &'a crowdfold_kafka::Record<'_>) -> Record<'a> {
    let (partition, offset) = (record.partition(), record.offset());
    Record { partition, offset, key: record.key(), value: record.value(), headers: record.headers() }
}

/// Offsets of committed records, as ranges: a transaction is one.
#[derive(Default)]
struct Committed(BTreeMap<u32, Vec<(i64, i64)>>);

impl Committed {
    /// Takes in an offset above those before it in its partition.
    fn push(&mut self, partition: u32, offset: i64) {
        let ranges = self.0.entry(partition).or_default();
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == offset => *last = offset,
            _ => ranges.push((offset, offset)),
        }
    }

    /// Returns whether an offset is there.
    fn contains(&self, partition: u32, offset: i64) -> bool {
        let Some(ranges) = self.0.get(&partition) else { return false };
        let after = ranges.partition_point(|(first, _)| *first <= offset);
        after.checked_sub(1).is_some_and(|at| offset <= ranges[at].1)
    }
}

/// The topics to be looked at: those that are named, else all of the configuration.
fn subjects(args: &cli::Audit, config: &Config) -> Vec<Subject> {
    let foreign = |topic: &String, purpose, ttl| Subject {
        contents: contents(purpose),
        is_ours: false,
        ..Subject::of(Spec {
            topic: topic.clone(),
            purpose,
            partitions: 0,
            replication: 0,
            ttl,
            least: Duration::ZERO,
            clock: Clock::Append,
            max_skew: config.windows.max_skew,
            on_disk_slack: config.ttl.on_disk_slack,
            max_message_bytes: 0,
        })
    };
    let rollups = args.rollups.iter().map(|topic| foreign(topic, Purpose::Rollups, config.ttl.rollups));
    let rejections =
        args.rejections.iter().map(|topic| foreign(topic, Purpose::Rejections, config.ttl.rejections));
    let named: Vec<Subject> = rollups.chain(rejections).collect();
    if !named.is_empty() {
        return named;
    }
    let ours = specs::all(config).into_iter();
    ours.map(|spec| Subject { contents: contents(spec.purpose), ..Subject::of(spec) }).collect()
}

/// What is read of a topic. What is personal data is not opened.
const fn contents(purpose: Purpose) -> Option<Contents> {
    match purpose {
        Purpose::Rollups => Some(Contents::Rollups),
        Purpose::Rejections => Some(Contents::Rejections),
        Purpose::Beacons | Purpose::Partials => None,
    }
}

fn rules(args: &cli::Audit, config: &Config) -> Rules {
    let ours = args.rollups.is_empty() && args.rejections.is_empty();
    let mut names: HashSet<String> = config.tenants.names.iter().cloned().collect();
    names.extend(ours.then(|| config.topic_names().beacons));
    Rules {
        // of another program's rows their own k is all there is to go by, unless one is given
        least: (ours || config.is_given("release.k")).then(|| least(args, config, ours)),
        allow_small_k: config.policies().all().any(|policy| policy.k() < LEAST_K),
        names,
        known: config.audit.known.clone(),
        allowed: args.allow.clone(),
        public_content: config.public_ids(),
        limit: args.limit,
    }
}

/// The bounds of each tenant by the configuration; one k for all of them where it was given on the command line, which
/// says nothing about margins, noise and detail tables of other programs.
fn least(args: &cli::Audit, config: &Config, ours: bool) -> Least {
    let (policies, common) = (config.policies(), config.policy());
    let own = policies.own().filter(|_| args.k.is_none());
    let bounds = |policy: &Policy| Bounds {
        sessions: policy.least_shown(),
        margin: if ours { policy.margin() } else { 0 },
        noise: if ours { policy.noise() } else { 0 },
        knows_detail: ours && args.k.is_none(),
        detail: policy.detail().and_then(|at| policy.breakdowns().get(at)).map(|names| breakdown_name(names)),
    };
    Least {
        policy: common.name(),
        common: bounds(common),
        own: own.map(|(tenant, policy)| (tenant.to_owned(), bounds(policy))).collect(),
    }
}
