use std::collections::BTreeMap;

use crowdfold_console::{Policy, Row, Spread, Window};

use super::{Style, lines};
use crate::commands::demo::board::Table;

fn row(os: &str, sessions: u64) -> Row {
    Row {
        tenant: "acme".into(),
        window: Window { start: 57_600_000, end: 57_660_000 },
        drilldown: vec!["os".into()],
        dimensions: BTreeMap::from([("os".into(), os.into())]),
        row: 1,
        rows: 1,
        coverage: None,
        sessions,
        beacons: 6 * sessions,
        attempts: 0,
        plays: 0,
        startup_failures: 0,
        playback_failures: 0,
        playing_ms: 30_000 * sessions,
        stalled_ms: 300 * sessions,
        stalls: 0,
        dropped_frames: 0,
        switches: 0,
        errors: BTreeMap::new(),
        startup_ms: Spread::default(),
        bandwidth_kbps: Spread { sessions, sum: 5_000 * sessions, p50: Some(4_800), ..Spread::default() },
        bitrate_kbps: Spread::default(),
        policy: Policy { name: "threshold".into(), k: Some(20), sigma: None, tau: None },
    }
}

fn table(rows: &[(&str, u64)]) -> Table {
    Table {
        tenant: "acme".into(),
        drilldown: vec!["os".into()],
        rows: rows.iter().map(|(os, sessions)| row(os, *sessions)).collect(),
    }
}

#[test]
fn a_table_is_aligned() {
    let lines = lines(&table(&[("Windows", 1_900), ("iOS", 80)]), 5, 100, false);
    let text: Vec<_> = lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(
        text,
        [
            "os   16:00 to 16:01 UTC, acme: 2 rows, 1,980 sessions",
            "os       sessions   minutes  rebuffering  startup ms    kbit/s  kbit/s p50",
            "Windows     1,900       950        0.99%           -     5,000       4,800",
            "iOS            80        40        0.99%           -     5,000       4,800",
        ]
    );
}

#[test]
fn a_row_that_folds_is_shown_even_where_there_is_no_room_for_all() {
    let full = [("Windows", 90), ("iOS", 80), ("Android", 70), ("*", 25), ("Tizen", 20)];
    let lines = lines(&table(&full), 3, 100, true);
    let first: Vec<_> =
        lines.iter().map(|(style, line)| (*style, line.split(' ').next().unwrap_or_default())).collect();
    assert_eq!(
        first[2..],
        [(Style::Plain, "Windows"), (Style::Plain, "iOS"), (Style::Dim, "*"), (Style::Dim, "…")]
    );
    assert_eq!(lines[5].1, "… 2 more rows");
}

#[test]
fn a_narrow_terminal_keeps_what_the_table_is_about() {
    for (width, expect) in
        [(62, "os       sessions   minutes  rebuffering  startup ms    kbit/s"), (1, "os       sessions")]
    {
        let lines = lines(&table(&[("Windows", 1_900)]), 5, width, false);
        assert_eq!(lines[1].1, expect);
    }
}
