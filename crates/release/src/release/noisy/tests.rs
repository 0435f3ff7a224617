use crowdfold_model::Dimension::{Browser, Country, Device, Os};
use crowdfold_model::{Cell, Span, SumMetric, Sums, Table, Timestamp, ValueMetric, Window};

use super::super::release;
use super::{ReleaseError, Released};
use crate::testing::{cell, cell_key, table};
use crate::{Policy, PolicySettings, PrivacySettings, Secret};

const HOUR: Span = Span::HOUR;
const WINDOW: Window = Window::at(Timestamp::from_millis(36_000_000), HOUR);
const IDLE: Span = Span::SECOND.times(90);
const BUDGET: PrivacySettings = PrivacySettings { epsilon: 1.0, delta: 1e-8, window: HOUR, idle: IDLE };

fn keyless(k: u64, budget: &PrivacySettings) -> Policy {
    let settings = PolicySettings {
        k,
        allow_small_k: true,
        breakdowns: vec![vec![Os], vec![Os, Browser]],
        ..Default::default()
    };
    Policy::differential_privacy(settings, budget).unwrap()
}

fn policy(k: u64, budget: &PrivacySettings) -> Policy {
    keyless(k, budget).keyed(Secret::new([7; 32]))
}

/// Returns a cell with typical sums for each session, and values in three distributions.
fn full(sessions: u64) -> Cell {
    let mut full = cell(sessions);
    full.sums = Sums {
        beacons: 500 * sessions,
        clamped_beacons: 360 * sessions,
        ..Sums::of(&[
            (SumMetric::Attempts, sessions),
            (SumMetric::Plays, sessions),
            (SumMetric::PlayingMs, 3_000_000 * sessions),
        ])
    };
    full.values[ValueMetric::StartupMs].record_many(800, sessions);
    full.values[ValueMetric::BandwidthKbps].record_many(9_000, sessions);
    full.values[ValueMetric::BitrateKbps].record_many(4_200, sessions);
    full
}

/// Returns the tables of two breakdowns. Each table has one large and one small cell.
fn tables(sessions: u64, small: u64) -> Vec<Table> {
    let of = |values: &[&str], other: &[&str]| {
        Table::from([(cell_key(values), full(sessions)), (cell_key(other), full(small))])
    };
    vec![of(&["Windows"], &["Tizen"]), of(&["Windows", "Edge"], &["Tizen", "Samsung"])]
}

fn rows(released: &Released) -> Vec<serde_json::Value> {
    released.rollups.iter().map(|rollup| serde_json::from_slice(&rollup.json()).unwrap()).collect()
}

#[test]
fn every_number_has_noise_of_the_expected_size_and_tables_may_share_a_family() {
    let released = release("acme", WINDOW, tables(100_000, 40), &policy(50, &BUDGET), None);
    assert_eq!((released.fault.clone(), &released.rows[..]), (None, &[1, 1][..]));
    let rows = rows(&released);
    assert_eq!(
        rows[0]["policy"].to_string(),
        r#"{"delta":1e-8,"epsilon":1.0,"k":50,"name":"differential-privacy","sigma":53.987789,"tau":345}"#
    );
    assert_eq!(
        (&rows[0]["breakdown"], &rows[1]["breakdown"]),
        (&["os"][..].into(), &["os", "browser"][..].into())
    );
    for row in &rows {
        let near = |name: &str, value: f64, within: f64| {
            let noisy = row[name].as_f64().unwrap();
            assert!(
                (noisy - value).abs() < within && noisy != value,
                "{name} is {noisy} instead of about {value}"
            );
        };
        near("sessions", 100_000.0, 6.0 * 54.0);
        // The tolerance is six standard deviations. The σ of a sum is about 4.36 times the σ of the session count,
        // times the clamp of the sum. The clamp of beacons is 370.
        near("beacons", 36_000_000.0, 6.0 * 370.0 * 54.0 * 4.36);
        near("plays", 100_000.0, 6.0 * 10.0 * 54.0 * 4.36);
        near("playing_ms", 3e11, 6.0 * 3_690_000.0 * 54.0 * 4.36);
        // Each of the 32 bins has noise, so the σ of their total is larger by √32 = 5.66.
        let startup = &row["startup_ms"];
        assert!((startup["sessions"].as_f64().unwrap() - 1e5).abs() < 6.0 * 54.0 * 4.36 * 5.66, "{startup}");
        assert!((790..=1000).contains(&startup["p50"].as_u64().unwrap()), "{startup}");
    }
    // The noise of the two tables is independent.
    assert_ne!(rows[0]["sessions"], rows[1]["sessions"]);
    assert!(rows[0]["startup_ms"]["histogram"].is_null() && rows[1]["startup_ms"]["histogram"].is_array());
}

#[test]
fn counts_of_released_and_withheld_beacons_are_not_clamped() {
    let released = release("acme", WINDOW, tables(100_000, 40), &policy(50, &BUDGET), None);
    assert_eq!((released.session_windows_released, released.session_windows_withheld), (100_000, 40));
    assert_eq!((released.beacons_released, released.beacons_withheld), (50_000_000, 20_000));
}

