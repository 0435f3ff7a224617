//! The rows that the commands read, and the activity of the players.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use crowdfold_loadgen::{Cell, Custom, Mix, Players, PlayersConfig, Truth};
use crowdfold_model::{SumMetric, ValueMetric};
use crowdfold_testkit::oracle;
use serde_json::Value;
use tempfile::TempDir;

use crate::incidents::{self, INCIDENTS};

const PAGE: &str = include_str!("../../../../docs/guides/questions.md");
pub(crate) const MINUTE: u64 = 60_000;
const K: u64 = 50;
/// The margin that follows from `K`.
const MARGIN: u64 = 10;
/// The length of the period in which the players play.
const PERIOD: u64 = 65 * MINUTE;
pub(crate) const WEEK: u64 = 7 * 24 * 60 * MINUTE;
/// The end of the period, 2026-11-18 at 12:00 UTC. It is fixed, because the noise depends on the times of the windows.
const END: u64 = 1_795_003_200_000;

/// Returns the fenced blocks of a language in the page, each with the number of its question.
pub(crate) fn blocks(language: &str) -> Vec<(usize, String)> {
    let (mut question, mut found, mut open) = (0, Vec::new(), None);
    for line in PAGE.lines() {
        if line.starts_with("## ") {
            question += 1;
        }
        match (&mut open, line) {
            (None, line) if line == format!("```{language}") => open = Some(String::new()),
            (Some(_), "```") => found.extend(open.take().map(|text| (question, text))),
            (Some(text), line) => text.extend([line, "\n"]),
            _ => {}
        }
    }
    found
}

