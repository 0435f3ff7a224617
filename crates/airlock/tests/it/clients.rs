//! Who the players are: user agents as they are sent (tests/data/user-agents.tsv), and what they are told to be.

use crowdfold_airlock::{Dimension, Format, Settings};
use serde_json::json;

use crate::seen::{admit, airlock};

const TABLE: &str = include_str!("../data/user-agents.tsv");

/// The columns of the table, after where a row is from and before the user agent itself.
const COLUMNS: [Dimension; 4] = [Dimension::Device, Dimension::Os, Dimension::Browser, Dimension::Firmware];

#[test]
fn who_sends_a_user_agent_of_the_table_is_known() {
    let mut airlock = airlock(Settings { format: Format::Json, ..Settings::default() });
    let (mut rows, mut right, mut wrong) = (0, [0; COLUMNS.len()], Vec::new());
    for line in TABLE.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [_, expect @ .., user_agent] = &columns[..] else { panic!("no columns: {line}") };
        let beacon = json!({"session": "s", "ts": 5, "user_agent": user_agent}).to_string();
        let verdicts = admit(&mut airlock, beacon.as_bytes(), None);
        let seen = verdicts[0].1.as_ref().expect("a beacon");
        let got = COLUMNS.map(|dimension| match seen.word(dimension) {
            "unknown" => "-",
            word => word,
        });
        rows += 1;
        for (right, (got, expect)) in right.iter_mut().zip(got.iter().zip(expect)) {
            *right += usize::from(got == expect);
        }
        if got != expect {
            wrong.push(format!("{expect:?}, not {got:?}: {user_agent}"));
        }
    }
    println!(
        "right of {rows}: device {}, os {}, browser {}, firmware {}",
        right[0], right[1], right[2], right[3]
    );
    assert!(rows >= 140 && wrong.is_empty(), "{rows} rows; {}", wrong.join("\n"));
}
