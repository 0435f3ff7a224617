//! `check --sessions N`: prints the rows to expect for N live sessions, and the precision of their numbers.
//!
//! The traffic is that of `crowdfold generate`. Its synthetic players report for two windows of at most a minute. The
//! cells of the second window are folded by the same code as in the worker. For longer windows, the results are extrapolated from
//! the rate at which sessions begin.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use crowdfold_loadgen::{Cell as Truth, Players, PlayersConfig, Truth as Watched};
use crowdfold_model::{
    BOUNDED_FIELDS, BoundedField, Budget, Cell, CellKey, Metric, Source, Span, Table, Timestamp, Window,
    show_duration, spell_duration,
};
use crowdfold_query::layout::{self, Align};
use crowdfold_release::{Detail, Policy, PolicySettings, breakdown_name, release};
use crowdfold_worker::Config;

#[cfg(test)]
mod tests;

/// The maximum number of sessions that are simulated at the same time. For more sessions, the cells are multiplied.
const MOST_SIMULATED: u64 = 50_000;

/// The maximum length of the simulated window.
const LONGEST_SIMULATED: Span = Span::MINUTE;

/// The window lengths that may be suggested, in ascending order.
const LENGTHS: [Span; 7] = [
    Span::MINUTE,
    Span::MINUTE.times(2),
    Span::MINUTE.times(5),
    Span::MINUTE.times(10),
    Span::MINUTE.times(15),
    Span::MINUTE.times(30),
    Span::HOUR,
];

/// The minimum share of sessions that should be in rows without `*`.
const KEPT: f64 = 0.9;

/// If the relative standard error is larger than this, the output shows "noise" instead of the error.
const MEANINGLESS: f64 = 1.0;

/// The properties of a tenant's traffic that determine rows and errors.
struct Traffic {
    /// The number of sessions that are live at the same time.
    live: f64,
    /// The mean time between the start and the end of a session, in milliseconds.
    length: f64,
    /// The amount by which each field of the detail table grows per millisecond, over all sessions, in the order of
    /// [`BOUNDED_FIELDS`].
    rates: Vec<f64>,
    /// The same for the other tables, in which the amounts of each session are clamped and limited by its budget.
    bounded_rates: Vec<f64>,
    /// For each breakdown, the cells of the simulated window: dimension values and number of sessions.
    tables: Vec<Vec<(Vec<String>, f64)>>,
    simulated: Span,
}

/// The sizes of the rows of one table in one window.
struct Rows {
    /// The number of sessions of each row, in ascending order.
    sessions: Vec<u64>,
    /// The number of sessions in rows without a `*`.
    kept: u64,
}

impl Rows {
    fn total(&self) -> u64 {
        self.sessions.iter().sum()
    }

    fn share_kept(&self) -> f64 {
        self.kept as f64 / self.total().max(1) as f64
    }

    fn median(&self) -> u64 {
        self.sessions.get(self.sessions.len() / 2).copied().unwrap_or_default()
    }
}

/// Prints the rows to expect under the common policy and under each tenant's own policy, as TOML comments.
pub(super) fn print(config: &Config, live: u64, out: &mut impl Write) -> io::Result<()> {
    let policies = config.policies();
    one(config, policies.common(), live, None, out)?;
    policies.own().try_for_each(|(tenant, policy)| one(config, policy, live, Some(tenant), out))
}

fn one(
    config: &Config,
    policy: &Policy,
    live: u64,
    tenant: Option<&str>,
    out: &mut impl Write,
) -> io::Result<()> {
    let window: Span = config.windows.length.into();
    let whose = tenant.map_or_else(|| "a tenant".into(), |tenant| format!("tenant {tenant}"));
    writeln!(
        out,
        "#\n# Expected for {live} live sessions of {whose}, with the traffic of `crowdfold generate`:"
    )?;
    if policy.privacy().is_some() {
        return writeln!(out, "# under differential-privacy the table of σ above is valid for any traffic");
    }
    let Some(traffic) = Traffic::simulate(policy, live, window) else {
        return writeln!(
            out,
            "# unknown, because a breakdown has a dimension that synthetic players do not report"
        );
    };
    let mut has_noise = false;
    for (at, breakdown) in policy.breakdowns().iter().enumerate() {
        let rows = traffic.rows(policy, at, window);
        table(policy, at, &breakdown_name(breakdown), &rows, window, out)?;
        if !rows.sessions.is_empty() {
            let is_exact = policy.detail() == Some(at);
            measures(policy, &traffic, &rows, window, is_exact, out)?;
            has_noise |= !is_exact;
        }
    }
    if has_noise {
        writeln!(
            out,
            "#\n# \"noise\" means that the standard error is larger than the number. If you need such a number, add \
             more windows,\n# use fewer dimensions, or make this breakdown the detail table \
             (release.detail_breakdown)."
        )?;
    }
    suggest(policy, &traffic, window, out)
}

