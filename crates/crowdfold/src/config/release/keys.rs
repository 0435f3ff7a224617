//! The keys that give a policy its shape: the common ones, or those that a tenant has of its own.

use crowdfold_model::Dimension;
use crowdfold_release::{Detail, PolicyError, PolicySettings, PrivacyError};
use crowdfold_rollup::MOST_LEVELS;

use super::{DELTA, EPSILON, GUARD, LENGTH, TENANTS};
use crate::config::admission::Content;
use crate::config::layers::Layers;
use crate::config::problem::Problem;
use crate::config::read::meant;

const K: &str = "release.k";
const BREAKDOWNS: &str = "release.breakdowns";
const DETAIL: &str = "release.detail_breakdown";
const MARGIN: &str = "release.margin";
const NOISE: &str = "release.noise";

/// What a tenant's own key is called: `release.tenants.acme.k`.
pub(in crate::config) fn own_key(tenant: &str, name: &str) -> String {
    format!("{TENANTS}.{tenant}.{name}")
}

/// By name, the keys that one policy is made of.
pub(super) struct Keys {
    k: String,
    breakdowns: String,
    detail: String,
}

impl Keys {
    /// Those of all tenants.
    pub(super) fn common() -> Self {
        Self { k: K.into(), breakdowns: BREAKDOWNS.into(), detail: DETAIL.into() }
    }

    /// A tenant's own, and the common ones where it has none.
    pub(super) fn of(layers: &Layers, tenant: &str) -> Self {
        let own = |common: &str, name| {
            let own = own_key(tenant, name);
            if layers.has(&own) { own } else { common.into() }
        };
        Self {
            k: own(K, "k"),
            breakdowns: own(BREAKDOWNS, "breakdowns"),
            detail: own(DETAIL, "detail_breakdown"),
        }
    }

    /// What they say.
    pub(super) fn settings(
        &self,
        layers: &Layers,
        content: &Content,
        guard_networks: Option<u32>,
    ) -> Result<PolicySettings, Problem> {
        let breakdowns = self.breakdowns(layers)?;
        if !content.keep && breakdowns.iter().flatten().any(|dimension| *dimension == Dimension::Content) {
            let what = format!(
                "content.policy = \"drop\" lets no content in, but {} names content: give them without it, or keep \
                 content",
                self.breakdowns
            );
            let origin_key =
                if layers.untouched(&self.breakdowns) { "content.policy" } else { self.breakdowns.as_str() };
            return Err(layers.refuse_as(origin_key, &what));
        }
        Ok(PolicySettings {
            k: layers.whole(&self.k, 1..=1_000_000)?,
            allow_small_k: layers.flag("release.allow_small_k")?,
            detail: self.detail(layers, &breakdowns)?,
            margin: layers.whole_unless(MARGIN, "auto", 0..=500_000)?,
            noise: layers.whole(NOISE, 1..=100)?,
            breakdowns,
            guard_networks,
            allow_below_place: content.allow_below_place,
        })
    }

    fn breakdowns(&self, layers: &Layers) -> Result<Vec<Vec<Dimension>>, Problem> {
        let tables = layers.tables(&self.breakdowns)?;
        if let Some(long) = tables.iter().find(|table| table.len() > MOST_LEVELS) {
            let what = format!("a breakdown has {} dimensions, want {MOST_LEVELS} at most", long.len());
            return Err(layers.refuse(&self.breakdowns, what));
        }
        tables.iter().map(|table| dimensions(layers, &self.breakdowns, table)).collect()
    }

    /// Returns the breakdown whose table is the detail table.
    fn detail(&self, layers: &Layers, breakdowns: &[Vec<Dimension>]) -> Result<Detail, Problem> {
        let choices = [("last", Detail::Last), ("none", Detail::None)];
        let words = match layers.choice_or_words(&self.detail, &choices)? {
            Ok(detail) => return Ok(detail),
            Err(words) => words,
        };
        let named = dimensions(layers, &self.detail, &words)?;
        if let Some(index) = breakdowns.iter().position(|breakdown| *breakdown == named) {
            return Ok(Detail::Index(index));
        }
        let Self { breakdowns, detail, .. } = self;
        if detail == DETAIL && breakdowns != BREAKDOWNS {
            let own = breakdowns.replace("breakdowns", "detail_breakdown");
            let what = format!("lacks the one that {DETAIL} names; add it, or name one of these in {own}");
            return Err(layers.refuse(breakdowns, what));
        }
        Err(layers.refuse(
            detail,
            format!(
                "is not one of {breakdowns}; name one exactly as it is listed there, \"last\" or \"none\""
            ),
        ))
    }

    /// What the policy has against its settings, at the key it is about.
    pub(super) fn refused(&self, layers: &Layers, error: &PolicyError) -> Problem {
        let key = match error {
            PolicyError::NoCrowd | PolicyError::SmallK { .. } => &self.k,
            PolicyError::Families(_) => &self.breakdowns,
            // the common budget is enough for the common breakdowns, which were looked at first
            PolicyError::Privacy(PrivacyError::Drowned { .. }) if self.breakdowns != BREAKDOWNS => {
                &self.breakdowns
            }
            PolicyError::UnknownBreakdown { .. } => &self.detail,
            PolicyError::WideMargin { .. } if self.k != K => &self.k,
            PolicyError::NoMargin | PolicyError::WideMargin { .. } => MARGIN,
            PolicyError::NoiseOutOfRange { .. } => NOISE,
            PolicyError::GuardOutOfRange { .. } | PolicyError::GuardUnderNoise { .. } => GUARD,
            PolicyError::Privacy(PrivacyError::Epsilon(_) | PrivacyError::Drowned { .. }) => EPSILON,
            PolicyError::Privacy(PrivacyError::Delta(_)) => DELTA,
            PolicyError::Privacy(PrivacyError::Window(_)) => LENGTH,
        };
        let what = error.to_string();
        let what = what.replace(BREAKDOWNS, &self.breakdowns).replace(K, &self.k);
        if what.starts_with(key) { layers.refuse_as(key, &what) } else { layers.refuse(key, what) }
    }
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
