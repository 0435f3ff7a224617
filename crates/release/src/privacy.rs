//! The policy `differential-privacy`. Its noise hides the contribution of one session to all rows of a tenant that
//! are published for one UTC day. docs/internals/privacy-model.md contains the proof.

mod accounting;
mod noise;
mod noisy;
mod secret;

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crowdfold_model::{Span, Sums};

use crate::policy::PolicyField;

pub use noise::Sigma;
pub use secret::Secret;

pub(crate) use noise::{CellNoise, NoiseKey, not_negative};
pub(crate) use noisy::{Noisy, measure_names};

#[cfg(test)]
mod tests;

/// The number of days in a year, for [`Privacy::composed`].
pub const YEAR: u32 = 365;

/// The maximum of the threshold τ. With a larger threshold, no realistic row would be released.
const MAX_TAU: u64 = 10_000_000;

/// The settings of the policy `differential-privacy`, except its breakdowns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrivacySettings {
    /// The parameter ε for one session within one tenant and UTC day, above 0 and at most 10.
    pub epsilon: f64,
    /// The parameter δ, the probability that the guarantee fails, above 0 and below 1.
    pub delta: f64,
    /// The length of a window. A day must be a whole number of windows.
    pub window: Span,
    /// The idle time-out of sessions. Together with the length of a window, it determines the maximum contribution
    /// of a session to durations.
    pub idle: Span,
}

/// An error in the settings of `differential-privacy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivacyError {
    /// ε is invalid.
    Epsilon(
        /// The configured value.
        String,
    ),
    /// δ is invalid.
    Delta(
        /// The configured value.
        String,
    ),
    /// A day is not a whole number of windows.
    Window(
        /// The configured length of a window.
        Span,
    ),
    /// The noise would be so large that no realistic row would be released.
    TooMuchNoise {
        /// The configured ε.
        epsilon: String,
        /// The number of tables that share the budget: windows of a day times breakdowns.
        releases: u64,
        /// The threshold τ that would result.
        tau: u64,
    },
}

impl PrivacyError {
    /// Returns the field that must change.
    #[must_use]
    pub const fn field(&self) -> PolicyField {
        match self {
            Self::Epsilon(_) | Self::TooMuchNoise { .. } => PolicyField::Epsilon,
            Self::Delta(_) => PolicyField::Delta,
            Self::Window(_) => PolicyField::Window,
        }
    }

    /// Describes the error and the fix. The field is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Epsilon(value) => format!("is {value}, but must be above 0 and at most 10; set it to 1.0"),
            Self::Delta(value) => format!("is {value}, but must be above 0 and below 1; set it to 1e-8"),
            Self::Window(length) => {
                format!("is {} ms, which does not divide a day; set it to 1h", length.as_millis())
            }
            Self::TooMuchNoise { epsilon, releases, tau } => format!(
                "is {epsilon}, and {releases} tables a day share it, so only rows of at least {tau} sessions would be \
                 released; raise epsilon, or use longer windows or fewer breakdowns"
            ),
        }
    }
}

impl Display for PrivacyError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.field(), self.problem())
    }
}

impl Error for PrivacyError {}

/// One number of a row, or a histogram to which each session contributes one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The name of the number in rollups. The name for a class of errors has the form `errors.network`.
    pub name: &'static str,
    /// The maximum contribution of one session in one window.
    pub clamp: u64,
    /// The share of the privacy budget that this number uses.
    pub weight: f64,
    /// The standard deviation of the noise of this number.
    pub sigma: Sigma,
}

/// A privacy budget, and the noise with which the published rows stay within it.
#[derive(Clone, Debug, PartialEq)]
pub struct Privacy {
    epsilon: f64,
    delta: f64,
    window: Span,
    idle: Span,
    /// The budget of a day, as the parameter ρ of zero-concentrated differential privacy (zCDP).
    rho: f64,
    /// The number of windows of a day.
    windows_a_day: u64,
    /// The number of tables of a day that can contain one session.
    releases: u64,
    measures: Vec<Measure>,
    /// The threshold τ of the noisy session count.
    tau: u64,
    secret: Option<Secret>,
}

/// The share of the privacy budget for the session count. The other measures share the rest evenly.
const WEIGHT_OF_COUNT: f64 = 0.5;

