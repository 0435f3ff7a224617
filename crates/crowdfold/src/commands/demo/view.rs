//! What is said of the demo, on a terminal or not.

use std::io::{self, Write};

use crowdfold_airlock::Millis;

use super::board::Board;
use super::broker::Broker;
use super::gauges::Gauges;
use super::meter::Meter;
use super::pace::{Pace, SPEED};
use super::text::{number, percent, seconds, span, time};
use super::{CROWDED, Progress, QUIET};
use crate::config::{Config, spell_duration};
use crate::telemetry::Status;

/// Everything there is to look at.
pub(super) struct Scene<'a> {
    /// When the program started, by the clock.
    pub(super) began: Millis,
    pub(super) pace: Pace,
    pub(super) broker: &'a Broker,
    pub(super) config: &'a Config,
    pub(super) progress: &'a Progress,
    pub(super) gauges: &'a Gauges,
    pub(super) status: &'a Status,
}

/// A way to show it.
pub(super) trait View {
    /// Shows how things stand, if it is time to.
    fn show(
        &mut self,
        scene: &Scene<'_>,
        board: &Board,
        meter: &Meter,
        now: Millis,
        out: &mut dyn Write,
    ) -> io::Result<()>;

    /// Leaves the output as it was found.
    fn close(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

impl Scene<'_> {
    /// k.
    pub(super) fn k(&self) -> u64 {
        self.config.policy().k()
    }

    /// `crowdfold demo · k = 20 · …`.
    pub(super) fn title(&self) -> String {
        let broker = if self.broker.is_mock() {
            format!("librdkafka's mock cluster at {}, in this process", self.broker.address)
        } else {
            format!("the cluster at {}", self.broker.address)
        };
        format!("crowdfold demo · k = {} · {broker}", self.k())
    }

    /// What time it is for the players.
    pub(super) fn event_time(&self, now: Millis) -> String {
        let event = self.progress.event().max(self.pace.start());
        let at = time(event);
        if self.pace.has_caught_up(now) {
            let windows = &self.config.windows;
            return format!(
                "{at} UTC, caught up with the clock: a window of {} leaves {} after its end",
                spell_duration(windows.length),
                spell_duration(windows.lateness)
            );
        }
        let behind = span(now.saturating_sub(event));
        format!("{at} UTC, {SPEED} times as fast as the clock and {behind} behind it")
    }

    /// What the worker made of the beacons.
    pub(super) fn verdicts(&self) -> String {
        let of = |outcome| number(self.gauges.beacons(outcome));
        format!(
            "{} read, {} released, {} withheld, {} late, {} duplicate, {} opted out, {} rejected",
            of("read"),
            of("released"),
            of("withheld"),
            of("late"),
            of("duplicate"),
            of("opted_out"),
            of("rejected"),
        )
    }

    /// Who is never seen.
    pub(super) fn withheld(&self, board: &Board) -> Option<String> {
        let seen = board.tables().any(|table| table.tenant == QUIET);
        (board.windows > 0 && !seen).then(|| {
            let k = self.k();
            format!(
                "all of tenant {QUIET}, which never had {k} sessions in a window; what you see is {CROWDED}'s"
            )
        })
    }

    /// Why there are no rows yet.
    pub(super) fn waiting(&self, now: Millis) -> String {
        let reasons = self.status.not_ready(now);
        if !reasons.is_empty() {
            return format!("no rows yet: the worker starts ({})", reasons.join("; "));
        }
        let windows = &self.config.windows;
        let event = self.progress.event();
        if event > self.pace.start() + 4 * windows.length + windows.lateness {
            let k = number(self.k());
            return format!("no rows: no window so far had {k} sessions, so nothing at all leaves");
        }
        format!(
            "no rows yet: the first window of event time closes at {}, {} after its end",
            time(self.pace.start().next_multiple_of(windows.length) + windows.lateness),
            spell_duration(windows.lateness)
        )
    }

    /// What this broker cannot do, and a real one can.
    pub(super) fn limits(&self) -> Option<&'static str> {
        self.broker.is_mock().then_some(
            "The mock cluster has no topic configuration, so no time-to-live is set or checked; it forgets offsets of \
             transactions, so the worker is never restarted; it shows aborted records. `--brokers` takes a real one.",
        )
    }

    /// How to read what is in the rollups' topic with other tools.
    pub(super) fn read_along(&self) -> [String; 2] {
        let (brokers, prefix) = (&self.broker.address, &self.config.kafka.prefix);
        let drilldown = &self.config.policy().drilldowns()[0];
        let names: Vec<_> = drilldown.iter().map(|dimension| dimension.name()).collect();
        let topics = self.config.topic_names();
        let topic = &topics.rollups()[0];
        [
            format!("kcat -b {brokers} -t {topic} -C -o beginning"),
            format!(
                "CROWDFOLD_KAFKA__PREFIX={prefix} crowdfold query --brokers {brokers} --drilldown {}",
                names.join(",")
            ),
        ]
    }
}

/// What came out, in a line.
pub(super) fn released(board: &Board) -> String {
    let Some(smallest) = board.smallest else { return "nothing yet".into() };
    format!(
        "{} rows in {} windows, the smallest of {} sessions; {} of {} sittings ({}) folded into a row with *",
        number(board.rows),
        number(board.windows),
        number(smallest),
        number(board.folded),
        number(board.sessions),
        percent(board.folded, board.sessions, 1),
    )
}

/// What it came to, and where to read on.
pub(super) fn summary(scene: &Scene<'_>, board: &Board, now: Millis, out: &mut impl Write) -> io::Result<()> {
    let lasted = now.saturating_sub(scene.began);
    let sent = scene.progress.sent();
    writeln!(out, "ended after {}: {} beacons sent", seconds(lasted), number(sent))?;
    writeln!(out, "  released  {}", released(board))?;
    writeln!(out, "  worker    {} (multiples of k, like its metrics)", scene.verdicts())?;
    if let Some(withheld) = scene.withheld(board) {
        writeln!(out, "  withheld  {withheld}")?;
    }
    match board.first {
        Some(first) => {
            let first = seconds(first.saturating_sub(scene.began));
            writeln!(out, "  first     rows came {first} after the start")?;
        }
        None => writeln!(out, "  nothing   left: {}", scene.waiting(now))?,
    }
    writeln!(out, "\nRead on")?;
    if scene.broker.is_mock() {
        writeln!(
            out,
            "  crowdfold demo --brokers localhost:9092   the same on a cluster of yours, which keeps it"
        )?;
        writeln!(out, "  crowdfold run --help                      the worker on beacons of yours")?;
        writeln!(out, "  crowdfold fold --help                     without Kafka: files in, rollups out")
    } else {
        let prefix = &scene.config.kafka.prefix;
        for command in scene.read_along() {
            writeln!(out, "  {command}")?;
        }
        writeln!(
            out,
            "  The demo made topics whose names begin with {prefix}. and deletes none: that is yours to do."
        )
    }
}
