//! From (ε, δ) to ρ and back, and the threshold of counts.
//!
//! The conversion is the tight one of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy"
//! (arXiv 2004.00010, corollary 13): ρ-zCDP is (ε, δ)-DP for δ = min over α > 1 of
//! exp((α−1)(αρ−ε)) / (α−1) · (1 − 1/α)^α. It is never worse than ε = ρ + 2√(ρ ln 1/δ), with which noise would be an
//! eighth larger.

/// Halvings of an interval: more than a double can tell apart.
const STEPS: u32 = 200;

/// The largest ρ that keeps to (ε, δ).
pub(super) fn rho(epsilon: f64, delta: f64) -> f64 {
    // ρ > ε would need δ of the order of 1
    bisect(0.0, epsilon, |rho| ln_delta(rho, epsilon) > delta.ln())
}

/// The least ε that ρ keeps to at δ.
pub(super) fn epsilon(rho: f64, delta: f64) -> f64 {
    let enough = rho + 2.0 * (rho * -delta.ln()).sqrt();
    bisect(0.0, enough, |epsilon| ln_delta(rho, epsilon) <= delta.ln())
}

/// ln δ of ρ-zCDP at ε.
fn ln_delta(rho: f64, epsilon: f64) -> f64 {
    // in t = ln(α − 1) the exponent has one minimum; at the α of the simpler conversion it is near
    let at = |t: f64| {
        let over = t.exp();
        let alpha = over + 1.0;
        over * (alpha * rho - epsilon) - t + alpha * (over / alpha).ln()
    };
    let (mut low, mut high) = (-40.0, 60.0);
    for _ in 0..STEPS {
        let (one, other) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if at(one) < at(other) {
            high = other;
        } else {
            low = one;
        }
    }
    at(low).min(0.0)
}

/// The least τ for which a discrete Gaussian of that σ reaches τ − 1 with a chance of at most `chance`: what a cell of
/// exactly k sessions needs to be released.
pub(super) fn tau(sigma: f64, chance: f64) -> u64 {
    let mut high = 1_u64;
    while tail(sigma, high) > chance {
        high = high.saturating_mul(2);
        if high > 1 << 62 {
            return u64::MAX;
        }
    }
    let mut low = 0;
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if tail(sigma, middle) > chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    high + 1
}

/// The chance that a discrete Gaussian is `from` (1 or more) or above, never less than it is. Exact to double precision
/// for a σ of 1 to 1000; above, blocks of neighbours count as their first.
fn tail(sigma: f64, from: u64) -> f64 {
    let block = (sigma / 1000.0).floor().max(1.0);
    let weight = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp();
    let mut sum = 0.0;
    let mut x = from as f64;
    loop {
        let term = weight(x);
        sum += term;
        if term < sum * 1e-17 || term == 0.0 {
            break;
        }
        x += block;
    }
    // the normalising sum is at least each of these (Poisson summation)
    let all = (sigma * std::f64::consts::TAU.sqrt()).max(1.0);
    sum * block / all
}

/// Where `beyond` turns true, as it does once between the bounds; on the side that is safe for ρ and ε alike: the last
/// low for ρ, which rounds down. For ε the difference is below what is ever shown.
fn bisect(mut low: f64, mut high: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if beyond(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests;
