use std::collections::BTreeMap;

use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric, Window};
use crowdfold_query::{DistributionSummary, Policy, Row};

use super::{Style, lines};
use crate::commands::demo::stats::Table;

fn row(os: &str, sessions: u64) -> Row {
    Row {
        tenant: "acme".into(),
        window: Window::at(Timestamp::from_millis(57_600_000), Span::MINUTE),
        breakdown: vec!["os".into()],
        detail: Some(true),
        dimensions: BTreeMap::from([("os".into(), os.into())]),
        row: 1,
        rows: 1,
        coverage: None,
        added: None,
        sessions,
        beacons: Some(6 * sessions as i64),
        sums: SumMetric::ALL.map(|metric| {
            Some(match metric {
                SumMetric::PlayingMs => 30_000 * sessions as i64,
                SumMetric::StalledMs => 300 * sessions as i64,
                _ => 0,
            })
        }),
        errors: Some(BTreeMap::new()),
        values: ValueMetric::ALL.map(|metric| match metric {
            ValueMetric::BandwidthKbps => distribution(sessions, Some(4_800)),
            _ => distribution(0, None),
        }),
        policy: Policy {
            name: "threshold".into(),
            k: Some(20),
            margin: Some(10),
            noise: Some(8),
            sigma: None,
            tau: None,
        },
    }
}

/// Returns the distribution of `sessions` sessions, all with the value 5,000.
fn distribution(sessions: u64, p50: Option<u64>) -> Option<DistributionSummary> {
    Some(DistributionSummary {
        sessions: Some(sessions),
        sum: 5_000 * sessions as i64,
        p50,
        ..DistributionSummary::default()
    })
}

/// Converts a row of the detail table to a row of another table.
fn noisy(mut row: Row) -> Row {
    row.detail = Some(false);
    row.beacons = None;
    for summary in &mut row.values {
        *summary = summary
            .take()
            .map(|summary| DistributionSummary { sum: summary.sum, ..DistributionSummary::default() });
    }
    row
}

fn table(rows: &[(&str, u64)]) -> Table {
    Table {
        tenant: "acme".into(),
        breakdown: vec!["os".into()],
        rows: rows.iter().map(|(os, sessions)| row(os, *sessions)).collect(),
    }
}

#[test]
fn columns_of_a_table_are_aligned() {
    let lines = lines(&table(&[("Windows", 1_900), ("iOS", 80)]), 5, 100, false);
    let text: Vec<_> = lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(
        text,
        [
            "os   16:00 to 16:01 UTC, acme: 2 rows, 1,980 sessions; exact",
            "os       sessions   minutes  rebuffering  startup ms    kbit/s  kbit/s p50",
            "Windows     1,900       950        0.99%           -     5,000       4,800",
            "iOS            80        40        0.99%           -     5,000       4,800",
        ]
    );
}

#[test]
fn folded_row_is_shown_even_if_not_all_rows_fit() {
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
fn narrow_terminal_keeps_dimensions_and_sessions() {
    for (width, expect) in
        [(62, "os       sessions   minutes  rebuffering  startup ms    kbit/s"), (1, "os       sessions")]
    {
        let lines = lines(&table(&[("Windows", 1_900)]), 5, width, false);
        assert_eq!(lines[1].1, expect);
    }
}

#[test]
fn number_below_two_standard_errors_is_replaced_by_its_standard_error() {
    let mut table = table(&[("Windows", 1_900), ("iOS", 90), ("*", 20)]);
    table.rows = table.rows.into_iter().map(noisy).collect();
    // Noise makes the stalled times of two rows and the playing time of a third row negative.
    table.rows[0].sums[SumMetric::StalledMs as usize] = Some(-900_000);
    table.rows[1].sums[SumMetric::StalledMs as usize] = Some(-2_000);
    table.rows[2].sums[SumMetric::PlayingMs as usize] = Some(-240_000);
    table.rows[0].sums[SumMetric::Plays as usize] = Some(300);
    table.rows[0].values[ValueMetric::StartupMs as usize] =
        Some(DistributionSummary { sum: 270_000, ..DistributionSummary::default() });
    let text: Vec<_> = lines(&table, 5, 100, false).into_iter().map(|(_, line)| line).collect();
    assert_eq!(
        text,
        [
            "os   16:00 to 16:01 UTC, acme: 3 rows, 2,010 sessions; the rest with noise",
            "os       sessions   minutes  rebuffering  startup ms    kbit/s",
            "Windows     1,900       950       -1.60%         900     5,000",
            "iOS            90        45       ±4.45%           -    ±2,667",
            "*              20        ±8            -           -   ±12,000",
        ]
    );
}

#[test]
fn table_without_a_secret_shows_only_sessions() {
    let mut table = table(&[("Windows", 1_900)]);
    let row = &mut table.rows[0];
    row.detail = Some(false);
    row.beacons = None;
    row.sums = Default::default();
    row.errors = None;
    row.values = Default::default();
    let text: Vec<_> = lines(&table, 5, 100, false).into_iter().map(|(_, line)| line).collect();
    assert!(text[0].ends_with("1,900 sessions; no secret, so no other numbers"), "{}", text[0]);
    assert_eq!(text[2], "Windows     1,900         -            -           -         -");
}
