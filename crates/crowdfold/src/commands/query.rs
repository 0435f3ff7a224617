//! `query`: reads published rows, filters and groups them, and adds them up. Numbers are added only if the result is
//! exact or its error is known.

use std::io::{self, Write};

use crowdfold_config::Tenants;
use crowdfold_model::{Span, Timestamp};
use crowdfold_query::{Answer, Args, Catalogue, Hint, Names, Query, QueryError, Reader};
use crowdfold_worker::{Config, clock, wiring};

use crate::cli::{self, TableFormat};
use crate::error::CrowdfoldError;
use crate::terminal;

mod compare;
mod file;
mod follow;
#[cfg(test)]
mod tests;

/// The assumed maximum error of a broker's clock. A row is always appended after its window began, and brokers record
/// the time of appending. `--since` selects records by this time, so reading begins earlier by the assumed error.
const CLOCKS: Span = Span::MINUTE.times(5);

/// Reads the rollups and prints the answer, with notes on stderr.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] if the query is invalid, and another error if a file or a topic cannot be read, or
/// if `out` cannot be written to.
pub fn run(args: &cli::Query, config: &Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    check_flags(args).map_err(CrowdfoldError::Usage)?;
    let now = clock::now();
    let query = query(args, &catalogue(&config.tenants), &config.custom_dimensions().names(), now)
        .map_err(CrowdfoldError::Usage)?;
    let periods = compare::Periods::of(args, &query, now)?;
    let mut reader = Reader::for_query(&periods.reading);
    if !args.file.is_empty() {
        let records = file::read(&args.file, &mut reader)?;
        return print(
            args,
            &periods,
            config,
            &Input { names: file::names(&args.file), records },
            &reader,
            out,
        );
    }
    let topics = topics(args, &query, config)?;
    let since = args.since.map(|_| periods.reading.since().saturating_sub(CLOCKS));
    let client = wiring::client(config)?;
    if args.follow {
        return follow::run(args, &periods, config, &topics, (&client, since), out);
    }
    let records = crowdfold_kafka::read(&client, &topics, since, |value| reader.push(value))?;
    print(args, &periods, config, &Input { names: topics, records }, &reader, out)
}

/// The prefix of a flag.
const FLAG: &str = "--";

/// The topics or files that were read, and the number of their records.
struct Input {
    names: Vec<String>,
    records: u64,
}

