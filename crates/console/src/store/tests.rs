mod hours;

use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric};
use crowdfold_query::{Args, Catalogue, Numbers, Query, QueryMetric, Row, TableFacts};
use crowdfold_testkit::rows::{MINUTE, counts_only, noisy, of_tenant, table};
use serde_json::Value;

use super::{Batch, Lifetimes, Limits, Selection, Store};
use crate::ConsoleError;

const LIFETIMES: Lifetimes = Lifetimes { detail: Span::HOUR.times(48), rollups: Span::DAY.times(30) };

/// The first window of these tests, in minutes since 1970. It is at the start of an hour.
const FIRST: u64 = 30_000_000;

fn minute(minute: u64) -> Timestamp {
    Timestamp::from_millis(minute * MINUTE)
}

fn rows(records: &[Value]) -> Vec<Row> {
    records.iter().map(|record| Row::parse(record.to_string().as_bytes()).expect("a row")).collect()
}

fn batch(records: &[Value], next: i64) -> Batch {
    Batch { rows: rows(records), offsets: [(("rollups".to_owned(), 0), next)].into() }
}

fn window(at: u64) -> Vec<Value> {
    let mut records =
        table(at, "os/browser", &[("Windows/Chrome", 900 + at % 7), ("Windows/*", 80), ("*/*", 113)]);
    records.extend(noisy(table(at, "cdn", &[("cdn-a", 700), ("cdn-b", 393)])));
    records
}

fn selection(breakdown: &str, since: u64, until: u64, step: Option<Span>) -> Selection {
    let (since, until) = (minute(since), minute(until));
    Selection { tenant: "acme".into(), breakdown: breakdown.into(), dimensions: None, since, until, step }
}

/// Returns the facts of the tables before a minute.
fn facts(store: &Store, until: u64) -> Vec<TableFacts> {
    let mut found = Vec::new();
    store.facts("acme", (minute(FIRST), minute(until)), |facts| found.push(facts.clone())).unwrap();
    found
}

/// The value of each metric of a group, with its standard error.
type Figures = Vec<Option<(f64, Option<f64>)>>;

/// Returns every metric of each group of a breakdown, in the form of an answer.
fn figures(rows: &[Row], breakdown: &str) -> Vec<(Vec<String>, Figures)> {
    let args = Args { breakdown: Some(breakdown.into()), ..Args::default() };
    let query = Query::from_args(&args, &Catalogue::default(), minute(FIRST)).expect("a query");
    let metrics: Vec<QueryMetric> = QueryMetric::all().collect();
    let answer = query.run(rows).expect("an answer");
    let values = |series: crowdfold_query::Series| {
        let values = series.points[0].values.iter();
        let rounded = |number: f64| (number * 1e6).round() / 1e6;
        let values = values.map(|figure| figure.map(|one| (rounded(one.value), one.error.map(rounded))));
        (series.key, values.collect())
    };
    answer.series(&metrics).into_iter().map(values).collect()
}

#[test]
fn sums_from_the_store_equal_the_sums_of_the_added_rows() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records: Vec<Value> = (FIRST..FIRST + 90).flat_map(window).collect();
    let added = store.add(&batch(&records, 450), minute(FIRST + 91)).unwrap();
    assert_eq!((added.rows, added.repeated, added.expired, added.windows.len()), (450, 0, 0, 90));
    for breakdown in ["os.browser", "cdn"] {
        let stored = store.rows(&selection(breakdown, FIRST, FIRST + 90, None)).unwrap();
        assert_eq!(figures(&stored, breakdown), figures(&rows(&records), breakdown));
    }
    let steps = store.rows(&selection("cdn", FIRST, FIRST + 90, Some(Span::MINUTE.times(15)))).unwrap();
    assert_eq!(steps.len(), 2 * 6);
}

