//! The policy `differential-privacy`: what one session can change in all that is published of its tenant on one UTC day
//! is drowned in noise. docs/internals/privacy-model.md has the argument.

mod accounting;
mod noise;
mod noisy;
mod secret;

use crowdfold_model::{Millis, Sums};

pub use noise::Sigma;
pub use secret::Secret;

pub(crate) use noise::{CellNoise, NoiseKey, not_negative};
pub(crate) use noisy::{Noisy, measure_names};

#[cfg(test)]
mod tests;

const DAY: Millis = 86_400_000;

/// Days of a year, for [`Privacy::composed`].
pub const YEAR: u32 = 365;

/// A row would have to stand for more than this: then nothing would ever be released.
const MOST_TAU: u64 = 10_000_000;

/// The settings of the policy beside its breakdowns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrivacySettings {
    /// `release.privacy.epsilon`, of one session within one tenant and UTC day; above 0, to 10.
    pub epsilon: f64,
    /// `release.privacy.delta`, its chance of failure; above 0, below 1.
    pub delta: f64,
    /// `windows.length`, ms: a day is a whole number of them.
    pub window: Millis,
    /// `sessions.idle_timeout`, ms: with the window, what times are clamped to.
    pub idle: Millis,
}

/// Why a budget is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivacyError {
    /// ε is no budget.
    #[error("release.privacy.epsilon is {0}, not a number above 0, up to 10; set it to 1.0")]
    Epsilon(
        /// What was asked for.
        String,
    ),
    /// δ is no chance.
    #[error("release.privacy.delta is {0}, not a number above 0, below 1; set it to 1e-8")]
    Delta(
        /// What was asked for.
        String,
    ),
    /// Days that windows do not fill.
    #[error("windows.length is {0} ms, which does not divide a day; set it to 1h")]
    Window(
        /// What was asked for, ms.
        Millis,
    ),
    /// So much noise that nothing would ever be released.
    #[error(
        "release.privacy.epsilon is {epsilon}, which {releases} tables a day share, so that only rows of {tau} sessions \
         would ever be released; raise it, or use longer windows or fewer breakdowns"
    )]
    Drowned {
        /// The budget.
        epsilon: String,
        /// Windows of a day × breakdowns.
        releases: u64,
        /// What it comes to.
        tau: u64,
    },
}

/// One number of a row, or a histogram to which each session gives one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Its name in rollups; classes of errors as `errors.network`.
    pub name: &'static str,
    /// The most that one session can give to it in one window.
    pub clamp: u64,
    /// Its share of the budget.
    pub weight: f64,
    /// Standard deviation of its noise.
    pub sigma: Sigma,
}

/// A budget, and the noise that keeps to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Privacy {
    epsilon: f64,
    delta: f64,
    window: Millis,
    idle: Millis,
    rho: f64,
    windows_a_day: u64,
    releases: u64,
    measures: Vec<Measure>,
    tau: u64,
    secret: Option<Secret>,
}

/// The count's share of the budget; the other measures share the rest evenly.
const WEIGHT_OF_COUNT: f64 = 0.5;

impl Privacy {
    /// Splits a budget over the windows of a day, the breakdowns, and the measures of a row.
    pub(crate) fn new(settings: &PrivacySettings, breakdowns: usize) -> Result<Self, PrivacyError> {
        let PrivacySettings { epsilon, delta, window, idle } = *settings;
        if !(epsilon > 0.0 && epsilon <= 10.0) {
            return Err(PrivacyError::Epsilon(format!("{epsilon:?}")));
        }
        if !(delta > 0.0 && delta < 1.0) {
            return Err(PrivacyError::Delta(format!("{delta:?}")));
        }
        if window == 0 || !DAY.is_multiple_of(window) {
            return Err(PrivacyError::Window(window));
        }
        let windows_a_day = DAY / window;
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
                // τ follows from the count's
                let sigma = if at == 0 { sigma } else { sigma.rounded_up() };
                Measure { name, clamp, weight, sigma }
            })
            .collect();
        let tau = accounting::tau(measures[0].sigma.to_f64(), delta / 2.0 / releases as f64);
        if tau > MOST_TAU {
            return Err(PrivacyError::Drowned { epsilon: format!("{epsilon:?}"), releases, tau });
        }
        Ok(Self { epsilon, delta, window, idle, rho, windows_a_day, releases, measures, tau, secret: None })
    }

    /// ε of one session within one tenant and UTC day.
    #[must_use]
    pub const fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// δ of the same: half of it is the conversion's from ρ, half that a cell of one session more or less is released.
    #[must_use]
    pub const fn delta(&self) -> f64 {
        self.delta
    }

    /// Zero-concentrated budget of a day.
    #[must_use]
    pub const fn rho(&self) -> f64 {
        self.rho
    }

    /// Windows of a day.
    #[must_use]
    pub const fn windows_a_day(&self) -> u64 {
        self.windows_a_day
    }

    /// N: how often a session can be published in a day, windows × breakdowns.
    #[must_use]
    pub const fn releases(&self) -> u64 {
        self.releases
    }

    /// What is published of a row with noise, the count of sessions first.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The standard deviation of the count's noise.
    #[must_use]
    pub fn sigma(&self) -> Sigma {
        self.measures[0].sigma
    }

    /// A row's noisy count is at least τ + k − 1.
    #[must_use]
    pub const fn tau(&self) -> u64 {
        self.tau
    }

    /// (ε, δ) of a unit that stays the same for so many days, by the accounting of one: half a day's δ for the
    /// conversion, and half a day's for each day's thresholds.
    #[must_use]
    pub fn composed(&self, days: u32) -> (f64, f64) {
        let half = self.delta / 2.0;
        (accounting::epsilon(self.rho * f64::from(days), half), half * f64::from(days + 1))
    }

    pub(crate) const fn window(&self) -> Millis {
        self.window
    }

    pub(crate) fn fit(
        &mut self,
        window: Millis,
        idle: Millis,
        breakdowns: usize,
    ) -> Result<(), PrivacyError> {
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

    /// All that the noise depends on, and which secret keys it.
    pub(crate) fn fingerprint_text(&self) -> String {
        format!(
            "epsilon={:?};delta={:?};window={};idle={};secret={:016x}",
            self.epsilon,
            self.delta,
            self.window,
            self.idle,
            self.secret.as_ref().map_or(0, Secret::fingerprint),
        )
    }

    #[cfg(test)]
    pub(crate) fn with_tau(mut self, tau: u64) -> Self {
        self.tau = tau;
        self
    }
}
