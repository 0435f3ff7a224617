//! Converts exact cells to published numbers with noise, under `differential-privacy`.

use crowdfold_model::{Cell, CellKey, ErrorClass, SumMetric, Sums, ValueMetric};

use super::noise::{CellNoise, NoiseKey};
use super::{Privacy, Secret};
use crate::distribution_summary::{BIN_COUNT, DistributionSummary, bin_of};

/// The name of the session count.
const COUNT: &str = "sessions";

/// The name of the number of beacons.
const BEACONS: &str = "beacons";

/// The number of published sums: the beacons, the sums of metrics, and the sessions with errors of each class.
const AMOUNTS: usize = 1 + SumMetric::COUNT + ErrorClass::COUNT;

/// Returns the names of the measures: the session count, the sums, and the distributions.
pub(crate) fn measure_names() -> Vec<&'static str> {
    let sums = SumMetric::ALL.into_iter().map(SumMetric::name);
    let errors = ErrorClass::ALL.into_iter().map(ErrorClass::field);
    let values = ValueMetric::ALL.into_iter().map(ValueMetric::name);
    [COUNT, BEACONS].into_iter().chain(sums).chain(errors).chain(values).collect()
}

/// Returns the maximum contribution of one session to each measure. `sums` contains the maximum contributions of one
/// session to the sums.
pub(super) fn most(sums: &Sums) -> Vec<u64> {
    std::iter::once(1).chain(amounts(sums)).chain(ValueMetric::ALL.map(|_| 1)).collect()
}

/// Returns the published sums of a cell. The number of beacons is clamped for each session.
pub(super) fn amounts(sums: &Sums) -> [u64; AMOUNTS] {
    let mut amounts = [0; AMOUNTS];
    amounts[0] = sums.clamped_beacons;
    amounts[1..=SumMetric::COUNT].copy_from_slice(&sums.metrics);
    amounts[1 + SumMetric::COUNT..].copy_from_slice(&sums.errors);
    amounts
}

fn sums(amounts: [u64; AMOUNTS]) -> Sums {
    let mut sums = Sums { beacons: amounts[0], clamped_beacons: amounts[0], ..Sums::default() };
    sums.metrics.copy_from_slice(&amounts[1..=SumMetric::COUNT]);
    sums.errors.copy_from_slice(&amounts[1 + SumMetric::COUNT..]);
    sums
}

/// The published numbers of a cell, with noise.
#[derive(Debug)]
pub(crate) struct Noisy {
    pub(crate) sessions: u64,
    pub(crate) sums: Sums,
    /// The distributions, in the order of [`ValueMetric::ALL`].
    pub(crate) values: [DistributionSummary; ValueMetric::COUNT],
}

impl Noisy {
    /// Adds noise to the numbers of a cell. Returns `None` if the cell must not be released, because it has fewer
    /// than k sessions or its noisy count is below τ + k − 1. The result does not reveal which of the two conditions
    /// failed.
    pub(crate) fn of(
        privacy: &Privacy,
        secret: &Secret,
        k: u64,
        noise_key: &NoiseKey<'_>,
        (cell_key, cell): (&CellKey, &Cell),
        histogram: bool,
    ) -> Option<Self> {
        if cell.sessions < k {
            return None;
        }
        let noise = CellNoise::new(secret, noise_key, cell_key, cell);
        let sessions = noise.of(COUNT).cover(cell.sessions, privacy.sigma());
        if sessions < privacy.tau().saturating_add(k).saturating_sub(1) {
            return None;
        }
        let (plain, distributions) = privacy.measures()[1..].split_at(AMOUNTS);
        let mut amounts = amounts(&cell.sums);
        for (amount, measure) in amounts.iter_mut().zip(plain) {
            *amount = noise.of(measure.name).cover(*amount, measure.sigma);
        }
        let distribution = |metric: ValueMetric| {
            let measure = &distributions[metric as usize];
            let mut draws = noise.of(measure.name);
            let mut bins = [0_i128; BIN_COUNT];
            for (value, sessions) in cell.values[metric].values() {
                bins[bin_of(*value)] += i128::from(*sessions);
            }
            // Noise is added to every bin, so an empty bin cannot be recognised.
            for bin in &mut bins {
                *bin = bin.saturating_add(draws.next(measure.sigma));
            }
            let histogram = histogram && metric.has_histogram();
            DistributionSummary::of_noisy(&bins, measure.sigma.to_f64(), histogram)
        };
        Some(Self { sessions, sums: sums(amounts), values: ValueMetric::ALL.map(distribution) })
    }
}
