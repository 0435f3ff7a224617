use crowdfold_model::{Span, Timestamp};
use crowdfold_query::{Args, Catalogue, Query, QueryMetric, Rank, Row};
use crowdfold_testkit::rows::{MINUTE, counts_only, noisy, of_tenant, table};
use hyper::StatusCode;
use serde_json::Value;

use super::{Asked, Reply};
use crate::question::Refusal;
use crate::{Access, Batch, Lifetimes, Store};

mod comparison;

const FIRST: u64 = 30_000_000;

fn minute(after: u64) -> Timestamp {
    Timestamp::from_millis((FIRST + after) * MINUTE)
}

/// Returns two hours of windows. The window at index 5 is missing, and the window at index 7 is incomplete.
fn records() -> Vec<Value> {
    let mut records = Vec::new();
    for at in (0..120).filter(|at| *at != 5) {
        let mut own = table(
            FIRST + at,
            "cdn/connection",
            &[("cdn-a/wifi", 900), ("cdn-b/wifi", 100 + at), ("*/*", 60)],
        );
        own[1]["stalled_ms"] = (600_000 + at).into();
        if at == 7 {
            own.iter_mut().for_each(|row| row["coverage"] = serde_json::json!({"partitions": 3, "of": 4}));
        }
        records.extend(own);
        records.extend(noisy(table(FIRST + at, "os", &[("Windows", 1_000), ("*", 60 + at)])));
    }
    records.extend(of_tenant("beta", table(FIRST + 5, "os", &[("Windows", 500)])));
    records
}

fn rows() -> Vec<Row> {
    records().iter().map(|record| Row::parse(record.to_string().as_bytes()).unwrap()).collect()
}

fn store() -> Store {
    let lifetimes = Lifetimes { detail: Span::DAY.times(2), rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    store.add(&Batch { rows: rows(), ..Batch::default() }, minute(121)).unwrap();
    store
}

fn ask(of: impl Fn(&Asked<'_>) -> Result<Reply, Refusal>) -> Result<Reply, Refusal> {
    let store = store();
    of(&Asked { store: &store, access: &Access::All, now: minute(120), detail: Span::DAY.times(2) })
}

#[test]
fn breakdown_equals_the_ranking_of_the_command_query() {
    let reply = ask(|asked| asked.breakdown("tenant=acme&metric=rebuffering_ratio&by=cdn&since=1h")).unwrap();
    let args = Args { tenant: Some("acme".into()), by: Some("cdn".into()), ..Args::default() };
    let query = Query::from_args(&args, &Catalogue::default(), minute(120)).unwrap();
    let answer = query.between(minute(60), minute(120)).run(&rows()).unwrap();
    let metric = QueryMetric::named("rebuffering_ratio").unwrap();
    let expected = &answer.ranking(metric, Rank::Impact)[0];
    let rows = reply.json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), expected.rows.len());
    for (row, expected) in rows.iter().zip(&expected.rows) {
        assert_eq!(row["dimensions"]["cdn"], *expected.key[0]);
        assert_eq!(row["sessions"], expected.sessions);
        assert_eq!(row["value"]["value"].as_f64(), expected.value.map(|figure| figure.value));
        assert_eq!(row["impact"]["value"].as_f64(), expected.impact.map(|figure| figure.value));
    }
    assert_eq!(
        (&reply.json["numbers"], &reply.json["breakdown"]),
        (&"exact".into(), &"cdn.connection".into())
    );
    let csv = Reply::csv(&reply.csv.unwrap());
    assert!(
        csv.starts_with(
            "cdn,sessions,share,rebuffering_ratio,rebuffering_ratio_error,impact,impact_error\ncdn-b,"
        ),
        "{csv}"
    );
}

