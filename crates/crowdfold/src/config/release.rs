//! `[release]`: what a row must be to leave.

use std::fs;
use std::path::PathBuf;

use crowdfold_airlock::Dimension;
use crowdfold_release::{Policy, PolicyError, PolicySettings};
use crowdfold_rollup::MOST_LEVELS;

use super::admission::Content;
use super::layers::Layers;
use super::problem::Problem;
use super::read::meant;

const DRILLDOWNS: &str = "release.drilldowns";
const HISTOGRAM: &str = "release.histogram_drilldown";
const GUARD: &str = "release.guard_networks";
const SECRET: &str = "release.privacy.secret_file";

/// `[release]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Drill-downs and thresholds.
    pub policy: Policy,
    /// Budget of the policy differential-privacy.
    pub epsilon: f64,
    /// Its chance of failure.
    pub delta: f64,
    /// Where the secret lies that all workers share.
    pub secret_file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Threshold,
    DifferentialPrivacy,
}

impl Release {
    pub(super) fn read(layers: &Layers, content: &Content) -> Result<Self, Problem> {
        let kinds = [("threshold", Kind::Threshold), ("differential-privacy", Kind::DifferentialPrivacy)];
        if layers.choice("release.policy", &kinds)? == Kind::DifferentialPrivacy {
            let what = "differential-privacy is not available in this version: use threshold";
            return Err(layers.refuse("release.policy", what));
        }
        let drilldowns = drilldowns(layers)?;
        if !content.keep && drilldowns.iter().flatten().any(|dimension| *dimension == Dimension::Content) {
            let what = "content.policy = \"drop\" lets no content in, but release.drilldowns names content: give them \
                        without it, or keep content";
            let place = if layers.untouched(DRILLDOWNS) { "content.policy" } else { DRILLDOWNS };
            return Err(layers.refuse_as(place, &what));
        }
        let secret_file = layers.optional(SECRET)?.map(PathBuf::from);
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
        Ok(Self {
            policy: Policy::threshold(settings).map_err(|error| refused(layers, &error))?,
            epsilon: layers.real("release.privacy.epsilon", 10.0)?,
            delta: layers.real("release.privacy.delta", 1e-4)?,
            secret_file,
        })
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
        PolicyError::GuardOutOfRange { .. } => GUARD,
    };
    let what = error.to_string();
    if what.starts_with(key) { layers.refuse_as(key, &what) } else { layers.refuse(key, what) }
}
