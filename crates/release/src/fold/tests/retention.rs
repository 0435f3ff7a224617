//! Measures the share of sessions that keep their complete cell key when ordinary traffic is folded.

use crowdfold_model::Table;
use crowdfold_random::Random;

use crate::fold::{Margin, fold};
use crate::testing::{cell, cell_key};

/// Returns the number of sessions that keep their complete cell key, and the number of sessions whose own cell is a
/// crowd.
fn kept(sessions: u64, windows: u64, sizes: &[usize], exponent: f64) -> (u64, u64) {
    let mut numbers = Random::new(20_261_122);
    let dimensions: Vec<Zipf> = sizes.iter().map(|size| Zipf::new(*size, exponent)).collect();
    let (mut kept, mut crowds) = (0, 0);
    for _ in 0..windows {
        let mut table = Table::new();
        for _ in 0..sessions {
            let values: Vec<String> =
                dimensions.iter().map(|zipf| zipf.draw(&mut numbers).to_string()).collect();
            table.entry(cell_key(&values)).or_default().add(&cell(1));
        }
        crowds += table.values().map(|cell| cell.sessions).filter(|n| *n >= 50).sum::<u64>();
        let rows = fold(table, Margin::NONE, |cell| cell.sessions >= 50);
        kept += rows
            .iter()
            .filter(|row| row.cell_key.iter().all(|v| **v != *"*"))
            .map(|row| row.cell.sessions)
            .sum::<u64>();
    }
    (kept, crowds)
}

/// A Zipf distribution of the values 0, 1, 2 and so on. The probability of a value r is proportional to 1/(r+1)^s,
/// where s is the exponent.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(size: usize, exponent: f64) -> Self {
        let mut total = 0.0;
        let mut up_to: Vec<f64> = (1..=size)
            .map(|rank| {
                total += (rank as f64).powf(-exponent);
                total
            })
            .collect();
        up_to.iter_mut().for_each(|share| *share /= total);
        Self(up_to)
    }

    fn draw(&self, numbers: &mut Random) -> usize {
        let at = numbers.unit();
        self.0.partition_point(|share| *share <= at)
    }
}

/// Plausible numbers of values for each dimension of the default breakdowns.
const BREAKDOWNS: [&[usize]; 5] = [&[60, 200], &[7, 18, 15], &[6, 10], &[3, 4, 1000], &[5, 7]];

/// Returns the share of sessions that keep their cell key, over all breakdowns, and the number of sessions from which
/// the share is computed.
fn share_kept(sessions: u64, windows: u64, exponent: f64) -> (f64, u64) {
    let (kept, crowds) = BREAKDOWNS
        .iter()
        .map(|sizes| kept(sessions, windows, sizes, exponent))
        .fold((0, 0), |(kept, crowds), (more_kept, more_crowds)| (kept + more_kept, crowds + more_crowds));
    (kept as f64 / crowds as f64, crowds)
}

#[test]
fn a_thousand_sessions_per_window_keep_95_percent_of_cell_keys() {
    for exponent in [1.0, 1.1, 1.2, 1.5] {
        let (share, crowds) = share_kept(1_000, 20, exponent);
        assert!(crowds > 10_000, "{crowds} sessions are too few to measure");
        assert!(share >= 0.95, "the share is {share} at exponent {exponent}");
    }
}

#[test]
fn ten_thousand_sessions_per_window_keep_99_percent_of_cell_keys() {
    for exponent in [1.0, 1.1, 1.2, 1.5] {
        let (share, crowds) = share_kept(10_000, 5, exponent);
        assert!(crowds > 50_000, "{crowds} sessions are too few to measure");
        assert!(share > 0.99, "the share is {share} at exponent {exponent}");
    }
}
