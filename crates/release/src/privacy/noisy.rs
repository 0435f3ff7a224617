//! Converts exact cells to numbers with noise.

use crowdfold_model::{Cell, CellKey, ErrorClass, SumMetric, Sums, ValueMetric};

use super::noise::{CellNoise, NoiseKey};
use super::{Privacy, Secret};
use crate::distribution_summary::{BIN_COUNT, DistributionSummary, bin_of};

const COUNT: &str = "sessions";

const BEACONS: &str = "beacons";

/// The number of sums that are published: beacons, the sums of metrics, and sessions by class of error.
const AMOUNTS: usize = 1 + SumMetric::COUNT + ErrorClass::COUNT;

/// Returns the names of the measures: the count, the sums, the histograms.
pub(crate) fn measure_names() -> Vec<&'static str> {
    let sums = SumMetric::ALL.into_iter().map(SumMetric::name);
    let errors = ErrorClass::ALL.into_iter().map(ErrorClass::field);
    let values = ValueMetric::ALL.into_iter().map(ValueMetric::name);
    [COUNT, BEACONS].into_iter().chain(sums).chain(errors).chain(values).collect()
}

/// Returns the maximum contribution of one session to each measure.
pub(super) fn most(sums: &Sums) -> Vec<u64> {
    std::iter::once(1).chain(amounts(sums)).chain(ValueMetric::ALL.map(|_| 1)).collect()
}

/// Returns the sums that are published. Beacons are clamped.
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

/// The published numbers of a cell.
#[derive(Debug)]
pub(crate) struct Noisy {
    pub(crate) sessions: u64,
    pub(crate) sums: Sums,
    /// In the order of [`ValueMetric::ALL`].
    pub(crate) values: [DistributionSummary; ValueMetric::COUNT],
}

impl Noisy {
    /// Returns the numbers of a cell with noise if the cell is released. It is released if it contains at least k
    /// sessions and its noisy count is at least τ + k − 1. `None` does not reveal which condition failed.
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
            // Every bin gets noise, so that empty bins cannot be recognised.
            for bin in &mut bins {
                *bin = bin.saturating_add(draws.next(measure.sigma));
            }
            let histogram = histogram && metric.has_histogram();
            DistributionSummary::of_noisy(&bins, measure.sigma.to_f64(), histogram)
        };
        Some(Self { sessions, sums: sums(amounts), values: ValueMetric::ALL.map(distribution) })
    }
}