/// Prints the answer, then the notes on stderr.
fn print(
    args: &cli::Query,
    periods: &compare::Periods,
    config: &Config,
    input: &Input,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<(), CrowdfoldError> {
    let usage = |error: QueryError| CrowdfoldError::Usage(error.message(FLAG));
    let answer = periods.query.run(reader.rows()).map_err(usage)?.with_errors(args.errors);
    let mut notes = notes(args, config, periods, input, reader, &answer);
    let written = match (args.rank, args.compare) {
        (Some(rank), _) => {
            let metric = compare::ranked(&args.metric)?;
            let report = answer.ranking_report(&answer.ranking(metric, rank.into()));
            compare::written(&report, args.format)
        }
        (None, Some(_)) => {
            let (before, period) = periods.before(&answer, reader.rows()).map_err(usage)?;
            notes.push(period);
            let compared = answer.compare(&before, &compare::metrics(&args.metric));
            notes.extend(compare::incomparable(&compared));
            compare::written(&answer.comparison_report(&compared), args.format)
        }
        (None, None) => table(&answer, args.format),
    };
    out.write_all(written.as_bytes())?;
    out.flush()?;
    let mut stderr = io::stderr();
    for note in notes {
        writeln!(stderr, "crowdfold: {note}")?;
    }
    Ok(())
}

/// Checks for arguments that would have no effect.
fn check_flags(args: &cli::Query) -> Result<(), String> {
    if let Some(argument) = args.without_flag.first().map(|argument| argument.escape_debug()) {
        return Err(format!(
            "unexpected argument {argument}; to read rollups from a file, write --file {argument}"
        ));
    }
    if !args.metric.is_empty() && args.rank.is_none() && args.compare.is_none() {
        return Err(
            "--metric has no effect without --rank or --compare; add --rank impact to rank the rows by the \
                    metric, or remove --metric to print all metrics"
                .into(),
        );
    }
    Ok(())
}

fn table(answer: &Answer, format: TableFormat) -> String {
    match format {
        TableFormat::Table => answer.table(terminal::width(io::stdout())),
        TableFormat::Json => answer.json(),
        TableFormat::Csv => answer.csv(),
        TableFormat::Markdown => answer.markdown(),
    }
}

/// Returns the configured tenants with their attributes. The flag of a tenant is true if the tenant may be grouped with
/// other tenants.
fn catalogue(tenants: &Tenants) -> Catalogue {
    Catalogue::new(tenants.names.iter().map(|tenant| {
        let attributes = tenants.attributes.get(tenant).cloned().unwrap_or_default();
        (tenant.clone(), attributes, tenants.may_be_grouped(tenant))
    }))
}

/// Parses the flags as a query. An unknown dimension is an error, because no row would match it.
fn query(args: &cli::Query, catalogue: &Catalogue, custom: &[&str], now: Timestamp) -> Result<Query, String> {
    let named = [("--breakdown", &args.breakdown), ("--by", &args.by)];
    let listed = named.iter().flat_map(|(flag, names)| names.iter().map(move |name| (*flag, name.as_str())));
    let conditions = args.conditions.iter().map(|(name, _)| ("--where", name.as_str()));
    let dimensions = Names::new(custom.iter().copied());
    let all = dimensions.clone().with_attributes(catalogue.attributes());
    for (flag, name) in listed.chain(conditions) {
        // A breakdown contains only dimensions, and no attributes.
        let known = if flag == "--breakdown" { &dimensions } else { &all };
        // Empty names are skipped here, because `Query::from_args` reports them.
        for name in name.split('.').map(str::trim).filter(|name| !name.is_empty()) {
            known.check(name).map_err(|error| format!("{flag}: {error}"))?;
        }
    }
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
    let span = |span: std::time::Duration| format!("{}ms", span.as_millis());
    let args = Args {
        breakdown: list(&args.breakdown),
        where_: args.conditions.iter().map(|(dimension, value)| format!("{dimension}={value}")).collect(),
        since: args.since.map(span),
        tenant: args.tenant.clone(),
        by: list(&args.by),
        every: args.every.map(span),
        across: args.across,
    };
    Query::from_args(&args, catalogue, now).map_err(|error: QueryError| error.message(FLAG))
}

/// Returns the topics to read. If each tenant has its own topic, these are the topics of the queried tenants.
fn topics(args: &cli::Query, query: &Query, config: &Config) -> Result<Vec<String>, CrowdfoldError> {
    let names = config.topic_names();
    if config.tenants.per_tenant_topics && query.tenants_across().is_some() {
        let tenants = config.tenants.names.iter().enumerate().filter(|(_, tenant)| query.asks(tenant));
        return Ok(tenants.map(|(at, _)| names.rollups_of(at).to_owned()).collect());
    }
    match &args.tenant {
        Some(tenant) if config.tenants.per_tenant_topics => {
            let found = config.tenants.names.iter().position(|name| name == tenant);
            let found = found.ok_or_else(|| {
                let known = config.tenants.names.join(", ");
                CrowdfoldError::Usage(format!(
                    "--tenant: \"{}\" is not in tenants.names ({known})",
                    tenant.escape_debug()
                ))
            })?;
            Ok(vec![names.rollups_of(found).to_owned()])
        }
        _ => Ok(names.rollups().to_vec()),
    }
}

fn notes(
    args: &cli::Query,
    config: &Config,
    periods: &compare::Periods,
    input: &Input,
    reader: &Reader,
    answer: &Answer,
) -> Vec<String> {
    let query = &periods.query;
    if query.tenants_across().is_some_and(|mut tenants| tenants.next().is_none()) {
        return vec!["no tenant that may be grouped matches the query".into()];
    }
    if input.records == 0 {
        let since = if args.since.is_some() { " in this period" } else { "" };
        return vec![format!("nothing was published{since}: no rollups in {}", input.names.join(", "))];
    }
    let mut notes = reader.notes();
    if let (Some(windows), true) = (reader.outside(), reader.breakdowns().next().is_none()) {
        notes.push(format!(
            "no window in {} begins at or after {}, the start of the period of --since: the windows cover the time from \
             {} to {}; use a longer --since, or remove it",
            input.names.join(", "),
            periods.reading.since(),
            windows.start,
            windows.end
        ));
        return notes;
    }
    let asked = args.breakdown.join(".");
    if !asked.is_empty() && !reader.breakdowns().any(|known| known == asked) {
        let known: Vec<_> = reader.breakdowns().map(|known| known.replace('.', ",")).collect();
        let (asked, known) = (args.breakdown.join(","), known.join(" · "));
        notes.push(format!("no table {asked} was published: there are {known}"));
    }
    notes.extend(answer.notes_with_hints(&hint));
    if answer.has_good_sessions() {
        notes.push(good_sessions(args, config));
    }
    if query.tenants_across().is_some() {
        notes.extend(left_out(config, query, &asked, reader));
    }
    notes
}

/// Returns the end of a note that names the flag or the key of an action.
fn hint(hint: Hint<'_>) -> String {
    match hint {
        Hint::ShowErrors => "; --errors shows its standard error".into(),
        Hint::SetSecret => "; set release.privacy.secret_file for the worker".into(),
        Hint::SetDetail(names) => {
            let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("; to publish them for this table, set release.detail_breakdown = [{}]", names.join(", "))
        }
    }
}

/// Returns the definition of good sessions. The worker has counted them by its own thresholds.
fn good_sessions(args: &cli::Query, config: &Config) -> String {
    let qualities = config.rules().qualities;
    let quality = args.tenant.as_deref().map_or_else(|| qualities.common(), |tenant| qualities.of(tenant));
    let others = args.tenant.is_none() && !qualities.is_uniform();
    format!(
        "good is the share of sessions that {} ([quality]{})",
        quality.definition(),
        if others { ", where some tenants have other thresholds" } else { "" }
    )
}

/// Returns notes on tenants that are left out of the groups. The notes contain only numbers, so they do not identify
/// tenants that opted out.
fn left_out(config: &Config, query: &Query, breakdown: &str, reader: &Reader) -> Vec<String> {
    let tenants = |count: usize| if count == 1 { "1 tenant".into() } else { format!("{count} tenants") };
    let note = |count: usize, why: &str| (count > 0).then(|| format!("{} {why}", tenants(count)));
    let met = reader.tenants(breakdown);
    let strange =
        met.keys().filter(|tenant| !config.tenants.names.iter().any(|name| name == **tenant)).count();
    let lacking = met.iter().filter(|(tenant, has)| query.asks(tenant) && !**has).count();
    let lacking = if breakdown.is_empty() { 0 } else { lacking };
    let table = breakdown.replace('.', ",");
    [
        note(
            config.tenants.excluded_from_groupings.len(),
            "opted out of groupings (tenants.excluded_from_groupings)",
        ),
        note(strange, "on the topic but not in tenants.names, so in no group"),
        note(lacking, &format!("with rollups but without a table {table}, so not included")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
