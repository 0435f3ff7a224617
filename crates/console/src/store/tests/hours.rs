//! Tests of the sums of hours.

use crowdfold_model::{Span, Timestamp, ValueMetric};
use crowdfold_query::{Args, Catalogue, Query, QueryMetric, Row};
use crowdfold_testkit::rows::{noisy, table};

use super::{FIRST, LIFETIMES, minute, rows, selection};
use crate::store::schema::State;
use crate::{Batch, Lifetimes, Selection, Store};

/// A generator of pseudorandom numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn query(
    (breakdown, by): (&str, Option<&str>),
    (since, until): (Timestamp, Timestamp),
    step: Option<Span>,
) -> Query {
    let args = Args { breakdown: Some(breakdown.into()), by: by.map(str::to_owned), ..Args::default() };
    let query = Query::from_args(&args, &Catalogue::default(), minute(FIRST)).expect("a query");
    let query = query.between(since, until);
    step.map_or(query.clone(), |step| query.every(step))
}

/// Returns the metrics of each group in each interval as text, and the distribution of bandwidth.
fn answer(query: &Query, rows: &[Row], step: Option<Span>, histograms: &[Row]) -> Vec<String> {
    let metrics: Vec<QueryMetric> = QueryMetric::all().collect();
    let mut texts = Vec::new();
    for series in query.run(rows).expect("an answer").series(&metrics) {
        for point in series.points {
            let start = step.map_or(Timestamp::EPOCH, |step| point.span.start.floor(step));
            let figures = point.values.iter().map(|figure| {
                figure.map(|one| (format!("{:.6}", one.value), one.error.map(|error| format!("{error:.4}"))))
            });
            texts.push(format!(
                "{start} {:?} {} {:?}",
                series.key,
                point.sessions,
                figures.collect::<Vec<_>>()
            ));
        }
    }
    texts.sort();
    let mut sum = query.distribution(ValueMetric::BandwidthKbps);
    histograms.iter().for_each(|row| sum.add(row));
    texts.push(format!("{:?}", sum.finish()));
    texts
}

/// Compares answers from the store with answers from the published rows that the store contains.
fn compare(store: &Store, published: &[Row], random: &mut Random) {
    let breakdown = ["cdn", "os.browser"][random.below(2) as usize];
    let (mut since, mut until) = (FIRST + random.below(300), FIRST + 301 + random.below(60));
    let mut step = [None, Some(15), Some(60), Some(120)][random.below(4) as usize];
    let hours = store.end_of_hours("acme", breakdown).unwrap().unwrap_or_default();
    if minute(since) < hours {
        since -= since % 60;
        step = step.map(|_| 60);
    }
    if minute(until) < hours {
        until = until.next_multiple_of(60);
    }
    let step = step.map(|minutes| Span::MINUTE.times(minutes));
    let by = [None, Some(""), breakdown.split('.').next()][random.below(3) as usize];
    let query = query((breakdown, by), (minute(since), minute(until)), step);
    let selection =
        Selection { dimensions: query.relevant_dimensions(), ..selection(breakdown, since, until, step) };
    let histograms = store.histograms(&selection, ValueMetric::BandwidthKbps).unwrap();
    let found = answer(&query, &store.rows(&selection).unwrap(), step, &histograms);
    let expected = answer(&query, published, step, published);
    let differences: Vec<_> = found.iter().zip(&expected).filter(|(one, other)| one != other).collect();
    assert_eq!(differences, [], "{breakdown} by {by:?} from {since} to {until} every {step:?}");
    assert_eq!(found.len(), expected.len());
}

#[test]
fn answers_do_not_depend_on_the_time_at_which_windows_are_added_up() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let store = Store::open(None, LIFETIMES).unwrap();
        let mut records = Vec::new();
        for at in (FIRST..FIRST + 360).step_by(3) {
            let (low, high) = (100 + random.below(20), 500 + random.below(400));
            let mut own =
                table(at, "os/browser", &[("Windows/Chrome", high), ("Windows/*", low), ("*/*", 113)]);
            own[2]["bandwidth_kbps"]["histogram"] = if random.below(2) == 0 {
                serde_json::Value::Null
            } else {
                own[0]["bandwidth_kbps"]["histogram"].clone()
            };
            records.extend(own);
            records.extend(noisy(table(at, "cdn", &[("cdn-a", high), ("cdn-b", 10 * low)])));
        }
        let mut waiting = rows(&records);
        let mut published: Vec<Row> = Vec::new();
        while !waiting.is_empty() {
            // rows arrive in any order, also in a batch that contains only some rows of a table
            let batch: Vec<Row> = (0..1 + random.below(150))
                .map_while(|_| {
                    let at = random.below(20).min(waiting.len() as u64);
                    (!waiting.is_empty()).then(|| waiting.remove(at.min(waiting.len() as u64 - 1) as usize))
                })
                .collect();
            published.extend(batch.iter().cloned());
            let added =
                store.add(&Batch { rows: batch.clone(), ..Batch::default() }, minute(FIRST + 361)).unwrap();
            assert_eq!(added.rows, batch.len() as u64);
            compare(&store, &published, &mut random);
            let old = LIFETIMES.detail.as_millis() / 60_000;
            store.maintain(minute(FIRST + random.below(400) + random.below(2) * old)).unwrap();
            compare(&store, &published, &mut random);
        }
        (0..10).for_each(|_| compare(&store, &published, &mut random));
    }
}

