//! The sentences that the demo shows on a terminal, in a file or in a pipe.

use std::io::{self, Write};

use crowdfold_model::{Span, Timestamp, spell_duration};
use crowdfold_worker::Config;
use crowdfold_worker::telemetry::Status;

use super::broker::Broker;
use super::event_clock::{EventClock, SPEED};
use super::gauges::Gauges;
use super::page::Page;
use super::rate_meter::RateMeter;
use super::stats::{self, Stats};
use super::text::{count, labelled, number, percent, seconds, span, time, wrapped};
use super::{Progress, SMALL};

/// If the worker is not ready for this time after the start, the demo shows the reason.
const JOINING: Span = Span::SECOND.times(10);

/// References to everything that the demo shows.
pub(super) struct DashboardView<'a> {
    /// The real time at which the program started.
    pub(super) began: Timestamp,
    pub(super) event_clock: EventClock,
    pub(super) broker: &'a Broker,
    pub(super) config: &'a Config,
    pub(super) progress: &'a Progress,
    pub(super) gauges: &'a Gauges,
    pub(super) status: &'a Status,
    pub(super) page: &'a Page,
}

/// A kind of output: a terminal, or a file or pipe.
pub(super) trait View {
    /// Shows the current state. Does nothing if the previous output is too recent.
    fn show(
        &mut self,
        dashboard: &DashboardView<'_>,
        stats: &Stats,
        rate_meter: &RateMeter,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()>;

    /// Ends the output, and restores the terminal.
    fn close(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

impl DashboardView<'_> {
    /// Returns the minimum number of sessions per row.
    pub(super) fn k(&self) -> u64 {
        self.config.policy().k()
    }

    /// Returns the title, `crowdfold demo · k = 20 · …`.
    pub(super) fn title(&self) -> String {
        let broker = if self.broker.is_mock() {
            format!("librdkafka's mock cluster, {}", self.broker.address)
        } else {
            format!("cluster {}", self.broker.address)
        };
        let noise = self.config.policy().privacy().map_or(String::new(), |privacy| {
            let least = number(self.config.policy().min_shown_sessions());
            format!(" · noise for ε = {} per day, rows from {least} sessions", privacy.epsilon())
        });
        format!("crowdfold demo · k = {}{noise} · {broker}", self.k())
    }

    /// Returns the description of the current state, wrapped into lines of at most `columns` columns.
    pub(super) fn heading(
        &self,
        stats: &Stats,
        rate_meter: &RateMeter,
        now: Timestamp,
        columns: usize,
    ) -> Vec<String> {
        let (sent, rate) = (number(self.progress.sent()), number(rate_meter.per_second()));
        let mut lines = labelled("event time", &self.event_time(now), columns);
        lines.extend(labelled("beacons", &format!("{sent} sent, {rate} per second"), columns));
        lines.extend(self.outcome(stats, columns));
        if stats.windows == 0 {
            lines.extend(["".into(), self.waiting(now)]);
        }
        lines
    }

    /// Returns the counts of beacons and rows so far, wrapped into lines of at most `columns` columns.
    fn outcome(&self, stats: &Stats, columns: usize) -> Vec<String> {
        let mut lines = labelled("worker", &self.outcomes(stats), columns);
        lines.extend(labelled("released", &released(stats), columns));
        // Under differential privacy, rows are not folded.
        if stats.windows > 0 && self.config.policy().privacy().is_none() {
            lines.extend(labelled("folded", &folded(stats), columns));
        }
        if let Some(withheld) = self.withheld(stats) {
            lines.extend(labelled("withheld", &withheld, columns));
        }
        lines
    }

    /// Returns a sentence about the event time of the synthetic players.
    fn event_time(&self, now: Timestamp) -> String {
        let event = self.progress.event().max(self.event_clock.start());
        let at = time(event);
        if self.event_clock.has_caught_up(now) {
            let windows = &self.config.windows;
            return format!(
                "{at} UTC, real time; a window of {} is published {} after its end",
                spell_duration(windows.length),
                spell_duration(windows.lateness)
            );
        }
        let behind = span(now.saturating_since(event));
        format!("{at} UTC, {SPEED} times as fast as real time and {behind} behind")
    }

    /// Returns the number of beacons that the worker has read, and the numbers that were not added to a window. The
    /// numbers are from the worker's metrics, so they are rounded down to multiples of k. The metrics may be older than
    /// the rows, but every released beacon was read.
    fn outcomes(&self, stats: &Stats) -> String {
        let of = |outcome| number(self.gauges.beacons(outcome));
        let read = self.gauges.beacons("read").max(stats.beacons.unwrap_or(0));
        format!(
            "{} read, of which {} late, {} duplicate, {} opted out, {} rejected",
            number(read),
            of("late"),
            of("duplicate"),
            of("opted_out"),
            of("rejected"),
        )
    }

    /// Returns a note on the tenant whose rows are withheld, or `None` before the first rows of the other tenant.
    fn withheld(&self, stats: &Stats) -> Option<String> {
        let seen = stats.tables().any(|table| table.tenant == SMALL);
        (stats.windows > 0 && !seen).then(|| {
            let least = number(self.config.policy().min_shown_sessions());
            format!("all rows of tenant {SMALL}, which never had {least} sessions in a window")
        })
    }

    /// Returns a sentence that explains why there are no rows yet.
    fn waiting(&self, now: Timestamp) -> String {
        let reasons = self.status.not_ready(now);
        if !reasons.is_empty() {
            let is_joining = now.saturating_since(self.began) < JOINING;
            let why = if is_joining {
                "is joining its consumer groups".into()
            } else {
                format!("starts: {}", reasons.join("; "))
            };
            return format!("no rows yet: the worker {why}");
        }
        let windows = &self.config.windows;
        let event = self.progress.event();
        if event > self.event_clock.start() + (4 * windows.length + windows.lateness).into() {
            let least = number(self.config.policy().min_shown_sessions());
            let what = if self.config.policy().privacy().is_some() { "cell" } else { "window" };
            return format!("no rows: so far no {what} had {least} sessions, so nothing is published");
        }
        format!(
            "no rows yet: the first window of event time closes at {}, {} after its end",
            time(self.event_clock.start().ceil(windows.length.into()) + windows.lateness.into()),
            spell_duration(windows.lateness)
        )
    }

    /// Returns the explanation of the noise, wrapped into lines of at most `columns` columns. Returns no lines if no
    /// table has noise.
    pub(super) fn noise(&self, columns: usize) -> Vec<String> {
        let policy = self.config.policy();
        if !policy.is_noisy() {
            return Vec::new();
        }
        let detail = policy.detail().and_then(|at| policy.breakdowns().get(at));
        let tables = detail.map_or("all tables".to_owned(), |detail| {
            let names: Vec<_> = detail.iter().map(|dimension| dimension.name()).collect();
            format!("all tables except {}", names.join(", "))
        });
        let text = format!(
            "in {tables} every number except sessions carries noise of {} times the largest contribution of one \
             session. A number that is less than twice its standard error is replaced by that error, such as ±8, and a \
             ratio whose denominator is mostly noise by -. Over hours the noise averages out; crowdfold query --errors \
             shows the rest.",
            policy.noise()
        );
        labelled("noise", &text, columns)
    }

    /// Returns the meaning of `*`, `unknown` and `null`, wrapped into lines of at most `columns` columns.
    pub(super) fn legend(&self, columns: usize) -> Vec<String> {
        // Under differential privacy, rows are not folded.
        let rest = if self.config.policy().privacy().is_none() {
            format!("* is the rest: groups of fewer than {} sessions, folded together. ", self.k())
        } else {
            String::new()
        };
        let text = format!(
            "{rest}unknown means that the player did not report a value. In the JSON of a row, null is a number that \
             is not published."
        );
        labelled("legend", &text, columns)
    }

    /// Returns the limitations of the mock cluster, wrapped into lines of at most `columns` columns. Returns no lines
    /// on a real cluster.
    pub(super) fn limits(&self, columns: usize) -> Vec<String> {
        if !self.broker.is_mock() {
            return Vec::new();
        }
        wrapped(
            "The mock cluster has no topic configuration, so no time-to-live is set or checked; it does not keep \
             offsets of transactions, so the worker is never restarted; it shows aborted records. Use --brokers for a \
             real cluster.",
            columns,
        )
    }

    /// Returns commands that read the rollups topic while the demo runs.
    pub(super) fn read_along(&self) -> [String; 2] {
        let (brokers, prefix) = (&self.broker.address, &self.config.kafka.prefix);
        let breakdown = stats::order(self.config).swap_remove(0);
        let by = breakdown.split('.').next().unwrap_or_default();
        let topics = self.config.topic_names();
        let topic = &topics.rollups()[0];
        [
            format!("kcat -b {brokers} -t {topic} -C -o beginning"),
            format!("CROWDFOLD_KAFKA__PREFIX={prefix} crowdfold query --brokers {brokers} --by {by}"),
        ]
    }
}

/// Returns the number of released beacons and rows, their windows and the size of the smallest row, as a phrase. All
/// numbers come from the rows, so they belong to the same moment.
fn released(stats: &Stats) -> String {
    stats.smallest.map_or("nothing yet".into(), |smallest| {
        let beacons =
            stats.beacons.map_or(String::new(), |beacons| format!("{} in ", count(beacons, "beacon")));
        let (rows, windows) = (count(stats.rows, "row"), count(stats.windows, "window"));
        format!("{beacons}{rows} of {windows}, the smallest row of {}", count(smallest, "session"))
    })
}

/// Returns the number and share of session-windows in rows with `*`, as a phrase.
fn folded(stats: &Stats) -> String {
    let share = percent(stats.folded, stats.sessions, 1);
    format!(
        "{} of {} ({share}), in a row with *",
        number(stats.folded),
        count(stats.sessions, "session-window")
    )
}

/// Prints the summary at the end of the demo, and commands to run next, in lines of at most `columns` columns.
pub(super) fn summary(
    dashboard: &DashboardView<'_>,
    stats: &Stats,
    now: Timestamp,
    columns: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let since = |moment: Timestamp| seconds(moment.saturating_since(dashboard.began));
    let first = stats.first.map(|first| format!(", the first rows after {}", since(first)));
    let sent = number(dashboard.progress.sent());
    writeln!(out, "finished after {}{}: {sent} beacons sent", since(now), first.unwrap_or_default())?;
    let mut lines = dashboard.outcome(stats, columns);
    if stats.first.is_none() {
        lines.push(dashboard.waiting(now));
    }
    lines.extend(dashboard.limits(columns));
    lines.push("\nread on:".into());
    if dashboard.broker.is_mock() {
        lines.push("crowdfold demo --brokers localhost:9092   run the same demo on your own cluster".into());
        lines.push("crowdfold run --help                      run the worker on your own beacons".into());
        lines.push("crowdfold fold --help                     fold files into rollups, without Kafka".into());
    } else {
        lines.extend(dashboard.read_along());
        let prefix = &dashboard.config.kafka.prefix;
        let topics = format!("The demo does not delete its topics, such as {prefix}.beacons.");
        lines.extend(wrapped(&topics, columns));
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}
