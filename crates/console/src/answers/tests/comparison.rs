use crowdfold_model::Span;
use crowdfold_query::{Args, Catalogue, Query, QueryMetric};
use serde_json::json;

use super::{Access, Asked, ask, minute, old_store, rows};

#[test]
fn comparison_shortens_both_periods_to_the_newest_published_window() {
    let reply =
        ask(|asked| asked.compare("tenant=acme&metric=sessions&by=cdn&since=30m&against=1h")).unwrap();
    let row = reply.json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["dimensions"]["cdn"] == "cdn-b")
        .unwrap();
    let sum = |from: u64, to: u64| (from..to).map(|at| 100 + at).sum::<u64>() as f64;
    assert_eq!(
        (row["now"]["value"].as_f64(), row["before"]["value"].as_f64()),
        (Some(sum(90, 120)), Some(sum(30, 60)))
    );
}

#[test]
fn comparison_with_a_period_that_is_kept_as_hours_compares_full_hours() {
    let (store, now) = old_store();
    let now = now.saturating_sub(Span::from_millis(1));
    let asked = Asked { store: &store, access: &Access::All, now, detail: Span::HOUR };
    let sum = |from: u64, to: u64| (from..to).filter(|at| *at != 5).map(|at| 1_060 + at).sum::<u64>() as f64;
    let until = minute(120).as_millis();
    let query = format!("tenant=acme&breakdown=os&metric=sessions&since=20m&until={until}&against=75m");
    let reply = asked.compare(&query).unwrap().json;
    let row = &reply["rows"][0];
    assert_eq!(row["now"]["value"], sum(60, 120));
    assert_eq!(row["before"]["value"], sum(0, 60));
    assert_eq!(
        (&reply["since"], &reply["against"]),
        (&minute(60).as_millis().into(), &minute(0).as_millis().into())
    );
    assert_eq!(reply["rounded"], true);
}

#[test]
fn comparison_with_a_period_that_lacks_windows_equals_the_comparison_of_the_command_query() {
    let metrics = ["sessions", "minutes_watched", "stalls", "concurrent_mean", "rebuffering_ratio"];
    let request = format!("tenant=acme&metric={}&by=cdn&since=1h&against=1h", metrics.join(","));
    let reply = ask(|asked| asked.compare(&request)).unwrap();
    let args = Args { tenant: Some("acme".into()), by: Some("cdn".into()), ..Args::default() };
    let query = Query::from_args(&args, &Catalogue::default(), minute(120)).unwrap();
    let answer = |from: u64, to: u64| query.clone().between(minute(from), minute(to)).run(&rows()).unwrap();
    let metrics = metrics.map(|name| QueryMetric::named(name).unwrap());
    let expected = answer(60, 120).compare(&answer(0, 60), &metrics);
    let seen = reply.json["rows"].as_array().unwrap();
    assert_eq!(seen.len(), expected.len());
    for (row, expected) in seen.iter().zip(&expected) {
        let name = expected.metric.name();
        assert_eq!(row["metric"], name);
        assert_eq!(row["incomparable"], json!(expected.incomparable), "{name}");
        assert_eq!(row["change"], json!(expected.change()), "{name}");
        // the window 5 is missing and the window 7 is incomplete
        let windows = json!({
            "now": {"windows": 60, "incomplete": false}, "before": {"windows": 59, "incomplete": true},
        });
        let is_ratio = name == "rebuffering_ratio";
        assert_eq!(row["incomparable"], if is_ratio { json!(null) } else { windows }, "{name}");
        assert_eq!(row["change"].is_null(), !is_ratio, "{name}");
    }
}
