//! Tests of invariant 6: no group of fewer than k sessions can be computed from released rows. The attacker knows the
//! algorithm, and adds and subtracts multiples of released rows. The scenarios are so small that every combination can
//! be tried.
//!
//! A *point* is a combination of a window and a value of each dimension. Each row is a vector that is 1 at the points
//! that the row covers, and 0 elsewhere. By adding and subtracting rows, exactly the linear span of these vectors can
//! be computed. The span is computed over a large prime field, because every combination over the integers is also a
//! combination in that field. The attacker tries every group that is a product of sets of windows and values. A breach
//! is a group of 1 to k − 1 sessions whose vector is in the span. If there are few rows, the attacker also tries every
//! sum of rows with the coefficients 1, 0 and −1 in which each point counts once or not at all.

mod scenario;
mod span;

use scenario::{Row, Scenario};
use span::Span;

/// Lists of breakdowns that share no family.
const APART: [&[&[&str]]; 5] = [
    &[&["os", "browser"]],
    &[&["os", "browser"], &["cdn"]],
    &[&["country"], &["os"], &["cdn"]],
    &[&["os", "browser", "device"]],
    &[&["country", "os"], &["cdn", "connection"]],
];

/// Pairs of lists of breakdowns. Each list alone is allowed, but both together publish a family twice, as two
/// deployments with the same beacons would.
const TWICE: [[&[&[&str]]; 2]; 3] = [
    [&[&["os", "browser"]], &[&["os"]]],
    [&[&["os", "browser"]], &[&["browser", "os"]]],
    [&[&["country", "os"]], &[&["os"], &["country"]]],
];

/// The maximum number of rows for which the attacker tries all sums with the coefficients 1, 0 and −1.
const FEW: usize = 7;

/// The result of an attack.
struct Attack {
    /// The number of released rows.
    rows: usize,
    /// The number of groups of 1 to k − 1 sessions that were tried.
    tried: usize,
    /// The number of sessions of the smallest group below k that can be computed. `None` if there is no such group.
    least: Option<u64>,
}

fn attack(scenario: &Scenario, breakdowns: &[&[&[&str]]], k: u64) -> Attack {
    let rows: Vec<_> = breakdowns.iter().flat_map(|breakdowns| scenario.released(breakdowns, k)).collect();
    let mut span = Span::default();
    for row in &rows {
        assert!(row.sessions >= k);
        assert_eq!(
            scenario.sessions_of(&row.covers),
            row.sessions,
            "a row has as many sessions as its points"
        );
        span.add(&row.covers);
    }
    let small = scenario.products().map(|points| (scenario.sessions_of(&points), points));
    let small: Vec<_> = small.filter(|(sessions, _)| (1..k).contains(sessions)).collect();
    let products = small.iter().filter(|(_, points)| span.holds(points)).map(|(sessions, _)| *sessions);
    let least = products.chain(sums(&rows).filter(|sessions| (1..k).contains(sessions))).min();
    Attack { rows: rows.len(), tried: small.len(), least }
}

/// Returns the session counts of all sums of rows with the coefficients 1, 0 and −1 that are 0 or 1 at each point.
/// Returns nothing if there are too many rows.
fn sums(rows: &[Row]) -> impl Iterator<Item = u64> {
    let codes = if rows.len() <= FEW { 3_usize.pow(rows.len() as u32) } else { 0 };
    (0..codes).filter_map(|mut code| {
        let mut directions = [0_i64; FEW];
        for direction in &mut directions {
            *direction = (code % 3) as i64 - 1;
            code /= 3;
        }
        let signed = || rows.iter().zip(directions);
        let at =
            |point: usize| -> i64 { signed().map(|(row, sign)| sign * i64::from(row.covers[point])).sum() };
        let points = rows.first().map_or(0, |row| row.covers.len());
        let once = (0..points).all(|point| matches!(at(point), 0 | 1));
        once.then(|| signed().map(|(row, sign)| sign * row.sessions as i64).sum::<i64>() as u64)
    })
}

#[test]
fn invariant_6_no_group_below_k_can_be_computed_from_rows() {
    let (mut attacked, mut tried) = (0, 0);
    for seed in 0..800 {
        for breakdowns in APART {
            let scenario = Scenario::random(seed, breakdowns);
            let k = [2, 3, 5, 10][seed as usize % 4];
            let attack = attack(&scenario, &[breakdowns], k);
            assert_eq!(attack.least, None, "k = {k}, seed {seed}, {breakdowns:?}");
            attacked += usize::from(attack.rows > 0);
            tried += attack.tried;
        }
    }
    eprintln!("{attacked} scenarios with released rows, {tried} small groups tried");
    assert!(attacked > 3_000 && tried > 50_000, "{attacked} {tried}: there are too few scenarios to attack");
}

/// In two lists of breakdowns that share a family, the attacker must find groups below k.
#[test]
fn invariant_6_attacker_finds_the_breach_if_a_family_is_published_twice() {
    for breakdowns in TWICE {
        let both = breakdowns.concat();
        let mut found = 0;
        for seed in 0..300 {
            let scenario = Scenario::random(seed, &both);
            let k = 5;
            found += usize::from(attack(&scenario, &breakdowns, k).least.is_some());
            for one in breakdowns {
                assert_eq!(attack(&scenario, &[one], k).least, None, "each policy alone is safe");
            }
        }
        eprintln!("{breakdowns:?}: {found} of 300 scenarios breached");
        assert!(found > 10, "{found} breaches by {breakdowns:?}");
    }
}

/// The row `*/*` has 65 sessions, `a0` has 150 and `a0/b1` has 90. 65 − (150 − 90) gives the five sessions of `a1`.
/// This breach is found as a sum of rows and not as a product, because empty points are covered too.
#[test]
fn invariant_6_attacker_finds_the_known_breach() {
    let breakdowns = TWICE[0];
    let scenario = Scenario::of(&breakdowns.concat(), &[[60, 90, 0], [5, 0, 0], [70, 0, 0]]);
    assert_eq!(attack(&scenario, &breakdowns, 50).least, Some(5));
    assert_eq!(attack(&scenario, &breakdowns[..1], 50).least, None);
}
