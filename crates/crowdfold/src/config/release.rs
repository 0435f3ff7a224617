//! `[release]`: what a row must be to leave.

use std::fs;
use std::path::PathBuf;

use crowdfold_airlock::Dimension;
use crowdfold_release::{Policy, PolicyError, PolicySettings, PrivacyError, PrivacySettings, Secret};
use crowdfold_rollup::MOST_LEVELS;

use super::admission::Content;
use super::layers::Layers;
use super::problem::Problem;
use super::read::meant;
use super::windows::{Sessions, Windows};

const DRILLDOWNS: &str = "release.drilldowns";
const HISTOGRAM: &str = "release.histogram_drilldown";
const GUARD: &str = "release.guard_networks";
const POLICY: &str = "release.policy";
const EPSILON: &str = "release.privacy.epsilon";
const DELTA: &str = "release.privacy.delta";
const SECRET: &str = "release.privacy.secret_file";
const LENGTH: &str = "windows.length";

/// How long windows are under `differential-privacy` where nobody says: shorter ones cut the day's budget into more
/// shares.
const HOURLY: &str = "1h";

/// `[release]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Drill-downs, thresholds and noise; without its secret until [`super::Config::keyed`].
    pub policy: Policy,
    /// Where the secret lies that all workers share.
    pub secret_file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Threshold,
    DifferentialPrivacy,
}

impl Release {
    /// Puts the default length of windows in place that goes with the policy.
    pub(super) fn settle_defaults(layers: &mut Layers) {
        if layers.text(POLICY).is_ok_and(|policy| policy == "differential-privacy")
            && layers.untouched(LENGTH)
        {
            layers.default_to(LENGTH, HOURLY);
        }
    }

    pub(super) fn read(
        layers: &Layers,
        content: &Content,
        windows: &Windows,
        sessions: &Sessions,
    ) -> Result<Self, Problem> {
        let kinds = [("threshold", Kind::Threshold), ("differential-privacy", Kind::DifferentialPrivacy)];
        let kind = layers.choice(POLICY, &kinds)?;
        let drilldowns = drilldowns(layers)?;
        if !content.keep && drilldowns.iter().flatten().any(|dimension| *dimension == Dimension::Content) {
            let what = "content.policy = \"drop\" lets no content in, but release.drilldowns names content: give them \
                        without it, or keep content";
            let place = if layers.untouched(DRILLDOWNS) { "content.policy" } else { DRILLDOWNS };
            return Err(layers.refuse_as(place, &what));
        }
        let secret_file = layers.optional(SECRET)?.map(PathBuf::from);
        if kind == Kind::DifferentialPrivacy && secret_file.is_none() {
            let what = format!(
                "differential-privacy needs a secret that keys the noise, the same for all workers: make one with \
                 `openssl rand -hex 32` and name its file in {SECRET}, or use threshold"
            );
            return Err(layers.refuse(POLICY, what));
        }
        let guard = u32::try_from(layers.whole(GUARD, 0..=64)?).ok().filter(|networks| *networks > 0);
        if guard.is_some() && secret_file.is_none() {
            let what = format!("needs a secret that all workers share: name its file in {SECRET}, or set 0");
            return Err(layers.refuse(GUARD, what));
        }
        let settings = PolicySettings {
            k: layers.whole("release.k", 1..=1_000_000)?,
            allow_small_k: layers.flag("release.allow_small_k")?,
            histogram_drilldown: histogram(layers, &drilldowns)?,
            drilldowns,
            guard_networks: guard,
            allow_below_place: content.allow_below_place,
        };
        let budget = PrivacySettings {
            epsilon: layers.real(EPSILON, 10.0)?,
            delta: layers.real(DELTA, 1e-4)?,
            window: windows.length,
            idle: sessions.idle,
        };
        let policy = match kind {
            Kind::Threshold => Policy::threshold(settings),
            Kind::DifferentialPrivacy => Policy::differential_privacy(settings, &budget),
        };
        Ok(Self { policy: policy.map_err(|error| refused(layers, &error))?, secret_file })
    }

    /// The same with the secret, where there is noise to key.
    pub(super) fn keyed(mut self, layers: &Layers) -> Result<Self, Problem> {
        if self.policy.privacy().is_some() {
            let secret = Secret::new(self.secret(layers)?);
            self.policy = self.policy.keyed(secret);
        }
        Ok(self)
    }

    /// The shared secret, out of its file.
    pub(super) fn secret(&self, layers: &Layers) -> Result<[u8; 32], Problem> {
        let path = self.secret_file.as_ref().ok_or_else(|| layers.refuse(SECRET, "names no file"))?;
        let text =
            fs::read_to_string(path).map_err(|error| Problem::unreadable(path, Some(SECRET), &error))?;
        digits(text.trim()).ok_or_else(|| {
            let what = "its file does not hold 64 hexadecimal digits: make it with `openssl rand -hex 32`";
            layers.refuse(SECRET, what)
        })
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(secret)
}

fn drilldowns(layers: &Layers) -> Result<Vec<Vec<Dimension>>, Problem> {
    let tables = layers.tables(DRILLDOWNS)?;
    if let Some(long) = tables.iter().find(|table| table.len() > MOST_LEVELS) {
        let what = format!("a drill-down has {} dimensions, want {MOST_LEVELS} at most", long.len());
        return Err(layers.refuse(DRILLDOWNS, what));
    }
    tables.iter().map(|table| dimensions(layers, DRILLDOWNS, table)).collect()
}

fn dimensions(layers: &Layers, key: &str, names: &[String]) -> Result<Vec<Dimension>, Problem> {
    let dimension = |name: &String| {
        Dimension::named(name).ok_or_else(|| {
            let known = Dimension::ALL.map(Dimension::name);
            let hint = match meant(name, known) {
                hint if hint.is_empty() => format!("; the dimensions are {}", known.join(", ")),
                hint => hint,
            };
            layers.refuse(key, format!("\"{}\" is no dimension{hint}", name.escape_debug()))
        })
    };
    names.iter().map(dimension).collect()
}

/// Which drill-down carries histograms: the first, unless one is named.
fn histogram(layers: &Layers, drilldowns: &[Vec<Dimension>]) -> Result<usize, Problem> {
    let named = dimensions(layers, HISTOGRAM, &layers.words(HISTOGRAM)?)?;
    if named.is_empty() {
        return Ok(0);
    }
    let found = drilldowns.iter().position(|drilldown| *drilldown == named);
    found.ok_or_else(|| {
        layers.refuse(HISTOGRAM, format!("is not one of {DRILLDOWNS}: name one as it stands there"))
    })
}

/// What the policy has against its settings, at the key it is about.
fn refused(layers: &Layers, error: &PolicyError) -> Problem {
    let key = match error {
        PolicyError::NoCrowd | PolicyError::SmallK { .. } => "release.k",
        PolicyError::Families(_) => DRILLDOWNS,
        PolicyError::NoSuchDrilldown { .. } => HISTOGRAM,
        PolicyError::GuardOutOfRange { .. } | PolicyError::GuardUnderNoise { .. } => GUARD,
        PolicyError::Privacy(PrivacyError::Epsilon(_) | PrivacyError::Drowned { .. }) => EPSILON,
        PolicyError::Privacy(PrivacyError::Delta(_)) => DELTA,
        PolicyError::Privacy(PrivacyError::Window(_)) => LENGTH,
    };
    let what = error.to_string();
    if what.starts_with(key) { layers.refuse_as(key, &what) } else { layers.refuse(key, what) }
}