#[test]
fn same_tables_give_the_same_rows_unless_the_secret_or_the_budget_differs() {
    let json = |policy: &Policy| {
        let released = release("acme", WINDOW, tables(5_000, 600), policy, None);
        released.rollups.iter().map(crate::Rollup::json).collect::<Vec<_>>()
    };
    let first = json(&policy(50, &BUDGET));
    assert!(first.len() >= 2);
    assert_eq!(first, json(&policy(50, &BUDGET)));
    assert_ne!(first, json(&keyless(50, &BUDGET).keyed(Secret::new([8; 32]))));
    assert_ne!(first, json(&policy(50, &PrivacySettings { epsilon: 1.1, ..BUDGET })));
}

#[test]
fn window_without_a_secret_or_of_another_length_is_withheld() {
    let fault = |policy: &Policy, window| {
        let released = release("acme", window, tables(5_000, 600), policy, None);
        assert!(released.rollups.is_empty());
        assert_eq!((released.rows.len(), released.session_windows_withheld), (2, 5_600));
        released.fault
    };
    assert_eq!(fault(&keyless(50, &BUDGET), WINDOW), Some(ReleaseError::NoSecret));
    let minute = Window::at(Timestamp::EPOCH, Span::MINUTE);
    assert_eq!(fault(&policy(50, &BUDGET), minute), Some(ReleaseError::WindowLength));
}

/// Releases `cells` cells of exactly `sessions` sessions, and returns the number of published rows. `delta` is the δ of
/// a day, and `tau` changes the threshold.
fn released_of(cells: usize, sessions: u64, k: u64, delta: f64, tau: impl Fn(u64) -> u64) -> usize {
    let budget = PrivacySettings { epsilon: 1.0, delta, window: HOUR * 12, idle: IDLE };
    let settings =
        PolicySettings { k, allow_small_k: true, breakdowns: vec![vec![Country]], ..Default::default() };
    let mut policy = Policy::differential_privacy(settings, &budget).unwrap().keyed(Secret::new([3; 32]));
    let privacy = policy.privacy().unwrap();
    let changed = privacy.clone().with_tau(tau(privacy.tau()));
    policy.set_privacy(changed);
    let names: Vec<String> = (0..cells).map(|at| format!("c{at}")).collect();
    let cells: Vec<_> = names.iter().map(|name| (name.as_str(), sessions)).collect();
    let window = Window::at(Timestamp::EPOCH, HOUR * 12);
    release("acme", window, vec![table(&cells)], &policy, None).rollups.len()
}

/// Tests invariant 9. With windows of twelve hours, a session is in two cells a day (N = 2). Each cell may be
/// released because of a single session with a probability of δ/2N. With δ = 0.2 this probability is one in twenty,
/// which is large enough to be measured. The bound is five standard deviations above the expected number.
#[test]
fn invariant_9_cell_of_exactly_k_is_released_no_more_often_than_delta_allows() {
    const CELLS: usize = 4_000;
    const DELTA: f64 = 0.2;
    let allowed = CELLS as f64 * DELTA / 2.0 / 2.0;
    let bound = allowed + 5.0 * allowed.sqrt();
    for k in [1, 50] {
        let count = released_of(CELLS, k, k, DELTA, |tau| tau) as f64;
        assert!(count <= bound, "k = {k}: {count} cells are released, and {allowed} are expected");
        assert!(count > 0.6 * allowed, "k = {k}: {count} released cells are too few to test the bound");
        assert_eq!(
            released_of(CELLS, k - 1, k, DELTA, |_| 0),
            0,
            "no cell below k is released, regardless of the noise"
        );
    }
    // If the threshold is a fifth too low, too many cells are released, and the test detects this.
    let count = released_of(CELLS, 50, 50, DELTA, |tau| tau - tau / 5) as f64;
    assert!(count > bound, "{count} cells are within the bound of {bound}");
}

#[test]
fn breakdowns_that_share_a_family_are_allowed_and_min_networks_is_refused() {
    let settings =
        |breakdowns, min_networks| PolicySettings { breakdowns, min_networks, ..Default::default() };
    let overlapping = || vec![vec![Os, Browser], vec![Country, Device], vec![Country, Os]];
    assert!(Policy::differential_privacy(settings(overlapping(), None), &BUDGET).is_ok());
    assert!(Policy::threshold(settings(overlapping(), None)).is_err());
    let refused = |breakdowns, guard| {
        Policy::differential_privacy(settings(breakdowns, guard), &BUDGET).unwrap_err().to_string()
    };
    assert_eq!(
        refused(overlapping(), Some(5)),
        "the minimum number of networks is 5, but one session can decide whether a row meets it, and no noise \
         hides that; set it to 0"
    );
    let twice = refused(vec![vec![Os], vec![Os]], None);
    assert_eq!(twice, "the list of breakdowns contains breakdown [os] twice; remove one");
    assert!(refused(vec![], None).starts_with("the list of breakdowns is empty"));
}

#[test]
fn fingerprint_depends_on_k_budget_window_idle_timeout_and_secret() {
    let fingerprints = [
        keyless(50, &BUDGET),
        policy(50, &BUDGET),
        policy(51, &BUDGET),
        policy(50, &PrivacySettings { epsilon: 1.5, ..BUDGET }),
        policy(50, &PrivacySettings { delta: 1e-9, ..BUDGET }),
        policy(50, &PrivacySettings { window: HOUR / 2, ..BUDGET }),
        policy(50, &PrivacySettings { idle: Span::MINUTE, ..BUDGET }),
        keyless(50, &BUDGET).keyed(Secret::new([8; 32])),
    ]
    .map(|policy| policy.fingerprint());
    let distinct: std::collections::HashSet<_> = fingerprints.iter().collect();
    assert_eq!(distinct.len(), fingerprints.len());
}