fn table(
    policy: &Policy,
    at: usize,
    name: &str,
    rows: &Rows,
    window: Span,
    out: &mut impl Write,
) -> io::Result<()> {
    let length = spell_duration(window.into());
    if rows.sessions.is_empty() {
        return writeln!(
            out,
            "#\n# {name}, a window of {length}: no rows, because there are fewer than {} sessions",
            policy.k()
        );
    }
    let (least, most) = (rows.sessions[0], rows.sessions[rows.sessions.len() - 1]);
    writeln!(
        out,
        "#\n# {name}, a window of {length}: {} of {least} to {most} sessions (median {}); {:.1}% of sessions keep all \
         values",
        if rows.sessions.len() == 1 { "1 row".into() } else { format!("{} rows", rows.sessions.len()) },
        rows.median(),
        100.0 * rows.share_kept(),
    )?;
    if policy.detail() == Some(at) {
        return writeln!(out, "#   the detail table: every number is exact");
    }
    Ok(())
}

/// Prints the expected value of each field in a row of median size, with its standard error.
fn measures(
    policy: &Policy,
    traffic: &Traffic,
    rows: &Rows,
    window: Span,
    is_exact: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let share = rows.median() as f64 / rows.total().max(1) as f64;
    let windows = (Span::HOUR.as_secs_f64() / window.as_secs_f64()).max(1.0);
    let named = format!("row of {}", rows.median());
    let mut lines = vec![[named.as_str(), "one window", "error", "one hour", "error"].map(str::to_owned)];
    let rates = if is_exact { &traffic.rates } else { &traffic.bounded_rates };
    for (field, rate) in BOUNDED_FIELDS.iter().zip(rates) {
        let expected = rate * window.as_millis() as f64 * share;
        let sigma = if is_exact { 0.0 } else { sigma(policy, field, window) };
        lines.push([
            field.name.to_string(),
            format!("{expected:.1}"),
            error(sigma, expected),
            format!("{:.1}", expected * windows),
            error(sigma * windows.sqrt(), expected * windows),
        ]);
    }
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
    layout::lines(aligns, &lines).iter().try_for_each(|line| writeln!(out, "#   {line}"))
}

/// Returns the standard deviation of the noise of a field in one row and window.
fn sigma(policy: &Policy, field: &BoundedField, window: Span) -> f64 {
    (policy.noise() * field.clamp(window)) as f64
}

/// Formats the standard error as a percentage of the expected number.
fn error(sigma: f64, expected: f64) -> String {
    match sigma / expected {
        _ if sigma == 0.0 => "exact".into(),
        share if share <= MEANINGLESS => format!("± {:.1}%", 100.0 * share),
        _ => "noise".into(),
    }
}

/// Prints the shortest window length for which most sessions are in rows without `*`. If there is no such length,
/// prints this fact.
fn suggest(policy: &Policy, traffic: &Traffic, window: Span, out: &mut impl Write) -> io::Result<()> {
    // Returns the lowest share of sessions in rows without `*`, over all tables, and the table with this share.
    let worst = |length: Span| {
        let tables =
            (0..policy.breakdowns().len()).map(|at| (traffic.rows(policy, at, length).share_kept(), at));
        tables.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((1.0, 0))
    };
    let percent = 100.0 * KEPT;
    writeln!(out, "#")?;
    match LENGTHS.into_iter().find(|length| worst(*length).0 >= KEPT) {
        Some(length) if length <= window => writeln!(
            out,
            "# In windows of {}, at least {percent}% of sessions keep all values in every table.",
            spell_duration(length.into())
        ),
        Some(length) => writeln!(
            out,
            "# Set windows.length = \"{}\"; with shorter windows, fewer than {percent}% of sessions keep all values in \
             some table.",
            show_duration(length.into())
        ),
        None => {
            let (kept, at) = worst(Span::HOUR);
            writeln!(
                out,
                "# Even in windows of an hour, only {1:.1}% of sessions keep all values in {0}; remove dimensions from \
                 it, or lower release.k.",
                breakdown_name(&policy.breakdowns()[at]),
                100.0 * kept
            )
        }
    }
}