/// The published rows of one hour, and of the same hour a week before, with the activity that the players report for
/// both hours.
pub(crate) struct Bench {
    directory: TempDir,
    truth: Vec<Cell>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let mut bench = Self { directory, truth: Vec::new() };
        std::fs::write(bench.path("secret"), "6b".repeat(32)).unwrap();
        let [(_, config)] = <[_; 1]>::try_from(blocks("toml")).unwrap();
        let config = config.replace("/etc/crowdfold/secret", bench.path("secret").to_str().unwrap());
        std::fs::write(bench.path("x.toml"), config).unwrap();
        bench.truth = bench.play();
        bench.fold();
        bench
    }

    fn fold(&self) {
        let folded = self.run("fold", &[self.path("beacons.ndjson").to_str().unwrap()]);
        assert!(folded.status.success(), "{}", String::from_utf8_lossy(&folded.stderr));
        std::fs::write(self.path("rollups.ndjson"), folded.stdout).unwrap();
    }

    /// Applies a setting of the section `[release]` that a note contains. Removes the table of error codes, because it
    /// could not be published with this setting.
    pub(crate) fn apply(&self, setting: &str) {
        let config = std::fs::read_to_string(self.path("x.toml")).unwrap();
        let replaced = config.lines().map(|line| match line.split_once(" = ") {
            Some(("detail_breakdown", _)) => setting.to_owned(),
            _ => line.replace(r#", ["error_code"]"#, ""),
        });
        std::fs::write(self.path("x.toml"), replaced.collect::<Vec<_>>().join("\n")).unwrap();
        self.fold();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the beacons of the players. Returns their activity.
    fn play(&self) -> Vec<Cell> {
        let custom = Custom {
            name: "arm".into(),
            tenant: None,
            path: vec!["experiment".into(), "arm".into()],
            values: vec!["A".into(), "B".into()],
        };
        let breakdowns =
            [["asn"], ["device"], ["player_version"], ["content"], ["cdn"], ["arm"], ["error_code"]];
        let custom = vec![custom];
        let mut truth = Truth::with_custom(MINUTE, &breakdowns, &custom).unwrap();
        let mut file = BufWriter::new(File::create(self.path("beacons.ndjson")).unwrap());
        let mut incidents = incidents::beacons(END - PERIOD, END).into_iter().peekable();
        for (seed, end) in [(2, END - WEEK), (1, END)] {
            let players = PlayersConfig {
                sessions: 1_200,
                seed,
                heartbeat_ms: 30_000,
                start_ms: end - PERIOD,
                contents: 20,
                mix: Mix { detailed: 100, versions: 60, user_agents: 0, ..Mix::default() },
                custom: custom.clone(),
                ..PlayersConfig::default()
            };
            for report in Players::new(players).unwrap().take_while(|report| report.sent_ms < end) {
                truth.watch(&report);
                while let Some((_, beacon)) = incidents.next_if(|(ts, _)| *ts <= report.sent_ms) {
                    writeln!(file, "{beacon}").unwrap();
                }
                file.write_all(&report.payload).unwrap();
                file.write_all(b"\n").unwrap();
            }
        }
        file.into_inner().unwrap();
        truth.finish().0
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_crowdfold"))
            .args([command, "--config"])
            .arg(self.path("x.toml"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap()
    }

    /// Runs a command of the page on the rows. Returns the lines of its answer, and its notes.
    pub(crate) fn ask(&self, command: &str) -> (Vec<Value>, String) {
        let arguments = command.trim().strip_prefix("crowdfold query ").unwrap();
        let rollups = self.path("shifted.ndjson");
        let shift = self.shift(&rollups);
        let file = ["--file", rollups.to_str().unwrap()];
        let as_written: Vec<_> = arguments.split(' ').chain(file).collect();
        let output = self.run("query", &as_written);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        let as_json = arguments.strip_suffix(" --format csv").unwrap_or(arguments).split(' ').chain(file);
        let output = self.run("query", &as_json.chain(["--format", "json"]).collect::<Vec<_>>());
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}: {notes}");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for time in lines.iter_mut().flat_map(|line| line.as_object_mut().unwrap()) {
            if matches!(time.0.as_str(), "from" | "to") {
                *time.1 = (time.1.as_u64().unwrap() - shift).into();
            }
        }
        (lines, notes)
    }

    /// Writes the rows with later times, so that the last window ends now. Returns the difference of the times.
    fn shift(&self, file: &Path) -> u64 {
        let shift = now() / MINUTE * MINUTE - self.end();
        let rows = std::fs::read_to_string(self.path("rollups.ndjson")).unwrap();
        let mut shifted = BufWriter::new(File::create(file).unwrap());
        for row in rows.lines() {
            let (before, rest) = row.split_once(r#""window":{"start":"#).unwrap();
            let (start, rest) = rest.split_once(r#","end":"#).unwrap();
            let (end, after) = rest.split_once('}').unwrap();
            let [start, end] = [start, end].map(|time| time.parse::<u64>().unwrap() + shift);
            writeln!(shifted, r#"{before}"window":{{"start":{start},"end":{end}}}{after}"#).unwrap();
        }
        shifted.into_inner().unwrap();
        shift
    }

    /// Returns the end of the last window.
    pub(crate) fn end(&self) -> u64 {
        self.truth.iter().map(|cell| cell.window.end).max().unwrap()
    }

    /// Returns the start of the first window for which `is` returns true, among the first windows that a query of the
    /// last `minutes` may cover. Several windows are possible, because the clock continues while the query starts.
    pub(crate) fn since(&self, minutes: u64, is: impl Fn(u64) -> bool) -> u64 {
        let first = self.end() - minutes * MINUTE;
        let found = (0..=10).map(|late| first + late * MINUTE).find(|start| is(*start));
        found.expect("the answer is that of the last minutes")
    }

    /// Returns the true sums of each window from `from` to `until`, by the dimension values of a breakdown.
    fn windows(&self, breakdown: &str, from: u64, until: u64) -> BTreeMap<u64, BTreeMap<String, Sums>> {
        let mut windows = BTreeMap::<u64, BTreeMap<String, Sums>>::new();
        let cells = self.truth.iter().filter(|cell| cell.breakdown == [breakdown]);
        for cell in cells.filter(|cell| (from..until).contains(&cell.window.start)) {
            let values = windows.entry(cell.window.start).or_default();
            values.entry(cell.dimensions[0].1.clone()).or_default().add(&Sums::from(cell));
        }
        let end = self.end();
        let incidents = windows.iter_mut().filter(|(start, _)| (end - PERIOD..end).contains(start));
        for (start, values) in incidents {
            for incident in &INCIDENTS {
                values.entry(incident.value(breakdown).into()).or_default().add(&incident.sums(end - start));
            }
        }
        windows
    }

    /// Returns the activity from `from` to `until`, by value of a breakdown.
    pub(crate) fn truth(&self, breakdown: &str, from: u64, until: u64) -> BTreeMap<String, Sums> {
        let mut sums = BTreeMap::<String, Sums>::new();
        for (value, of_window) in self.windows(breakdown, from, until).into_values().flatten() {
            sums.entry(value).or_default().add(&of_window);
        }
        sums
    }

    /// Returns the session counts of a breakdown's rows as the oracle folds them, by value.
    pub(crate) fn folded(&self, breakdown: &str, from: u64, until: u64) -> BTreeMap<String, u64> {
        let mut sessions = BTreeMap::<String, u64>::new();
        for values in self.windows(breakdown, from, until).into_values() {
            let cell = |sums: Sums| oracle::Cell { sessions: sums.sessions, ..oracle::Cell::default() };
            let cells = values.into_iter().map(|(value, sums)| (vec![value], cell(sums))).collect();
            for row in oracle::fold(&cells, K, MARGIN) {
                *sessions.entry(row.cell_key[0].clone()).or_default() += row.cell.sessions;
            }
        }
        sessions
    }
}

#[expect(clippy::disallowed_methods, reason = "the program compares with its own clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The sums of some cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) sessions: u64,
    pub(crate) sums: [u64; SumMetric::COUNT],
    /// The sum of the values of each metric, and the number of sessions with a value.
    pub(crate) values: [(u64, u64); ValueMetric::COUNT],
}

impl From<&Cell> for Sums {
    fn from(cell: &Cell) -> Self {
        let of = |metric: ValueMetric| {
            let values = cell.values(metric).iter();
            values.fold((0, 0), |(sum, sessions), (value, count)| (sum + value * count, sessions + count))
        };
        Self {
            sessions: cell.sessions,
            sums: SumMetric::ALL.map(|metric| cell.sum(metric)),
            values: ValueMetric::ALL.map(of),
        }
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        for (sum, adds) in self.sums.iter_mut().zip(other.sums) {
            *sum += adds;
        }
        for ((sum, sessions), adds) in self.values.iter_mut().zip(other.values) {
            *sum += adds.0;
            *sessions += adds.1;
        }
    }

    pub(crate) fn of(all: impl IntoIterator<Item = Self>) -> Self {
        let mut total = Self::default();
        all.into_iter().for_each(|one| total.add(&one));
        total
    }

    pub(crate) fn ratio(&self, of: SumMetric, over: &[SumMetric]) -> f64 {
        let under: u64 = over.iter().map(|metric| self.sums[*metric as usize]).sum();
        self.sums[of as usize] as f64 / under as f64
    }

    pub(crate) fn rebuffering(&self) -> f64 {
        self.ratio(SumMetric::StalledMs, &[SumMetric::PlayingMs, SumMetric::StalledMs])
    }

    pub(crate) fn mean(&self, metric: ValueMetric) -> f64 {
        let (sum, sessions) = self.values[metric as usize];
        sum as f64 / sessions as f64
    }
}
