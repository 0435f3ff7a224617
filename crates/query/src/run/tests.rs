use crowdfold_model::ValueMetric;
use proptest::collection::{btree_map, vec};
use proptest::{prop_assert_eq, proptest};
use serde_json::Value;

use crate::testing::{of_tenant, query, rows, table};
use crate::{Answer, QueryError};

mod tables;

fn ask(flags: &str, records: &[Vec<Value>]) -> Answer {
    query(flags).unwrap().run(&rows(records)).unwrap()
}

/// Formats each group as its key and its number of sessions, such as `Windows/* 83`.
fn shown(answer: &Answer) -> Vec<String> {
    answer.groups.iter().map(|group| format!("{} {}", group.group_key.join("/"), group.sessions())).collect()
}

fn two_windows() -> Vec<Vec<Value>> {
    vec![
        table(90, "os/browser", &[("*/*", 113), ("Windows/Chrome", 900)]),
        table(91, "os/browser", &[("Windows/*", 80), ("Windows/Chrome", 850), ("macOS/Safari", 200)]),
    ]
}

#[test]
fn all_rows_of_a_named_breakdown_are_returned_with_the_largest_first() {
    let answer = ask("--breakdown os,browser", &two_windows());
    assert_eq!(shown(&answer), ["Windows/Chrome 1750", "macOS/Safari 200", "*/* 113", "Windows/* 80"]);
    assert_eq!(answer.count_name(), "session_windows");
    assert_eq!(answer.groups[0].windows(), 2);
}

#[test]
fn grouping_by_a_prefix_keeps_folded_rows_in_the_group_star() {
    let answer = ask("--breakdown os,browser --by os", &two_windows());
    assert_eq!(shown(&answer), ["Windows 1830", "macOS 200", "* 113"]);
    let answer = ask("--breakdown os,browser --by ''", &two_windows());
    assert_eq!(shown(&answer), [" 2143"]);
}

#[test]
fn conditions_omit_folded_rows_and_a_note_contains_their_sessions() {
    let answer = ask("--breakdown os,browser --where os=Windows", &two_windows());
    assert_eq!(shown(&answer), ["Windows/Chrome 1750", "Windows/* 80"]);
    assert_eq!(answer.folded_away(), 113);
    assert_eq!(answer.notes()[1], "folded: 113 session_windows in rows that may include it");
    let answer = ask("--breakdown os,browser --where browser=Safari", &two_windows());
    assert_eq!((shown(&answer), answer.folded_away()), (vec!["macOS/Safari 200".into()], 113 + 80));
    // There is no row `macOS/*`, so only the row `*/*` may include Safari on macOS.
    let answer = ask("--breakdown os,browser --where os=macOS --where browser=Safari", &two_windows());
    assert_eq!((shown(&answer), answer.folded_away()), (vec!["macOS/Safari 200".into()], 113));
}

#[test]
fn one_of_several_conditions_on_a_dimension_must_be_met_and_a_star_is_a_value() {
    let answer = ask("--breakdown os,browser --where os=Windows --where os=macOS --by os", &two_windows());
    assert_eq!(shown(&answer), ["Windows 1830", "macOS 200"]);
    let answer = ask("--breakdown os,browser --where browser=*", &two_windows());
    assert_eq!((shown(&answer), answer.folded_away()), (vec!["*/* 113".into(), "Windows/* 80".into()], 0));
}

#[test]
fn note_reports_that_no_row_matches_the_query() {
    let answer = ask("--breakdown os,browser --where os=Roku", &two_windows());
    assert!(answer.is_empty());
    assert_eq!(
        answer.notes(),
        [
            "answered from the detail table os,browser: all numbers are exact",
            "no published row matches the query",
            "folded: 113 session_windows in rows that may include it",
        ]
    );
}

#[test]
fn every_adds_one_row_per_interval_and_group() {
    let mut records = two_windows();
    records.push(table(120, "os/browser", &[("Windows/Chrome", 70)]));
    let answer = ask("--breakdown os,browser --by os --every 1h", &records);
    // Minutes 90 and 91 belong to the second hour, and minute 120 belongs to the third.
    assert_eq!(shown(&answer), ["Windows 1830", "macOS 200", "* 113", "Windows 70"]);
    let answer = ask("--breakdown os,browser --by ''  --every 1m", &records);
    assert_eq!(shown(&answer), [" 1013", " 1130", " 70"]);
    assert_eq!(answer.count_name(), "sessions");
}

#[test]
fn since_selects_windows_that_start_in_the_period() {
    let answer = ask("--breakdown os,browser --by '' --since 9m", &two_windows());
    assert_eq!(shown(&answer), [" 1130"]);
}

#[test]
fn rows_of_several_tenants_are_not_added_unless_requested() {
    let mut globex = table(90, "os/browser", &[("Windows/Chrome", 500)]);
    globex[0]["tenant"] = "globex".into();
    let mut records = two_windows();
    records.push(globex);
    let answer = ask("--breakdown os,browser --by os", &records);
    let tenants: Vec<_> = answer.groups.iter().map(|group| (group.tenant(), group.sessions())).collect();
    assert_eq!(tenants, [("acme", 1830), ("acme", 200), ("acme", 113), ("globex", 500)]);
    assert_eq!(shown(&ask("--breakdown os,browser --tenant globex", &records)), ["Windows/Chrome 500"]);
}

#[test]
fn concurrent_sessions_are_the_sessions_of_one_window() {
    let answer = ask("--breakdown os,browser --by os --where os=Windows", &two_windows());
    let mean = answer.groups[0].concurrent_mean().map(|mean| mean.value);
    assert_eq!((answer.groups[0].concurrent_max(), mean), (930, Some(915.0)));
}

