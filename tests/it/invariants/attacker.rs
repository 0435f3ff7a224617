//! Invariant 6: an attacker who knows the algorithm and adds and subtracts released rows, in any multiples, on
//! scenarios small enough to try everything.
//!
//! Each row is a function on the full product of all dimensions' values and windows (empty points too): 1 where it
//! covers a point. What can be computed by adding and subtracting rows is their linear span; over a large prime field
//! it holds all that it holds over the integers. The attacker tries every product of sets of values and windows: is its
//! indicator in the span, and does it stand for 1 to k − 1 sessions? And, where there are few rows, every sum of rows,
//! each taken once, left out or taken away: does it count every point once or not at all, whatever points those are?

mod scenario;
mod span;

use scenario::{Row, Scenario};
use span::Span;

/// Breakdowns that share no family.
const APART: [&[&[&str]]; 5] = [
    &[&["os", "browser"]],
    &[&["os", "browser"], &["cdn"]],
    &[&["country"], &["os"], &["cdn"]],
    &[&["os", "browser", "device"]],
    &[&["country", "os"], &["cdn", "connection"]],
];

/// Two policies of which each is allowed; together, as two deployments would, they publish one family twice.
const TWICE: [[&[&[&str]]; 2]; 3] = [
    [&[&["os", "browser"]], &[&["os"]]],
    [&[&["os", "browser"]], &[&["browser", "os"]]],
    [&[&["country", "os"]], &[&["os"], &["country"]]],
];

/// Beyond so many rows there are too many sums of them.
const FEW: usize = 7;

/// What came of an attack.
struct Attack {
    /// Rows there were.
    rows: usize,
    /// Small products that were looked for.
    tried: usize,
    /// The smallest group of 1 to k − 1 sessions whose number can be computed, where there is one.
    least: Option<u64>,
}

fn attack(scenario: &Scenario, breakdowns: &[&[&[&str]]], k: u64) -> Attack {
    let rows: Vec<_> = breakdowns.iter().flat_map(|breakdowns| scenario.released(breakdowns, k)).collect();
    let mut span = Span::default();
    for row in &rows {
        assert!(row.sessions >= k);
        assert_eq!(scenario.sessions_of(&row.covers), row.sessions, "what a row covers is known");
        span.add(&row.covers);
    }
    let small = scenario.products().map(|points| (scenario.sessions_of(&points), points));
    let small: Vec<_> = small.filter(|(sessions, _)| (1..k).contains(sessions)).collect();
    let products = small.iter().filter(|(_, points)| span.holds(points)).map(|(sessions, _)| *sessions);
    let least = products.chain(sums(&rows).filter(|sessions| (1..k).contains(sessions))).min();
    Attack { rows: rows.len(), tried: small.len(), least }
}

/// The sessions of every ± sum of a few rows that is 0 or 1 at each point.
fn sums(rows: &[Row]) -> impl Iterator<Item = u64> {
    let codes = if rows.len() <= FEW { 3_usize.pow(rows.len() as u32) } else { 0 };
    (0..codes).filter_map(|mut code| {
        let mut signs = [0_i64; FEW];
        for sign in &mut signs {
            *sign = (code % 3) as i64 - 1;
            code /= 3;
        }
        let signed = || rows.iter().zip(signs);
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
    eprintln!("{attacked} worlds with something released, {tried} small groups tried");
    assert!(attacked > 3_000 && tried > 50_000, "{attacked} {tried}: the worlds are not worth attacking");
}

/// The same attacker, with the rule about families switched off.
#[test]
fn invariant_6_the_attacker_finds_the_breach_where_a_family_is_published_twice() {
    for breakdowns in TWICE {
        let both = breakdowns.concat();
        let mut found = 0;
        for seed in 0..300 {
            let scenario = Scenario::random(seed, &both);
            let k = 5;
            found += usize::from(attack(&scenario, &breakdowns, k).least.is_some());
            for one in breakdowns {
                assert_eq!(attack(&scenario, &[one], k).least, None, "each alone is safe");
            }
        }
        eprintln!("{breakdowns:?}: {found} of 300 worlds breached");
        assert!(found > 10, "{found} breaches by {breakdowns:?}");
    }
}

/// The example of the design: `*/*` 65 less (`a0` 150 less `a0/b1` 90) is the five of a1.
/// No product, for empty points are covered with them; a sum of rows.
#[test]
fn invariant_6_the_attacker_finds_the_breach_that_is_known() {
    let breakdowns = TWICE[0];
    let scenario = Scenario::of(&breakdowns.concat(), &[[60, 90, 0], [5, 0, 0], [70, 0, 0]]);
    assert_eq!(attack(&scenario, &breakdowns, 50).least, Some(5));
    assert_eq!(attack(&scenario, &breakdowns[..1], 50).least, None);
}
