use crowdfold_model::Better;

use super::QueryMetric;
use crate::testing::{query, rows, table};

#[test]
fn every_metric_has_a_unique_name_and_is_found_by_it() {
    let all: Vec<QueryMetric> = QueryMetric::all().collect();
    assert_eq!(all.len(), 30);
    for metric in all {
        assert_eq!(QueryMetric::named(metric.name()), Some(metric));
        assert!(metric.definition().ends_with('.'), "{}", metric.name());
        assert_eq!(metric.is_ratio(), metric.better() != Better::Neither, "{}", metric.name());
    }
    assert_eq!(QueryMetric::named("colour"), None);
}

#[test]
fn only_throughput_bitrate_and_good_sessions_are_better_when_higher() {
    let higher = QueryMetric::all().filter(|metric| metric.better() == Better::Higher);
    assert_eq!(higher.map(QueryMetric::name).collect::<Vec<_>>(), ["good", "bandwidth_kbps", "bitrate_kbps"]);
}

#[test]
fn values_of_metrics_equal_the_values_in_the_json_format() {
    let records = [table(90, "os", &[("Windows", 900)]), table(91, "os", &[("Windows", 700)])];
    let answer = query("--by os").unwrap().run(&rows(&records)).unwrap();
    let json: serde_json::Value = serde_json::from_str(answer.json().trim()).unwrap();
    for metric in QueryMetric::all() {
        let value = metric.of(&answer.groups[0]).map(|figure| figure.value);
        let field = match metric.name() {
            "sessions" => &json["session_windows"],
            name if json[name].is_object() => &json[name]["mean"],
            name => &json[name],
        };
        match (value, field.as_f64()) {
            (None, None) => {}
            (Some(value), Some(field)) => {
                assert!(
                    (value - field).abs() <= field.abs() * 1e-4 + 1e-6,
                    "{} {value} {field}",
                    metric.name()
                );
            }
            (value, field) => panic!("{} {value:?} {field:?}", metric.name()),
        }
    }
}
