//! `topics`: creates topics (`apply`), verifies them (`check`), and prints the permissions of each role (`acl`).

mod acl;
mod purge;

use std::io::Write;

use crowdfold_kafka::topics::{Admin, Bounds, Change, Report, TopicReport};
use crowdfold_model::Span;
use crowdfold_query::layout::{self, Align};
use crowdfold_worker::config::finding_message;
use crowdfold_worker::{Config, clock, specs, wiring};

use crate::cli::TopicsCommand;
use crate::error::CrowdfoldError;

/// Runs one of the actions of `crowdfold topics`.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] if no topic settings can satisfy the configuration, and [`CrowdfoldError::Breach`]
/// if a topic does not match the configuration. Returns other errors if no broker responds or a broker refuses a
/// request.
pub fn run(command: &TopicsCommand, config: &Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let admin = || -> Result<Admin, CrowdfoldError> { Ok(Admin::open(&wiring::client(config)?)?) };
    match command {
        TopicsCommand::Apply { dry_run, purge_ahead, yes } => {
            let purge = Wanted { dry_run: *dry_run, purge: *purge_ahead, yes: *yes };
            apply(&admin()?, config, purge, out)
        }
        TopicsCommand::Check => check(&admin()?, config, out),
        TopicsCommand::Acl { format } => acl::run(*format, config, out),
    }
}

/// The flags of `topics apply`.
struct Wanted {
    dry_run: bool,
    purge: bool,
    yes: bool,
}

fn apply(admin: &Admin, config: &Config, wanted: Wanted, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let specs = specs::all(config);
    let changes = admin.plan(&specs, clock::now())?;
    for change in &changes {
        write!(out, "{change}")?;
        for finding in &change.unbounded {
            writeln!(out, "  the topic {}", finding_message(finding))?;
        }
    }
    out.flush()?;
    if wanted.dry_run {
        writeln!(out, "nothing was changed (--dry-run)")?;
    } else {
        admin.apply(&changes)?;
        let changed = changes.iter().filter(|change| !change.is_nothing()).count();
        writeln!(out, "{changed} of {} topics changed", changes.len())?;
    }
    let left = if wanted.purge {
        purge::run(admin, &specs, &changes, wanted.yes, out)?
    } else {
        unbounded(&changes)
    };
    out.flush()?;
    match left {
        0 => Ok(()),
        left => Err(CrowdfoldError::Breach(format!(
            "{left} of {} topics have no bounded time-to-live; the findings above give the reason and the fix",
            changes.len()
        ))),
    }
}

/// Returns the number of topics that no setting can bound, because they contain records dated in the future.
fn unbounded(changes: &[Change]) -> usize {
    changes.iter().filter(|change| !change.unbounded.is_empty()).count()
}

fn check(admin: &Admin, config: &Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let report = admin.check(&specs::all(config), clock::now())?;
    print(&report, out)?;
    out.flush()?;
    if report.is_breached() {
        let broken =
            report.topics.iter().filter(|topic| topic.findings.iter().any(|found| found.is_breach())).count();
        return Err(CrowdfoldError::Breach(format!(
            "{broken} of {} topics do not match the configuration; the findings above give the fix",
            report.topics.len()
        )));
    }
    Ok(())
}

fn print(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let heads = ["TOPIC", "TTL", "READABLE AT MOST", "ON DISK", "OLDEST READ", "RESULT"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(report.topics.iter().map(row));
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Left];
    layout::lines(aligns, &rows).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    for TopicReport { topic, findings, .. } in &report.topics {
        for finding in findings {
            writeln!(out, "topic {topic} {}", finding_message(finding))?;
        }
    }
    Ok(())
}

fn row(report: &TopicReport) -> [String; 6] {
    let outcome = if report.findings.is_empty() { "bounded" } else { "see below" };
    let (readable, on_disk) = bounds(report.bounds);
    let oldest = report.oldest().map_or("empty".into(), |age| age.to_string());
    [report.topic.clone(), report.ttl.to_string(), readable, on_disk, oldest, outcome.into()]
}

fn bounds(bounds: Option<Bounds>) -> (String, String) {
    let show = |span: Span| if span == Span::MAX { "forever".into() } else { span.to_string() };
    bounds.map_or_else(|| ("-".into(), "-".into()), |bounds| (show(bounds.readable), show(bounds.on_disk)))
}