#[test]
fn windows_that_outlive_the_sums_of_their_hour_remain_in_answers() {
    let lifetimes = Lifetimes { detail: Span::DAY.times(40), rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    let records: Vec<_> =
        (FIRST..FIRST + 120).flat_map(|at| table(at, "cdn", &[("cdn-a", 100 + at % 60)])).collect();
    let published = rows(&records);
    store.add(&Batch { rows: published.clone(), ..Batch::default() }, minute(FIRST + 121)).unwrap();
    let sums =
        || -> i64 { store.lock().query_row("SELECT COUNT(*) FROM sums", [], |row| row.get(0)).unwrap() };
    store.maintain(minute(FIRST + 121)).unwrap();
    assert_eq!(sums(), 2);
    for expired in [1, 30, 59, 60, 61, 119, 120] {
        store.maintain(minute(FIRST + expired).saturating_add(lifetimes.rollups)).unwrap();
        let selection = selection("cdn", FIRST, FIRST + 120, None);
        let query = query(("cdn", None), (minute(FIRST), minute(FIRST + 120)), None);
        let remaining = &published[expired as usize..];
        let histograms = store.histograms(&selection, ValueMetric::BandwidthKbps).unwrap();
        let found = answer(&query, &store.rows(&selection).unwrap(), None, &histograms);
        assert_eq!(found, answer(&query, remaining, None, remaining), "{expired}");
        // the sums of an hour contain its first window
        assert_eq!(sums(), i64::from(expired < 61));
    }
}

#[test]
fn hours_that_are_kept_as_sums_only_are_deleted_with_their_first_window() {
    let lifetimes = Lifetimes { detail: Span::HOUR.times(2), rollups: Span::DAY };
    let store = Store::open(None, lifetimes).unwrap();
    let records: Vec<_> = (FIRST..FIRST + 120).flat_map(|at| table(at, "cdn", &[("cdn-a", 100)])).collect();
    store.add(&Batch { rows: rows(&records), ..Batch::default() }, minute(FIRST + 121)).unwrap();
    store.maintain(minute(FIRST + 300)).unwrap();
    let count = |sql: &str| -> i64 { store.lock().query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT COUNT(*) FROM rollups"), 0);
    assert_eq!(count(&format!("SELECT COUNT(*) FROM tables WHERE state = {}", State::HOUR)), 120);
    for (expired, hours) in [(0, 2), (1, 1), (60, 1), (61, 0)] {
        store.maintain(minute(FIRST + expired).saturating_add(lifetimes.rollups)).unwrap();
        for table in ["sums", "histograms", "tables"] {
            let found = count(&format!("SELECT COUNT(DISTINCT start / 3600000) FROM {table}"));
            assert_eq!(found, hours, "{table} after {expired} minutes");
        }
    }
}

#[test]
fn windows_of_an_hour_or_more_are_never_added_up() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let mut records = table(FIRST, "cdn", &[("cdn-a", 100)]);
    records[0]["window"]["end"] = ((FIRST + 60) * 60_000).into();
    store.add(&Batch { rows: rows(&records), ..Batch::default() }, minute(FIRST + 61)).unwrap();
    store.maintain(minute(FIRST + 120).saturating_add(LIFETIMES.detail)).unwrap();
    let rows = store.rows(&selection("cdn", FIRST, FIRST + 60, None)).unwrap();
    assert_eq!((rows.len(), rows[0].sessions), (1, 100));
    assert_eq!(store.end_of_hours("acme", "cdn").unwrap(), None);
}

#[test]
fn sums_beyond_the_range_of_integers_do_not_break_answers() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records: Vec<_> = (FIRST..FIRST + 60)
        .flat_map(|at| {
            let mut records = table(at, "cdn", &[("cdn-a", 100), ("*", 100)]);
            for record in &mut records {
                record["playing_ms"] = i64::MAX.into();
                record["sessions"] = u64::MAX.into();
                record["bandwidth_kbps"]["histogram"] = serde_json::json!([[0, u64::MAX, u64::MAX]]);
            }
            records
        })
        .collect();
    store.add(&Batch { rows: rows(&records), ..Batch::default() }, minute(FIRST + 61)).unwrap();
    for _ in 0..2 {
        let rows = store.rows(&selection("cdn", FIRST, FIRST + 60, None)).unwrap();
        assert_eq!(rows[0].sessions, i64::MAX as u64);
        let histograms =
            store.histograms(&selection("cdn", FIRST, FIRST + 60, None), ValueMetric::BandwidthKbps).unwrap();
        let query = query(("cdn", None), (minute(FIRST), minute(FIRST + 60)), None);
        assert_eq!(answer(&query, &rows, None, &histograms).len(), 3);
        store.facts("acme", (minute(FIRST), minute(FIRST + 60)), |_| {}).unwrap();
        store.maintain(minute(FIRST + 120).saturating_add(LIFETIMES.detail)).unwrap();
    }
}