impl Privacy {
    /// Splits a privacy budget between the windows of a day, the breakdowns, and the measures of a row.
    pub(crate) fn new(settings: &PrivacySettings, breakdowns: usize) -> Result<Self, PrivacyError> {
        let PrivacySettings { epsilon, delta, window, idle } = *settings;
        if !(epsilon > 0.0 && epsilon <= 10.0) {
            return Err(PrivacyError::Epsilon(format!("{epsilon:?}")));
        }
        if !(delta > 0.0 && delta < 1.0) {
            return Err(PrivacyError::Delta(format!("{delta:?}")));
        }
        if window.is_zero() || !Span::DAY.is_multiple_of(window) {
            return Err(PrivacyError::Window(window));
        }
        let windows_a_day = Span::DAY / window;
        let releases = windows_a_day * breakdowns as u64;
        let rho = accounting::rho(epsilon, delta / 2.0);
        let names = measure_names();
        let most = noisy::most(&Sums::most(window, idle));
        let share = (1.0 - WEIGHT_OF_COUNT) / (names.len() - 1) as f64;
        let measures: Vec<_> = names
            .into_iter()
            .zip(most)
            .enumerate()
            .map(|(at, (name, clamp))| {
                let weight = if at == 0 { WEIGHT_OF_COUNT } else { share };
                let sigma = Sigma::of(clamp, releases, rho * weight);
                // The σ of the count is not rounded, because the threshold τ is computed from it.
                let sigma = if at == 0 { sigma } else { sigma.rounded_up() };
                Measure { name, clamp, weight, sigma }
            })
            .collect();
        let tau = accounting::tau(measures[0].sigma.to_f64(), delta / 2.0 / releases as f64);
        if tau > MAX_TAU {
            return Err(PrivacyError::TooMuchNoise { epsilon: format!("{epsilon:?}"), releases, tau });
        }
        Ok(Self { epsilon, delta, window, idle, rho, windows_a_day, releases, measures, tau, secret: None })
    }

    /// Returns the ε of one session within one tenant and UTC day.
    #[must_use]
    pub const fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// Returns the δ of one session within one tenant and UTC day. The conversion from ρ to ε uses one half of δ. The
    /// other half bounds the probability that a cell is released because of a single session.
    #[must_use]
    pub const fn delta(&self) -> f64 {
        self.delta
    }

    /// Returns ρ, the budget of a day in zero-concentrated differential privacy (zCDP).
    #[must_use]
    pub const fn rho(&self) -> f64 {
        self.rho
    }

    /// Returns the number of windows of a day.
    #[must_use]
    pub const fn windows_a_day(&self) -> u64 {
        self.windows_a_day
    }

    /// Returns the maximum number of tables of a day that contain one session: the number of windows of a day times
    /// the number of breakdowns. The documentation calls it N.
    #[must_use]
    pub const fn releases(&self) -> u64 {
        self.releases
    }

    /// Returns the numbers of a row, which all have noise. The session count is the first.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// Returns the standard deviation of the noise of the session count.
    #[must_use]
    pub fn sigma(&self) -> Sigma {
        self.measures[0].sigma
    }

    /// Returns the threshold τ. The noisy session count of a published row is at least τ + k − 1.
    #[must_use]
    pub const fn tau(&self) -> u64 {
        self.tau
    }

    /// Returns (ε, δ) for a session id that stays the same for a number of days. One half of δ is used once, by the
    /// conversion from ρ to ε. The other half bounds the probability for one day that a cell is released because of a
    /// single session. Therefore it is added once for each day.
    #[must_use]
    pub fn composed(&self, days: u32) -> (f64, f64) {
        let half = self.delta / 2.0;
        (accounting::epsilon(self.rho * f64::from(days), half), half * f64::from(days + 1))
    }

    pub(crate) const fn window(&self) -> Span {
        self.window
    }

    /// Adapts the noise to another window length, another idle time-out and another number of breakdowns.
    pub(crate) fn fit(&mut self, window: Span, idle: Span, breakdowns: usize) -> Result<(), PrivacyError> {
        let (epsilon, delta, secret) = (self.epsilon, self.delta, self.secret.take());
        let settings = PrivacySettings { epsilon, delta, window, idle };
        *self = Self { secret, ..Self::new(&settings, breakdowns)? };
        Ok(())
    }

    pub(crate) fn keyed(&mut self, secret: Secret) {
        self.secret = Some(secret);
    }

    pub(crate) const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Returns a string with all parameters of the noise, and with a fingerprint of its secret.
    pub(crate) fn fingerprint_text(&self) -> String {
        format!(
            "epsilon={:?};delta={:?};window={};idle={};secret={:016x}",
            self.epsilon,
            self.delta,
            self.window.as_millis(),
            self.idle.as_millis(),
            self.secret.as_ref().map_or(0, Secret::fingerprint),
        )
    }

    #[cfg(test)]
    pub(crate) fn with_tau(mut self, tau: u64) -> Self {
        self.tau = tau;
        self
    }
}