#[test]
fn adding_windows_up_to_hours_keeps_their_sums() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records: Vec<Value> = (FIRST..FIRST + 120).filter(|at| at % 11 != 0).flat_map(window).collect();
    let later = minute(FIRST + 90).saturating_add(LIFETIMES.detail);
    store.add(&batch(&records, 1), minute(FIRST + 121)).unwrap();
    let before = store.rows(&selection("cdn", FIRST, FIRST + 120, None)).unwrap();
    let histograms = |store: &Store| {
        let selection = selection("os.browser", FIRST, FIRST + 120, None);
        store.histograms(&selection, ValueMetric::BandwidthKbps).unwrap()
    };
    let all = histograms(&store);
    assert_eq!(all.iter().map(|row| row.added.unwrap().rows).sum::<u64>(), 3 * 109);
    store.maintain(later).unwrap();
    // the windows of the first hour are added up; those of the second hour are too recent
    let after = store.rows(&selection("cdn", FIRST, FIRST + 120, None)).unwrap();
    assert_eq!(figures(&after, "cdn"), figures(&before, "cdn"));
    assert_eq!(histograms(&store), all);
    assert_eq!(
        store.published(&selection("cdn", FIRST, FIRST + 60, None)).unwrap().values().next(),
        Some(&(54, 0))
    );
    // rows of windows that are already part of an hour are not added again
    let again = store.add(&batch(&records, 1), later).unwrap();
    assert_eq!((again.rows, again.repeated), (0, records.len() as u64));
    store.maintain(later).unwrap();
    let after = store.rows(&selection("cdn", FIRST, FIRST + 120, None)).unwrap();
    assert_eq!(figures(&after, "cdn"), figures(&before, "cdn"));
}

#[test]
fn rows_with_session_counts_only_are_not_added_to_rows_with_numbers() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let mut records = Vec::new();
    for at in FIRST..FIRST + 60 {
        let rows = table(at, "cdn", &[("cdn-a", 700)]);
        records.extend(if at % 3 == 0 { counts_only(rows) } else { noisy(rows) });
    }
    store.add(&batch(&records, 1), minute(FIRST + 61)).unwrap();
    for hours in [false, true] {
        if hours {
            store.maintain(minute(FIRST + 60).saturating_add(LIFETIMES.detail)).unwrap();
        }
        let stored = store.rows(&selection("cdn", FIRST, FIRST + 60, None)).unwrap();
        let kinds: Vec<_> = stored.iter().map(|row| (row.numbers(), row.sessions)).collect();
        assert_eq!(kinds, [(Some(Numbers::Noisy), 40 * 700), (Some(Numbers::Absent), 20 * 700)]);
        assert_eq!(figures(&stored, "cdn"), figures(&rows(&records), "cdn"));
    }
}

#[test]
fn reading_more_rows_than_the_limits_allow_is_refused() {
    let mut store = Store::open(None, LIFETIMES).unwrap();
    let records: Vec<Value> = (FIRST..FIRST + 60).flat_map(window).collect();
    store.add(&batch(&records, 1), minute(FIRST + 61)).unwrap();
    let asked = |step| selection("os.browser", FIRST, FIRST + 60, step);
    let minutes = Some(Span::MINUTE);
    let histograms = |store: &Store| store.histograms(&asked(None), ValueMetric::BandwidthKbps);
    for (read, kept, whole, each, histogram) in
        [(180, 180, true, true, true), (180, 179, true, false, true), (179, 180, false, false, false)]
    {
        store.limits = Limits { read, kept };
        assert_eq!(store.rows(&asked(None)).is_ok(), whole);
        assert_eq!(store.rows(&asked(minutes)).is_ok(), each);
        assert_eq!(histograms(&store).is_ok(), histogram);
    }
    let error = store.rows(&asked(None)).unwrap_err().to_string();
    assert!(
        error.starts_with("the answer needs more than 179 rows of the store; shorten the period"),
        "{error}"
    );
    store.limits = Limits { read: 119, kept: 1 };
    let facts = store.facts("acme", (minute(FIRST), minute(FIRST + 60)), |_| {});
    assert!(matches!(facts, Err(ConsoleError::TooMany { most: 119, .. })), "{facts:?}");
    // the rows of hours are read instead of the rows of their windows
    store.maintain(minute(FIRST + 120).saturating_add(LIFETIMES.detail)).unwrap();
    store.limits = Limits { read: 3, kept: 3 };
    assert_eq!(store.rows(&asked(None)).unwrap().len(), 3);
}

