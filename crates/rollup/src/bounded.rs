//! Bounded contributions: what sessions add to rows outside the detail table.
//!
//! Such a row carries noise whose standard deviation is a multiple of each field's clamp. Everything that one session
//! adds to it in one window must stay small beside that noise, so each amount is clamped, and all amounts of a session
//! together share one budget.

use crowdfold_airlock::Millis;

use crate::Sums;

#[cfg(test)]
mod tests;

/// The number of fields.
const COUNT: usize = 18;

/// Length of the window that clamps are given for, ms.
const MINUTE: Millis = 60_000;

/// The budget of one session in one row: the greatest sum of (amount ÷ clamp)².
const BUDGET: u128 = 4;

/// A number that rows outside the detail table carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundedField {
    /// Its name in rollups; classes of errors as `errors.network`.
    pub name: &'static str,
    /// The most that one session contributes to a window of one minute.
    minute: u64,
    /// The clamp grows with the length of the window.
    grows: bool,
}

impl BoundedField {
    const fn fixed(name: &'static str, clamp: u64) -> Self {
        Self { name, minute: clamp, grows: false }
    }

    const fn growing(name: &'static str, minute: u64) -> Self {
        Self { name, minute, grows: true }
    }

    /// The most that one session contributes to a window of that length (ms), in the unit of the field; at least 1.
    #[must_use]
    pub const fn clamp(&self, window: Millis) -> u64 {
        if !self.grows {
            return self.minute;
        }
        let clamp = (self.minute as u128 * window as u128).div_ceil(MINUTE as u128);
        if clamp == 0 {
            1
        } else if clamp > u64::MAX as u128 {
            u64::MAX
        } else {
            clamp as u64
        }
    }
}

/// The fields in the order in which the budget of a session is spent.
pub const BOUNDED_FIELDS: [BoundedField; COUNT] = [
    BoundedField::fixed("attempts", 1),
    BoundedField::fixed("plays", 1),
    BoundedField::fixed("startup_failures", 1),
    BoundedField::fixed("playback_failures", 1),
    BoundedField::fixed("errors.network", 1),
    BoundedField::fixed("errors.manifest", 1),
    BoundedField::fixed("errors.media", 1),
    BoundedField::fixed("errors.drm", 1),
    BoundedField::fixed("errors.timeout", 1),
    BoundedField::fixed("errors.other", 1),
    BoundedField::growing("stalls", 3),
    BoundedField::growing("stalled_ms", 15_000),
    BoundedField::growing("dropped_frames", 60),
    BoundedField::growing("switches", 3),
    BoundedField::fixed("startup_ms", 10_000),
    BoundedField::fixed("bitrate_kbps", 10_000),
    BoundedField::fixed("bandwidth_kbps", 30_000),
    BoundedField::growing("playing_ms", 60_000),
];

/// The contributions of sessions to each of [`BOUNDED_FIELDS`], in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Bounded(pub [u64; COUNT]);

impl Bounded {
    /// Adds the contributions of other sessions.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// Clamps and budget for windows of one length, in whole numbers: (amount ÷ clamp)² is amount² × weight of `most` ÷ 4.
pub(crate) struct Budget {
    clamps: [u64; COUNT],
    weights: [u128; COUNT],
    most: u128,
}

impl Budget {
    /// The budget of one session in a window of that length, ms, which must divide a day: then no product overflows.
    pub(crate) fn new(window: Millis) -> Self {
        let clamps = BOUNDED_FIELDS.map(|field| field.clamp(window));
        let common = clamps.iter().fold(1, |common, clamp| least_common_multiple(common, u128::from(*clamp)));
        let unit = common.saturating_mul(common);
        let weights = clamps.map(|clamp| unit / (u128::from(clamp) * u128::from(clamp)));
        Self { clamps, weights, most: unit.saturating_mul(BUDGET) }
    }

    /// Returns the contribution of one session: each amount clamped, and 0 where it would exceed the remaining budget.
    pub(crate) fn bound(&self, amounts: [u64; COUNT]) -> Bounded {
        let mut left = self.most;
        let mut bounded = [0; COUNT];
        for (at, amount) in amounts.into_iter().enumerate() {
            let amount = amount.min(self.clamps[at]);
            let cost = u128::from(amount).pow(2).saturating_mul(self.weights[at]);
            if let Some(rest) = left.checked_sub(cost) {
                left = rest;
                bounded[at] = amount;
            }
        }
        Bounded(bounded)
    }
}

/// The amounts of one session in the order of [`BOUNDED_FIELDS`]; an absent value counts as 0.
pub(crate) const fn amounts(
    sums: &Sums,
    startup_ms: Option<u32>,
    bitrate_kbps: Option<u32>,
    bandwidth_kbps: Option<u32>,
) -> [u64; COUNT] {
    const fn or_zero(value: Option<u32>) -> u64 {
        match value {
            Some(value) => value as u64,
            None => 0,
        }
    }
    let [network, manifest, media, drm, timeout, other] = sums.errors;
    [
        sums.attempts,
        sums.plays,
        sums.startup_failures,
        sums.playback_failures,
        network,
        manifest,
        media,
        drm,
        timeout,
        other,
        sums.stalls,
        sums.stalled_ms,
        sums.dropped_frames,
        sums.switches,
        or_zero(startup_ms),
        or_zero(bitrate_kbps),
        or_zero(bandwidth_kbps),
        sums.playing_ms,
    ]
}

const fn least_common_multiple(one: u128, other: u128) -> u128 {
    let (mut a, mut b) = (one, other);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    one / a * other
}
