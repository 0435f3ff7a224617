//! `check`: prints the effective configuration and its consequences.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use crowdfold_config::{Bounds, Tenants};
use crowdfold_model::{Dimension, show_duration as show, spell_duration as spell};
use crowdfold_query::layout::{self, Align};
use crowdfold_release::{Policy, Privacy, YEAR, breakdown_name};
use crowdfold_worker::Config;
use crowdfold_worker::config::COUNTS_ONLY;

use crate::{cli, memory};

mod expected;
#[cfg(test)]
mod tests;

/// The ε above which the output calls the guarantee weak. At this ε, the data of one session can change the
/// probability of an output by a factor of up to e³ = 20.
const WEAK: f64 = 3.0;

/// Prints the effective configuration as TOML, with secrets masked. Prints the consequences as TOML comments after it,
/// so the output is a valid configuration file. With `--sessions`, also prints the rows to expect.
///
/// # Errors
/// Returns an error if `out` cannot be written to.
pub fn run(args: &cli::Check, config: &Config, out: &mut impl Write) -> io::Result<()> {
    out.write_all(config.effective().as_bytes())?;
    writeln!(out, "\n# Consequences")?;
    times(config, out)?;
    topics(config, out)?;
    writeln!(out, "#\n# {}", memory::of_sessions(config))?;
    breakdowns(config, out)?;
    public_content(config, out)?;
    if let Some(privacy) = config.policy().privacy() {
        noise(privacy, config.policy().k(), out)?;
        config.policies().own().try_for_each(|(tenant, policy)| noise_of(tenant, policy, privacy, out))?;
    }
    args.sessions.map_or(Ok(()), |live| expected::print(config, live, out))
}

fn times(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let windows = &config.windows;
    writeln!(
        out,
        "#\n# After a restart, at most {} of beacons are read again: window {} + lateness {} + idle {}.",
        spell(config.replay()),
        spell(windows.length),
        spell(windows.lateness),
        spell(config.sessions.idle_timeout),
    )?;
    let beacons = Bounds::of(config.ttl.beacons, config.source.ahead());
    let partials = Bounds::of(config.ttl.partials, Duration::ZERO);
    let combiners = beacons.retention.checked_sub(config.replay());
    let mergers = partials.retention.checked_sub(windows.length + config.merge.timeout);
    match combiners.min(mergers) {
        Some(survived) if survived >= config.ttl.max_outage => {
            writeln!(
                out,
                "# An outage of up to {} loses no data; ttl.max_outage requires {}.",
                spell(survived),
                spell(config.ttl.max_outage)
            )
        }
        survived => writeln!(
            out,
            "# Too short: only an outage of up to {} loses no data, but ttl.max_outage requires {}. Raise ttl.beacons to \
             {} and ttl.partials to {}, or configure brokers to check retention more often.",
            spell(survived.unwrap_or_default()),
            spell(config.ttl.max_outage),
            show(Bounds::least_ttl(config.replay() + config.ttl.max_outage, config.source.ahead())),
            show(Bounds::least_ttl(
                windows.length + config.merge.timeout + config.ttl.max_outage,
                Duration::ZERO
            )),
        ),
    }
}

fn topics(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let names = config.topic_names();
    let ttl = config.ttl;
    let mut rows = vec![
        (&names.beacons, ttl.beacons, config.source.ahead()),
        (&names.partials, ttl.partials, Duration::ZERO),
    ];
    rows.extend(names.rollups().iter().map(|name| (name, ttl.rollups, Duration::ZERO)));
    rows.push((&names.rejections, ttl.rejections, Duration::ZERO));
    writeln!(
        out,
        "#\n# Topics, assuming that brokers check retention every 5m and delete files after 1m (their defaults):"
    )?;
    let heads = ["topic", "retention.ms", "segment.ms", "readable at most", "on disk", ""];
    let mut lines = vec![heads.map(str::to_owned)];
    for (name, ttl, ahead) in rows {
        let bounds = Bounds::of(ttl, ahead);
        let (readable, on_disk) = (spell(bounds.readable), spell(bounds.on_disk));
        let (retention, segment) = (bounds.retention.as_millis(), bounds.segment.as_millis());
        let mut remark = String::new();
        if bounds.readable > ttl {
            remark = format!(
                "longer than its ttl of {}; configure brokers to check retention more often",
                spell(ttl)
            );
        }
        lines.push([name.clone(), retention.to_string(), segment.to_string(), readable, on_disk, remark]);
    }
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Left];
    commented(&layout::lines(aligns, &lines), out)?;
    erasing(config, out)
}

