//! Tests that clients are recognised by the user agents of real clients.

use std::collections::BTreeMap;
use std::fmt::Write;

use crowdfold_airlock::{Airlock, Format, Settings};
use crowdfold_model::Dimension;
use serde_json::json;

use crate::seen::{Seen, admit, airlock};

/// A table of user agents. All of its rows must be recognised.
const TABLE: &str = include_str!("../data/user-agents.tsv");
/// A larger table of user agents. The number of recognised rows must equal the number in the documentation.
const GATHERED: &str = include_str!("../data/gathered-user-agents.tsv");
const README: &str = include_str!("../data/README.md");

/// The columns of [`TABLE`] between the first one (the source of the row) and the last one (the user agent).
const COLUMNS: [Dimension; 4] = [Dimension::Device, Dimension::Os, Dimension::Browser, Dimension::Firmware];

fn read(airlock: &mut Airlock, user_agent: &str) -> Seen {
    let beacon = json!({"session": "s", "ts": 5, "user_agent": user_agent}).to_string();
    let mut outcomes = admit(airlock, beacon.as_bytes(), None);
    outcomes.remove(0).1.expect("one outcome that is a beacon")
}

fn word(seen: &Seen, dimension: Dimension) -> &str {
    match seen.word(dimension) {
        "unknown" => "-",
        word => word,
    }
}

#[test]
fn user_agents_of_the_table_are_recognised() {
    let mut airlock = airlock(Settings { format: Format::Json, ..Settings::default() });
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in TABLE.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [_, expect @ .., user_agent] = &columns[..] else { panic!("no columns: {line}") };
        let seen = read(&mut airlock, user_agent);
        let got = COLUMNS.map(|dimension| word(&seen, dimension));
        rows += 1;
        if got != expect {
            wrong.push(format!("{expect:?}, not {got:?}: {user_agent}"));
        }
    }
    assert!(rows >= 140 && wrong.is_empty(), "{rows} rows; {}", wrong.join("\n"));
}

/// The number of correct rows in a column, and the number of rows that have an expected value in this column.
#[derive(Default)]
struct Accuracy {
    right: usize,
    rows: usize,
}

impl Accuracy {
    fn percent(&self) -> f64 {
        100.0 * self.right as f64 / self.rows as f64
    }
}

/// The columns of [`GATHERED`], except the first two, which contain the source of the row and the part of the table.
const GATHERED_COLUMNS: [Dimension; 4] =
    [Dimension::Device, Dimension::Os, Dimension::OsVersion, Dimension::Browser];

/// The accuracy for each class of devices, part of the table, and column.
type Figures<'a> = BTreeMap<(&'a str, &'a str, usize), Accuracy>;

fn figures() -> Figures<'static> {
    let mut airlock = airlock(Settings { format: Format::Json, ..Settings::default() });
    let mut figures = Figures::new();
    for line in GATHERED.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [_, part, expect @ .., user_agent] = &columns[..] else { panic!("no columns: {line}") };
        let seen = read(&mut airlock, user_agent);
        for (at, (dimension, expect)) in GATHERED_COLUMNS.into_iter().zip(expect).enumerate() {
            // A question mark represents a value that the source of the row does not contain.
            if *expect == "?" {
                continue;
            }
            let accuracy = figures.entry((class(columns[2]), *part, at)).or_default();
            accuracy.rows += 1;
            accuracy.right += usize::from(expect.split('|').any(|right| right == word(&seen, dimension)));
        }
    }
    figures
}

/// Returns the class of devices under which a row is counted.
fn class(expected: &'static str) -> &'static str {
    match expected {
        "tv|stb" => "television or box",
        "?" => "not stated",
        class => class,
    }
}

/// Formats the accuracy as a Markdown table. Each cell contains the number of correct rows, the number of all rows, and
/// the percentage.
fn table(figures: &Figures<'_>) -> String {
    let mut text = String::from(
        "| class | part | device | system | system version | browser |\n|---|---|---|---|---|---|\n",
    );
    let mut lines: Vec<_> = figures.keys().map(|(class, part, _)| (*class, *part)).collect();
    lines.dedup();
    for (class, part) in lines {
        write!(text, "| {class} | {part} |").expect("a write to a string");
        for at in 0..GATHERED_COLUMNS.len() {
            match figures.get(&(class, part, at)) {
                Some(accuracy) => {
                    let Accuracy { right, rows } = accuracy;
                    write!(text, " {right} of {rows} ({:.0} %) |", accuracy.percent())
                        .expect("a write to a string");
                }
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn accuracy_on_gathered_user_agents_equals_the_documentation() {
    let rows = GATHERED.lines().count() - 1;
    assert!(rows >= 300, "{rows} rows");
    let figures = figures();
    let table = table(&figures);
    assert!(README.contains(&table), "crates/airlock/tests/data/README.md should have:\n\n{table}");
    let mut devices = Accuracy::default();
    for ((class, _, at), accuracy) in &figures {
        if *class == "television or box" && *at == 0 {
            devices.right += accuracy.right;
            devices.rows += accuracy.rows;
        }
    }
    assert!(devices.rows >= 200 && devices.percent() >= 97.0, "televisions and boxes: {}", devices.percent());
}
