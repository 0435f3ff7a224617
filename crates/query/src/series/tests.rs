use crate::testing::{query, rows, table};
use crate::{Added, QueryMetric};
use crowdfold_model::Span;

#[test]
fn series_has_a_point_for_each_interval_in_which_its_group_was_published() {
    let mut records = vec![
        table(90, "os", &[("Windows", 900), ("macOS", 200)]),
        table(91, "os", &[("Windows", 850)]),
        table(93, "os", &[("Windows", 800), ("macOS", 100)]),
    ];
    records[1][0]["coverage"] = serde_json::json!({"partitions": 3, "of": 4});
    let answer = query("--by os --every 1m").unwrap().run(&rows_with_notes(&records)).unwrap();
    let metrics = ["sessions", "vsf"].map(|name| QueryMetric::named(name).unwrap());
    let series = answer.series(&metrics);
    assert_eq!(series.iter().map(|one| &*one.key[0]).collect::<Vec<_>>(), ["Windows", "macOS"]);
    let starts = |at: usize| {
        let points = series[at].points.iter();
        points.map(|point| point.span.start.as_millis() / 60_000).collect::<Vec<_>>()
    };
    assert_eq!((starts(0), starts(1)), (vec![90, 91, 93], vec![90, 93]));
    let incomplete: Vec<u64> = series[0].points.iter().map(|point| point.incomplete_windows).collect();
    assert_eq!(incomplete, [0, 1, 0]);
    assert_eq!(series[1].points[1].values[0].unwrap().value, 100.0);
    assert_eq!(answer.source_tables().collect::<Vec<_>>(), [("os", "exact")]);
}

fn rows_with_notes(records: &[Vec<serde_json::Value>]) -> Vec<crate::Row> {
    crate::testing::read(records).rows().to_vec()
}

#[test]
fn sum_of_several_windows_counts_them_and_includes_the_noise_of_each() {
    let single: Vec<_> = (0..60)
        .flat_map(|minute| rows(&[crate::testing::noisy(table(600 + minute, "os", &[("Windows", 900)]))]))
        .collect();
    let mut hour = single[0].clone();
    hour.window.end = single[59].window.end;
    hour.sessions = 900 * 60;
    hour.added = Some(Added { windows: 60, rows: 60, length: Span::MINUTE });
    for (at, sum) in hour.sums.iter_mut().enumerate() {
        *sum = single.iter().map(|row| row.sums[at]).sum();
    }
    for (at, value) in hour.values.iter_mut().enumerate() {
        let sums = single.iter().map(|row| row.values[at].as_ref().map(|summary| summary.sum));
        if let (Some(value), Some(sum)) = (value, sums.sum::<Option<i64>>()) {
            value.sum = sum;
        }
    }
    let of = |rows: &[crate::Row]| {
        let answer = query("--by os").unwrap().run(rows).unwrap();
        let group = &answer.groups[0];
        let figures: Vec<_> = QueryMetric::all().map(|metric| metric.of(group)).collect();
        (figures, group.windows(), group.rows, group.concurrent_max())
    };
    let (added, minutes) = (of(&[hour]), of(&single));
    assert_eq!((added.1, added.2, added.3), (60, 60, 900));
    assert_eq!((minutes.1, minutes.2), (60, 60));
    for (one, other) in added.0.iter().zip(&minutes.0) {
        assert_eq!(one.is_some(), other.is_some());
        let (Some(one), Some(other)) = (one, other) else { continue };
        assert!((one.value - other.value).abs() <= other.value.abs() * 1e-12);
        let (one, other) = (one.error.unwrap(), other.error.unwrap());
        assert!((one - other).abs() <= other * 1e-9, "{one} {other}");
    }
}