/// Prints lines as comments, because the output of `check` is TOML.
fn commented(lines: &[String], out: &mut impl Write) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "# {line}"))
}

fn erasing(config: &Config, out: &mut impl Write) -> io::Result<()> {
    if !config.ttl.erase_counted {
        return Ok(());
    }
    let by = if !config.kafka.eraser.is_empty() {
        "the client of [kafka.eraser]"
    } else {
        "the worker's own client, whose permission to delete records also allows it to delete the topic; see \
         [kafka.eraser]"
    };
    writeln!(out, "#\n# Beacons are deleted as soon as they are counted, by {by}.")
}

fn breakdowns(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let policies = config.policies();
    writeln!(
        out,
        "#\n# Breakdowns and their families; each row covers at least {} sessions:",
        policies.common().k()
    )?;
    tables(policies.common(), out)?;
    for (tenant, policy) in policies.own() {
        writeln!(
            out,
            "# Breakdowns of {tenant} and their families; each row covers at least {} sessions:",
            policy.k()
        )?;
        tables(policy, out)?;
    }
    // Differential privacy adds noise to session counts, so breakdowns may share a family.
    let rule = if policies.common().privacy().is_none() { "; no two breakdowns may share one" } else { "" };
    writeln!(out, "# A family is a set of dimensions that describe the same thing{rule}.")?;
    covered(config, out)?;
    grouped(&config.tenants, out)
}

/// Prints how the policy `threshold` protects rows with `*` and numbers outside the detail table.
fn covered(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let policy = config.policy();
    if policy.privacy().is_some() {
        return Ok(());
    }
    if policy.margin() > 0 {
        writeln!(
            out,
            "# A small group in a row with * has at least {} possible sizes if other rows of its node are published\n\
             # (release.margin).",
            policy.margin()
        )?;
    }
    for (tenant, own) in config.policies().own().filter(|(_, own)| own.margin() != policy.margin()) {
        writeln!(
            out,
            "# In rows of {tenant}, such a small group has at least {} possible sizes.",
            own.margin()
        )?;
    }
    if config.shows_counts_only() {
        return writeln!(out, "# {COUNTS_ONLY}");
    }
    if let Err(error) = config.clone().keyed() {
        writeln!(out, "# On this host, `run` and `fold` refuse this configuration: {error}")?;
    }
    writeln!(
        out,
        "# Outside the detail table, the standard deviation of each number's noise is {} times the largest contribution \
         of one session (release.noise).",
        policy.noise()
    )
}

fn tables(policy: &Policy, out: &mut impl Write) -> io::Result<()> {
    for (at, breakdown) in policy.breakdowns().iter().enumerate() {
        let mut families: Vec<_> = breakdown.iter().map(|dimension| dimension.family().name()).collect();
        families.dedup();
        let shows = shown(policy, at);
        let name = breakdown_name(breakdown);
        writeln!(out, "# {name}: {}{shows}", families.join(", "))?;
        let guard = policy.min_networks().unwrap_or(0);
        if guard > 1 && breakdown.contains(&Dimension::Network) {
            writeln!(
                out,
                "#   Every row of an IPv4 network in it is folded: its sessions come from one network, but \
                 release.min_networks\n#   requires {guard}. Remove network from the breakdown, or set \
                 release.min_networks = 1."
            )?;
        }
    }
    Ok(())
}

/// Returns the end of the line that describes a breakdown. It is empty unless the table has exact numbers or
/// histograms.
fn shown(policy: &Policy, at: usize) -> &'static str {
    if policy.detail() != Some(at) {
        return "";
    }
    match policy.privacy() {
        Some(_) => "; with histograms",
        None if policy.breakdowns().len() == 1 => "; the detail table, with exact numbers; the only table",
        None => "; the detail table, with exact numbers",
    }
}

/// Examples of ids that may identify a session or a person, each with a description of its kind.
const PRIVATE_IDS: [(&str, &str); 3] = [
    ("bbb27941-6c1f-4e0a-9d3b-0123abcd4567", "UUIDs, which players use for sessions and devices"),
    ("491701234567", "numbers with as many digits as a phone number"),
    (
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "digests, such as those of e-mail addresses",
    ),
];

