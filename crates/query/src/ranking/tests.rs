use serde_json::Value;

use super::Rank;
use crate::testing::{noisy, query, rows, table};
use crate::{Figure, QueryMetric, Ranking};

/// Returns the rows of three CDNs in one window. `cdn-b` has few sessions and stalls often, and `cdn-a` has many
/// sessions and stalls rarely.
fn records() -> Vec<Value> {
    let mut records = table(90, "cdn", &[("cdn-a", 900), ("cdn-b", 100), ("*", 60)]);
    for (row, (playing, stalled, startup_failures)) in
        records.iter_mut().zip([(900_000, 9_000, 1), (100_000, 25_000, 5), (60_000, 600, 0)])
    {
        row["playing_ms"] = playing.into();
        row["stalled_ms"] = stalled.into();
        row["startup_failures"] = startup_failures.into();
    }
    records
}

fn rank(metric: &str, rank: Rank, records: &[Vec<Value>]) -> Vec<Ranking> {
    let answer = query("--by cdn").unwrap().run(&rows(records)).unwrap();
    answer.ranking(QueryMetric::named(metric).unwrap(), rank)
}

fn keys(ranking: &Ranking) -> Vec<&str> {
    ranking.rows.iter().map(|row| &*row.key[0]).collect()
}

fn value(figure: Option<Figure>) -> f64 {
    figure.unwrap().value
}

#[test]
fn impact_is_the_improvement_of_the_overall_value_if_the_row_were_as_good_as_the_rest() {
    let [ranking] = &rank("rebuffering_ratio", Rank::Impact, &[records()])[..] else { panic!() };
    let overall = 34_600.0 / (1_060_000.0 + 34_600.0);
    let without_b = 9_600.0 / (960_000.0 + 9_600.0);
    assert_eq!(value(ranking.overall), overall);
    assert_eq!(keys(ranking), ["cdn-b", "*", "cdn-a"]);
    assert_eq!(value(ranking.rows[0].impact), overall - without_b);
    assert_eq!(ranking.rows[0].impact.unwrap().error, Some(0.0));
    assert!(value(ranking.rows[2].impact) < 0.0, "a row that is better than the rest has a negative impact");
    assert!(ranking.rows[1].is_folded() && !ranking.rows[0].is_folded());
    assert_eq!((ranking.rows[0].share, ranking.sessions), (100.0 / 1_060.0, 1_060));
}

#[test]
fn impact_has_the_opposite_sign_for_a_metric_whose_higher_values_are_better() {
    let mut records = records();
    records[1]["good_sessions"] = 0.into();
    let [ranking] = &rank("good", Rank::Impact, &[records])[..] else { panic!() };
    assert_eq!(keys(ranking)[0], "cdn-b");
    assert!((value(ranking.rows[0].impact) - (480.0 / 960.0 - 480.0 / 1_060.0)).abs() < 1e-12);
}

#[test]
fn rows_are_ranked_by_value_and_by_sessions() {
    let of = |metric, order| rank(metric, order, &[records()]);
    assert_eq!(keys(&of("rebuffering_ratio", Rank::Value)[0]), ["cdn-b", "cdn-a", "*"]);
    assert_eq!(keys(&of("rebuffering_ratio", Rank::Sessions)[0]), ["cdn-a", "cdn-b", "*"]);
    // A higher share of good sessions is better, so the row with the lowest share is first.
    let mut good = records();
    good[0]["good_sessions"] = 90.into();
    assert_eq!(keys(&rank("good", Rank::Value, &[good])[0])[0], "cdn-a");
}

#[test]
fn there_is_no_impact_for_a_single_row_or_for_a_metric_that_is_a_sum() {
    let one = table(90, "cdn", &[("cdn-a", 900)]);
    assert_eq!(rank("rebuffering_ratio", Rank::Impact, &[one])[0].rows[0].impact, None);
    let sums = rank("stalls", Rank::Impact, &[records()]);
    assert!(sums[0].rows.iter().all(|row| row.impact.is_none() && row.value.is_some()));
    assert_eq!(keys(&sums[0]), ["cdn-a", "cdn-b", "*"], "equal rows are in the order of their sessions");
}

#[test]
fn error_of_an_impact_equals_the_error_computed_from_numeric_derivatives() {
    let records = noisy(records());
    let [ranking] = &rank("rebuffering_ratio", Rank::Impact, &[records])[..] else { panic!() };
    // The expected error is computed from the derivatives of R − R′ with respect to each of the six sums. The noise of
    // each sum is 8 clamps.
    let sums = [(900_000.0, 9_000.0), (100_000.0, 25_000.0), (60_000.0, 600.0)];
    let ratio = |rows: &[(f64, f64)]| {
        let (playing, stalled) = rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        stalled / (playing + stalled)
    };
    let impact = |rows: &[(f64, f64); 3]| ratio(rows) - ratio(&[rows[0], rows[2]]);
    let mut variance = 0.0;
    for at in 0..3 {
        let (mut playing, mut stalled) = (sums, sums);
        playing[at].0 += 1.0;
        stalled[at].1 += 1.0;
        variance += ((impact(&playing) - impact(&sums)) * 8.0 * 60_000.0).powi(2);
        variance += ((impact(&stalled) - impact(&sums)) * 8.0 * 15_000.0).powi(2);
    }
    // There is no impact, because the denominators are too small compared with their noise. Below, the playing time is
    // longer.
    assert_eq!(ranking.rows[0].impact, None);
    let long = |factor: i64| {
        let mut records = self::noisy(self::records());
        for row in &mut records {
            for name in ["playing_ms", "stalled_ms"] {
                row[name] = (row[name].as_i64().unwrap() * factor).into();
            }
        }
        rank("rebuffering_ratio", Rank::Impact, &[records])[0].rows.clone()
    };
    let row = long(1_000).into_iter().find(|row| row.key[0] == "cdn-b").unwrap();
    let error = row.impact.unwrap().error.unwrap();
    let expected = variance.sqrt() / 1_000.0;
    assert!((error / expected - 1.0).abs() < 1e-3, "{error} {expected}");
}

#[test]
fn each_tenant_has_its_own_ranking() {
    let others = crate::testing::of_tenant("beta", records());
    let rankings = rank("vsf", Rank::Impact, &[records(), others]);
    assert_eq!(rankings.iter().map(|ranking| &*ranking.tenant).collect::<Vec<_>>(), ["acme", "beta"]);
    assert_eq!(rankings[0].rows, rankings[1].rows);
}