impl Traffic {
    /// Simulates the synthetic players. Returns `None` if they do not report a dimension of a breakdown.
    fn simulate(policy: &Policy, live: u64, window: Span) -> Option<Self> {
        let names = |breakdown: &Vec<_>| -> Vec<&str> {
            breakdown.iter().map(|dimension: &crowdfold_model::Dimension| dimension.name()).collect()
        };
        let breakdowns: Vec<_> = policy.breakdowns().iter().map(names).collect();
        let simulated = window.min(LONGEST_SIMULATED);
        let players = live.min(MOST_SIMULATED);
        let config = PlayersConfig {
            sessions: u32::try_from(players).unwrap_or(u32::MAX),
            ..PlayersConfig::default()
        };
        // The first window lacks the playing time before it, which players report in it.
        let second = config.start_ms + simulated.as_millis();
        let end = second + simulated.as_millis();
        let mut watched =
            Watched::new(simulated.as_millis(), &breakdowns).ok()?.with_budget(Budget::new(simulated));
        Players::new(config)
            .ok()?
            .take_while(|report| report.sent_ms < end)
            .for_each(|report| watched.watch(&report));
        let (mut cells, _) = watched.finish();
        cells.retain(|cell| cell.window.start == second);
        Some(Self::of(&cells, &breakdowns, live as f64 / players as f64, players as f64, simulated))
    }

    fn of(cells: &[Truth], breakdowns: &[Vec<&str>], scale: f64, players: f64, simulated: Span) -> Self {
        let cell_key = |cell: &Truth| cell.dimensions.iter().map(|(_, value)| value.clone()).collect();
        let tables = breakdowns
            .iter()
            .map(|breakdown| {
                let mut table = BTreeMap::<Vec<String>, f64>::new();
                for cell in of_table(cells, breakdown) {
                    *table.entry(cell_key(cell)).or_default() += cell.sessions as f64 * scale;
                }
                table.into_iter().collect()
            })
            .collect();
        let first = || breakdowns.first().into_iter().flat_map(|breakdown| of_table(cells, breakdown));
        let sessions = first().map(|cell| cell.sessions as f64).sum::<f64>();
        let rate = |sum: u64| sum as f64 * scale / simulated.as_millis() as f64;
        let exact = |field| rate(first().map(|cell| amount(cell, field)).sum());
        let bounded = |at: usize| rate(first().map(|cell| cell.bounded.0[at]).sum());
        Self {
            live: players * scale,
            length: simulated.as_millis() as f64 * players / (sessions - players).max(1.0),
            rates: BOUNDED_FIELDS.iter().map(exact).collect(),
            bounded_rates: (0..BOUNDED_FIELDS.len()).map(bounded).collect(),
            tables,
            simulated,
        }
    }

    /// Returns the number of distinct sessions in a window of this length: the sessions that are live at the start of
    /// the window, and the sessions that begin in it.
    fn sessions(&self, window: Span) -> f64 {
        self.live * (1.0 + window.as_millis() as f64 / self.length)
    }

    /// Returns the rows of the table of a breakdown, after folding, for a window of this length.
    fn rows(&self, policy: &Policy, at: usize, window: Span) -> Rows {
        let longer = self.sessions(window) / self.sessions(self.simulated);
        let cells = self.tables[at].iter().map(|(cell_key, sessions)| {
            let cell_key: CellKey = cell_key.iter().map(|value| Arc::from(value.as_str())).collect();
            (cell_key, Cell { sessions: (sessions * longer).round() as u64, ..Cell::default() })
        });
        let table: Table = cells.filter(|(_, cell)| cell.sessions > 0).collect();
        let window = Window::at(Timestamp::EPOCH, window);
        let released = release("", window, vec![table], &alone(policy, at), None);
        let mut rows = Rows { sessions: Vec::new(), kept: 0 };
        for rollup in &released.rollups {
            rows.sessions.push(rollup.sessions());
            if rollup.cell_key().all(|value| value != "*") {
                rows.kept += rollup.sessions();
            }
        }
        rows.sessions.sort_unstable();
        rows
    }
}

/// Returns the cells that belong to one breakdown.
fn of_table<'a>(cells: &'a [Truth], breakdown: &'a [&str]) -> impl Iterator<Item = &'a Truth> {
    cells.iter().filter(move |cell| cell.breakdown.iter().eq(breakdown.iter()))
}

/// Returns a policy with the same thresholds for a single breakdown. `release.min_networks` is omitted, because
/// networks are not simulated.
fn alone(policy: &Policy, at: usize) -> Policy {
    let settings = PolicySettings {
        k: policy.k(),
        allow_small_k: true,
        breakdowns: vec![policy.breakdowns()[at].clone()],
        detail: Detail::Last,
        margin: Some(policy.margin()),
        noise: policy.noise(),
        min_networks: None,
        allow_below_place: true,
    };
    Policy::threshold(settings).unwrap_or_else(|_| unreachable!("a part of an accepted policy is valid"))
}

/// Returns the sum of a field over the sessions of a cell.
fn amount(cell: &Truth, field: &BoundedField) -> u64 {
    match field.source {
        Source::Metric(Metric::Sum(metric)) => cell.sum(metric),
        Source::Metric(Metric::Value(metric)) => {
            cell.values(metric).iter().map(|(value, sessions)| value * sessions).sum()
        }
        Source::Error(class) => cell.errors.get(class.name()).copied().unwrap_or_default(),
    }
}
