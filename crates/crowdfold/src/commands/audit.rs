//! `audit`: checks the published topics. Records must contain no identifiers, each row must cover at least k sessions,
//! each table must occur once, no record may outlive its time-to-live, and only principals with a role may read. The
//! audit trusts neither the worker nor its configuration.

mod json;
mod readers;
mod report;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::time::Duration;

use crowdfold_kafka::topics::{Admin, Clock, Finding, Purpose, Spec};
use crowdfold_kafka::{ClientSettings, KafkaError, TopicReader};

use crowdfold_audit::{Auditor, Bounds, Contents, Least, Record, Rules};
use crowdfold_model::{Dimension, Timestamp};
use crowdfold_release::{MIN_K, Policy, breakdown_name};
use crowdfold_worker::{Config, clock, specs, wiring};

use crate::cli::{self, ReportFormat};
use crate::error::CrowdfoldError;

use report::{Ageing, Report, Subject, Unseen};

/// Audits the topics and prints the report.
///
/// # Errors
/// Returns [`CrowdfoldError::Breach`] if there is a breach. Returns [`CrowdfoldError::Running`] if no broker responds,
/// or if there is no breach but a check could not be made.
pub fn run(args: &cli::Audit, config: &Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    check_allowed(args, config).map_err(CrowdfoldError::Usage)?;
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
        return Err(CrowdfoldError::Breach(format!("{breaches} {plural} found; see the list above")));
    }
    match report.unseen.first() {
        None => Ok(()),
        Some(Unseen { what, why }) if unseen == 1 => {
            Err(anyhow::anyhow!("{what} could not be checked: {why}").into())
        }
        Some(Unseen { what, why }) => {
            Err(anyhow::anyhow!("{what} and {} more items could not be checked: {why}", unseen - 1).into())
        }
    }
}

fn look(
    args: &cli::Audit,
    config: &Config,
    client: &ClientSettings,
    now: Timestamp,
) -> Result<Report, CrowdfoldError> {
    let admin = Admin::open(client)?;
    let mut report = Report { now, subjects: subjects(args, config), ..Report::default() };
    for at in 0..report.subjects.len() {
        let spec = report.subjects[at].spec.clone();
        // The current time is read for each topic, because an audit of many topics takes long, and records are appended
        // meanwhile.
        match admin.check(std::slice::from_ref(&spec), clock::now()).map(|mut checked| checked.topics.pop()) {
            Ok(Some(checked)) if checked.findings.contains(&Finding::Missing) => {
                let why = "it does not exist".into();
                report.unseen.push(Unseen { what: format!("topic {}", spec.topic), why });
                report.subjects[at].is_missing = true;
            }
            Ok(checked) => report.subjects[at].age = checked.map(Ageing),
            Err(error) if is_final(&error) => return Err(error.into()),
            Err(error) => report.miss(format!("time-to-live of topic {}", spec.topic), &error),
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
            Err(error) => report.miss("read permissions of the topics".into(), &error),
        }
    }
    let since = args.since.map(|since| now.saturating_sub(since.into()));
    let mut auditor = Auditor::new(rules(args, config));
    for at in 0..report.subjects.len() {
        let Subject { spec, contents: Some(contents), .. } = &report.subjects[at] else { continue };
        let (topic, contents) = (spec.topic.clone(), *contents);
        if let Err(error) = read(client, &topic, contents, since, &mut auditor) {
            report.subjects[at].is_missing = true;
            report.miss(format!("records of topic {topic}"), &error);
        }
    }
    report.audit = Some(auditor.finish());
    if report.audit.as_ref().is_some_and(|audit| audit.is_partial) {
        let why = "too many tables to compare in memory; shorten the period with --since".into();
        report.unseen.push(Unseen { what: "agreement of all tables".into(), why });
    }
    Ok(report)
}

/// Returns true if further requests would fail too, because no broker responds or because the brokers refuse the
/// client.
const fn is_final(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Unreachable { .. } | KafkaError::Refused { .. })
}

fn read(
    client: &ClientSettings,
    topic: &str,
    contents: Contents,
    since: Option<Timestamp>,
    auditor: &mut Auditor,
) -> Result<(), KafkaError> {
    // The reader of uncommitted records is opened before the reader of committed records. Otherwise, a record that is
    // committed in between would be reported as uncommitted.
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

/// The offsets of committed records, by partition. Each pair is the first and the last offset of a range, because the
/// records of a transaction have consecutive offsets.
#[derive(Default)]
struct Committed(BTreeMap<u32, Vec<(i64, i64)>>);

impl Committed {
    /// Adds an offset, which must be higher than the previous offset of its partition.
    fn push(&mut self, partition: u32, offset: i64) {
        let ranges = self.0.entry(partition).or_default();
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == offset => *last = offset,
            _ => ranges.push((offset, offset)),
        }
    }

    /// Returns true if the offset was added.
    fn contains(&self, partition: u32, offset: i64) -> bool {
        let Some(ranges) = self.0.get(&partition) else { return false };
        let after = ranges.partition_point(|(first, _)| *first <= offset);
        after.checked_sub(1).is_some_and(|at| offset <= ranges[at].1)
    }
}

/// Returns the topics to audit: the topics on the command line or, if there are none, all topics of the configuration.
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

/// Returns the kind of records in a topic. Returns `None` for topics with personal data, whose records are not read.
const fn contents(purpose: Purpose) -> Option<Contents> {
    match purpose {
        Purpose::Rollups => Some(Contents::Rollups),
        Purpose::Rejections => Some(Contents::Rejections),
        Purpose::Beacons | Purpose::Partials => None,
    }
}

/// Checks that each exception names the tenant or a dimension of any tenant.
fn check_allowed(args: &cli::Audit, config: &Config) -> Result<(), String> {
    let known =
        [&["tenant"][..], &Dimension::ALL.map(Dimension::name), &config.custom_dimensions().names()].concat();
    match args.allow.iter().find(|(field, _)| !known.contains(&field.as_str())) {
        None => Ok(()),
        Some((field, _)) => Err(format!(
            "--allow: unknown field \"{}\"; the fields are {}",
            field.escape_debug(),
            known.join(", ")
        )),
    }
}

fn rules(args: &cli::Audit, config: &Config) -> Rules {
    let ours = args.rollups.is_empty() && args.rejections.is_empty();
    let mut names: HashSet<String> = config.tenants.names.iter().cloned().collect();
    names.extend(ours.then(|| config.topic_names().beacons));
    Rules {
        // Rows of another program are checked only against the k that they contain, unless `release.k` is set.
        least: (ours || config.is_given("release.k")).then(|| least(args, config, ours)),
        allow_small_k: config.policies().all().any(|policy| policy.k() < MIN_K),
        names,
        known: config.audit.known.clone(),
        allowed: args.allow.clone(),
        public_content: config.public_ids(),
        custom: config.custom_dimensions().clone(),
        idle_timeout: ours.then(|| config.sessions.idle_timeout.into()),
        limit: args.limit,
    }
}

/// Returns the minimums that the configuration sets for the rows of each tenant. If `--k` is set, the policies of
/// single tenants are ignored. For topics of another program, margin and noise have no minimum, and the detail table
/// is not checked.
fn least(args: &cli::Audit, config: &Config, ours: bool) -> Least {
    let (policies, common) = (config.policies(), config.policy());
    let own = policies.own().filter(|_| args.k.is_none());
    let bounds = |policy: &Policy| Bounds {
        sessions: policy.min_shown_sessions(),
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