/// Prints the risk of the configured `content.pattern`, if there is one.
fn public_content(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let Some(ids) = config.public_ids() else { return Ok(()) };
    writeln!(
        out,
        "#\n# Content ids that match content.pattern are published unchanged, even if they look like ids of persons or \
         devices.\n# Set it only for ids of a public catalogue, because an id that names a viewer, a session or a \
         personal stream is\n# published too if it matches. Addresses, e-mail addresses and values of audit.known are \
         never published."
    )?;
    PRIVATE_IDS
        .into_iter()
        .filter(|(example, _)| ids.contain(example))
        .try_for_each(|(_, what)| writeln!(out, "# The pattern matches {what}."))
}

/// Prints the attributes by which `query` can group tenants, with their values.
fn grouped(tenants: &Tenants, out: &mut impl Write) -> io::Result<()> {
    let names: BTreeSet<&String> = tenants.attributes.values().flat_map(BTreeMap::keys).collect();
    if names.is_empty() {
        return Ok(());
    }
    let excluded = match tenants.excluded_from_groupings.join(", ") {
        none if none.is_empty() => String::new(),
        listed => format!(", except {listed}"),
    };
    writeln!(out, "#\n# Attributes by which `query` can group tenants{excluded}:")?;
    for name in names {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (tenant, value) in tenants.grouped_by(name) {
            values.entry(value).or_default().push(tenant);
        }
        let values: Vec<_> =
            values.into_iter().map(|(value, tenants)| format!("{value} ({})", tenants.join(", "))).collect();
        writeln!(out, "# {name}: {}", values.join(", "))?;
    }
    Ok(())
}

/// Prints the noise for a tenant with its own policy, in comparison with the noise of the common policy.
fn noise_of(tenant: &str, policy: &Policy, common: &Privacy, out: &mut impl Write) -> io::Result<()> {
    let Some(privacy) = policy.privacy() else { return Ok(()) };
    let (tau, k) = (privacy.tau(), policy.k());
    writeln!(
        out,
        "#\n# For {tenant}: N = {}, σ of sessions {:.1}, and a row is published from τ + k − 1 = {tau} + {} = {} \
         sessions; other σ as above × {:.3}.",
        privacy.releases(),
        privacy.sigma().to_f64(),
        k - 1,
        policy.min_shown_sessions(),
        (privacy.releases() as f64 / common.releases() as f64).sqrt(),
    )
}

/// Prints the noise of each measure, the threshold for rows, and the guarantee over a day and over a year.
fn noise(privacy: &Privacy, k: u64, out: &mut impl Write) -> io::Result<()> {
    let (epsilon, delta) = (privacy.epsilon(), privacy.delta());
    let (windows, releases) = (privacy.windows_a_day(), privacy.releases());
    writeln!(
        out,
        "#\n# Differential privacy of one session within one tenant and UTC day: ε = {epsilon}, δ = {delta:e} (ρ = \
         {:.6}).\n# N = {releases}, the maximum number of cells that count one session: {windows} windows per day × \
         breakdowns ({}).",
        privacy.rho(),
        releases / windows,
    )?;
    writeln!(
        out,
        "# A row is published if its exact count is at least {k} and its noisy count is at least τ + k − 1 = {} + {} = \
         {}.\n# Nearly all cells of twice that size are published, and hardly any of half that size. Nothing is \
         folded; smaller\n# cells are missing.",
        privacy.tau(),
        k - 1,
        privacy.tau() + k - 1,
    )?;
    let mut lines = vec![["measure", "clamp", "weight", "σ"].map(str::to_owned)];
    lines.extend(privacy.measures().iter().map(|measure| {
        let (weight, sigma) = (format!("{:.4}", measure.weight), format!("{:.1}", measure.sigma.to_f64()));
        [measure.name.to_string(), measure.clamp.to_string(), weight, sigma]
    }));
    commented(&layout::lines([Align::Left, Align::Right, Align::Right, Align::Right], &lines), out)?;
    writeln!(
        out,
        "# The last three are histograms: σ is that of each bin, and percentiles are computed from the bins."
    )?;
    let (year, chance) = privacy.composed(YEAR);
    let outcome = if year > WEAK {
        "That is weak: it gives\n# almost no protection to a person whose id stays the same for that long. "
    } else {
        ""
    };
    writeln!(
        out,
        "#\n# The same session id for a year, {YEAR} days: ε = {year:.1}, δ = {chance:.2e}. {outcome}Change ids with \
         each session,\n# or at least each day."
    )
}
