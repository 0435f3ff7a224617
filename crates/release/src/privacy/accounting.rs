//! Converts (ε, δ) to ρ and back, and computes the threshold τ of session counts.
//!
//! The conversion is the tight one of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy"
//! (arXiv 2004.00010, corollary 13): ρ-zCDP is (ε, δ)-DP for δ = min over α > 1 of exp((α−1)(αρ−ε)) / (α−1) · (1 −
//! 1/α)^α. The simpler conversion ε = ρ + 2√(ρ ln 1/δ) is never better, and would require noise that is larger by an
//! eighth.

/// The number of iterations of a search. It is large enough for the precision of a double.
const STEPS: u32 = 200;

/// Returns the largest ρ for which ρ-zCDP implies (ε, δ)-DP.
pub(super) fn rho(epsilon: f64, delta: f64) -> f64 {
    // The upper bound is ε, because a larger ρ would need a δ of the order of 1.
    bisect(0.0, epsilon, |rho| ln_delta(rho, epsilon) > delta.ln())
}

/// Returns the smallest ε for which ρ-zCDP implies (ε, δ)-DP.
pub(super) fn epsilon(rho: f64, delta: f64) -> f64 {
    let enough = rho + 2.0 * (rho * -delta.ln()).sqrt();
    bisect(0.0, enough, |epsilon| ln_delta(rho, epsilon) <= delta.ln())
}

/// Returns the logarithm of the smallest δ for which ρ-zCDP implies (ε, δ)-DP.
fn ln_delta(rho: f64, epsilon: f64) -> f64 {
    // As a function of t = ln(α − 1), the exponent has one minimum, so a ternary search finds it.
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

/// Returns the smallest τ for which the noise of a count is at least τ − 1 with a probability of at most `chance`.
/// The noise is a discrete Gaussian with this σ. A cell of exactly k sessions is released if its noise is at least τ
/// − 1.
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

/// Returns an upper bound of the probability that a discrete Gaussian is at least `from`, which must be 1 or more.
/// The bound is exact to double precision for a σ of 1 to 1000. For a larger σ, the sum is computed in blocks, and
/// all values of a block count as the first value of the block.
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
    // The normalising sum is at least each of these two values (Poisson summation).
    let all = (sigma * std::f64::consts::TAU.sqrt()).max(1.0);
    sum * block / all
}

/// Returns the point between the bounds at which `beyond` becomes true, by bisection. `beyond` must be false below that
/// point and true above it. The result is rounded down, which is safe for ρ. For ε the rounding error is below the
/// published precision.
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
