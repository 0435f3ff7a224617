use serde_json::Value;

use crate::testing::{noisy, query, rows, table};
use crate::{Answer, QueryMetric, Rank};

fn answer(records: &[Vec<Value>]) -> Answer {
    query("--by os").unwrap().run(&rows(records)).unwrap()
}

fn metric(name: &str) -> QueryMetric {
    QueryMetric::named(name).unwrap()
}

#[test]
fn ranking_is_written_in_each_format() {
    let mut records = table(90, "os", &[("Windows", 900), ("a|b", 100)]);
    records[1]["stalled_ms"] = 600_000.into();
    let answer = answer(&[records]);
    let report = answer.ranking_report(&answer.ranking(metric("rebuffering_ratio"), Rank::Impact));
    assert_eq!(
        report.table(),
        "tenant  os       sessions   share  rebuffering_ratio   impact\n\
         acme    a|b           100  10.00%             10.00%  +0.97pp\n\
         acme    Windows       900  90.00%              1.10%  -7.93pp\n"
    );
    assert_eq!(
        report.markdown().lines().take(3).collect::<Vec<_>>(),
        [
            "| tenant | os | sessions | share | rebuffering\\_ratio | impact |",
            "| --- | --- | ---: | ---: | ---: | ---: |",
            "| acme | a\\|b | 100 | 10.00% | 10.00% | +0.97pp |",
        ]
    );
    assert_eq!(
        report.csv().lines().take(2).collect::<Vec<_>>(),
        [
            "tenant,os,sessions,share,rebuffering_ratio,impact,value_error,impact_error",
            "acme,a|b,100,0.1000,0.100000,0.009686,0.000000,0.000000",
        ]
    );
    let line: Value = serde_json::from_str(report.json().lines().next().unwrap()).unwrap();
    assert_eq!((&line["dimensions"]["os"], &line["value"]["value"]), (&"a|b".into(), &0.1.into()));
}

#[test]
fn comparison_contains_the_noise_of_a_change() {
    let now = answer(&[noisy(table(90, "os", &[("Windows", 900)]))]);
    let before = answer(&[noisy(table(80, "os", &[("Windows", 600)]))]);
    let report = now.comparison_report(&now.compare(&before, &[metric("sessions"), metric("stalls")]));
    assert_eq!(
        report.table(),
        "tenant  os       metric       now  before   change  relative\n\
         acme    Windows  sessions     900     600     +300    +50.0%\n\
         acme    Windows  stalls    90 ±24  60 ±24  +30 ±34    +50.0%\n"
    );
    assert!(report.csv().starts_with("tenant,os,metric,now,before,change,relative,now_error,"));
}