#[test]
fn every_metric_of_every_group_equals_the_answer_of_the_command_query() {
    let lifetimes = Lifetimes { detail: Span::DAY.times(2), rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    // each group except the first is absent from some windows, and one group has different cells in different windows
    let mut records = Vec::new();
    for at in 0..60 {
        let mut rows = vec![("cdn-a/wifi", 900), ("*/*", 60 + at)];
        rows.extend((at % 3 == 0).then_some(("cdn-b/wifi", 100 + at)));
        rows.extend((at % 4 == 0).then_some(("cdn-b/*", 70)));
        records.extend(noisy(table(FIRST + at, "cdn/connection", &rows)));
    }
    let rows: Vec<Row> =
        records.iter().map(|record| Row::parse(record.to_string().as_bytes()).unwrap()).collect();
    store.add(&Batch { rows: rows.clone(), ..Batch::default() }, minute(121)).unwrap();
    let asked = Asked { store: &store, access: &Access::All, now: minute(60), detail: Span::DAY.times(2) };
    let metrics: Vec<QueryMetric> = QueryMetric::all().collect();
    let names = metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(",");
    for (by, step) in [("", 15), ("cdn", 1), ("cdn", 15), ("cdn,connection", 60)] {
        let reply =
            asked.timeseries(&format!("metric={names}&by={by}&since=1h&step={step}m&where=connection:wifi"));
        let reply = reply.unwrap().json;
        let args = Args {
            breakdown: Some("cdn,connection".into()),
            by: Some(by.into()),
            where_: vec!["connection=wifi".into()],
            every: Some(format!("{step}m")),
            ..Args::default()
        };
        let query = Query::from_args(&args, &Catalogue::default(), minute(60)).unwrap();
        let series = query.run(&rows).unwrap().series(&metrics);
        assert_eq!(reply["series"].as_array().unwrap().len(), series.len());
        for (one, expected) in reply["series"].as_array().unwrap().iter().zip(&series) {
            for point in &expected.points {
                let start = point.span.start.floor(Span::MINUTE.times(step)).as_millis();
                let starts = reply["intervals"]["start"].as_array().unwrap();
                let at = starts.iter().position(|one| *one == start).unwrap();
                for (metric, figure) in metrics.iter().zip(&point.values) {
                    let values = &one["values"][metric.name()];
                    let close = |value: &Value, expected: Option<f64>| match (value.as_f64(), expected) {
                        (Some(value), Some(expected)) => (value - expected).abs() <= expected.abs() * 1e-9,
                        (value, expected) => value == expected,
                    };
                    let name = format!("{} of {:?} every {step} minutes", metric.name(), expected.key);
                    assert!(close(&values["value"][at], figure.map(|figure| figure.value)), "{name}");
                    assert!(close(&values["error"][at], figure.and_then(|figure| figure.error)), "{name}");
                }
            }
        }
    }
}

#[test]
fn missing_windows_have_no_value_and_incomplete_windows_are_marked() {
    let reply = ask(|asked| asked.timeseries("tenant=acme&metric=sessions&since=2h&step=1m")).unwrap();
    let at = |name: &str, at: usize| reply.json["intervals"][name][at].as_u64().unwrap();
    let values = &reply.json["series"][0]["values"]["sessions"]["value"];
    for interval in 0..120 {
        let is_missing = interval == 5;
        assert_eq!(at("expected", interval), 1);
        assert_eq!(at("published", interval), u64::from(!is_missing), "{interval}");
        assert_eq!(at("incomplete", interval), u64::from(interval == 7));
        assert_eq!(at("withheld", interval), u64::from(is_missing), "beta has a row in this window");
        assert_eq!(reply.json["series"][0]["numbers"][interval].is_null(), is_missing);
        assert_eq!(values[interval].is_null(), is_missing);
    }
    assert_eq!(values[10], 1_070.0);
    let csv = Reply::csv(&reply.csv.unwrap());
    assert_eq!(csv.lines().count(), 1 + 119);
    // an interval of an hour contains 60 windows
    let hours = ask(|asked| asked.timeseries("tenant=acme&metric=sessions&since=2h&step=1h")).unwrap();
    assert_eq!(hours.json["intervals"]["published"], serde_json::json!([59, 60]));
    assert_eq!(hours.json["intervals"]["expected"], serde_json::json!([60, 60]));
}

#[test]
fn answers_name_the_least_precise_numbers_and_count_sessions_without_numbers() {
    let lifetimes = Lifetimes { detail: Span::DAY.times(2), rollups: Span::DAY.times(30) };
    let answer = |of: [fn(Vec<Value>) -> Vec<Value>; 3]| {
        let store = Store::open(None, lifetimes).unwrap();
        let records = (0..).zip(of).flat_map(|(at, of)| of(table(FIRST + at, "os", &[("Windows", 500)])));
        let row = |record: Value| Row::parse(record.to_string().as_bytes()).unwrap();
        store.add(&Batch { rows: records.map(row).collect(), ..Batch::default() }, minute(5)).unwrap();
        let asked = Asked { store: &store, access: &Access::All, now: minute(3), detail: lifetimes.detail };
        let reply = asked.timeseries("metric=plays&since=3m&step=1m").unwrap().json;
        let numbers = reply["series"][0]["numbers"].clone();
        (reply["numbers"].clone(), reply["sessions_without_numbers"].clone(), numbers)
    };
    let private = |mut records: Vec<Value>| {
        records[0].as_object_mut().unwrap().remove("detail");
        records[0]["policy"] =
            serde_json::json!({"name": "differential-privacy", "k": 50, "sigma": 27.0, "tau": 150});
        records
    };
    assert_eq!(
        answer([|records| records, noisy, counts_only]),
        ("noisy".into(), 500.into(), serde_json::json!(["exact", "noisy", "counts_only"]))
    );
    assert_eq!(answer([|records| records; 3]).0, "exact");
    assert_eq!(answer([counts_only; 3]).0, "counts_only");
    assert_eq!(answer([noisy, private, noisy]).0, "private");
}

/// Returns an hour and a half of windows of one minute, of which the first hour is older than the detail.
fn old_store() -> (Store, Timestamp) {
    let lifetimes = Lifetimes { detail: Span::HOUR, rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    let now = minute(120);
    store.add(&Batch { rows: rows(), ..Batch::default() }, now).unwrap();
    store.maintain(now).unwrap();
    (store, now)
}

#[test]
fn period_that_is_kept_as_hours_is_rounded_outward() {
    let (store, now) = old_store();
    let asked = Asked { store: &store, access: &Access::All, now, detail: Span::HOUR };
    let sum = |from: u64, to: u64| (from..to).filter(|at| *at != 5).map(|at| 1_060 + at).sum::<u64>();
    let at = |after: u64| minute(after).as_millis();
    for (period, since, until) in [
        ("since=90m&until=80m", 0, 60),
        ("since=70m&until=20m", 0, 100),
        ("since=60m&until=20m", 60, 100),
        ("since=50m", 70, 120),
    ] {
        let reply = asked.breakdown(&format!("tenant=acme&breakdown=os&metric=vsf&{period}")).unwrap().json;
        assert_eq!(reply["sessions"], sum(since, until), "{period}");
        assert_eq!((&reply["since"], &reply["until"]), (&at(since).into(), &at(until).into()), "{period}");
        assert_eq!(reply["rounded"], since == 0, "{period}");
    }
    let reply =
        asked.timeseries("tenant=acme&breakdown=os&metric=sessions&since=110m&until=70m").unwrap().json;
    assert_eq!((&reply["since"], &reply["rounded"]), (&at(0).into(), &true.into()));
    assert_eq!(reply["series"][0]["sessions"], serde_json::json!([sum(0, 60)]));
}

#[test]
fn distribution_is_the_sum_of_the_histograms_in_the_store() {
    let reply = ask(|asked| asked.distribution("tenant=acme&metric=bandwidth_kbps&since=1h")).unwrap();
    let distribution = &reply.json["distribution"];
    let sessions: u64 = (60..120).map(|at| 900 + 100 + at + 60).sum();
    assert_eq!((&distribution["sessions"], &distribution["rows"]), (&sessions.into(), &180.into()));
    assert_eq!(distribution["ranges"][0]["at_least"], 20 * 180);
}

#[test]
fn answer_about_windows_lists_withheld_and_incomplete_windows_of_each_tenant() {
    let reply = ask(|asked| asked.windows("since=3h")).unwrap();
    let acme = &reply.json["tenants"][0];
    assert_eq!(acme["withheld"], serde_json::json!([(FIRST + 5) * MINUTE]));
    assert_eq!(acme["incomplete"], serde_json::json!([(FIRST + 7) * MINUTE]));
    assert_eq!(acme["freshness_ms"], 0);
    assert_eq!(acme["tables"][0]["smallest_row"], 60);
}

#[test]
fn invalid_questions_are_refused_with_a_status_and_the_fix() {
    type Of = fn(&Asked<'_>, &str) -> Result<Reply, Refusal>;
    let timeseries: Of = |asked, query| asked.timeseries(query);
    let breakdown: Of = |asked, query| asked.breakdown(query);
    let distribution: Of = |asked, query| asked.distribution(query);
    let compare: Of = |asked, query| asked.compare(query);
    for (of, query, status, expected) in [
        (timeseries, "metric=vsf", 400, "tenant is missing; set it to one of: acme, beta"),
        (
            timeseries,
            "tenant=gamma&metric=vsf",
            404,
            "unknown tenant \"gamma\"; the tenants with rollups are: acme, beta",
        ),
        (timeseries, "tenant=acme", 400, "metric is missing; set it to one or more metrics"),
        (
            timeseries,
            "tenant=acme&metric=vsf&by=shape",
            400,
            "by: \"shape\" is not a dimension; the dimensions are country",
        ),
        (timeseries, "tenant=acme&metric=vsf&by=os,os", 400, "by \"os,os\" contains a dimension twice"),
        (
            timeseries,
            "tenant=acme&metric=vsf&breakdown=os.os",
            400,
            "breakdown \"os.os\" contains a dimension twice",
        ),
        (
            timeseries,
            "tenant=acme&metric=vsf&breakdown=country",
            404,
            "no table country was published; the breakdowns of acme are cdn.connection, os",
        ),
        (
            timeseries,
            "tenant=acme&metric=vsf&by=os&where=cdn:cdn-a",
            422,
            "no published table answers this question",
        ),
        (
            timeseries,
            "tenant=acme&metric=vsf&by=connection",
            422,
            "ask with breakdown=cdn.connection and by=cdn,connection",
        ),
        (
            timeseries,
            "tenant=acme&metric=vsf&breakdown=cdn.connection&by=connection",
            422,
            "group by cdn or cdn,connection",
        ),
        (timeseries, "tenant=acme&metric=vsf&since=1h&until=2h", 400, "is not before until"),
        (timeseries, "tenant=acme&metric=vsf&where=os", 400, "write it like os:Windows"),
        (breakdown, "tenant=acme&metric=vsf,vpf&by=cdn", 400, "metric contains several metrics"),
        (breakdown, "tenant=acme&metric=stalls&by=cdn", 422, "stalls is not a ratio, so it has no impact"),
        (breakdown, "tenant=acme&metric=vsf&by=cdn&rank=worst", 400, "the ranks are value, sessions, impact"),
        (breakdown, "tenant=acme&metric=vsf&by=cdn&limit=0", 400, "set it to a number from 1 to 1000"),
        (distribution, "tenant=acme&metric=bitrate_kbps", 400, "the metrics with histograms are startup_ms"),
        (compare, "tenant=acme&metric=vsf&against=30m&since=1h&limit=3", 400, "unknown parameter \"limit\""),
        (compare, "tenant=acme&metric=vsf&against=tomorrow", 400, "against is \"tomorrow\"; set it to"),
    ] {
        let refused = ask(|asked| of(asked, query)).err().unwrap_or_else(|| panic!("{query} is answered"));
        assert_eq!(refused.status, StatusCode::from_u16(status).unwrap(), "{query}: {}", refused.message);
        assert!(refused.message.contains(expected), "{query}: {}", refused.message);
    }
}

#[test]
fn tenants_that_a_token_may_not_see_are_reported_as_unknown() {
    let store = store();
    let access = Access::Tenants(["beta".to_owned()].into());
    let asked = Asked { store: &store, access: &access, now: minute(120), detail: Span::DAY };
    assert_eq!(asked.timeseries("tenant=acme&metric=vsf").unwrap_err().status, StatusCode::NOT_FOUND);
    assert!(asked.timeseries("metric=sessions&since=2h").is_ok(), "the only visible tenant needs no name");
    for reply in [asked.tenants(), asked.breakdowns(""), asked.windows("since=3h")] {
        let text = reply.unwrap().json.to_string();
        assert!(text.contains("beta") && !text.contains("acme"), "{text}");
    }
    assert_eq!(asked.breakdowns("tenant=acme").unwrap_err().status, StatusCode::NOT_FOUND);
}

#[test]
fn custom_dimension_is_known_if_a_table_of_the_tenant_has_it() {
    let lifetimes = Lifetimes { detail: Span::DAY.times(2), rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    let mut records = table(FIRST + 5, "arm", &[("A", 500), ("B", 300)]);
    records.extend(of_tenant("beta", table(FIRST + 5, "os", &[("Windows", 500)])));
    let rows = records.iter().map(|record| Row::parse(record.to_string().as_bytes()).unwrap()).collect();
    store.add(&Batch { rows, ..Batch::default() }, minute(121)).unwrap();
    let asked = Asked { store: &store, access: &Access::All, now: minute(120), detail: Span::DAY.times(2) };
    let reply = asked.breakdown("tenant=acme&metric=rebuffering_ratio&by=arm&where=arm:B&since=2h").unwrap();
    assert_eq!(reply.json["rows"][0]["sessions"], 300);
    for request in ["by=arm", "by=os&where=arm:B"] {
        let refused =
            asked.breakdown(&format!("tenant=beta&metric=rebuffering_ratio&{request}")).unwrap_err();
        assert!(
            refused.message.contains("\"arm\" is not a dimension; the dimensions are country"),
            "{refused:?}"
        );
    }
}

#[test]
fn csv_escapes_formulas_and_writes_negative_numbers_unchanged() {
    let lines = [["-0.01", "-a", "=1+1", "a,b"].map(str::to_owned).to_vec()];
    assert_eq!(Reply::csv(&lines), "-0.01,'-a,'=1+1,\"a,b\"\n");
}

#[test]
fn windows_of_a_tenant_that_is_unknown_or_not_visible_are_refused() {
    for (tenant, access) in [("gamma", Access::All), ("beta", Access::Tenants(["acme".to_owned()].into()))] {
        let (store, query) = (store(), format!("tenant={tenant}"));
        let asked = Asked { store: &store, access: &access, now: minute(120), detail: Span::DAY.times(2) };
        assert_eq!(asked.windows(&query).unwrap_err().status, StatusCode::NOT_FOUND, "{tenant}");
    }
}
