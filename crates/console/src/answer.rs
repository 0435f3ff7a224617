//! What came out of a query, ready to be written.

use crate::group::{Group, mean};
use crate::output::{Cell, Column, Sheet};
use crate::row::Spread;
use crate::time::moment;

#[cfg(test)]
mod tests;

/// Classes of errors, in the order of the schema: the columns of CSV stay the same whatever occurs.
const ERRORS: [&str; 6] = ["network", "manifest", "media", "drm", "timeout", "other"];

/// Sums of published rows, and what they leave open.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was grouped by: attributes of tenants, then dimensions.
    pub(crate) by: Vec<String>,
    pub(crate) groups: Vec<Group>,
    /// Where rows of several tenants were added up: how many of these are attributes.
    pub(crate) across: Option<usize>,
    /// Whether each row is of one span of time.
    pub(crate) by_time: bool,
    /// Sessions (over windows) of rows that have folded a dimension that is asked for.
    pub(crate) folded_away: u64,
}

impl Answer {
    /// Whether no published row met the query.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Sessions, counted in each window, of rows that may hold what was asked for but have folded it away.
    #[must_use]
    pub const fn folded_away(&self) -> u64 {
        self.folded_away
    }

    /// `sessions`, or `session_windows` where some row sums several windows: then one who stays is counted in each,
    /// and the number is not one of people.
    #[must_use]
    pub fn count_name(&self) -> &'static str {
        if self.spans_windows() { "session_windows" } else { "sessions" }
    }

    pub(crate) fn spans_windows(&self) -> bool {
        self.groups.iter().any(|group| group.windows() > 1)
    }

    fn has_tenants(&self) -> bool {
        self.groups.windows(2).any(|pair| pair[0].tenant() != pair[1].tenant())
    }

    /// What whoever reads the numbers must know, one line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_empty() {
            notes.push("no published row meets the query".into());
        }
        if self.folded_away > 0 {
            notes.push(format!(
                "folded away: {} {} in rows that may hold it",
                self.folded_away,
                if self.is_empty() { "session_windows" } else { self.count_name() }
            ));
        }
        if self.spans_windows() {
            notes.push(
                "session_windows counts a session once in each window: it is not a number of people".into(),
            );
        }
        let alone = self.groups.iter().filter(|group| group.tenants.len() == 1).count();
        if self.across.is_some() && alone > 0 {
            let (groups, say) = if alone == 1 { ("group is", "it says") } else { ("groups are", "they say") };
            notes.push(format!("{alone} {groups} of one tenant: what {say} is that tenant's alone"));
        }
        if let Some(deviation) = self.deviation() {
            notes.push(format!(
                "differential privacy: every number has noise, {} has a standard deviation of up to {deviation:.0}, and \
                 cells too small for it are missing, so totals are too low and differ between drill-downs",
                self.count_name()
            ));
        }
        notes
    }

    /// The largest standard deviation of the noise in a group's sessions, where there is any.
    fn deviation(&self) -> Option<f64> {
        let most = self.groups.iter().map(|group| group.noise).fold(0.0, f64::max);
        (most > 0.0).then(|| most.sqrt())
    }

    /// Aligned text for people, in lines of `width` columns if it can be: means, with a percentile beside them where a
    /// row stands alone, and shares in percent. Columns that nothing fills are left out, and those that there is no
    /// room for; JSON and CSV have all.
    #[must_use]
    pub fn table(&self, width: usize) -> String {
        let mut columns = self.heads(self.has_tenants(), self.by_time);
        columns.push(Column::number(self.count_name(), |group| Cell::Count(group.sessions())));
        if self.spans_windows() {
            columns.extend([
                Column::number("peak", |group| Cell::Count(group.concurrent_max())).spare(5),
                Column::number("mean", |group| Cell::real(group.concurrent_mean(), 1)).spare(9),
            ]);
        }
        columns.extend([
            Column::number("minutes", |group| Cell::real(Some(group.minutes_watched()), 1)).spare(2),
            Column::number("rebuffering", |group| Cell::share(group.rebuffering_ratio())),
            Column::number("stalls/h", |group| Cell::real(group.stalls_per_hour(), 2)).spare(4),
            Column::number("vsf", |group| Cell::share(group.vsf())).spare(1),
            Column::number("ebvs", |group| Cell::share(group.ebvs())).spare(10),
            Column::number("vpf", |group| Cell::share(group.vpf())).spare(3),
            Column::number("startup_ms", |group| Cell::real(mean(&group.startup), 0)),
            Column::number("startup_p95", |group| Cell::count(group.startup.p95)).spare(7),
            Column::number("bandwidth", |group| Cell::real(mean(&group.bandwidth), 0)),
            Column::number("bandwidth_p50", |group| Cell::count(group.bandwidth.p50)).spare(6),
            Column::number("bitrate", |group| Cell::real(mean(&group.bitrate), 0)).spare(8),
        ]);
        Sheet { columns, rows: &self.groups }.without_idle_columns().table(width)
    }

    /// CSV with a header: quoted as RFC 4180 says, lines ending in a line feed alone. A text that begins with `=`,
    /// `+`, `-`, `@`, a tab or a carriage return gets `'` before it, so that no spreadsheet takes it for a formula;
    /// whoever needs values to the letter reads JSON. The columns do not depend on what was found, but for the name of
    /// the count.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut columns = self.heads(true, true);
        columns.insert(2, Column::text("to", |group| Cell::Text(moment(group.span.end))));
        columns.push(Column::number("windows", |group| Cell::Count(group.windows())));
        columns.push(Column::number(self.count_name(), |group| Cell::Count(group.sessions())));
        columns.extend(concurrent());
        columns.extend(sums());
        columns.extend(ERRORS.map(|class| {
            let count =
                move |group: &Group| Cell::Count(group.errors.get(class).copied().unwrap_or_default());
            Column::number(format!("errors_{class}"), count)
        }));
        columns.extend(derived());
        for (name, spread) in SPREADS {
            columns.push(Column::number(format!("{name}_sessions"), move |group| {
                Cell::Count(spread(group).sessions)
            }));
            columns.push(Column::number(format!("{name}_sum"), move |group| Cell::Count(spread(group).sum)));
            columns.push(Column::number(format!("{name}_mean"), move |group| {
                Cell::real(mean(spread(group)), 0)
            }));
            columns.extend(PERCENTILES.map(|(percentile, of)| {
                Column::number(format!("{name}_{percentile}"), move |group| Cell::count(of(spread(group))))
            }));
        }
        Sheet { columns, rows: &self.groups }.csv()
    }

    /// The first columns: tenant, or how many, and time where wanted, then what was grouped by.
    fn heads(&self, tenant: bool, time: bool) -> Vec<Column> {
        let mut columns = Vec::new();
        if self.across.is_some() {
            columns.push(Column::number("tenants", |group| Cell::Count(group.tenants.len() as u64)));
        } else if tenant {
            columns.push(Column::text("tenant", |group| Cell::Text(group.tenant().to_owned())));
        }
        if time {
            columns.push(Column::text("from", |group| Cell::Text(moment(group.span.start))));
        }
        columns.extend(self.by.iter().enumerate().map(|(at, dimension)| {
            let value = move |group: &Group| group.label.get(at).cloned().map_or(Cell::None, Cell::Text);
            Column::text(dimension.clone(), value)
        }));
        columns
    }
}

