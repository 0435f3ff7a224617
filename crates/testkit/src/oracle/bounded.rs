//! Limits the amounts that one session adds to tables other than the detail table. Each value is limited by its clamp,
//! and all values together by the noise budget. Fractions are exact, without floating-point numbers.

use std::collections::BTreeMap;

use super::{Millis, Sums};

/// The fields in the order in which they use the noise budget. Each element contains a field, its clamp for a window of
/// one minute, and true if the clamp is proportional to the length of the window.
pub const BOUNDED: [(&str, u64, bool); 18] = [
    ("attempts", 1, false),
    ("plays", 1, false),
    ("startup_failures", 1, false),
    ("playback_failures", 1, false),
    ("errors.network", 1, false),
    ("errors.manifest", 1, false),
    ("errors.media", 1, false),
    ("errors.drm", 1, false),
    ("errors.timeout", 1, false),
    ("errors.other", 1, false),
    ("stalls", 3, true),
    ("stalled_ms", 15_000, true),
    ("dropped_frames", 60, true),
    ("switches", 3, true),
    ("startup_ms", 10_000, false),
    ("bitrate_kbps", 10_000, false),
    ("bandwidth_kbps", 30_000, false),
    ("playing_ms", 60_000, true),
];

/// The noise budget: the maximum of the sum of (value ÷ clamp)² over the fields of one session.
pub const BUDGET: u64 = 4;

/// Returns the clamp of a field for a window of this length.
///
/// # Panics
/// If the field is not in [`BOUNDED`].
#[must_use]
pub fn clamp_of(field: &str, window: Millis) -> u64 {
    let known = BOUNDED.iter().find(|(name, ..)| *name == field);
    let (_, clamp, grows) = known.unwrap_or_else(|| panic!("{field} is not a bounded field"));
    if *grows { (clamp * window).div_ceil(60_000).max(1) } else { *clamp }
}

/// Returns the amount that one session adds to each field of [`BOUNDED`]. If a value exceeds the rest of the budget,
/// its amount is 0. Without a budget, values are only clamped.
#[must_use]
pub fn contribution(
    sums: &Sums,
    startup_ms: Option<u64>,
    bitrate_kbps: Option<u64>,
    bandwidth_kbps: Option<u64>,
    window: Millis,
    budget: Option<u64>,
) -> BTreeMap<&'static str, u64> {
    let value = |field: &str| match field {
        "attempts" => sums.attempts,
        "plays" => sums.plays,
        "startup_failures" => sums.startup_failures,
        "playback_failures" => sums.playback_failures,
        "stalls" => sums.stalls,
        "stalled_ms" => sums.stalled_ms,
        "dropped_frames" => sums.dropped_frames,
        "switches" => sums.switches,
        "playing_ms" => sums.playing_ms,
        "startup_ms" => startup_ms.unwrap_or(0),
        "bitrate_kbps" => bitrate_kbps.unwrap_or(0),
        "bandwidth_kbps" => bandwidth_kbps.unwrap_or(0),
        error => sums.errors.get(&error["errors.".len()..]).copied().unwrap_or(0),
    };
    let mut spent = Fraction { over: 0, under: 1 };
    let mut adds = BTreeMap::new();
    for (field, ..) in BOUNDED {
        let clamp = clamp_of(field, window);
        let value = value(field).min(clamp);
        let with_it = spent.plus(Fraction { over: value.into(), under: clamp.into() }.squared());
        if budget.is_some_and(|budget| with_it.is_above(budget)) {
            adds.insert(field, 0);
        } else {
            adds.insert(field, value);
            spent = with_it;
        }
    }
    adds
}

/// A fraction of two integers.
#[derive(Clone, Copy)]
struct Fraction {
    over: u128,
    under: u128,
}

impl Fraction {
    fn squared(self) -> Self {
        let Self { over, under } = self.reduced();
        Self { over: over * over, under: under * under }
    }

    fn plus(self, other: Self) -> Self {
        let common = gcd(self.under, other.under);
        let (ours, theirs) = (self.under / common, other.under / common);
        Self { over: self.over * theirs + other.over * ours, under: self.under * theirs }.reduced()
    }

    fn is_above(self, whole: u64) -> bool {
        self.over > u128::from(whole) * self.under
    }

    fn reduced(self) -> Self {
        let common = gcd(self.over, self.under);
        Self { over: self.over / common, under: self.under / common }
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