#[test]
fn old_windows_are_added_up_only_when_all_rows_of_their_table_are_stored() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records: Vec<Value> = (FIRST..FIRST + 60).flat_map(window).collect();
    let later = minute(FIRST + 120).saturating_add(LIFETIMES.detail);
    // The first batch ends inside a table, as a batch of a fixed number of records may.
    let (first, second) = records.split_at(152);
    for part in [first, second] {
        assert_eq!(store.add(&batch(part, 1), later).unwrap().repeated, 0);
        store.maintain(later).unwrap();
    }
    for breakdown in ["os.browser", "cdn"] {
        let stored = store.rows(&selection(breakdown, FIRST, FIRST + 60, None)).unwrap();
        assert_eq!(figures(&stored, breakdown), figures(&rows(&records), breakdown));
    }
    assert!(facts(&store, FIRST + 60).iter().all(|one| !one.is_incomplete));
}

#[test]
fn adding_the_same_rows_again_changes_nothing() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records = window(FIRST);
    store.add(&batch(&records, 5), minute(FIRST + 2)).unwrap();
    let repeated = store.add(&batch(&records, 5), minute(FIRST + 2)).unwrap();
    assert_eq!((repeated.rows, repeated.repeated, repeated.windows.len()), (0, 5, 0));
    // a table of the same window with another number of rows is a second publication, which is ignored
    let other = table(FIRST, "os/browser", &[("macOS/Safari", 500)]);
    assert_eq!(store.add(&batch(&other, 6), minute(FIRST + 2)).unwrap().repeated, 1);
    let facts = facts(&store, FIRST + 1);
    let [cdn, os] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!((cdn.sessions, cdn.folded, cdn.smallest), (1_093, 0, 393));
    assert_eq!((os.folded, os.smallest, os.is_incomplete), (193, 80, false));
}

#[test]
fn incomplete_tables_are_marked() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let records = window(FIRST);
    store.add(&batch(&records[..2], 2), minute(FIRST + 2)).unwrap();
    assert!(facts(&store, FIRST + 1)[0].is_incomplete);
    store.add(&batch(&records[2..], 5), minute(FIRST + 2)).unwrap();
    assert!(!facts(&store, FIRST + 1).iter().any(|facts| facts.is_incomplete));
}

#[test]
fn expired_and_future_rows_are_refused_and_rows_that_expire_are_deleted() {
    let store = Store::open(None, LIFETIMES).unwrap();
    let now = minute(FIRST);
    for (at, expired, ahead) in
        [(FIRST + 120, 0, 5), (FIRST + 366 * 1_440, 0, 5), (FIRST - 30 * 1_440 - 1, 5, 0), (0, 5, 0)]
    {
        let added = store.add(&batch(&window(at), 1), now).unwrap();
        assert_eq!((added.rows, added.expired, added.ahead), (0, expired, ahead));
    }
    store.add(&batch(&window(FIRST - 1_440), 1), now).unwrap();
    assert_eq!(store.tenants().unwrap().len(), 1);
    store.maintain(now.saturating_add(Span::DAY.times(29)).saturating_add(Span::MINUTE)).unwrap();
    assert_eq!(store.tenants().unwrap().len(), 0);
    assert_eq!(store.rows(&selection("cdn", 0, FIRST, None)).unwrap(), []);
}

#[test]
fn deleted_rows_are_not_readable_in_the_files_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
    let records: Vec<Value> = (FIRST..FIRST + 300).flat_map(|at| of_tenant("deleted", window(at))).collect();
    store.add(&batch(&records, 1), minute(FIRST + 301)).unwrap();
    let occurrences = || {
        let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let count = |path| std::fs::read(path).unwrap().windows(7).filter(|text| text == b"deleted").count();
        files.map(count).sum::<usize>()
    };
    assert!(occurrences() > 0, "the rows are not on disk");
    store.maintain(minute(FIRST + 300).saturating_add(LIFETIMES.rollups)).unwrap();
    assert_eq!((store.tenants().unwrap().len(), occurrences()), (0, 0));
}