type SpreadOf = fn(&Group) -> &Spread;
type PercentileOf = fn(&Spread) -> Option<u64>;

const SPREADS: [(&str, SpreadOf); 3] = [
    ("startup_ms", |group| &group.startup),
    ("bandwidth_kbps", |group| &group.bandwidth),
    ("bitrate_kbps", |group| &group.bitrate),
];

const PERCENTILES: [(&str, PercentileOf); 4] = [
    ("p50", |spread| spread.p50),
    ("p90", |spread| spread.p90),
    ("p95", |spread| spread.p95),
    ("p99", |spread| spread.p99),
];

fn concurrent() -> [Column; 2] {
    [
        Column::number("concurrent_max", |group| Cell::Count(group.concurrent_max())),
        Column::number("concurrent_mean", |group| Cell::real(group.concurrent_mean(), 1)),
    ]
}

fn sums() -> [Column; 10] {
    [
        Column::number("beacons", |group| Cell::Count(group.beacons)),
        Column::number("attempts", |group| Cell::Count(group.attempts)),
        Column::number("plays", |group| Cell::Count(group.plays)),
        Column::number("startup_failures", |group| Cell::Count(group.startup_failures)),
        Column::number("playback_failures", |group| Cell::Count(group.playback_failures)),
        Column::number("playing_ms", |group| Cell::Count(group.playing_ms)),
        Column::number("stalled_ms", |group| Cell::Count(group.stalled_ms)),
        Column::number("stalls", |group| Cell::Count(group.stalls)),
        Column::number("dropped_frames", |group| Cell::Count(group.dropped_frames)),
        Column::number("switches", |group| Cell::Count(group.switches)),
    ]
}

fn derived() -> [Column; 6] {
    [
        Column::number("minutes_watched", |group| Cell::real(Some(group.minutes_watched()), 1)),
        Column::number("rebuffering_ratio", |group| Cell::real(group.rebuffering_ratio(), 4)),
        Column::number("stalls_per_hour", |group| Cell::real(group.stalls_per_hour(), 2)),
        Column::number("vsf", |group| Cell::real(group.vsf(), 4)),
        Column::number("ebvs", |group| Cell::real(group.ebvs(), 4)),
        Column::number("vpf", |group| Cell::real(group.vpf(), 4)),
    ]
}
