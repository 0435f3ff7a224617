//! Sums and ratios, with the standard errors that follow from noise.

#[cfg(test)]
mod tests;

/// The minimum value of a denominator, as a multiple of the standard deviation of its noise.
const LEAST_DEVIATIONS: f64 = 5.0;

/// A sum of published numbers, and the variance of its noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) value: i64,
    /// The variance of the noise, or 0 if the sum is exact. The noise of different rows is independent, so their
    /// variances are added.
    pub(crate) variance: f64,
}

impl Sum {
    /// Creates an exact sum.
    pub(crate) fn exact(value: u64) -> Self {
        Self { value: i64::try_from(value).unwrap_or(i64::MAX), variance: 0.0 }
    }

    pub(crate) fn add(&mut self, value: i64, variance: f64) {
        self.value = self.value.saturating_add(value);
        self.variance += variance;
    }

    /// Subtracts a part of the sum. The part must have been added before.
    pub(crate) fn without(self, part: Self) -> Self {
        let variance = (self.variance - part.variance).max(0.0);
        Self { value: self.value.saturating_sub(part.value), variance }
    }

    /// Returns the standard error, which is the standard deviation of the noise.
    pub(crate) fn error(self) -> f64 {
        self.variance.sqrt()
    }
}

/// A sum in a ratio, its coefficient in the numerator, and its coefficient in the denominator.
pub(crate) type Term = (Sum, f64, f64);

/// The ratio of two linear combinations of sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ratio {
    /// The value of the ratio, and its standard error.
    Known(f64, f64),
    /// The denominator is 0 or less.
    Undefined,
    /// The denominator is less than five standard deviations of its noise.
    TooNoisy,
    /// The ratio is a share, but its value is below 0 or above 1. The cause is noise, or sums that cover different
    /// sessions.
    OutOfRange,
}

impl Ratio {
    /// Divides Σ aᵢXᵢ by Σ bᵢXᵢ, for terms (Xᵢ, aᵢ, bᵢ) whose noise is independent and has the variances σᵢ².
    ///
    /// The standard error is computed with the delta method, which approximates the ratio R = N / D by a linear
    /// function around the sums:
    ///
    /// > se(R) = √( Σ (aᵢ − R·bᵢ)² σᵢ² ) / D
    ///
    /// For X / Y this is √(σ_X² + R² σ_Y²) / Y. Source: G. Casella and R. L. Berger, *Statistical Inference*, 2nd
    /// edition, section 5.5.4 (example 5.5.27, moments of a ratio). The approximation is valid only if the
    /// denominator is large compared with its noise. Therefore no ratio is returned for a denominator of less than
    /// five standard deviations.
    pub(crate) fn of(terms: &[Term]) -> Self {
        let total = |weight: fn(&Term) -> f64| {
            terms.iter().map(|term| weight(term) * term.0.value as f64).sum::<f64>()
        };
        let (numerator, denominator) = (total(|(_, over, _)| *over), total(|(.., under)| *under));
        let deviation = terms.iter().map(|(sum, _, under)| under * under * sum.variance).sum::<f64>().sqrt();
        if deviation > 0.0 && denominator < LEAST_DEVIATIONS * deviation {
            return Self::TooNoisy;
        }
        if denominator <= 0.0 {
            return Self::Undefined;
        }
        let ratio = numerator / denominator;
        let variance =
            terms.iter().map(|(sum, over, under)| (over - ratio * under).powi(2) * sum.variance).sum::<f64>();
        Self::Known(ratio, variance.sqrt() / denominator)
    }

    /// Replaces a ratio below 0 or above 1 by [`Self::OutOfRange`]. It is used for ratios that are a
    /// share of a whole.
    pub(crate) fn as_share(self) -> Self {
        match self {
            Self::Known(value, _) if !(0.0..=1.0).contains(&value) => Self::OutOfRange,
            other => other,
        }
    }

    pub(crate) const fn value(self) -> Option<f64> {
        match self {
            Self::Known(value, _) => Some(value),
            Self::Undefined | Self::TooNoisy | Self::OutOfRange => None,
        }
    }

    pub(crate) const fn error(self) -> Option<f64> {
        match self {
            Self::Known(_, error) => Some(error),
            Self::Undefined | Self::TooNoisy | Self::OutOfRange => None,
        }
    }
}
