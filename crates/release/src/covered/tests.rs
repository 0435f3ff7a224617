use crowdfold_model::Dimension::{Cdn, Country};
use crowdfold_model::{BOUNDED_FIELDS, Bounded, Cell, Span, Table, Timestamp, ValueMetric, Window};
use serde_json::Value;

use crate::testing::{cell, cell_key};
use crate::{Policy, PolicySettings, Secret, release};

const MINUTE: Window = Window::at(Timestamp::from_millis(60_000), Span::MINUTE);

fn policy(settings: PolicySettings, secret: u8) -> Policy {
    let breakdowns = vec![vec![Country], vec![Cdn]];
    Policy::threshold(PolicySettings { breakdowns, ..settings }).unwrap().keyed(Secret::new([secret; 32]))
}

fn keyed() -> Policy {
    policy(PolicySettings::default(), 7)
}

/// Releases a cell in a table other than the detail table, and the same sessions in the detail table. Returns the two
/// rows, in this order.
fn rows(policy: &Policy, tenant: &str, window: Window, cell: &Cell) -> [Value; 2] {
    let table = |value| Table::from([(cell_key(&[value]), cell.clone())]);
    let released = release(tenant, window, vec![table("SE"), table("cdn-a")], policy, None);
    assert_eq!(released.fault, None);
    let rows: Vec<Value> =
        released.rollups.iter().map(|row| serde_json::from_slice(&row.json()).unwrap()).collect();
    rows.try_into().unwrap()
}

/// Returns the numbers of a row, in the order of [`BOUNDED_FIELDS`].
fn numbers(row: &Value) -> Vec<i64> {
    let number = |name: &str| match name.split_once('.') {
        Some((_, class)) => &row["errors"][class],
        None if row[name].is_object() => &row[name]["sum"],
        None => &row[name],
    };
    BOUNDED_FIELDS.iter().map(|field| number(field.name).as_i64().unwrap()).collect()
}

/// Returns a cell with sessions and with a different amount in each field.
fn viewers(sessions: u64) -> Cell {
    Cell { bounded: Bounded(std::array::from_fn(|at| 1_000 * at as u64)), ..cell(sessions) }
}

#[test]
fn row_outside_the_detail_table_has_all_fields_and_only_its_session_count_is_exact() {
    let mut cell = viewers(83);
    cell.sums.beacons = 412;
    cell.values[ValueMetric::StartupMs].record_many(800, 60);
    let [covered, detail] = rows(&keyed(), "acme", MINUTE, &cell);
    assert_eq!((&covered["detail"], &covered["sessions"]), (&false.into(), &83.into()));
    assert!(covered["beacons"].is_null());
    assert_eq!(covered["errors"].as_object().unwrap().len(), 6);
    for name in ["startup_ms", "bandwidth_kbps", "bitrate_kbps"] {
        let distribution = covered[name].as_object().unwrap();
        assert_eq!(distribution.keys().collect::<Vec<_>>(), ["sum"]);
    }
    assert_eq!((&detail["detail"], &detail["beacons"]), (&true.into(), &412.into()));
    assert_eq!(detail["startup_ms"]["sum"], 48_000);
    let fields = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&covered), fields(&detail));
}

#[test]
fn noise_repeats_for_equal_rows_and_differs_for_different_rows() {
    let noise = |policy: &Policy, tenant: &str, window: Window, cell: &Cell| {
        let numbers = numbers(&rows(policy, tenant, window, cell)[0]);
        numbers.iter().zip(cell.bounded.0).map(|(number, exact)| number - exact as i64).collect::<Vec<_>>()
    };
    let first = noise(&keyed(), "acme", MINUTE, &viewers(83));
    assert_eq!(noise(&keyed(), "acme", MINUTE, &viewers(83)), first);
    let (mut longer, mut beacons) = (viewers(83), viewers(83));
    longer.bounded.0[17] += 1;
    beacons.sums.beacons = 1;
    let later = Window::at(MINUTE.end, Span::MINUTE);
    let others = [
        noise(&keyed(), "beta", MINUTE, &viewers(83)),
        noise(&keyed(), "acme", later, &viewers(83)),
        noise(&keyed(), "acme", MINUTE, &viewers(84)),
        noise(&keyed(), "acme", MINUTE, &longer),
        noise(&keyed(), "acme", MINUTE, &beacons),
        noise(&policy(PolicySettings::default(), 8), "acme", MINUTE, &viewers(83)),
        noise(&policy(PolicySettings { noise: 9, ..Default::default() }, 7), "acme", MINUTE, &viewers(83)),
    ];
    for (at, other) in others.iter().enumerate() {
        let same = other.iter().zip(&first).filter(|(one, other)| one == other).count();
        assert!(same <= 9, "{same} of 18 values are equal in case {at}: {other:?} {first:?}");
    }
}

/// The tolerances are five standard errors. The windows and the secret are fixed, so each run has the same result.
#[test]
fn noise_has_mean_zero_and_the_documented_deviation_in_every_field() {
    const DRAWS: u64 = 2_000;
    for (noise, length) in [(8, Span::MINUTE), (1, Span::MINUTE), (8, Span::HOUR)] {
        let policy = policy(PolicySettings { noise, ..Default::default() }, 7);
        let mut residuals = vec![Vec::new(); BOUNDED_FIELDS.len()];
        for at in 0..DRAWS {
            let window = Window::at(Timestamp::EPOCH + length * at, length);
            let cell = viewers(50 + at % 3);
            let covered = numbers(&rows(&policy, "acme", window, &cell)[0]);
            for ((field, number), exact) in residuals.iter_mut().zip(covered).zip(cell.bounded.0) {
                field.push((number - exact as i64) as f64);
            }
        }
        for (field, residuals) in BOUNDED_FIELDS.iter().zip(residuals) {
            let sigma = (noise * field.clamp(length)) as f64;
            let mean = residuals.iter().sum::<f64>() / DRAWS as f64 / sigma;
            let square = residuals.iter().map(|draw| draw * draw).sum::<f64>() / DRAWS as f64 / sigma / sigma;
            assert!(mean.abs() < 5.0 / (DRAWS as f64).sqrt(), "{} {noise}: mean {mean} σ", field.name);
            let error = 5.0 * (2.0 / DRAWS as f64).sqrt();
            assert!((square - 1.0).abs() < error, "{} {noise}: variance {square} σ²", field.name);
        }
    }
}

#[test]
fn policy_without_a_detail_table_gives_no_table_exact_numbers() {
    let settings = PolicySettings { detail: crate::Detail::None, ..Default::default() };
    let both = rows(&policy(settings, 7), "acme", MINUTE, &viewers(60));
    for row in both {
        assert_eq!(row["detail"], false);
        assert!(row["beacons"].is_null() && row["startup_ms"]["p50"].is_null());
    }
}