#[test]
fn store_on_disk_keeps_its_offsets_and_rows_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let records = window(FIRST);
    {
        let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
        store.add(&batch(&records, 5), minute(FIRST + 2)).unwrap();
    }
    let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
    assert_eq!(store.offsets("rollups").unwrap(), [(0, 5)].into());
    assert_eq!(store.offsets("others").unwrap(), [].into());
    assert_eq!(store.rows(&selection("cdn", FIRST, FIRST + 1, None)).unwrap().len(), 2);
    assert_eq!(
        store.breakdowns("acme").unwrap(),
        [("cdn".into(), false), ("os.browser".into(), true)].into()
    );
}

#[test]
fn store_of_another_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(Some(directory.path()), LIFETIMES).unwrap());
    let path = directory.path().join(super::FILE);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let error = Store::open(Some(directory.path()), LIFETIMES).unwrap_err();
    assert!(matches!(error, ConsoleError::Newer { version: 3, known: 2, .. }), "{error}");
    assert!(error.to_string().contains("use the newer program, or delete the file"));
    for version in [0, 1] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let error = Store::open(Some(directory.path()), LIFETIMES).unwrap_err();
        assert!(matches!(error, ConsoleError::Older { known: 2, .. }), "{error}");
        assert!(error.to_string().contains("delete the file, which is then filled again"), "{error}");
    }
    std::fs::write(&path, "not a database, but a text that is long enough to be mistaken for one").unwrap();
    assert!(matches!(Store::open(Some(directory.path()), LIFETIMES), Err(ConsoleError::Open { .. })));
}

#[test]
fn second_console_on_a_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
    let error = Store::open(Some(directory.path()), LIFETIMES).unwrap_err();
    assert!(error.to_string().contains("is in use by another console; stop that console"), "{error}");
    drop(store);
    Store::open(Some(directory.path()), LIFETIMES).unwrap();
}

#[test]
fn store_gets_columns_for_new_metrics() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(Some(directory.path()), LIFETIMES).unwrap());
    let column = format!("sum_{}", SumMetric::Stalls.name());
    let connection = rusqlite::Connection::open(directory.path().join(super::FILE)).unwrap();
    connection.execute(&format!("ALTER TABLE rollups DROP COLUMN {column}"), []).unwrap();
    drop(connection);
    let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
    store.add(&batch(&window(FIRST), 5), minute(FIRST + 2)).unwrap();
    let rows = store.rows(&selection("cdn", FIRST, FIRST + 1, None)).unwrap();
    assert_eq!(rows[0].sum(SumMetric::Stalls), Some(70));
}

#[test]
fn batch_that_does_not_fit_on_the_disk_changes_nothing_in_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Some(directory.path()), LIFETIMES).unwrap();
    store.add(&batch(&window(FIRST), 5), minute(FIRST + 2)).unwrap();
    let pages: i64 = store.lock().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.lock().pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<Value> = (FIRST + 1..FIRST + 300).flat_map(window).collect();
    let error = store.add(&batch(&many, 1_500), minute(FIRST + 301)).unwrap_err();
    assert!(error.problem().starts_with("the store failed: database or disk is full"), "{error}");
    assert_eq!(store.offsets("rollups").unwrap(), [(0, 5)].into());
    assert_eq!(store.rows(&selection("cdn", FIRST, FIRST + 300, None)).unwrap().len(), 2);
}

#[test]
fn rows_of_different_tenants_are_kept_apart() {
    let store = Store::open(None, LIFETIMES).unwrap();
    store.add(&batch(&window(FIRST), 5), minute(FIRST + 2)).unwrap();
    store.add(&batch(&of_tenant("beta", window(FIRST)), 10), minute(FIRST + 2)).unwrap();
    assert_eq!(store.tenants().unwrap().into_keys().collect::<Vec<_>>(), ["acme", "beta"]);
    assert_eq!(store.rows(&selection("cdn", FIRST, FIRST + 1, None)).unwrap().len(), 2);
    assert_eq!(store.window_length("beta").unwrap(), Some(Span::MINUTE));
}
