//! Ratios that are computed from the sums of a group.

use crowdfold_model::{SumMetric, ValueMetric};

use super::Group;
use crate::estimate::{Ratio, Sum, Term};

impl Group {
    /// Returns a ratio of the group's sums. A share below 0 or above 1 is [`Ratio::OutOfRange`].
    pub(crate) fn ratio(&self, metric: Derived) -> Ratio {
        let ratio = self.quotient(metric);
        if metric.is_share() { ratio.as_share() } else { ratio }
    }

    /// Returns a ratio of the group's sums. A share can be below 0 or above 1.
    pub(super) fn quotient(&self, metric: Derived) -> Ratio {
        self.terms(metric).map_or(Ratio::Undefined, |terms| Ratio::of(&terms))
    }

    /// Returns the sums and the coefficients from which a ratio is computed. Returns `None` if no row contains one of
    /// these sums.
    pub(crate) fn terms(&self, metric: Derived) -> Option<Vec<Term>> {
        let [attempts, plays, startup_failures, playback_failures, playing, stalled, stalls] = [
            SumMetric::Attempts,
            SumMetric::Plays,
            SumMetric::StartupFailures,
            SumMetric::PlaybackFailures,
            SumMetric::PlayingMs,
            SumMetric::StalledMs,
            SumMetric::Stalls,
        ]
        .map(|measure| self.at(measure));
        let part = |sum: Sum, total: Sum| vec![(sum, 1.0, 0.0), (total, 0.0, 1.0)];
        // Rows outside the detail table do not contain the number of sessions with a value.
        let counted = |metric, otherwise| self.distribution(metric).sessions.map_or(otherwise, Sum::exact);
        let measured = Sum::exact(self.measured);
        Some(match metric {
            Derived::RebufferingRatio => vec![(stalled, 1.0, 1.0), (playing, 0.0, 1.0)],
            Derived::StallsPerHour => vec![(stalls, 3_600_000.0, 0.0), (playing, 0.0, 1.0)],
            Derived::Vsf => part(startup_failures, attempts),
            Derived::Ebvs => vec![(attempts, 1.0, 1.0), (plays, -1.0, 0.0), (startup_failures, -1.0, 0.0)],
            Derived::EbvsReported => part(self.sum(SumMetric::ExitsBeforeStart)?, attempts),
            Derived::GoodSessions => part(self.sum(SumMetric::GoodSessions)?, measured),
            Derived::Vpf => part(playback_failures, plays),
            Derived::Mean(ValueMetric::StartupMs) => {
                part(self.at(ValueMetric::StartupMs), counted(ValueMetric::StartupMs, plays))
            }
            Derived::Mean(metric) => part(self.at(metric), counted(metric, measured)),
        })
    }
}

/// A metric that is computed from several sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derived {
    /// The stalled time divided by the sum of playing time and stalled time.
    RebufferingRatio,
    /// The number of stalls per hour of playing time.
    StallsPerHour,
    /// The number of video startup failures per attempt.
    Vsf,
    /// The number of exits before video start per attempt. Such attempts have neither a first frame nor a fatal
    /// error.
    Ebvs,
    /// The number of exits before video start per attempt, counting only exits that players reported.
    EbvsReported,
    /// The number of video playback failures per play.
    Vpf,
    /// The share of the sessions that met all quality thresholds of their tenant.
    GoodSessions,
    /// The mean of a distribution over the sessions that have a value.
    Mean(ValueMetric),
}

impl Derived {
    /// Returns true if the metric is a share of a whole, which must be between 0 and 1.
    pub(crate) const fn is_share(self) -> bool {
        !matches!(self, Self::StallsPerHour | Self::Mean(_))
    }

    /// Returns the name of the metric in JSON and CSV.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RebufferingRatio => "rebuffering_ratio",
            Self::StallsPerHour => "stalls_per_hour",
            Self::Vsf => "vsf",
            Self::Ebvs => "ebvs",
            Self::EbvsReported => "ebvs_reported",
            Self::Vpf => "vpf",
            Self::GoodSessions => "good",
            Self::Mean(metric) => metric.name(),
        }
    }

    /// Returns the definition of the metric, which is one sentence.
    pub(crate) const fn definition(self) -> &'static str {
        match self {
            Self::RebufferingRatio => "Stalled time ÷ (playing time + stalled time).",
            Self::StallsPerHour => "Stalls per hour of playing time.",
            Self::Vsf => "Video startup failures per attempt.",
            Self::Ebvs => "Exits before video start per attempt: neither a first frame nor a fatal error.",
            Self::EbvsReported => "Exits before video start that players reported, per attempt.",
            Self::Vpf => "Video playback failures per play.",
            Self::GoodSessions => "Good sessions ÷ sessions.",
            Self::Mean(metric) => metric.description(),
        }
    }

    /// Returns all derived metrics, in the order of the output.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let ratios = [
            Self::RebufferingRatio,
            Self::StallsPerHour,
            Self::Vsf,
            Self::Ebvs,
            Self::EbvsReported,
            Self::Vpf,
            Self::GoodSessions,
        ];
        ratios.into_iter().chain(ValueMetric::ALL.into_iter().map(Self::Mean))
    }
}
