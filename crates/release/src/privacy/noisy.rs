//! From an exact cell to the numbers of a row that may be shown to anyone.

use crowdfold_airlock::ErrorClass;
use crowdfold_rollup::{Cell, CellKey, Distribution, Sums};

use super::noise::{CellNoise, NoiseKey};
use super::{Privacy, Secret};
use crate::distribution_summary::{BIN_COUNT, DistributionSummary, bin_of};

const COUNT: &str = "sessions";

/// Names of the sums, in the order of [`amounts`].
const AMOUNTS: [&str; 16] = [
    "beacons",
    "attempts",
    "plays",
    "startup_failures",
    "playback_failures",
    "playing_ms",
    "stalled_ms",
    "stalls",
    "dropped_frames",
    "switches",
    "errors.network",
    "errors.manifest",
    "errors.media",
    "errors.drm",
    "errors.timeout",
    "errors.other",
];

const DISTRIBUTIONS: [&str; 3] = ["startup_ms", "bandwidth_kbps", "bitrate_kbps"];

/// The measures by name: the count, the sums, the histograms.
pub(crate) fn measure_names() -> Vec<&'static str> {
    std::iter::once(COUNT).chain(AMOUNTS).chain(DISTRIBUTIONS).collect()
}

/// The most that one session can give to each of them.
pub(super) fn most(sums: &Sums) -> Vec<u64> {
    std::iter::once(1).chain(amounts(sums)).chain(DISTRIBUTIONS.map(|_| 1)).collect()
}

/// The sums that are published; beacons as they were clamped.
pub(super) fn amounts(sums: &Sums) -> [u64; AMOUNTS.len()] {
    let mut amounts = [0; AMOUNTS.len()];
    let (plain, errors) = amounts.split_at_mut(AMOUNTS.len() - ErrorClass::COUNT);
    plain.copy_from_slice(&[
        sums.clamped_beacons,
        sums.attempts,
        sums.plays,
        sums.startup_failures,
        sums.playback_failures,
        sums.playing_ms,
        sums.stalled_ms,
        sums.stalls,
        sums.dropped_frames,
        sums.switches,
    ]);
    errors.copy_from_slice(&sums.errors);
    amounts
}

fn sums(amounts: [u64; AMOUNTS.len()]) -> Sums {
    let [
        beacons,
        attempts,
        plays,
        startup_failures,
        playback_failures,
        playing_ms,
        stalled_ms,
        stalls,
        dropped_frames,
        switches,
        errors @ ..,
    ] = amounts;
    Sums {
        beacons,
        clamped_beacons: beacons,
        attempts,
        plays,
        startup_failures,
        playback_failures,
        playing_ms,
        stalled_ms,
        stalls,
        dropped_frames,
        switches,
        errors,
    }
}

/// What is published of a cell.
#[derive(Debug)]
pub(crate) struct Noisy {
    pub(crate) sessions: u64,
    pub(crate) sums: Sums,
    pub(crate) startup: DistributionSummary,
    pub(crate) bandwidth: DistributionSummary,
    pub(crate) bitrate: DistributionSummary,
}

impl Noisy {
    /// The numbers of a cell under noise, if it is released: it holds k sessions or more, and so many that with noise
    /// there are τ + k − 1 at least. `None` says nothing of which of the two it was.
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
        let (plain, distributions) = privacy.measures()[1..].split_at(AMOUNTS.len());
        let mut amounts = amounts(&cell.sums);
        for (amount, measure) in amounts.iter_mut().zip(plain) {
            *amount = noise.of(measure.name).cover(*amount, measure.sigma);
        }
        let distribution = |at: usize, values: &Distribution, histogram| {
            let mut draws = noise.of(distributions[at].name);
            let mut bins = [0_i128; BIN_COUNT];
            for (value, sessions) in values.values() {
                bins[bin_of(*value)] += i128::from(*sessions);
            }
            // every bin, those of nobody too: which of them are empty is not told either
            for bin in &mut bins {
                *bin = bin.saturating_add(draws.next(distributions[at].sigma));
            }
            DistributionSummary::of_noisy(&bins, distributions[at].sigma.to_f64(), histogram)
        };
        Some(Self {
            sessions,
            sums: sums(amounts),
            startup: distribution(0, &cell.startup, histogram),
            bandwidth: distribution(1, &cell.bandwidth, histogram),
            // a ladder of few steps: percentiles say it all
            bitrate: distribution(2, &cell.bitrate, false),
        })
    }
}