#[test]
fn means_of_concurrent_sessions_add_up_to_the_mean_of_the_table() {
    let mut records = vec![
        table(90, "os", &[("Windows", 900), ("macOS", 200)]),
        table(91, "os", &[("Windows", 800)]),
        table(92, "os", &[("macOS", 100)]),
    ];
    records.push(of_tenant("beta", table(93, "os", &[("Windows", 400)])));
    let means = |flags: &str| {
        let answer = ask(flags, &records);
        let mean = |group: &crate::group::Group| group.concurrent_mean().unwrap().value;
        answer.groups.iter().map(|group| (group.group_key.concat(), mean(group))).collect::<Vec<_>>()
    };
    let of = |name: &str, mean: f64| (name.to_owned(), mean);
    assert_eq!(means("--tenant acme --by os"), [of("Windows", 1_700.0 / 3.0), of("macOS", 100.0)]);
    assert_eq!(means("--tenant acme --by ''"), [of("", 2_000.0 / 3.0)]);
    assert_eq!(means("--tenant acme --by os --where os=macOS"), [of("macOS", 100.0)]);
    assert_eq!(means("--by industry,os"), [of("newsWindows", 525.0), of("newsmacOS", 75.0)]);
    assert_eq!(means("--tenant beta --by os"), [of("Windows", 400.0)]);
}

#[test]
fn percentiles_are_present_only_in_groups_of_a_single_row() {
    let answer = ask("--breakdown os,browser", &two_windows());
    let bandwidth = |group: &crate::group::Group| group.distribution(ValueMetric::BandwidthKbps).clone();
    let p50: Vec<_> = answer.groups.iter().map(|group| bandwidth(group).p50).collect();
    assert_eq!(p50, [None, Some(4800), Some(4800), Some(4800)]);
    assert!(bandwidth(&answer.groups[0]).histogram.is_none());
    let startup = answer.groups[0].distribution(ValueMetric::StartupMs).sessions;
    let sum = answer.groups[0].sum(ValueMetric::StartupMs).unwrap();
    assert_eq!((startup, sum.value), (Some(32), 32 * 850));
}

#[test]
fn totals_come_from_a_single_table() {
    let mut records = two_windows();
    records.push(table(90, "cdn", &[("a", 1013)]));
    records.push(table(92, "player", &[("hls.js", 300)]));
    let answer = ask("", &records);
    assert_eq!(shown(&answer), [" 2443"]);
}

#[test]
fn breakdown_with_the_queried_dimensions_is_selected() {
    let mut records = two_windows();
    records.push(table(90, "cdn/connection", &[("a/wifi", 1013)]));
    assert_eq!(shown(&ask("--by cdn", &records)), ["a 1013"]);
    assert_eq!(shown(&ask("--where connection=wifi", &records)), ["a/wifi 1013"]);
    assert_eq!(shown(&ask("--by os --where browser=Safari", &records)), ["macOS 200"]);
}

#[test]
fn query_that_several_breakdowns_could_answer_is_refused() {
    let mut records = two_windows();
    records.push(table(90, "cdn", &[("a", 1013)]));
    let fault = |flags: &str| query(flags).unwrap().run(&rows(&records)).expect_err("left open");
    assert_eq!(
        fault("--by browser").to_string(),
        "none of the published breakdowns has all dimensions of the query; choose one with breakdown (cdn · \
         os,browser)"
    );
    records.push(table(95, "os", &[("Windows", 100)]));
    let fault = query("--by os").unwrap().run(&rows(&records)).expect_err("left open");
    assert!(matches!(&fault, QueryError::BreakdownChoice { fitting: 2, .. }), "{fault}");
}

#[test]
fn answer_is_empty_if_there_are_no_rows() {
    assert!(ask("--by os", &[]).is_empty());
    assert!(ask("", &[]).is_empty());
}

proptest! {
    #[test]
    fn sum_over_all_groups_neither_loses_nor_repeats_rows(
        windows in vec(btree_map(("[ab*]", "[xyz*]"), 50_u64..500, 0..8), 1..5), every in 1_u64..4
    ) {
        let records: Vec<_> = windows
            .iter()
            .zip(90..)
            .map(|(window, minute)| {
                let group_keys: Vec<_> = window.iter().map(|((os, browser), n)| (format!("{os}/{browser}"), *n)).collect();
                let group_keys: Vec<_> = group_keys.iter().map(|(group_key, n)| (group_key.as_str(), *n)).collect();
                table(minute, "os/browser", &group_keys)
            })
            .collect();
        let total: u64 = windows.iter().flat_map(|window| window.values()).sum();
        for by in ["''", "os", "os,browser"] {
            let answer = ask(&format!("--breakdown os,browser --by {by} --every {every}m"), &records);
            prop_assert_eq!(answer.groups.iter().map(|group| group.sessions()).sum::<u64>(), total);
            prop_assert_eq!(answer.groups.iter().map(|group| group.beacons.unwrap()).sum::<i64>(), 6 * total as i64);
        }
        let answer = ask("--breakdown os,browser --where browser=x", &records);
        let of = |wanted: &str| -> u64 {
            let all = windows.iter().flatten();
            all.filter(|((_, browser), _)| browser == wanted).map(|(_, n)| n).sum()
        };
        prop_assert_eq!(answer.groups.iter().map(|group| group.sessions()).sum::<u64>(), of("x"));
        prop_assert_eq!(answer.folded_away(), of("*"));
    }
}
